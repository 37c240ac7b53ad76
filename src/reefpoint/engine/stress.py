"""Stress: the whole book revalued under many scenarios, without ever holding accounts x scenarios.

Per scenario: the total shortfall (what accounts owe above all they have), accounts and debt by band, and how many
accounts cannot be valued. Per account: its worst scenario and the assets in it, and the expected shortfall, the mean
over the scenarios. Bands are by the lines alone, without hysteresis.

Scenario prices are whole units, so there is one right answer to the last unit: what `value_book` says under the prices
of each scenario. Two loops give it. `_stress_rows` is plain int64: for small jobs, for accounts with shorts, and for
those that float64 might not hold exactly. The rest go in tiles of 64 scenarios through `vectors.stress_tile`, where
float64 holds whole numbers below 2^53. Totals are int64 throughout. Neither threads nor the order of accounts change a
bit. `precision="fast"` lets the tiles be float32 (see `stress_book`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks, check_book
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    BookError,
    Bools,
    Float64s,
    Instruments,
    Int8s,
    Int32s,
    Int64s,
    Quantities,
    UInt16s,
)
from reefpoint.engine.kernel import in_blocks, kernel
from reefpoint.engine.scenarios import Scenarios

Precision = Literal["exact", "fast"]

TILE_STEPS_MIN = 200_000_000
"""Positions times scenarios below which the plain loop is done (0.2 s) before the tile kernel is loaded (1 s)."""
TILE_SCENARIOS_MIN = 8
"""Fewer scenarios leave so much of a tile empty that the plain loop is as fast."""
PLAIN_WIDTH = 64
"""Scenarios that the plain loop takes at once: their prices of all names stay in the cache."""
TILE_DEBT_MAX = 2**45
"""Largest debt of an account in a tile, so that its shortfalls in 128 lanes add up exactly in float64."""
TOTAL_MAX = 2**62
"""Largest total that is added in int64, with room to spare."""

IN_TILES, APART, NEVER = 0, 1, 2


@dataclass(frozen=True, eq=False)
class StressResult:
    """What the book of A accounts is under K scenarios. Amounts in units of 1e-4.

    - `shortfall_units` int64[K]: sum over accounts of max(0, owed - assets); owed is debt plus the value of shorts
    - `band_accounts`, `band_debt_units` int64[K, 4]: accounts and their debt by `Band` SAFE, WARNING, CALL, CLOSE_OUT;
      who owes nothing is SAFE
    - `unknown_accounts` int64[K]: they cannot be valued in that scenario and count in nothing else of it
    - `worst_scenario` int32[A]: where assets less owed are least, the first of equals; -1 if unknown in all
    - `worst_assets_units` int64[A]: the assets in it, 0 if there is none
    - `expected_shortfall_units` float64[A]: mean over the scenarios in which it can be valued; NaN if there is none
    """

    shortfall_units: Int64s
    band_accounts: Int64s
    band_debt_units: Int64s
    unknown_accounts: Int64s
    worst_scenario: Int32s
    worst_assets_units: Int64s
    expected_shortfall_units: Float64s


def stress_book(
    book: Book,
    marks: Marks,
    lines: Lines,
    scenarios: Scenarios,
    *,
    precision: Precision = "exact",
    threads: int = 1,
) -> StressResult:
    """Value every account under every scenario. Of `marks` only the number of instruments and terms matters.

    With "fast" a large book is valued in float32, in 0.6 of the time: the assets of an account with n positions
    are then within (n + 2) * 2^-24 of the exact ones (some 1e-6), so that decisions as near as that may differ; debts
    and counts of what was decided are still exact, and still the same for any number of threads. File exact figures.

    Raises `BookError` for a book that points outside `marks`, `lines` or `scenarios`, and for one so large that
    int64 might not hold a total.
    """
    check_book(book, marks, len(lines))
    count, names = scenarios.price_units.shape
    if names != marks.instrument_count:
        raise BookError("scenarios", None, f"have {names} instruments, the marks {marks.instrument_count}")
    if precision not in ("exact", "fast"):
        raise BookError("precision", None, f"must be exact or fast, not {precision!r}")
    kind, owed = _sort_out(book, scenarios)
    if float(owed.sum()) >= TOTAL_MAX or count * float(owed.max(initial=0)) >= TOTAL_MAX:
        raise BookError("debt_units", None, "and shorts add up to more than an int64 holds")
    tally = _Tally(book.account_count, count)
    tally.unknown += np.count_nonzero(kind == NEVER)
    if book.position_count * count < TILE_STEPS_MIN or count < TILE_SCENARIOS_MIN:
        kind[kind == IN_TILES] = APART
    if (kind == IN_TILES).any():
        _stress_tiles(book, lines, scenarios, kind != IN_TILES, precision, threads, tally)
    rows = np.flatnonzero(kind == APART)
    if len(rows):
        _stress_plainly(book, lines, scenarios, rows, threads, tally)
    return tally.result(kind)


class _Tally:
    """The results while they are added up."""

    def __init__(self, accounts: int, scenarios: int) -> None:
        self.shortfall = np.zeros(scenarios, dtype=np.int64)
        self.counts = np.zeros((scenarios, 4), dtype=np.int64)
        self.debts = np.zeros((scenarios, 4), dtype=np.int64)
        self.unknown = np.zeros(scenarios, dtype=np.int64)
        self.known = np.full(accounts, scenarios, dtype=np.int64)
        self.worst_scenario = np.full(accounts, -1, dtype=np.int32)
        self.worst_assets = np.zeros(accounts, dtype=np.int64)
        self.worst_equity = np.full(accounts, np.iinfo(np.int64).max)
        self.shortfall_sum = np.zeros(accounts, dtype=np.int64)

    def result(self, kind: Int8s) -> StressResult:
        self.known[kind == NEVER] = 0
        mean = np.full(len(self.known), np.nan)
        np.divide(self.shortfall_sum, self.known, out=mean, where=self.known > 0)
        return StressResult(
            self.shortfall, self.counts, self.debts, self.unknown, self.worst_scenario, self.worst_assets, mean
        )


@kernel
def _sort_rows(
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    low: Int64s,
    high: Int64s,
    debt_max: int,
    kind: Int8s,
    owed: Float64s,
) -> None:
    """Which way each account is valued (`kind`), and the most it may owe (`owed`), from the extremes of the prices."""
    for row in range(len(kind)):
        size = float(cash[row])
        short = 0.0
        way = IN_TILES
        for position in range(start[row], start[row + 1]):
            held = quantity[position]
            if held == 0:
                continue
            name = instrument[position]
            if high[name] == 0:
                way = NEVER
                break
            value = abs(float(held)) * float(high[name])
            size += value
            if held < 0:
                short += value
            if held < 0 or low[name] == 0:
                way = APART
        if way == IN_TILES and (size > AMOUNT_UNITS_MAX or debt[row] > debt_max):
            way = APART
        kind[row] = way
        owed[row] = float(debt[row]) + min(short, float(AMOUNT_UNITS_MAX))


def _sort_out(book: Book, scenarios: Scenarios) -> tuple[Int8s, Float64s]:
    kind = np.empty(book.account_count, dtype=np.int8)
    owed = np.empty(book.account_count, dtype=np.float64)
    _sort_rows.run(
        book.position_count + book.account_count,
        book.start,
        book.instrument,
        book.quantity,
        book.cash_units,
        book.debt_units,
        scenarios.price_units.min(axis=0),
        scenarios.price_units.max(axis=0),
        TILE_DEBT_MAX,
        kind,
        owed,
    )
    return kind, owed


@kernel
def _stress_rows(  # noqa: PLR0912 - one loop
    rows: Int64s,
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    terms: UInt16s,
    table: Int64s,
    price: Int64s,
    scenario: int,
    long: Int64s,
    short: Int64s,
    size: Float64s,
    totals: Int64s,
    worst_equity: Int64s,
    worst_assets: Int64s,
    worst_scenario: Int32s,
    shortfall_sum: Int64s,
    known: Int64s,
) -> None:
    """Accounts `rows` under scenarios scenario..scenario + width, in int64.

    `price` [S, width] holds one instrument's prices side by side; `long`, `short`, `size` [width] are scratch;
    `totals` int64[10, width] takes accounts and debt by band, then shortfall, then accounts that are unknown.
    """
    width = price.shape[1]
    for i in range(len(rows)):
        row = rows[i]
        for k in range(width):
            long[k] = cash[row]
            short[k] = 0
            size[k] = float(cash[row])
        for position in range(start[row], start[row + 1]):
            held = np.int64(quantity[position])
            if held == 0:
                continue
            name = instrument[position]
            for k in range(width):
                mark = price[name, k]
                size[k] += abs(float(held)) * float(mark) if mark > 0 else np.inf
                if held > 0:
                    long[k] += held * mark
                else:
                    short[k] -= held * mark
        for k in range(width):
            if size[k] > AMOUNT_UNITS_MAX:
                totals[9, k] += 1
                known[row] -= 1
                continue
            owed = debt[row] + short[k]
            band = 0
            if owed > 0:
                ratio = long[k] * BP // owed
                for line in range(3):
                    if ratio < table[terms[row], line]:
                        band = line + 1
            totals[band, k] += 1
            totals[4 + band, k] += debt[row]
            equity = long[k] - owed
            if equity < 0:
                totals[8, k] -= equity
                shortfall_sum[row] -= equity
            if equity < worst_equity[row]:
                worst_equity[row] = equity
                worst_assets[row] = long[k]
                worst_scenario[row] = scenario + k


def _stress_plainly(book: Book, lines: Lines, scenarios: Scenarios, rows: Int64s, threads: int, tally: _Tally) -> None:
    """The accounts `rows`, in int64."""
    positions = int((book.start[rows + 1] - book.start[rows]).sum())
    count = len(scenarios.price_units)
    stress_rows = _stress_rows.form((positions + len(rows)) * count)
    for scenario in range(0, count, PLAIN_WIDTH):
        price = np.ascontiguousarray(scenarios.price_units[scenario : scenario + PLAIN_WIDTH].T)
        width = price.shape[1]

        def value(first: int, stop: int, scenario: int = scenario, price: Int64s = price) -> Int64s:
            totals = np.zeros((10, price.shape[1]), dtype=np.int64)
            long, short = np.empty_like(totals[:2])
            stress_rows(
                rows[first:stop],
                book.start,
                book.instrument,
                book.quantity,
                book.cash_units,
                book.debt_units,
                book.terms,
                lines.table,
                price,
                scenario,
                long,
                short,
                np.empty(price.shape[1]),
                totals,
                tally.worst_equity,
                tally.worst_assets,
                tally.worst_scenario,
                tally.shortfall_sum,
                tally.known,
            )
            return totals

        for totals in in_blocks(len(rows), threads, value):
            here = slice(scenario, scenario + width)
            tally.counts[here] += totals[:4].T
            tally.debts[here] += totals[4:8].T
            tally.shortfall[here] += totals[8]
            tally.unknown[here] += totals[9]


def _stress_tiles(
    book: Book,
    lines: Lines,
    scenarios: Scenarios,
    is_apart: Bools,
    precision: Precision,
    threads: int,
    tally: _Tally,
) -> None:
    """The accounts that are not `is_apart`, a tile of scenarios after the other."""
    from reefpoint.engine import vectors  # noqa: PLC0415 - loads Numba, which small jobs never need

    dtype = np.dtype(np.float64 if precision == "exact" else np.float32)
    lanes = vectors.ROW_BYTES // dtype.itemsize
    cash, edges = book.cash_units.astype(dtype), _edges(book, lines).astype(dtype)
    worst_assets = np.full(book.account_count, np.inf, dtype=dtype)
    count, names = scenarios.price_units.shape
    valued = book.account_count - np.count_nonzero(is_apart)
    debt = int(book.debt_units[~is_apart].sum())
    table = vectors.aligned((names, lanes), dtype)
    for scenario in range(0, count, lanes):
        width = min(lanes, count - scenario)
        table[:, :width] = scenarios.price_units[scenario : scenario + width].T
        table[:, width:] = table[:, width - 1 : width]

        def value(first: int, stop: int, scenario: int = scenario, width: int = width) -> tuple[Int64s, Int64s, Int64s]:
            counts, debts = np.zeros((2, 3, lanes), dtype=np.int64)
            shortfall = np.zeros(lanes, dtype=np.int64)
            vectors.stress_tile(
                first,
                stop,
                book.start,
                book.instrument,
                book.quantity,
                cash,
                book.debt_units,
                edges,
                is_apart,
                table,
                scenario,
                width,
                vectors.aligned((lanes,), dtype),
                vectors.aligned((3, lanes), np.int64),
                vectors.aligned((lanes,), np.float64),
                counts,
                debts,
                shortfall,
                worst_assets,
                tally.worst_scenario,
                tally.shortfall_sum,
            )
            return counts, debts, shortfall

        here = slice(scenario, scenario + width)
        under = np.zeros((2, 5, width), dtype=np.int64)  # accounts and debt under no line, under each line, under all
        under[:, 0] += np.array([[valued], [debt]])
        for counts, debts, shortfall in in_blocks(book.account_count, threads, value):
            under[0, 1:4] += counts[:, :width]
            under[1, 1:4] += debts[:, :width]
            tally.shortfall[here] += shortfall[:width]
        tally.counts[here] += (under[0, :4] - under[0, 1:]).T
        tally.debts[here] += (under[1, :4] - under[1, 1:]).T
    tally.worst_assets[~is_apart] = worst_assets[~is_apart].astype(np.int64)


def _edges(book: Book, lines: Lines) -> Int64s:
    """int64[A, 4]: the least assets that hold the warning, call and close-out line, and the debt.

    assets / debt < line in whole basis points is the same as assets < ceil(line * debt / 10,000).
    """
    edges = np.empty((book.account_count, 4), dtype=np.int64)
    whole, part = np.divmod(book.debt_units, BP)
    for line in range(3):
        line_bp = lines.table[book.terms, line]
        edges[:, line] = whole * line_bp - -part * line_bp // BP
    edges[:, 3] = book.debt_units
    return edges
