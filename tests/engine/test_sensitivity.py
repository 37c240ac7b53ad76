"""Sensitivities and reverse stress: the same as valuing the book again, and again."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.cases import LINES, account_of, books, column, lines_tables, marks_of, marks_tables

from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.columns import BookError
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.reverse_stress import reverse_stress
from reefpoint.engine.scenarios import E8, Scenarios, factor_scenarios, shock_prices
from reefpoint.engine.sensitivity import sensitivity_by_group, sensitivity_by_scenario

NAMES = 4
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def moves_of_groups(marks: Marks, group: np.ndarray, count: int, move_bp: int) -> Scenarios:
    """One scenario a group: its names at the moved price, the others as they are."""
    moved = shock_prices(marks.price_units, np.array([[move_bp * (E8 // 10_000)]]), ["moved"]).price_units[0]
    table = np.stack([np.where(group == one, moved, marks.price_units) for one in range(count)])
    return Scenarios(tuple(str(one) for one in range(count)), table)


@SETTINGS
@given(data=st.data(), move_bp=st.integers(-9_999, 3_000))
def test_moving_a_group_changes_what_two_full_valuations_say(data: st.DataObject, move_bp: int) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    marks.price_units.clip(0, 2**38, out=marks.price_units)
    group = np.array(data.draw(st.lists(st.integers(-1, 2), min_size=NAMES, max_size=NAMES)), dtype=np.int32)
    expected = sensitivity_by_scenario(book, marks, lines, moves_of_groups(marks, group, 3, move_bp))
    for steps_left in (2**62, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_steps_left", steps_left)
            found = sensitivity_by_group(book, marks, lines, group, ["0", "1", "2"], move_bp=move_bp)
        for name, values in vars(expected).items():
            np.testing.assert_array_equal(getattr(found, name), values, err_msg=name)


def test_one_percent_of_one_name_by_hand() -> None:
    # 10 of A at 100, 10 of B at 50 against a debt of 1,490: a percent of A loses 10 and leaves 1,490 as it was covered
    book = build_book(
        cash_units=[0, 0],
        debt_units=[1_495, 700],
        terms=[0, 0],
        account=[0, 0, 1],
        instrument=[0, 1, 0],
        quantity=[10] * 3,
    )
    found = sensitivity_by_group(book, marks_of([100, 50]), LINES, np.array([0, 1], dtype=np.int32), ["A", "B"])
    assert found.names == ("A", "B")
    assert found.shortfall_units.tolist() == [5, 5]
    assert found.market_units.tolist() == [-20, -10]
    assert found.band_accounts.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_factor_moves_each_name_by_its_loading() -> None:
    book, marks = account_of([100, 100], cash=0, debt=19_000), marks_of([100, 100])
    moves = factor_scenarios(marks.price_units, np.array([[1.0], [0.5]]), np.array([[-0.1]]), ["market"])
    found = sensitivity_by_scenario(book, marks, LINES, moves)
    assert found.market_units.tolist() == [-1_500]
    assert found.shortfall_units.tolist() == [19_000 - 18_500]


def test_a_group_without_a_name_is_refused() -> None:
    book, marks = account_of([1]), marks_of([1])
    with pytest.raises(BookError, match=r"group\[0\] is 1, above 0"):
        sensitivity_by_group(book, marks, LINES, np.array([1], dtype=np.int32), ["only"])
    with pytest.raises(BookError, match="move_bp is -10000, below -9999"):
        sensitivity_by_group(book, marks, LINES, np.array([0], dtype=np.int32), ["only"], move_bp=-10_000)


EVERYTHING_DOWN = -E8


def loss_at(book: Book, marks: Marks, step_bp: int) -> int:
    """The total shortfall when all prices have fallen by `step_bp`, in fractions."""
    loss = 0
    for row in range(book.account_count):
        held = book.positions(row)
        assets = int(book.cash_units[row])
        for name, quantity in zip(book.instrument[held].tolist(), book.quantity[held].tolist(), strict=True):
            price = Fraction(int(marks.price_units[name]) * (10_000 - step_bp), 10_000)
            assets += quantity * max(1, price.numerator // price.denominator)
        loss += max(0, int(book.debt_units[row]) - assets)
    return loss


@settings(max_examples=20, deadline=None)
@given(limit=st.integers(0, 40_000), seed=st.integers(0, 50))
def test_the_step_found_is_the_first_over_the_limit(limit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 5))
    book = build_book(
        cash_units=[0] * count,
        debt_units=rng.integers(0, 9_000, count),
        terms=[0] * count,
        account=list(range(count)),
        instrument=rng.integers(0, 2, count),
        quantity=rng.integers(0, 100, count),
    )
    marks = marks_of([100, 150])
    found = reverse_stress(book, marks, LINES, np.full(2, EVERYTHING_DOWN), limit_units=limit)
    assert found.is_smallest
    if found.step_bp is None:
        assert loss_at(book, marks, 10_000) == found.loss_units <= limit
    else:
        assert found.loss_units == loss_at(book, marks, found.step_bp) > limit
        assert found.step_bp == 0 or found.loss_before_units == loss_at(book, marks, found.step_bp - 1) <= limit
    assert found.shortfall_units.sum() == found.loss_units
    assert (np.diff(found.shortfall_units) <= 0).all()


def test_who_makes_up_the_loss_is_told_largest_first() -> None:
    book = build_book(
        cash_units=[0] * 3,
        debt_units=[60, 80, 10],
        terms=[0] * 3,
        account=[0, 1, 2],
        instrument=[0] * 3,
        quantity=[1] * 3,
    )
    # one bp past 53% the share is worth 46, rounded down, and 34 + 14 are missing; before it 33 + 13 were
    found = reverse_stress(book, marks_of([100]), LINES, column(EVERYTHING_DOWN), limit_units=47)
    assert (found.step_bp, found.loss_units, found.loss_before_units) == (5_301, 48, 46)
    assert found.accounts.tolist() == [1, 0]
    assert found.shortfall_units.tolist() == [34, 14]


def test_a_direction_in_which_a_name_rises_and_a_short_prove_nothing() -> None:
    book, marks, lines = account_of([10, 0, 3, 1], debt=900), marks_of([100] * 4), LINES
    assert not reverse_stress(book, marks, lines, column(-E8, -E8, 0, 1), limit_units=10**9).is_smallest
    assert reverse_stress(book, marks, lines, column(-E8, -E8, 0, 0), limit_units=10**9).is_smallest
    short = account_of([10, -1, 3, 1], debt=900)
    assert not reverse_stress(short, marks, lines, column(-E8, -E8, 0, 0), limit_units=10**9).is_smallest
    with pytest.raises(BookError, match="limit_units is -1"):
        reverse_stress(book, marks, lines, column(0, 0, 0, 0), limit_units=-1)
