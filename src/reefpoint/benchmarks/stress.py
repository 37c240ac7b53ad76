"""Stress: a book under 1,000 scenarios, against engines that give the same totals.

Peers work on a book of at most 10,000 accounts, and their time is extrapolated linearly to the whole: what they do for
one account they do for each, so this favours them if anything (their tables stay in the caches). SQL and Polars add up
a hundred scenarios as columns of one query, their fastest form here, and give the totals by scenario only; SciPy and
NumPy give the figures by account too.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.benchmarks.books import SyntheticBook, choose, draw_book, normals, uniforms
from reefpoint.benchmarks.machine import THREADS
from reefpoint.benchmarks.peers import OURS, absent, is_installed, open_duckdb
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Answer, Candidate, check_answers, measure
from reefpoint.engine.columns import BP, Int64s
from reefpoint.engine.scenarios import E8, Scenarios, shock_prices
from reefpoint.engine.stress import StressResult, stress_book

Float64s = npt.NDArray[np.float64]

SCENARIOS = 1_000
PEER_ACCOUNTS = 10_000
SQL_SCENARIOS = 100
SECTORS = 30
BLOCK = 1_000
"""Accounts that SciPy multiplies at once: more would not fit a cache, all of them not the memory."""
FLOAT32_REACH = 1e-3
"""How far a float32 answer may be from the exact one, relative to a column's largest value."""
BY_SCENARIO = ("shortfall_units", "band_accounts")
BY_ACCOUNT = ("worst_scenario", "worst_assets_units", "expected_shortfall_units")


