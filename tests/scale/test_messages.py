"""Bodies of messages: what is written is read back, and nothing else is read."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reefpoint.engine.columns import PRICE_UNITS_MAX, BookError
from reefpoint.engine.watch import Crossings
from reefpoint.scale import messages
from reefpoint.scale.messages import MessageError, Ticks, join_ticks, read_crossings, read_ticks, write_ticks


def crossings_of(count: int) -> Crossings:
    rows = np.arange(count)
    return Crossings(rows, (rows % 5 - 1).astype(np.int8), (rows % 3).astype(np.int8), rows * 2**30, rows - 1)


@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, PRICE_UNITS_MAX)), min_size=1))
def test_ticks_are_read_as_they_were_written(ticks: list[tuple[int, int]]) -> None:
    names, prices = zip(*ticks, strict=True)
    read = read_ticks(write_ticks(names, prices), 60)
    assert (read.instrument.tolist(), read.price_units.tolist()) == ([*names], [*prices])
    assert read.instrument.dtype == read.price_units.dtype == np.int64


@given(st.integers(0, 50), st.integers(1, 7))
def test_a_decision_is_read_as_it_was_told_in_however_many_messages(count: int, rows_max: int) -> None:
    told = crossings_of(count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "CROSSINGS_MAX", rows_max)
        bodies = list(messages.write_crossings(told, first_sequence=5, last_sequence=9, first_row=100))
        parts = [read_crossings(body) for body in bodies]
    assert [part.remaining for part in parts] == [max(count - rows_max * (i + 1), 0) for i in range(len(parts))]
    assert {(part.first_sequence, part.last_sequence, part.first_row) for part in parts} == {(5, 9, 100)}
    for name in ("row", "old_band", "new_band", "assets_units", "ratio_bp"):
        column = np.concatenate([getattr(part.crossings, name) for part in parts])
        np.testing.assert_array_equal(column, getattr(told, name))
        assert column.dtype == getattr(told, name).dtype


GOOD = write_ticks([1, 2], [10_000, 20_000])
HOSTILE = {
    "empty": b"",
    "short header": GOOD[:15],
    "other magic": b"HTTP" + GOOD[4:],
    "other version": GOOD[:4] + struct.pack("<H", 2) + GOOD[6:],
    "flags that do not exist": GOOD[:6] + struct.pack("<H", 1) + GOOD[8:],
    "no ticks": GOOD[:8] + bytes(8),
    "one byte short": GOOD[:-1],
    "one byte long": GOOD + b"\0",
    "claims the whole memory": GOOD[:8] + struct.pack("<I", 2**32 - 1) + GOOD[12:],
    "negative price": GOOD[:16] + struct.pack("<q", -1) + GOOD[24:],
    "price out of range": GOOD[:16] + struct.pack("<q", PRICE_UNITS_MAX + 1) + GOOD[24:],
    "unknown instrument": GOOD[:-4] + struct.pack("<I", 60),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_ticks_are_refused(body: bytes) -> None:
    with pytest.raises(MessageError):
        read_ticks(body, 60)


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_raise_anything_else(noise: bytes, has_header: bool) -> None:
    for read, magic in ((lambda body: read_ticks(body, 60), b"RPTK\1\0\0\0"), (read_crossings, b"RPCR\1\0\0\0")):
        try:
            read(magic + noise if has_header else noise)
        except MessageError:
            continue


@pytest.mark.parametrize(
    ("names", "prices"), [([], []), ([1], [1, 2]), ([-1], [1]), ([1], [-1]), ([1], [1.5]), ([0] * 65_537, [1] * 65_537)]
)
def test_wrong_ticks_are_not_written(names: list[int], prices: list[int]) -> None:
    with pytest.raises(BookError):
        write_ticks(names, prices)


def test_joined_ticks_keep_their_order() -> None:
    one, two = Ticks(np.array([3, 1]), np.array([10, 20])), Ticks(np.array([3]), np.array([30]))
    assert join_ticks([one, two]).price_units.tolist() == [10, 20, 30]
