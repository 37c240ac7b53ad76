"""From a database to calls: loading a book, and how long after a tick its calls are committed.

It needs a PostgreSQL (the one of the settings, or the embedded one) and makes a database of its own there, with a
synthetic desk, which it drops at the end.
"""

import numpy as np

from reefpoint.benchmarks.database import database_at_hand
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Answer, Candidate
from reefpoint.engine.book import Book, sorted_by_size
from reefpoint.engine.columns import Instruments, Int32s, Int64s, Quantities
from reefpoint.engine.loading import HEADER_BYTES, TRAILER, read_positions

DATABASE = "reefpoint_bench"
STORMS = (1_000, 10_000, 100_000)
"""Accounts that one tick puts in call; a desk has those storms that are at most a tenth of it, and the first
always: of all its accounts, where they are fewer."""


def measure_load(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Load a desk of that many accounts into the watch, and drive ticks through it."""
    storms = [min(storm, accounts) for storm in STORMS if storm <= max(STORMS[0], accounts // 10)]
    with database_at_hand():
        from reefpoint.benchmarks.watch_runs import measure_watch  # noqa: PLC0415 - models exist from here on

        return measure_watch(DATABASE, accounts, storms=storms, rounds=rounds)


def load_candidates(buffer: bytes | bytearray, ids: Int64s, instruments: Int64s) -> list[Candidate]:
    """The engine's reader and NumPy alone, from one COPY BINARY of positions to a book sorted by size."""
    return [
        Candidate(
            "COPY BINARY to a book sorted by size", "reefpoint", lambda: _read(buffer, ids, instruments), _columns
        ),
        Candidate("structured view and binary search", "numpy", lambda: _view(buffer, ids, instruments), _columns),
    ]


def _read(buffer: bytes | bytearray, ids: Int64s, instruments: Int64s) -> Book:
    return _sorted(ids, *read_positions(buffer, ids, instruments))


def _view(buffer: bytes | bytearray, ids: Int64s, instruments: Int64s) -> Book:
    """The same with NumPy alone."""
    layout = np.dtype(
        [("fields", ">i2"), *((f"{part}{i}", kind) for i in range(3) for part, kind in (("n", ">i4"), ("v", ">i8")))]
    )
    rows = np.frombuffer(buffer, layout, (len(buffer) - HEADER_BYTES - len(TRAILER)) // layout.itemsize, HEADER_BYTES)
    start = np.searchsorted(rows["v0"].astype(np.int64), np.append(ids, ids[-1] + 1)).astype(np.int32)
    instrument = np.searchsorted(instruments, rows["v1"].astype(np.int64)).astype(np.uint16)
    return _sorted(ids, start, instrument, rows["v2"].astype(np.int32))


def _sorted(ids: Int64s, start: Int32s, instrument: Instruments, quantity: Quantities) -> Book:
    nothing = np.zeros(len(ids), dtype=np.int64)
    return sorted_by_size(Book(start, instrument, quantity, nothing, nothing, np.zeros(len(ids), dtype=np.uint16)))[0]


def _columns(book: Book) -> Answer:
    return {"start": book.start, "instrument": book.instrument, "quantity": book.quantity}