def draw_scenarios(drawn: SyntheticBook, count: int = SCENARIOS, seed: int = 11) -> Scenarios:
    """Half of them falls of the market from 45% to a rise of 10%, half ordinary days; sectors and names move too."""
    names = drawn.marks.instrument_count
    falls = np.linspace(-0.45, 0.10, count // 2)
    market = np.concatenate((falls, 0.03 * normals(seed, "market", count - count // 2)))
    beta = 0.5 + 1.1 * uniforms(seed, "beta", names)
    sector = choose(seed, "sector", names, dict.fromkeys(range(SECTORS), 1 / SECTORS))
    by_sector = 0.05 * normals(seed, "sector move", count * SECTORS).reshape(count, SECTORS)
    own = 0.03 * normals(seed, "own move", count * names).reshape(count, names)
    returns = np.clip(market[:, None] * beta + by_sector[:, sector] + own, -0.95, 1.0)
    shocks = np.rint(returns * E8).astype(np.int64)
    return shock_prices(drawn.marks.price_units, shocks, [f"scenario {number}" for number in range(count)])


def measure_stress(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Stress a book of `accounts` accounts under `SCENARIOS` scenarios."""
    drawn, part = draw_book(accounts), draw_book(min(accounts, PEER_ACCOUNTS))
    scenarios = draw_scenarios(drawn)
    share = part.book.position_count / drawn.book.position_count
    ours = list(_ours(drawn, scenarios))
    fast, exact = ours[0], ours[1]
    check_answers([exact, *(candidate for candidate in ours if candidate is not exact)])
    of_part = Candidate("exact on the part", OURS, lambda: _stress(part, scenarios, "exact", 1), fast.read)
    peers = list(_peers(part, scenarios, share))
    check_answers([of_part, *(peer for peer in peers if peer.engine in {"NumPy", "SciPy"})])
    check_answers([_first_scenarios(of_part), *(peer for peer in peers if peer.engine in {"Polars", "DuckDB"})])
    lines = measure([_unread(candidate) for candidate in (*ours, *peers)], rounds=rounds)
    work = SCENARIOS * drawn.book.position_count
    table = Table(
        "stress",
        f"Stress, {SCENARIOS:,} scenarios",
        accounts,
        drawn.book.position_count,
        f"{SCENARIOS:,} scenarios of the whole book",
        lines,
        facts={
            "Outputs": "shortfall, accounts and debt by band of each scenario; worst scenario, its assets and expected "
            "shortfall of each account. float64 equals int64 in every bit; peers' totals are equal, in float32 within "
            f"{FLOAT32_REACH:.0e} of the largest",
            "Peers": f"ran on {part.book.account_count:,} accounts, DuckDB and Polars with {SQL_SCENARIOS} scenarios "
            "and without figures by account; extrapolated linearly. None adds up debts by band",
            "Positions times scenarios a second, one thread": f"{work / lines[0].cpu_s / 1e9:.1f} billion in float32, "
            f"{work / lines[1].cpu_s / 1e9:.1f} billion in float64",
        },
        absent=absent("NumPy", "SciPy", "Polars", "DuckDB"),
    )
    figures = {
        "stress.fast_s": lines[0].cpu_s,
        "stress.exact_s": lines[1].cpu_s,
        "stress.scipy": table.least_ratio("SciPy"),
        "stress.polars": table.least_ratio("Polars"),
        "stress.duckdb": table.least_ratio("DuckDB"),
        "stress.limit": lines[0].cpu_s / (work / (machine.multiply_adds_g_s * 1e9)),
    }
    return [table.with_figures(figures)]


def _stress(drawn: SyntheticBook, scenarios: Scenarios, precision: Any, threads: int) -> StressResult:
    return stress_book(drawn.book, drawn.marks, drawn.lines, scenarios, precision=precision, threads=threads)


def _ours(drawn: SyntheticBook, scenarios: Scenarios) -> Iterator[Candidate]:
    for threads in (1, THREADS):
        for label, precision, tolerance in (("float32", "fast", FLOAT32_REACH), ("float64", "exact", 0.0)):
            yield Candidate(
                f"stress_book, {label}, {threads} thread{'s' * (threads > 1)}",
                OURS,
                partial(_stress, drawn, scenarios, precision, threads),
                lambda result: {name: getattr(result, name) for name in BY_SCENARIO + BY_ACCOUNT},
                tolerance,
            )


def _unread(candidate: Candidate) -> Candidate:
    """The same candidate for timing alone: its answer has been checked where it can be compared."""
    return Candidate(
        candidate.name, candidate.engine, candidate.run, lambda _: {}, measured_part=candidate.measured_part
    )


def _first_scenarios(candidate: Candidate) -> Candidate:
    """The totals of the scenarios that the databases are given."""
    read = candidate.read
    return Candidate(
        candidate.name,
        candidate.engine,
        candidate.run,
        lambda result: {name: column[:SQL_SCENARIOS] for name, column in read(result).items() if name in BY_SCENARIO},
    )


@dataclass(frozen=True, eq=False)
class Inputs:
    """What every peer is given: float64 columns of the part, the least assets that hold each line and pay the debt
    (float64[4, A]), prices float64[S, K] with the scenarios of one name side by side.
    """

    drawn: SyntheticBook
    edges: Float64s
    price: Float64s
    share: float


def _peers(part: SyntheticBook, scenarios: Scenarios, share: float) -> Iterator[Candidate]:
    debt, lines = part.book.debt_units, part.lines.table[0]
    edges = np.stack([-(-debt * line // BP) for line in lines[:3]] + [debt]).astype(np.float64)
    inputs = Inputs(part, edges, np.ascontiguousarray(scenarios.price_units.T.astype(np.float64)), share)
    yield _numpy_candidate(inputs)
    if is_installed("SciPy"):
        yield _scipy_candidate(inputs, np.float32, FLOAT32_REACH)
        yield _scipy_candidate(inputs, np.float64, 0.0)
    if is_installed("Polars"):
        yield _polars_candidate(inputs)
    if is_installed("DuckDB"):
        yield _duckdb_candidate(inputs)


class _Totals:
    """Adds up blocks of assets under scenarios, as NumPy and SciPy do."""

    def __init__(self, accounts: int, scenarios: int) -> None:
        self.shortfall = np.zeros(scenarios)
        self.under = np.zeros((3, scenarios), dtype=np.int64)
        self.worst = np.zeros(accounts, dtype=np.int64)
        self.worst_assets = np.zeros(accounts)
        self.expected = np.zeros(accounts)
        self.accounts = accounts

    def add(self, rows: slice, assets: npt.NDArray[Any], edges: npt.NDArray[Any]) -> None:
        """`assets` [rows, K] of these accounts, `edges` [4, rows]."""
        for line in range(3):
            self.under[line] += (assets < edges[line][:, None]).sum(axis=0)
        shortfall = np.maximum(edges[3][:, None] - assets, 0)
        self.shortfall += shortfall.sum(axis=0, dtype=np.float64)
        self.expected[rows] = shortfall.mean(axis=1, dtype=np.float64)
        self.worst[rows] = assets.argmin(axis=1)
        self.worst_assets[rows] = assets.min(axis=1)

    def answer(self) -> Answer:
        least = np.vstack((np.full(self.under.shape[1], self.accounts), self.under))
        most = np.vstack((self.under, np.zeros(self.under.shape[1], dtype=np.int64)))
        return {
            "shortfall_units": self.shortfall,
            "band_accounts": (least - most).T,
            "worst_scenario": self.worst,
            "worst_assets_units": self.worst_assets,
            "expected_shortfall_units": self.expected,
        }


def _numpy_candidate(inputs: Inputs) -> Candidate:
    book = inputs.drawn.book
    quantity, first, cash = book.quantity.astype(np.float64), book.start[:-1], book.cash_units.astype(np.float64)
    by_scenario = np.ascontiguousarray(inputs.price.T)

    def run() -> Answer:
        scenarios = len(by_scenario)
        shortfall, under = np.zeros(scenarios), np.zeros((3, scenarios), dtype=np.int64)
        expected = np.zeros(len(cash))
        worst, worst_assets = np.zeros(len(cash), dtype=np.int64), np.full(len(cash), np.inf)
        for scenario, price in enumerate(by_scenario):
            assets = np.add.reduceat(quantity * price[book.instrument], first) + cash
            for line in range(3):
                under[line, scenario] = np.count_nonzero(assets < inputs.edges[line])
            lost = np.maximum(inputs.edges[3] - assets, 0)
            shortfall[scenario] = lost.sum()
            expected += lost
            is_worst = assets < worst_assets
            worst[is_worst], worst_assets[is_worst] = scenario, assets[is_worst]
        totals = _Totals(len(cash), scenarios)
        totals.shortfall, totals.under, totals.expected = shortfall, under, expected / scenarios
        totals.worst, totals.worst_assets = worst, worst_assets
        return totals.answer()

    return Candidate("NumPy take + reduceat by scenario, float64", "NumPy", run, dict, measured_part=inputs.share)


def _scipy_candidate(inputs: Inputs, dtype: type[np.floating[Any]], tolerance: float) -> Candidate:
    book = inputs.drawn.book
    shape = (book.account_count, len(inputs.price))
    holdings = import_module("scipy.sparse").csr_matrix(
        (book.quantity.astype(dtype), book.instrument.astype(np.int32), book.start), shape=shape
    )
    price, cash, edges = inputs.price.astype(dtype), book.cash_units.astype(dtype), inputs.edges.astype(dtype)

    def run() -> Answer:
        totals = _Totals(book.account_count, price.shape[1])
        for begin in range(0, book.account_count, BLOCK):
            rows = slice(begin, begin + BLOCK)
            totals.add(rows, holdings[rows] @ price + cash[rows, None], edges[:, rows])
        return totals.answer()

    name = f"SciPy CSR matrix @ (S, K) by {BLOCK:,} accounts, {np.dtype(dtype).name}"
    return Candidate(name, "SciPy", run, dict, tolerance, inputs.share)


def _polars_candidate(inputs: Inputs) -> Candidate:
    pl = import_module("polars")
    book = inputs.drawn.book
    held = pl.DataFrame(
        {
            "a": book.account_of_position.astype(np.uint32),
            "s": book.instrument.astype(np.uint32),
            "q": book.quantity.astype(np.float64),
        }
    ).with_columns(pl.col("a").set_sorted())
    prices = [pl.Series(inputs.price[:, scenario]) for scenario in range(SQL_SCENARIOS)]
    balances = pl.DataFrame({"cash": book.cash_units.astype(np.float64), **_edge_columns(inputs)})
    names = [f"v{scenario}" for scenario in range(SQL_SCENARIOS)]
    values = [(pl.col("q") * pl.lit(p).gather(pl.col("s"))).alias(v) for p, v in zip(prices, names, strict=True)]
    totals = [total.alias(f"{what}{v}") for v in names for what, total in _totals(pl, pl.col(v) + pl.col("cash"))]

    def run() -> Any:
        added = held.with_columns(values).group_by("a", maintain_order=True).agg([pl.col(v).sum() for v in names])
        return pl.concat([added, balances], how="horizontal").select(totals)

    def read(frame: Any) -> Answer:
        return _wide_answer(book.account_count, lambda name: frame[name][0])

    part = inputs.share * SQL_SCENARIOS / SCENARIOS
    return Candidate("Polars gather + sorted group_by, wide, float64", "Polars", run, read, measured_part=part)


def _totals(pl: Any, assets: Any) -> Iterator[tuple[str, Any]]:
    for line in range(3):
        yield f"under{line}", (assets < pl.col(f"edge{line}")).sum()
    yield "lost", pl.max_horizontal(pl.col("edge3") - assets, pl.lit(0.0)).sum()


def _duckdb_candidate(inputs: Inputs) -> Candidate:
    table = import_module("pyarrow").table
    book, connection = inputs.drawn.book, open_duckdb()
    accounts = np.arange(book.account_count, dtype=np.int32)
    price = {f"p{scenario}": inputs.price[:, scenario].copy() for scenario in range(SQL_SCENARIOS)}
    given = {
        "held": {"a": book.account_of_position, "s": book.instrument, "q": book.quantity.astype(np.float64)},
        "prices": {"s": np.arange(len(inputs.price), dtype=np.uint16), **price},
        "balances": {"a": accounts, "cash": book.cash_units.astype(np.float64), **_edge_columns(inputs)},
    }
    for name, columns in given.items():
        connection.register(f"given_{name}", table(columns))
        connection.execute(f"create table {name} as select * from given_{name}")  # noqa: S608 - our own names
    sums = ", ".join(f"sum(q * p{scenario}) as v{scenario}" for scenario in range(SQL_SCENARIOS))
    totals = ", ".join(
        f"count(*) filter (v{k} + cash < edge0) under0v{k}, count(*) filter (v{k} + cash < edge1) under1v{k}, "
        f"count(*) filter (v{k} + cash < edge2) under2v{k}, sum(greatest(edge3 - v{k} - cash, 0)) lostv{k}"
        for k in range(SQL_SCENARIOS)
    )
    query = (
        f"select {totals} from (select a, {sums} from held join prices using (s) group by a) "  # noqa: S608
        "join balances using (a)"
    )

    def read(found: Any) -> Answer:
        return _wide_answer(book.account_count, lambda name: found[name][0])

    part = inputs.share * SQL_SCENARIOS / SCENARIOS
    return Candidate(
        "DuckDB join + group by, wide, float64",
        "DuckDB",
        lambda: connection.execute(query).fetchnumpy(),
        read,
        measured_part=part,
    )


def _edge_columns(inputs: Inputs) -> dict[str, Float64s]:
    return {f"edge{edge}": column for edge, column in enumerate(inputs.edges)}


def _wide_answer(accounts: int, value: Callable[[str], Any]) -> Answer:
    """The totals of a query with a column for each scenario and figure."""
    scenarios = range(SQL_SCENARIOS)
    under = np.array([[int(value(f"under{line}v{k}")) for line in range(3)] for k in scenarios])
    edges: Int64s = np.hstack((np.full((len(under), 1), accounts), under, np.zeros((len(under), 1), dtype=np.int64)))
    shortfall = np.array([float(value(f"lostv{k}")) for k in scenarios])
    return {"shortfall_units": shortfall, "band_accounts": edges[:, :4] - edges[:, 1:]}
