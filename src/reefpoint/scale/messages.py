"""What travels between the feed, the watchers and those who read crossings: columns behind a small header.

All numbers are little-endian. A message of ticks, version 1, 12 bytes a tick:

    0   magic "RPTK"   4  version u16   6  zero u16   8  ticks N u32   12  zero u32
    16  price_units i64[N], then instrument u32[N]

A message of crossings, version 1, 22 bytes a crossing:

    0   magic "RPCR"   4  version u16   6  zero u16   8  crossings N u32   12  remaining u32
    16  first_sequence i64   24  last_sequence i64   32  first_row i64
    40  assets_units i64[N], ratio_bp i64[N], row u32[N], old_band i8[N], new_band i8[N]

A body must have exactly the length that its header says. Columns of eight bytes come first, so all are aligned.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reefpoint.engine.bands import Band
from reefpoint.engine.columns import PRICE_UNITS_MAX, BookError, Int64s, check_range, int_column
from reefpoint.engine.watch import Crossings, Ints

VERSION = 1
TICKS_MAX = 65_536
"""Ticks in one message: 786 kB, below the server's limit of a megabyte."""
CROSSINGS_MAX = 40_000
"""Crossings in one message: 880 kB. A decision with more is told in several messages."""

_TICKS = struct.Struct("<4sHHII")
_CROSSINGS = struct.Struct("<4sHHIIqqq")
_TICKS_MAGIC, _CROSSINGS_MAGIC = b"RPTK", b"RPCR"
TICK_BYTES = 12
CROSSING_BYTES = 22


class MessageError(ValueError):
    """A message that is not what its subject carries; the text says what is wrong. Nothing of it was used."""


@dataclass(frozen=True, eq=False)
class Ticks:
    """New prices, in the order in which they came; of two for one instrument the later counts.

    `instrument` int64[N] columns of the marks; `price_units` int64[N], 0 for "no usable price from now on".
    """

    instrument: Int64s
    price_units: Int64s

    def __len__(self) -> int:
        return len(self.instrument)


@dataclass(frozen=True, eq=False)
class CrossingsMessage:
    """What one decision of one partition changed, or a part of it.

    The decision was made after tick message `last_sequence` and covers those since `first_sequence`. `remaining`
    crossings of it follow in the next messages. `crossings.row` counts from the partition's first row, which is
    `first_row` of the whole book. A message without crossings says that a watcher has taken the partition over.
    """

    first_sequence: int
    last_sequence: int
    first_row: int
    remaining: int
    crossings: Crossings


def write_ticks(instrument: Ints, price_units: Ints) -> bytes:
    """The message that carries these prices. What `Watch.apply_prices` would refuse raises `BookError` here."""
    names, prices = int_column("instrument", instrument), int_column("price_units", price_units)
    if len(names) != len(prices):
        raise BookError("price_units", None, f"has {len(prices)} rows, instrument has {len(names)}")
    if not 1 <= len(names) <= TICKS_MAX:
        raise BookError("instrument", None, f"has {len(names)} rows; a message carries 1 to {TICKS_MAX}")
    check_range("instrument", names, 0, 2**32 - 1)
    check_range("price_units", prices, 0, PRICE_UNITS_MAX)
    header = _TICKS.pack(_TICKS_MAGIC, VERSION, 0, len(names), 0)
    return b"".join((header, prices.astype("<i8").tobytes(), names.astype("<u4").tobytes()))


def read_ticks(body: bytes, instrument_count: int) -> Ticks:
    """The prices of a message, fit for a book of so many instruments; else `MessageError`."""
    count = _check(body, _TICKS, _TICKS_MAGIC, TICK_BYTES, TICKS_MAX)[3]
    if count == 0:
        raise MessageError("carries no ticks")
    prices = np.frombuffer(body, dtype="<i8", count=count, offset=_TICKS.size)
    names = np.frombuffer(body, dtype="<u4", count=count, offset=_TICKS.size + 8 * count)
    try:
        check_range("instrument", names, 0, instrument_count - 1)
        check_range("price_units", prices, 0, PRICE_UNITS_MAX)
    except BookError as error:
        raise MessageError(str(error)) from error
    return Ticks(names.astype(np.int64), prices.astype(np.int64))


def join_ticks(parts: list[Ticks]) -> Ticks:
    """Several messages as one, in their order: the latest price of each name wins."""
    if len(parts) == 1:
        return parts[0]
    return Ticks(
        np.concatenate([part.instrument for part in parts]), np.concatenate([part.price_units for part in parts])
    )


def write_crossings(
    crossings: Crossings, *, first_sequence: int, last_sequence: int, first_row: int
) -> Iterator[bytes]:
    """The messages that tell a decision: one, or more when it has over `CROSSINGS_MAX` crossings."""
    for begin in range(0, max(len(crossings), 1), CROSSINGS_MAX):
        end = min(begin + CROSSINGS_MAX, len(crossings))
        remaining = len(crossings) - end
        yield b"".join(
            (
                _CROSSINGS.pack(
                    *(_CROSSINGS_MAGIC, VERSION, 0, end - begin, remaining, first_sequence, last_sequence, first_row)
                ),
                crossings.assets_units[begin:end].astype("<i8").tobytes(),
                crossings.ratio_bp[begin:end].astype("<i8").tobytes(),
                crossings.row[begin:end].astype("<u4").tobytes(),
                crossings.old_band[begin:end].tobytes(),
                crossings.new_band[begin:end].tobytes(),
            )
        )


def read_crossings(body: bytes) -> CrossingsMessage:
    """What a watcher told; `MessageError` when the body is not such a message."""
    header = _check(body, _CROSSINGS, _CROSSINGS_MAGIC, CROSSING_BYTES, CROSSINGS_MAX)
    count, remaining, first_sequence, last_sequence, first_row = header[3:]
    offset = _CROSSINGS.size

    def column(dtype: str) -> npt.NDArray[np.int64]:
        nonlocal offset
        values = np.frombuffer(body, dtype=dtype, count=count, offset=offset)
        offset += values.nbytes
        return values.astype(np.int64)

    assets, ratio, row = column("<i8"), column("<i8"), column("<u4")
    old, new = column("<i1"), column("<i1")
    try:
        for name, band in (("old_band", old), ("new_band", new)):
            check_range(name, band, min(Band), max(Band))
    except BookError as error:
        raise MessageError(str(error)) from error
    crossings = Crossings(row, old.astype(np.int8), new.astype(np.int8), assets, ratio)
    return CrossingsMessage(first_sequence, last_sequence, first_row, remaining, crossings)


def _check(body: bytes, header: struct.Struct, magic: bytes, row_bytes: int, count_max: int) -> tuple[int, ...]:
    if len(body) < header.size:
        raise MessageError(f"has {len(body)} bytes, a header alone has {header.size}")
    fields = header.unpack_from(body)
    if fields[0] != magic:
        raise MessageError(f"begins with {fields[0]!r}, not with {magic!r}")
    if fields[1] != VERSION:
        raise MessageError(f"is of version {fields[1]}, this program reads version {VERSION}")
    if fields[2] != 0:
        raise MessageError(f"has {fields[2]} where version {VERSION} has zero")
    if fields[3] > count_max:
        raise MessageError(f"claims {fields[3]} rows, more than {count_max}")
    size = header.size + fields[3] * row_bytes
    if len(body) != size:
        raise MessageError(f"has {len(body)} bytes, its header says {size}")
    return fields
