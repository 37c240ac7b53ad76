"""Windows over the past: equal to the definition row by row, in both forms."""

from collections.abc import Callable
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reefpoint.engine.columns import BookError
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.windows import (
    NEVER,
    NO_RANK,
    last_before,
    make_partition,
    mirrored_trades,
    window_distinct,
    window_max,
    window_percentile,
    window_sum,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(-5, 9), st.integers(-1, 1), st.integers(0, 3)),
    max_size=40,
)
"""Rows of (party, clock, value, side, code)."""


def columns(rows: list[tuple[int, ...]]) -> list[np.ndarray]:
    ordered = sorted(rows, key=lambda row: row[1])
    return [np.array([row[column] for row in ordered], dtype=np.int64) for column in range(5)]


def by_definition(
    party: np.ndarray, clock: np.ndarray, length: int, say: Callable[[list[int], int], int], skip: int = 0
) -> list[int]:
    """What `say` makes of the window of each row, given its rows and itself."""
    found = []
    for row in range(len(party)):
        window = [
            other
            for other in range(row + 1 if skip == 0 else row)
            if party[other] == party[row] and clock[row] - length < clock[other] <= clock[row] - skip
        ]
        found.append(say(window, row))
    return found


@pytest.mark.parametrize("steps_left", [2**62, -1], ids=["interpreted", "compiled"])
@given(rows=ROWS, length=st.integers(1, 8))
def test_each_window_is_what_its_definition_says(steps_left: int, rows: list[tuple[int, ...]], length: int) -> None:
    party, clock, value, side, code = columns(rows)
    parts = make_partition(party)
    quantity = np.abs(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Kernel, "_steps_left", steps_left)
        sums = window_sum(parts, clock, value, length).tolist()
        largest = window_max(parts, clock, value, length).tolist()
        distinct = window_distinct(parts, clock, code, length).tolist()
        latest = last_before(parts, clock, side > 0).tolist()
        middle = window_percentile(parts, clock, value, side >= 0, percent=60, length=length + 1, skip=1).tolist()
        mirrors = mirrored_trades(parts, clock, side, quantity, code, length=length, tolerance_pct=50).tolist()

    def rank(window: list[int], row: int) -> int:
        del row
        ranked = sorted(value[other] for other in window if side[other] >= 0)
        return int(ranked[ceil(60 * len(ranked) / 100) - 1]) if ranked else NO_RANK

    def mirror(window: list[int], row: int) -> int:
        return int(
            side[row] != 0
            and any(
                other != row
                and side[other] == -side[row]
                and code[other] != code[row]
                and abs(quantity[other] - quantity[row]) * 2 <= max(quantity[other], quantity[row])
                for other in window
            )
        )

    assert sums == by_definition(party, clock, length, lambda window, _: int(sum(value[window])))
    assert largest == by_definition(party, clock, length, lambda window, _: int(max(value[window])))
    assert distinct == by_definition(party, clock, length, lambda window, _: len({*code[window].tolist()} - {0}))
    assert latest == [
        max(
            (int(clock[other]) for other in range(row) if party[other] == party[row] and side[other] > 0), default=NEVER
        )
        for row in range(len(party))
    ]
    assert middle == by_definition(party, clock, length + 1, rank, skip=1)
    assert mirrors == by_definition(party, clock, length, mirror)


def test_what_happens_later_changes_nothing_of_what_was_known() -> None:
    clock, value = np.arange(6), np.array([5, 1, 7, 2, 9, 4])
    whole = window_sum(make_partition(np.zeros(6, dtype=np.int64)), clock, value, 3)
    part = window_sum(make_partition(np.zeros(4, dtype=np.int64)), clock[:4], value[:4], 3)
    assert whole[:4].tolist() == part.tolist() == [5, 6, 13, 10]


def test_two_keys_part_rows_that_differ_in_either() -> None:
    client, name = np.array([1, 1, 2, 1]), np.array([7, 8, 7, 7])
    parts = make_partition(client, name)
    assert window_sum(parts, np.arange(4), np.ones(4, dtype=np.int64), 9).tolist() == [1, 1, 1, 2]


def test_rows_of_one_party_that_do_not_stand_by_time_are_put_so() -> None:
    name, clock = np.array([5, 5, 5]), np.array([10, 3, 7])
    parts = make_partition(name, in_time=np.argsort(clock))
    assert window_sum(parts, clock, np.array([1, 20, 300]), 5).tolist() == [301, 20, 320]


def test_columns_that_are_no_columns_are_refused() -> None:
    parts, three = make_partition(np.zeros(3, dtype=np.int64)), np.arange(3)
    with pytest.raises(BookError, match="length is 0"):
        window_sum(parts, three, three, 0)
    with pytest.raises(BookError, match="value must have shape"):
        window_sum(parts, three, np.arange(4), 1)
    with pytest.raises(BookError, match="side"):
        mirrored_trades(parts, three, np.array([0, 2, 0]), three, three, length=1, tolerance_pct=5)
    with pytest.raises(BookError, match="percentile"):
        window_percentile(parts, three, three, three > 0, percent=95, length=2, skip=2)


def test_no_rows_give_no_windows() -> None:
    none = np.empty(0, dtype=np.int64)
    parts = make_partition(none)
    assert [len(f(parts, none, none, 5)) for f in (window_sum, window_max, window_distinct)] == [0, 0, 0]
