"""Stress runs: the right answer to the last unit, by every way of getting it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.cases import LINES, account_of, books, column, lines_tables, marks_of, marks_tables, prices

from reefpoint.engine import kernel, stress, vectors
from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks, build_book
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, BookError
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.scenarios import Scenarios, fall_scenarios
from reefpoint.engine.stress import StressResult, stress_book
from reefpoint.engine.valuation import value_book

NAMES = 4
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextmanager
def every_job_in_tiles(*, interpreted: bool = False) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stress, "TILE_STEPS_MIN", 0)
        patch.setattr(stress, "TILE_SCENARIOS_MIN", 1)
        patch.setattr(kernel, "BLOCK_ROWS", 2)
        if interpreted:
            patch.setattr(vectors, "stress_tile", vectors.stress_tile.py_func)
        yield


def bits(result: StressResult) -> dict[str, bytes]:
    return {name: np.ascontiguousarray(values).tobytes() for name, values in vars(result).items()}


def by_full_valuations(book: Book, marks: Marks, lines: Lines, scenarios: Scenarios) -> StressResult:
    """The oracle: one `value_book` a scenario, added up in Python integers."""
    accounts, count = book.account_count, len(scenarios)
    totals = [[0] * 10 for _ in range(count)]
    shortfalls: list[list[int]] = [[] for _ in range(accounts)]
    worst: list[tuple[int, int, int]] = [(2**80, -1, 0)] * accounts
    for k in range(count):
        valued = value_book(book, replace(marks, price_units=scenarios.price_units[k]), lines)
        for a in range(accounts):
            if valued.is_unknown[a]:
                totals[k][9] += 1
                continue
            debt, assets, band = int(book.debt_units[a]), int(valued.assets_units[a]), int(valued.band[a])
            equity = assets - debt - int(valued.short_units[a])
            totals[k][band] += 1
            totals[k][4 + band] += debt
            totals[k][8] += max(0, -equity)
            shortfalls[a].append(max(0, -equity))
            worst[a] = min(worst[a], (equity, k, assets))
    table = np.array(totals, dtype=np.int64).reshape(count, 10)
    return StressResult(
        table[:, 8],
        table[:, :4],
        table[:, 4:8],
        table[:, 9],
        np.array([one[1] for one in worst], dtype=np.int32),
        np.array([one[2] for one in worst], dtype=np.int64),
        np.array([np.divide(np.int64(sum(one)), len(one)) if one else np.nan for one in shortfalls], dtype=np.float64),
    )


@st.composite
def scenario_tables(draw: st.DrawFn) -> Scenarios:
    count = draw(st.integers(1, 140))  # up to three tiles
    rows = draw(st.lists(st.lists(prices, min_size=NAMES, max_size=NAMES), min_size=1, max_size=8))
    if draw(st.booleans()):  # mostly priced, so that tiles are taken
        rows = [[price or 1 for price in row] for row in rows]
    pick = np.random.default_rng(draw(st.integers(0, 999))).integers(0, len(rows), count)
    return Scenarios(tuple(map(str, range(count))), np.array(rows, dtype=np.int64)[pick])


def test_a_fall_in_figures_that_can_be_worked_out_by_hand() -> None:
    # 100 shares at 10.00 and 200.00 cash: 1,200.00 of assets; debt 1,000.00, 700.00 and none
    book = build_book(
        cash_units=[2_000_000] * 3,
        debt_units=[10_000_000, 7_000_000, 0],
        terms=[0, 0, 0],
        account=[0, 1, 2],
        instrument=[0, 0, 0],
        quantity=[100] * 3,
    )
    result = stress_book(book, marks_of([100_000]), LINES, fall_scenarios(column(100_000), [0, 2_000, 5_000]))
    # the assets are 1,200.00, 1,000.00 and 700.00
    assert result.shortfall_units.tolist() == [0, 0, 3_000_000]
    assert result.band_accounts.tolist() == [[2, 0, 0, 1], [1, 0, 1, 1], [1, 0, 0, 2]]
    assert result.band_debt_units.tolist() == [
        [7_000_000, 0, 0, 10_000_000],
        [0, 0, 7_000_000, 10_000_000],
        [0, 0, 0, 17_000_000],
    ]
    assert result.unknown_accounts.tolist() == [0, 0, 0]
    assert result.worst_scenario.tolist() == [2, 2, 2]
    assert result.worst_assets_units.tolist() == [7_000_000] * 3
    assert result.expected_shortfall_units.tolist() == [1_000_000, 0, 0]


def test_what_is_short_counts_with_what_is_owed() -> None:
    # 10 of A at 100 and 200 in cash, 5 of B sold short at 100: 1,200 against 500, and no debt beside it
    book = account_of([10, -5], cash=200)
    scenarios = Scenarios(("today", "B doubles", "A halves too"), np.array([[100, 100], [100, 200], [50, 200]]))
    for tiles in (False, True):
        with every_job_in_tiles() if tiles else pytest.MonkeyPatch.context():
            result = stress_book(book, marks_of([100, 100]), LINES, scenarios)
        assert result.band_accounts.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
        assert result.band_debt_units.sum() == 0
        assert result.shortfall_units.tolist() == [0, 0, 300]
        assert (result.worst_scenario.tolist(), result.worst_assets_units.tolist()) == ([2], [700])


def test_the_worst_scenario_of_a_short_is_where_least_is_left_not_where_assets_are_least() -> None:
    scenarios = Scenarios(("down", "up"), np.array([[50, 10], [100, 300]]))
    result = stress_book(account_of([10, -5]), marks_of([100, 100]), LINES, scenarios)
    assert (result.worst_scenario.tolist(), result.worst_assets_units.tolist()) == ([1], [1_000])


def test_of_equally_bad_scenarios_the_first_is_the_worst() -> None:
    book, today = account_of([10], debt=50), column(100)
    for count in (3, 200):
        scenarios = Scenarios(tuple(map(str, range(count))), np.array([[100], [40], *[[40]] * (count - 2)]))
        for tiles in (False, True):
            with every_job_in_tiles() if tiles else pytest.MonkeyPatch.context():
                assert stress_book(book, marks_of(today.tolist()), LINES, scenarios).worst_scenario.tolist() == [1]


def test_an_account_that_cannot_be_valued_counts_nowhere_else() -> None:
    book = build_book(
        cash_units=[0, 0, 5],
        debt_units=[10, 10, 10],
        terms=[0] * 3,
        account=[0, 1],
        instrument=[0, 1],
        quantity=[1, 1],
    )
    scenarios = Scenarios(("none", "one"), np.array([[0, 0], [4, 0]]))
    result = stress_book(book, marks_of([0, 0]), LINES, scenarios)
    assert result.unknown_accounts.tolist() == [2, 1]
    assert result.band_accounts.sum(axis=1).tolist() == [1, 2]
    assert result.shortfall_units.tolist() == [5, 11]
    assert result.worst_scenario.tolist() == [1, -1, 0]
    np.testing.assert_array_equal(result.expected_shortfall_units, [6.0, np.nan, 5.0])


@SETTINGS
@given(data=st.data())
def test_every_way_is_a_full_valuation_under_each_scenario(data: st.DataObject) -> None:
    book, marks, lines = data.draw(books(NAMES, shorts=True)), data.draw(marks_tables(NAMES)), data.draw(lines_tables())
    scenarios = data.draw(scenario_tables())
    expected = bits(by_full_valuations(book, marks, lines, scenarios))
    for steps_left in (2**62, -1):  # interpreted, compiled
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Kernel, "_steps_left", steps_left)
            assert bits(stress_book(book, marks, lines, scenarios)) == expected
    for interpreted in (True, False):
        with every_job_in_tiles(interpreted=interpreted):
            assert bits(stress_book(book, marks, lines, scenarios)) == expected
            assert bits(stress_book(book, marks, lines, scenarios, threads=3)) == expected


def random_book(accounts: int, names: int = 300, seed: int = 3) -> tuple[Book, Marks, Lines]:
    """A book of ordinary accounts, two schemes, ratios from 1.1 to 4."""
    rng = np.random.default_rng(seed)
    count = np.sort(rng.integers(0, 20, accounts))
    owner = np.repeat(np.arange(accounts), count)
    name = np.concatenate([rng.choice(names, one, replace=False) for one in count])
    price = rng.integers(20_000, 2_000_000, names)
    quantity = 100 * rng.integers(1, 300, len(owner))
    value = np.bincount(owner, quantity * price[name], accounts).astype(np.int64)
    cash = rng.integers(0, 10**8, accounts)
    debt = ((value + cash) / rng.uniform(1.1, 4, accounts)).astype(np.int64)
    book = build_book(
        cash_units=cash,
        debt_units=debt,
        terms=rng.integers(0, 2, accounts),
        account=owner,
        instrument=name,
        quantity=quantity,
    )
    rows = (column(30_000, 16_000), column(15_000, 14_500), column(13_000, 12_000), column(15_000, 14_500))
    return book, marks_of(price.tolist(), terms=2), Lines(*rows, column(0, 100))


def random_scenarios(marks: Marks, count: int, seed: int = 4) -> Scenarios:
    rng = np.random.default_rng(seed)
    market = np.linspace(-0.6, 0.1, count)[:, None] * rng.uniform(0.5, 1.4, marks.instrument_count)
    moves = np.clip(market + rng.normal(0, 0.03, (count, marks.instrument_count)), -0.99, 1)
    moved = np.maximum(1, marks.price_units * (1 + moves)).astype(np.int64)
    return Scenarios(tuple(map(str, range(count))), moved)


def test_threads_tiles_and_the_order_of_accounts_change_no_bit() -> None:
    book, marks, lines = random_book(2_000)
    scenarios = random_scenarios(marks, 150)
    plain = stress_book(book, marks, lines, scenarios)
    assert bits(plain) == bits(by_full_valuations(book, marks, lines, scenarios))
    order = np.random.default_rng(1).permutation(book.account_count)
    moved = build_book(
        cash_units=book.cash_units[order],
        debt_units=book.debt_units[order],
        terms=book.terms[order].astype(np.int64),
        account=np.argsort(order)[book.account_of_position],
        instrument=book.instrument.astype(np.int64),
        quantity=book.quantity.astype(np.int64),
    )
    with every_job_in_tiles(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "BLOCK_ROWS", 300)
        tiled = stress_book(book, marks, lines, scenarios)
        assert bits(tiled) == bits(plain) == bits(stress_book(book, marks, lines, scenarios, threads=4))
        permuted = stress_book(moved, marks, lines, scenarios)
        fast = stress_book(book, marks, lines, scenarios, precision="fast")
        assert bits(fast) == bits(stress_book(book, marks, lines, scenarios, precision="fast", threads=4))
    for name, values in vars(permuted).items():
        same = getattr(plain, name)
        np.testing.assert_array_equal(values, same[order] if len(same) == book.account_count else same)


def test_sums_are_emptied_before_64_bits_are_full() -> None:
    """More accounts, and more debt, than a packed sum may hold; all of them short in every scenario."""
    accounts = 3 * vectors.COUNT_MAX + 5
    book = build_book(
        cash_units=[7] * accounts,
        debt_units=[stress.TILE_DEBT_MAX] * accounts,
        terms=[0] * accounts,
        account=[0],
        instrument=[0],
        quantity=[1],
    )
    marks, scenarios = marks_of([1]), fall_scenarios(column(3), list(range(0, 5_000, 70)))
    expected = stress_book(book, marks, LINES, scenarios)
    assert int(expected.shortfall_units[0]) == accounts * (stress.TILE_DEBT_MAX - 7) - 3
    with every_job_in_tiles(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "BLOCK_ROWS", accounts)
        assert bits(stress_book(book, marks, LINES, scenarios)) == bits(expected)
    assert stress.TILE_DEBT_MAX * vectors.ROW_BYTES // 4 <= vectors.SUM_MAX


def test_fast_is_as_near_as_it_says() -> None:
    book, marks, lines = random_book(3_000)
    scenarios = random_scenarios(marks, 300)
    exact = stress_book(book, marks, lines, scenarios)
    with every_job_in_tiles(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel, "BLOCK_ROWS", 1_000)
        fast = stress_book(book, marks, lines, scenarios, precision="fast")
    tolerance = (np.diff(book.start) + 2) * 2.0**-24
    assert (np.abs(fast.worst_assets_units - exact.worst_assets_units) <= tolerance * exact.worst_assets_units).all()
    most = scenarios.price_units.max(axis=0)[book.instrument] * book.quantity.astype(np.float64)
    most_assets = np.bincount(book.account_of_position, most, book.account_count) + book.cash_units
    room = tolerance * (most_assets + book.debt_units)
    assert (np.abs(fast.expected_shortfall_units - exact.expected_shortfall_units) <= room).all()
    assert (np.abs(fast.shortfall_units - exact.shortfall_units) <= room.sum()).all()
    assert np.abs(fast.band_accounts - exact.band_accounts).max() <= 2
    assert (fast.band_debt_units.sum(axis=1) == book.debt_units.sum()).all()


def test_large_accounts_leave_the_tiles_and_are_still_exact() -> None:
    book = build_book(
        cash_units=[0, 0, 0],
        debt_units=[AMOUNT_UNITS_MAX, stress.TILE_DEBT_MAX + 1, 5],
        terms=[0] * 3,
        account=[0, 1, 2],
        instrument=[0, 0, 0],
        quantity=[2**25 + 1, 2**25 - 1, 2**30],
    )
    marks, scenarios = marks_of([2**24 - 1]), fall_scenarios(column(2**24 - 1), list(range(0, 9_000, 900)))
    expected = bits(by_full_valuations(book, marks, LINES, scenarios))
    with every_job_in_tiles():
        assert bits(stress_book(book, marks, LINES, scenarios)) == expected


def test_a_run_that_is_broken_off_leaves_nothing_behind() -> None:
    book, marks, lines = random_book(500)
    scenarios = random_scenarios(marks, 150)
    columns = [*vars(book).values(), *vars(marks).values(), scenarios.price_units]
    before = [values.tobytes() for values in columns if isinstance(values, np.ndarray)]
    whole = bits(stress_book(book, marks, lines, scenarios))
    for tiles in (False, True):
        with every_job_in_tiles() if tiles else pytest.MonkeyPatch.context(), pytest.MonkeyPatch.context() as patch:
            blocks = iter([stress.in_blocks])  # the second block of scenarios is never begun
            patch.setattr(stress, "in_blocks", lambda *rest, blocks=blocks: next(blocks)(*rest))
            with pytest.raises((StopIteration, RuntimeError)):
                stress_book(book, marks, lines, scenarios)
    assert [values.tobytes() for values in columns if isinstance(values, np.ndarray)] == before
    assert bits(stress_book(book, marks, lines, scenarios)) == whole


@pytest.mark.parametrize(("accounts", "names"), [(0, 1), (1, 0)])
def test_nothing_in_the_book_is_an_answer_too(accounts: int, names: int) -> None:
    book = build_book(
        cash_units=[5] * accounts,
        debt_units=[9] * accounts,
        terms=[0] * accounts,
        account=[],
        instrument=[],
        quantity=[],
    )
    scenarios = Scenarios(("a", "b"), np.ones((2, names), dtype=np.int64))
    for tiles in (False, True):
        with every_job_in_tiles() if tiles else pytest.MonkeyPatch.context():
            result = stress_book(book, marks_of([1] * names), LINES, scenarios)
        assert result.shortfall_units.tolist() == [4 * accounts] * 2
        assert result.band_accounts.sum() == 2 * accounts


def test_what_does_not_fit_together_is_refused() -> None:
    book, marks = account_of([1], debt=1), marks_of([1])
    with pytest.raises(BookError, match="scenarios have 2 instruments"):
        stress_book(book, marks, LINES, Scenarios(("a",), np.ones((1, 2), dtype=np.int64)))
    with pytest.raises(BookError, match="precision must be exact or fast"):
        stress_book(book, marks, LINES, fall_scenarios(column(1), [0]), precision="quick")  # type: ignore[arg-type]
    with pytest.raises(BookError, match="threads is 0, below 1"):
        stress_book(book, marks, LINES, fall_scenarios(column(1), [0]), threads=0)
    with pytest.raises(BookError, match=r"instrument\[0\] is 0"):
        stress_book(book, marks_of([]), LINES, Scenarios(("a",), np.ones((1, 0), dtype=np.int64)))


def test_totals_that_pass_64_bits_are_refused() -> None:
    accounts = 2**13
    book = build_book(
        cash_units=[0] * accounts,
        debt_units=[AMOUNT_UNITS_MAX] * accounts,
        terms=[0] * accounts,
        account=[],
        instrument=[],
        quantity=[],
    )
    with pytest.raises(BookError, match="add up to more"):
        stress_book(book, marks_of([1]), LINES, fall_scenarios(column(1), [0]))


def numpy_and_scipy(book: Book, lines: Lines, scenarios: Scenarios, block: int) -> tuple[np.ndarray, ...]:
    """What one writes with SciPy: a sparse book times dense prices, some accounts at a time; the same outputs."""
    price = scenarios.price_units.T.astype(np.float64)
    shape = (book.account_count, len(price))
    matrix = scipy.sparse.csr_matrix((book.quantity.astype(np.float64), book.instrument, book.start), shape=shape)
    return _blocks(book, lines, scenarios, block, lambda first, stop: matrix[first:stop] @ price)


def numpy_alone(book: Book, lines: Lines, scenarios: Scenarios, block: int) -> tuple[np.ndarray, ...]:
    """The same with NumPy's own means: prices taken by position, added up by account."""
    price = scenarios.price_units.T.astype(np.float64)

    def values(first: int, stop: int) -> np.ndarray:
        held = slice(book.start[first], book.start[stop])
        worth = price[book.instrument[held]] * book.quantity[held, None]
        sums = np.zeros((stop - first, price.shape[1]))
        has_some = np.diff(book.start[first : stop + 1]) > 0
        sums[has_some] = np.add.reduceat(worth, (book.start[first:stop] - book.start[first])[has_some])
        return sums

    return _blocks(book, lines, scenarios, block, values)


