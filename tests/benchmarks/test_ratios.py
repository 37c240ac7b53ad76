"""How many times as fast as NumPy and SciPy the full valuation is: ratios of CPU time only, never times.

The floors are half of what was measured at this size, where NumPy's columns still fit the cache; at a million accounts
the ratios are twice as large (docs/benchmarks.md).
"""

import pytest

from reefpoint.benchmarks.books import draw_book
from reefpoint.benchmarks.margin import Rows, engine_candidates, numpy_candidates, scipy_candidates
from reefpoint.benchmarks.results import Line
from reefpoint.benchmarks.timing import measure

ACCOUNTS = 100_000
ROUNDS = 9
NUMPY_MIN, SCIPY_MIN = 2.5, 1.2


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
