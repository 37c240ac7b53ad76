"""COPY BINARY buffers become columns; a torn, foreign or hostile one is refused with its row."""

import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reefpoint.engine import loading
from reefpoint.engine.book import Book, build_book, sorted_by_size
from reefpoint.engine.columns import BookError
from reefpoint.engine.loading import GOOD, POSITION_ROW_BYTES, _read_positions, read_columns, read_positions

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
ACCOUNTS = np.array([3, 10, 11, 500, 2**40])
INSTRUMENTS = np.array([1, 2, 7, 4_000])
CODES = {2: "h", 4: "i", 8: "q"}

Row = tuple[int, ...]
pairs = st.tuples(st.sampled_from(ACCOUNTS.tolist()), st.sampled_from(INSTRUMENTS.tolist()))
holdings = st.dictionaries(pairs, st.integers(0, 2**40), max_size=20).map(
    lambda held: [(account, instrument, quantity) for (account, instrument), quantity in sorted(held.items())]
)


def row_bytes(row: Sequence[int | None], sizes: Sequence[int]) -> bytes:
    fields = (
        struct.pack(">i", -1) if value is None else struct.pack(f">i{CODES[size]}", size, value)
        for value, size in zip(row, sizes, strict=True)
    )
    return struct.pack(">h", len(row)) + b"".join(fields)


def copied(rows: Sequence[Sequence[int | None]], sizes: Sequence[int] = (8, 8, 8)) -> bytes:
    """What PostgreSQL sends for these rows."""
    return HEADER + b"".join(row_bytes(row, sizes) for row in rows) + TRAILER


def read(buffer: bytes) -> tuple[Any, Any, Any]:
    return read_positions(buffer, ACCOUNTS, INSTRUMENTS)


def refusal(buffer: bytes) -> BookError:
    with pytest.raises(BookError) as caught:
        read(buffer)
    return caught.value


@given(rows=holdings)
def test_positions_are_those_of_a_book_built_row_by_row(rows: list[Row]) -> None:
    start, instrument, quantity = read(copied(rows))
    nothing = np.zeros(len(ACCOUNTS), dtype=np.int64)
    book = Book(start, instrument, quantity, nothing, nothing, np.zeros(len(ACCOUNTS), dtype=np.uint16))
    expected = build_book(
        cash_units=nothing,
        debt_units=nothing,
        terms=nothing,
        account=[int(np.searchsorted(ACCOUNTS, row[0])) for row in rows],
        instrument=[int(np.searchsorted(INSTRUMENTS, row[1])) for row in rows],
        quantity=[row[2] for row in rows],
    )
    for name in ("start", "instrument", "quantity"):
        assert getattr(book, name).dtype == getattr(expected, name).dtype
        assert np.array_equal(getattr(book, name), getattr(expected, name))
    sorted_by_size(book)


def outcome(buffer: bytes) -> list[object]:
    """What reading gives, types included, or what it is refused for."""
    try:
        return [(column.dtype, column.tolist()) for column in read(buffer)]
    except BookError as error:
        return [str(error)]


@given(rows=holdings, data=st.data())
def test_few_rows_are_read_and_refused_as_many_are(rows: list[Row], data: st.DataObject) -> None:
    buffer = bytearray(copied(rows))
    if data.draw(st.booleans()):
        buffer[data.draw(st.integers(len(HEADER), len(buffer) - 1))] ^= data.draw(st.integers(1, 255))
    few = outcome(bytes(buffer))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "FEW_ROWS", -1)
        assert outcome(bytes(buffer)) == few


@given(
    rows=st.lists(
        st.tuples(st.integers(-(2**15), 2**15 - 1), st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1))
    )
)
def test_columns_of_every_width_come_as_they_were_sent(rows: list[Row]) -> None:
    columns = read_columns(copied(rows, (2, 4, 8)), {"small": 2, "middle": 4, "large": 8})
    assert list(zip(*(columns[name].tolist() for name in ("small", "middle", "large")), strict=True)) == rows


@given(rows=holdings.filter(bool), data=st.data())
def test_a_buffer_cut_anywhere_is_refused(rows: list[Row], data: st.DataObject) -> None:
    buffer = copied(rows)
    length = data.draw(st.integers(0, len(buffer) - 1))
    error = refusal(buffer[:length])
    assert error.column == "buffer" or error.row is not None


@given(rows=holdings.filter(bool), data=st.data())
def test_one_wrong_byte_is_refused_or_is_another_figure(rows: list[Row], data: st.DataObject) -> None:
    """A changed byte either breaks the format, and is refused, or it changes one field to another lawful figure."""
    good = copied(rows)
    place = data.draw(st.integers(0, len(good) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != good[place]))
    bad = good[:place] + bytes([value]) + good[place + 1 :]
    in_row = (place - len(HEADER)) % POSITION_ROW_BYTES
    is_value = len(HEADER) <= place < len(good) - 2 and in_row >= 6 and (in_row - 2) % 12 >= 4
    if not is_value:
        refusal(bad)
        return
    try:
        after = read(bad)
    except BookError as error:
        row = error.row
    else:
        assert any(not np.array_equal(one, other) for one, other in zip(read(good), after, strict=True))
        row = 0
    assert row is not None