def _blocks(book, lines, scenarios, block, values) -> tuple[np.ndarray, ...]:  # type: ignore[no-untyped-def]
    count = len(scenarios)
    shortfall, worst, expected = np.zeros(count), [], []
    under, debts = np.zeros((3, count), dtype=np.int64), np.zeros((3, count))
    edges = lines.table[book.terms, :3] / 10_000 * book.debt_units[:, None]
    for first in range(0, book.account_count, block):
        here = slice(first, min(book.account_count, first + block))
        assets = values(here.start, here.stop) + book.cash_units[here, None]
        for line in range(3):
            is_under = assets < edges[here, line, None]
            under[line] += is_under.sum(axis=0)
            debts[line] += book.debt_units[here].astype(np.float64) @ is_under
        short = np.maximum(book.debt_units[here, None] - assets, 0)
        shortfall += short.sum(axis=0)
        worst.append(assets.argmin(axis=1))
        expected.append(short.mean(axis=1))
    return shortfall, under, debts, np.concatenate(worst), np.concatenate(expected)


SMALL_AND_LARGE = """
import sys
from reefpoint.engine import stress
from reefpoint.engine.reverse_stress import reverse_stress
from reefpoint.engine.scenarios import fall_scenarios
from tests.engine.cases import LINES, account_of, column, marks_of
book, marks, falls = account_of([10], debt=9), marks_of([1]), fall_scenarios(column(1), range(0, 1000, 10))
plain = stress.stress_book(book, marks, LINES, falls)
reverse_stress(book, marks, LINES, column(-10**8), limit_units=5)
assert "numba" not in sys.modules
stress.TILE_STEPS_MIN = 0
tiled = stress.stress_book(book, marks, LINES, falls)
assert all((vars(tiled)[name] == values).all() for name, values in vars(plain).items())
from reefpoint.engine import vectors
print(sum(vectors.stress_tile.stats.cache_hits.values()), "scipy.linalg" in sys.modules)
import scipy.linalg
from numba.np.linalg import ensure_blas
ensure_blas()
"""


