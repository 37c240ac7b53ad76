r"""What PostgreSQL sends on COPY (...) TO STDOUT (FORMAT BINARY), as columns. Bytes in, arrays out.

The format (PostgreSQL manual, COPY, "Binary Format"): the signature `PGCOPY\n\xff\r\n\0`, 4 bytes of flags, 4 of
the length of an extension; then every row as 2 bytes of field count and, for each field, 4 bytes of length and its
bytes; at the end -1 as the field count. All integers are big-endian. As every field here is a whole number that is
never NULL, all rows of one buffer have one length, and anything else is refused with its row.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reefpoint.engine.book import POSITIONS_MAX
from reefpoint.engine.columns import (
    BookError,
    Instruments,
    Int32s,
    Int64s,
    Quantities,
    check_column,
    check_range,
    count_rows,
)
from reefpoint.engine.kernel import kernel

Buffer: TypeAlias = bytes | bytearray | memoryview
UInt8s: TypeAlias = npt.NDArray[np.uint8]

SIGNATURE = b"PGCOPY\n\xff\r\n\0"
HEADER_BYTES = len(SIGNATURE) + 8
TRAILER = b"\xff\xff"
FIELD_BYTES = (2, 4, 8)
"""The lengths of smallint, integer and bigint."""
POSITION_ROW_BYTES = 2 + 3 * (4 + 8)
FEW_ROWS = 50_000
"""Up to so many rows are read in steps over whole columns, in less time than Numba takes to be loaded."""
STEPS_A_ROW = 8
"""A row interpreted costs about as much as so many steps of other kernels."""
INSTRUMENT_ID_MAX = 2**24
"""Ids of instruments are looked up in a table."""

GOOD, WRONG_FIELDS, WRONG_LENGTH, UNKNOWN_ACCOUNT, OUT_OF_ORDER, UNKNOWN_INSTRUMENT, TOO_WIDE = range(7)
"""How reading positions ended."""
_PROBLEMS = {
    WRONG_FIELDS: ("row", "does not have three fields: the buffer is torn or foreign"),
    WRONG_LENGTH: ("row", "has a field that is NULL or not a bigint"),
    UNKNOWN_ACCOUNT: ("account_id", "is not an account of the book, or comes before the account of the row before"),
    OUT_OF_ORDER: ("instrument_id", "is not greater than the one before in its account"),
    UNKNOWN_INSTRUMENT: ("instrument_id", "is not an instrument of the marks"),
}


def read_columns(buffer: Buffer, fields: Mapping[str, int]) -> dict[str, Int64s]:
    """Each field of every row as an int64 column; `fields` are name -> bytes (2, 4 or 8), in the order of the query.

    Raises `BookError` for a buffer that is torn, foreign, or holds a NULL or a field of another length.
    """
    assert set(fields.values()) <= set(FIELD_BYTES), "fields are smallint, integer or bigint"
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, size in fields.items():
        layout += [(f"{name} length", ">i4"), (name, f">i{size}")]
    rows = np.frombuffer(buffer, np.dtype(layout), _count_rows(buffer, np.dtype(layout).itemsize), HEADER_BYTES)
    wrong = [(_first_other(rows["fields"], len(fields)), "row", f"does not have {len(fields)} fields")]
    for name, size in fields.items():
        wrong.append((_first_other(rows[f"{name} length"], size), name, f"does not have {size} bytes"))
    row, column, problem = min(wrong, key=itemgetter(0))
    if row < len(rows):
        raise BookError(column, row, f"{problem}: the buffer is torn or foreign, or holds a NULL")
    _refuse_leftover(buffer, np.dtype(layout).itemsize)
    return {name: rows[name].astype(np.int64) for name in fields}


def read_positions(buffer: Buffer, account_id: Int64s, instrument_id: Int64s) -> tuple[Int32s, Instruments, Quantities]:
    """`start`, `instrument` and `quantity` of a `Book` from rows (account id, instrument id, quantity), all bigint.

    `account_id` int64[A] and `instrument_id` int64[S], ascending, say which ids stand for rows of the book and columns
    of the marks; an account may have no position. Rows come by account and then instrument, each pair once. Raises
    `BookError`, with the row, for anything else and for what `read_columns` refuses. One pass over many bytes.
    """
    _check_ids("account_id", account_id)
    _check_ids("instrument_id", instrument_id)
    rows = _count_rows(buffer, POSITION_ROW_BYTES)
    check_range("rows", np.array([rows]), 0, POSITIONS_MAX)
    raw = np.frombuffer(buffer, np.uint8, rows * POSITION_ROW_BYTES, HEADER_BYTES)
    check_range("instrument_id", instrument_id, 0, INSTRUMENT_ID_MAX)
    column = np.full(instrument_id[-1] + 1 if len(instrument_id) else 0, -1, dtype=np.int32)
    column[instrument_id] = np.arange(len(instrument_id))
    if rows <= FEW_ROWS and (few := _read_few(raw, account_id, column)) is not None:
        _refuse_leftover(buffer, POSITION_ROW_BYTES)
        return few
    start = np.zeros(len(account_id) + 1, dtype=np.int32)
    instrument: Instruments = np.empty(rows, dtype=np.uint16 if len(instrument_id) <= 2**16 else np.uint32)
    for kind in (np.int32, np.int64):
        quantity: Quantities = np.empty(rows, dtype=kind)
        row, problem = _read_positions.run(
            rows * STEPS_A_ROW, raw, account_id, column, int(np.iinfo(kind).max), start, instrument, quantity
        )
        if problem != TOO_WIDE:
            break
    if problem != GOOD:
        raise BookError(_PROBLEMS[problem][0], row, _PROBLEMS[problem][1])
    _refuse_leftover(buffer, POSITION_ROW_BYTES)
    return start, instrument, quantity


def _read_few(raw: UInt8s, account_id: Int64s, column: Int32s) -> tuple[Int32s, Instruments, Quantities] | None:
    """What `_read_positions` reads, in steps over whole columns; None if any row is one that it would refuse."""
    rows = raw.view(_POSITION_ROW)
    if (rows["fields"] != 3).any() or any((rows[f"{name} length"] != 8).any() for name in _POSITION_FIELDS):
        return None
    owner, name, quantity = (rows[field].astype(np.int64) for field in _POSITION_FIELDS)
    account = np.searchsorted(account_id, owner)
    is_later = (owner[1:] > owner[:-1]) | ((owner[1:] == owner[:-1]) & (name[1:] > name[:-1]))
    if (
        not is_later.all()
        or account.max(initial=-1) >= len(account_id)
        or (account_id[account] != owner).any()
        or name.min(initial=0) < 0
        or name.max(initial=-1) >= len(column)
        or (column[name] < 0).any()
    ):
        return None
    start = np.zeros(len(account_id) + 1, dtype=np.int32)
    np.cumsum(np.bincount(account, minlength=len(account_id)), out=start[1:])
    is_narrow = quantity.min(initial=0) >= -(2**31) and quantity.max(initial=0) < 2**31
    instrument: Instruments = column[name].astype(np.uint16 if int((column >= 0).sum()) <= 2**16 else np.uint32)
    return start, instrument, quantity.astype(np.int32) if is_narrow else quantity


_POSITION_FIELDS = ("account", "instrument", "quantity")
_POSITION_ROW = np.dtype(
    [
        ("fields", ">i2"),
        *((f"{name}{end}", kind) for name in _POSITION_FIELDS for end, kind in ((" length", ">i4"), ("", ">i8"))),
    ]
)


@kernel
def _read_positions(  # noqa: PLR0911 - each refusal has its own place
    raw: UInt8s,
    account_id: Int64s,
    column: Int32s,
    quantity_max: int,
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
) -> tuple[int, int]:
    """Fill `start`, `instrument` and `quantity`; returns the rows read, and GOOD or what is wrong with the next one.

    `column` int32[largest id + 1] is the column of each instrument id, -1 where there is none.
    """
    rows = len(raw) // POSITION_ROW_BYTES
    field = np.empty(3, dtype=np.int64)
    owner = np.int64(-1)
    before = np.int64(-1)
    account = -1
    for row in range(rows):
        at = row * POSITION_ROW_BYTES
        if raw[at] != 0 or raw[at + 1] != 3:
            return row, WRONG_FIELDS
        for i in range(3):
            begin = at + 2 + 12 * i
            if raw[begin] != 0 or raw[begin + 1] != 0 or raw[begin + 2] != 0 or raw[begin + 3] != 8:
                return row, WRONG_LENGTH
            value = np.int64(0)
            for k in range(4, 12):
                value = (value << 8) | np.int64(raw[begin + k])
            field[i] = value
        if row == 0 or field[0] != owner:
            account += 1
            while account < len(account_id) and account_id[account] < field[0]:
                account += 1
                start[account] = row
            if account >= len(account_id) or account_id[account] != field[0]:
                return row, UNKNOWN_ACCOUNT
            owner = field[0]
            before = np.int64(-1)
        if field[1] < 0 or field[1] >= len(column) or column[field[1]] < 0:
            return row, UNKNOWN_INSTRUMENT
        if field[1] <= before:
            return row, OUT_OF_ORDER
        before = field[1]
        if field[2] > quantity_max or field[2] < -quantity_max - 1:
            return row, TOO_WIDE
        instrument[row] = column[field[1]]
        quantity[row] = field[2]
        start[account + 1] = row + 1
    for rest in range(account + 1, len(account_id)):
        start[rest + 1] = rows
    return rows, GOOD


def _check_ids(name: str, ids: Int64s) -> None:
    """Refuse ids that are no int64 column in ascending order, each once."""
    check_column(name, ids, np.int64, (count_rows(name, ids),))
    if (later := np.flatnonzero(ids[1:] <= ids[:-1])).size:
        raise BookError(name, int(later[0]) + 1, f"is {ids[later[0] + 1]}, not greater than the one before")


def _count_rows(buffer: Buffer, row_bytes: int) -> int:
    """How many whole rows the buffer can hold; refuses one without PostgreSQL's signature."""
    if len(buffer) < HEADER_BYTES or bytes(buffer[: len(SIGNATURE)]) != SIGNATURE:
        raise BookError("buffer", None, "does not begin with the signature of COPY BINARY")
    if bytes(buffer[len(SIGNATURE) : HEADER_BYTES]) != bytes(8):
        raise BookError("buffer", None, "has flags or an extension that are not known here")
    return max(0, len(buffer) - HEADER_BYTES - len(TRAILER)) // row_bytes


def _refuse_leftover(buffer: Buffer, row_bytes: int) -> None:
    """Refuse a buffer that does not end with the trailer right after its last whole row."""
    rows = _count_rows(buffer, row_bytes)
    if len(buffer) != HEADER_BYTES + rows * row_bytes + len(TRAILER):
        raise BookError("row", rows, "is cut off or holds a NULL")
    if bytes(buffer[-len(TRAILER) :]) != TRAILER:
        raise BookError("row", rows, "should be the trailer: the buffer is torn")


def _first_other(values: npt.NDArray[np.integer], wanted: int) -> int:
    """The first row with another value, or the number of rows."""
    other = values != wanted
    return int(other.argmax()) if other.any() else len(other)
