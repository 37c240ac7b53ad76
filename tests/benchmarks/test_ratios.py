"""How many times as fast as NumPy and SciPy valuation and loading are: ratios of CPU time only, never times.

The floors are half of what was measured at this size, where NumPy's columns still fit the cache; at a million accounts
the ratios of valuation are twice as large (docs/benchmarks.md). Those of ticks, stress, plans and gap losses stand in
`tests/engine/test_slack.py`, `test_stress.py`, `test_plans.py` and `test_gap_speed.py`.
"""

import numpy as np
import pytest

from reefpoint.benchmarks.books import draw_book
from reefpoint.benchmarks.load import load_candidates
from reefpoint.benchmarks.margin import Rows, engine_candidates, numpy_candidates, scipy_candidates
from reefpoint.benchmarks.results import Line
from reefpoint.benchmarks.timing import measure
from reefpoint.engine.book import Book, take_accounts
from reefpoint.engine.columns import Int64s
from reefpoint.engine.loading import HEADER_BYTES, POSITION_ROW_BYTES, SIGNATURE, TRAILER

ACCOUNTS = 100_000
ROUNDS = 9
NUMPY_MIN, SCIPY_MIN, LOAD_MIN = 2.5, 1.2, 2.2


@pytest.fixture(scope="module")
def lines() -> tuple[Line, ...]:
    drawn = draw_book(ACCOUNTS)
    rows = Rows.of(drawn)
    ours = next(iter(engine_candidates(drawn)))
    return measure([ours, *numpy_candidates(rows), *scipy_candidates(rows)], rounds=ROUNDS)


def least_ratio(lines: tuple[Line, ...], engine: str) -> float:
    return min(line.cpu_s for line in lines if line.engine == engine) / lines[0].cpu_s


def test_against_numpy(lines: tuple[Line, ...]) -> None:
    assert least_ratio(lines, "NumPy") > NUMPY_MIN


def test_against_scipy(lines: tuple[Line, ...]) -> None:
    assert least_ratio(lines, "SciPy") > SCIPY_MIN


def copied(book: Book, account_id: Int64s, instrument_id: Int64s) -> bytes:
    """What PostgreSQL's COPY BINARY sends for the positions of a book."""
    columns = account_id[book.account_of_position], instrument_id[book.instrument], book.quantity
    fields = [
        ("count", ">i2"),
        *((f"{part}{i}", kind) for i in range(3) for part, kind in (("n", ">i4"), ("v", ">i8"))),
    ]
    rows = np.zeros(book.position_count, dtype=fields)
    assert rows.itemsize == POSITION_ROW_BYTES
    rows["count"] = len(columns)
    for i, column in enumerate(columns):
        rows[f"n{i}"], rows[f"v{i}"] = 8, column
    return SIGNATURE + bytes(HEADER_BYTES - len(SIGNATURE)) + rows.tobytes() + TRAILER


def test_loading_against_numpy_with_equal_columns() -> None:
    by_number = np.random.default_rng(1).permutation(ACCOUNTS)
    book = take_accounts(draw_book(ACCOUNTS).book, by_number)
    account_id, instrument_id = 7 + 3 * np.arange(ACCOUNTS), 5 + 2 * np.arange(5_000)
    lines = measure(load_candidates(copied(book, account_id, instrument_id), account_id, instrument_id), rounds=ROUNDS)
    assert lines[1].cpu_s / lines[0].cpu_s > LOAD_MIN