@pytest.mark.slow
def test_a_small_book_loads_no_compiler_and_a_large_one_finds_the_tile_kernel_compiled(tmp_path: Path) -> None:
    # "generic": a machine without AVX and FMA splits the vectors, and says the same
    environment = {"PYTHONPATH": "src:.", "NUMBA_CACHE_DIR": str(tmp_path), "NUMBA_CPU_NAME": "generic"}
    said = [
        subprocess.run(
            [sys.executable, "-c", SMALL_AND_LARGE], check=True, env=environment, capture_output=True, text=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["0 False", "1 False"]  # nor does it load what only a matrix product would need


@pytest.mark.slow
def test_tiles_are_many_times_faster_than_scipy_and_numpy() -> None:
    """CPU time, candidates in turn, each at its best block size. Measured: 17 and 42 times; half of it is asked."""
    book, marks, lines = random_book(20_000, names=2_000)
    scenarios = random_scenarios(marks, 512)
    candidates = {
        "tiles": lambda: stress_book(book, marks, lines, scenarios),
        "scipy": lambda: numpy_and_scipy(book, lines, scenarios, 200),
        "numpy": lambda: numpy_alone(book, lines, scenarios, 50),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stress, "TILE_STEPS_MIN", 0)
        assert candidates["tiles"]().shortfall_units == pytest.approx(candidates["scipy"]()[0])
        assert (candidates["scipy"]()[3] == candidates["numpy"]()[3]).all()
        times: dict[str, list[float]] = {name: [] for name in candidates}
        for _ in range(5):
            for name, work in candidates.items():
                began = time.process_time()
                work()
                times[name].append(time.process_time() - began)
    ratio = {name: median(spent) / median(times["tiles"]) for name, spent in times.items()}
    assert ratio["scipy"] > 8
    assert ratio["numpy"] > 20