ROWS: list[Row] = [(3, 1, 5), (10, 2, 6), (10, 7, 7)]


@pytest.mark.parametrize(
    ("spoil", "column", "row"),
    [
        (lambda buffer: b"", "buffer", None),
        (lambda buffer: b"PGCOPX" + buffer[6:], "buffer", None),
        (lambda buffer: buffer[:14] + b"\x01" + buffer[15:], "buffer", None),
        (lambda buffer: buffer[:-2], "row", 2),
        (lambda buffer: buffer[:-1], "row", 2),
        (lambda buffer: buffer + b"\0", "row", 3),
        (lambda buffer: buffer[:-2] + b"\0\0", "row", 3),
        (lambda buffer: copied([*ROWS[:1], (10, None, 6), *ROWS[2:]]), "row", 1),
        (lambda buffer: copied([*ROWS[:2], (10, 7, None)]), "row", 2),
        (lambda buffer: copied(ROWS, (8, 4, 8)), "row", 0),
        (lambda buffer: copied([(4, 1, 5)]), "account_id", 0),
        (lambda buffer: copied([(-1, 1, 5)]), "account_id", 0),
        (lambda buffer: copied([(2**41, 1, 5)]), "account_id", 0),
        (lambda buffer: copied([*ROWS, (3, 2, 5)]), "account_id", 3),
        (lambda buffer: copied([*ROWS, (10, 7, 1)]), "instrument_id", 3),
        (lambda buffer: copied([*ROWS, (10, 1, 1)]), "instrument_id", 3),
        (lambda buffer: copied([(3, 3, 5)]), "instrument_id", 0),
        (lambda buffer: copied([(3, -7, 5)]), "instrument_id", 0),
        (lambda buffer: copied([(3, 2**40, 5)]), "instrument_id", 0),
    ],
)
def test_a_torn_or_foreign_buffer_is_refused_with_its_row(
    spoil: Callable[[bytes], bytes], column: str, row: int | None
) -> None:
    error = refusal(spoil(copied(ROWS)))
    assert (error.column, error.row) == (column, row)


@pytest.mark.parametrize("quantity", [2**63 - 1, -(2**63), 2**41])
def test_a_quantity_past_every_limit_is_refused_by_the_book(quantity: int) -> None:
    start, instrument, held = read(copied([(3, 1, 5), (10, 1, quantity)]))
    nothing = np.zeros(len(ACCOUNTS), dtype=np.int64)
    with pytest.raises(BookError) as caught:
        Book(start, instrument, held, nothing, nothing, np.zeros(len(ACCOUNTS), dtype=np.uint16))
    assert (caught.value.column, caught.value.row) == ("quantity", 1)


def test_nulls_and_other_widths_of_columns_are_refused_with_their_row() -> None:
    fields = {"account_id": 8, "band": 2}
    for rows, sizes, column, row in (
        ([(1, 2), (None, 2), (3, 4)], (8, 2), "account_id", 1),
        ([(1, 2), (3, 4)], (8, 4), "band", 0),
        ([(1, 2, 3)], (8, 2, 2), "row", 0),
    ):
        with pytest.raises(BookError) as caught:
            read_columns(copied(rows, sizes), fields)
        assert (caught.value.column, caught.value.row) == (column, row)


def test_nothing_at_all_is_an_empty_book() -> None:
    start, instrument, quantity = read_positions(copied([]), np.empty(0, np.int64), np.empty(0, np.int64))
    assert (start.tolist(), len(instrument), len(quantity)) == ([0], 0, 0)
    assert read_columns(copied([]), {"account_id": 8})["account_id"].tolist() == []


def test_the_compiled_reader_gives_the_same_bits() -> None:
    rng = np.random.default_rng(7)
    keys = np.unique(rng.integers(0, 5 * 4, 14))
    rows = [(int(ACCOUNTS[key // 4]), int(INSTRUMENTS[key % 4]), int(rng.integers(0, 2**33))) for key in keys]
    raw = np.frombuffer(copied(rows), np.uint8)[len(HEADER) : -2]
    column = np.full(4_001, -1, dtype=np.int32)
    column[INSTRUMENTS] = np.arange(4)
    for kind in (np.int32, np.int64):
        ends, answers = [], []
        for form in (_read_positions.py_func, _read_positions.compiled):
            out = (np.zeros(6, np.int32), np.zeros(len(rows), np.uint16), np.zeros(len(rows), kind))
            ends.append(form(raw, ACCOUNTS, column, int(np.iinfo(kind).max), *out))
            answers.append(out)
        assert ends[0] == ends[1]
        assert all(np.array_equal(one, other) for one, other in zip(*answers, strict=True))
    assert ends[0] == (len(rows), GOOD)
