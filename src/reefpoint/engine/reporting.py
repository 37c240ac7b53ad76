"""Books of several home currencies under scenarios: each account in its own money, exactly; sums in one.

Accounts come in *parts*, all of one home currency each (a scheme's accounts funded from one pool, say). A part is
valued in its own money like any book: prices as quoted move by the scenario and are then converted at the scenario's
rates (`HomeColumns.prices`). Only its totals are converted to the reporting currency, once each, at the rate of the
scenario: amounts owed and lost up, value down. So what is told of a part is off by less than one unit (1e-4) of the
reporting currency, and every sum of parts is exactly the sum of what is told of them. A part in the reporting currency
is not rounded at all.

A scenario has a version of the rates of its own: a shock of a currency changes what it is worth in every other
(`shock_rates`). Rates and prices may move in the same scenario.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks, pack_instruments, take_accounts, take_names
from reefpoint.engine.columns import (
    BP,
    BookError,
    Bools,
    Float64s,
    Int32s,
    Int64s,
    check_column,
    check_range,
    check_table,
    check_whole,
    count_rows,
)
from reefpoint.engine.currencies import E8, RATE_E8_MAX, FxVersion, HomeColumns, convert_down, convert_up
from reefpoint.engine.gap import PATHS_MAX, GapLoss, gap_loss
from reefpoint.engine.reverse_stress import ReverseStress, first_step_over, never_gains, who_is_short
from reefpoint.engine.sale_prices import Factor, GapModel, Horizon
from reefpoint.engine.scenarios import SHOCK_E8_MAX, Scenarios, shock_prices
from reefpoint.engine.sensitivity import Sensitivity, market_units, sensitivity_by_group
from reefpoint.engine.stress import Precision, StressResult, stress_book
from reefpoint.engine.tails import Tails, measure_tails

TOTAL_MAX = 2.0**62
FX_WAY_BP = 9_900
"""How much of a way a currency goes at most: to nothing, no rate would be left."""


@dataclass(frozen=True, eq=False)
class Parts:
    """How a book of several home currencies is cut, and what its sums are told in.

    - `part` int32[A]: each account's part, 0..P-1
    - `home` int64[P]: the currency of each part, its number in the rates; `reporting` the currency of the sums
    - `columns`: which column of the marks stands for which name in which home currency
    """

    part: Int32s
    home: Int64s
    reporting: int
    columns: HomeColumns

    def __post_init__(self) -> None:
        check_column("part", self.part, np.int32, (count_rows("part", self.part),))
        check_column("home", self.home, np.int64, (count_rows("home", self.home),))
        check_range("part", self.part, 0, len(self.home) - 1)

    def check(self, book: Book) -> None:
        """Refuse another number of accounts than the book's: one without a part would be in no sum."""
        check_column("part", self.part, np.int32, (book.account_count,))

    def rows(self, part: int) -> Int64s:
        """The accounts of a part."""
        return np.flatnonzero(self.part == part)

    def rates(self, fx_e8: Int64s) -> Int64s:
        """int64[K, P]: reporting money for one of each part's, in rates int64[K, C, C].

        Raises `BookError`, naming the part, for one without a rate.
        """
        check_range("home", self.home, 0, fx_e8.shape[1] - 1)
        check_range("reporting", np.array([self.reporting]), 0, fx_e8.shape[1] - 1)
        rates: Int64s = fx_e8[:, self.reporting][:, self.home]
        if not rates.all():
            part = int(np.argwhere(rates == 0)[0][1])
            raise BookError("home", part, f"is currency {self.home[part]}, which has no rate to the reporting currency")
        return rates


def shock_rates(fx: FxVersion, shock_e8: Int64s) -> Int64s:
    """int64[K, C, C]: the rates when each currency's worth moves by `shock_e8` int64[K, C] (-10% is -10,000,000).

    The rate of a pair becomes floor(rate * (1 + shock of the foreign one) / (1 + shock of the home one)), at least
    1e-8 where there is one: a common move of all currencies changes nothing. Raises `BookError` with the scenario's row
    for a shock of -100% or less, and for a rate that would be too large.
    """
    scenarios, _ = check_table("shock_e8", shock_e8, np.int64, 2)
    check_column("shock_e8", shock_e8, np.int64, (scenarios, len(fx.currencies)))
    for bad in (shock_e8 <= -E8, shock_e8 > SHOCK_E8_MAX):
        if bad.any():
            raise BookError("shock_e8", int(np.argwhere(bad)[0][0]), "moves a currency by -100% or to a hundredfold")
    worth = (E8 + shock_e8).astype(object)
    moved = fx.rate_e8.astype(object) * worth[:, None, :] // worth[:, :, None]
    too_large = np.argwhere(moved > RATE_E8_MAX)
    if len(too_large):
        raise BookError("shock_e8", int(too_large[0][0]), "makes a rate larger than a rate may be")
    rates: Int64s = np.where(fx.rate_e8 > 0, np.maximum(moved, 1), 0).astype(np.int64)
    diagonal = np.arange(len(fx.currencies))
    rates[:, diagonal, diagonal] = E8
    return rates


@dataclass(frozen=True, eq=False)
class FxScenarios:
    """K scenarios: `native` prices as quoted, and the rates int64[K, C, C] of each."""

    native: Scenarios
    rate_e8: Int64s

    def __post_init__(self) -> None:
        currencies = check_table("rate_e8", self.rate_e8, np.int64, 3)[-1]
        check_column("rate_e8", self.rate_e8, np.int64, (len(self.native), currencies, currencies))
        check_range("rate_e8", self.rate_e8, 0, RATE_E8_MAX)

    @classmethod
    def at_rates(cls, native: Scenarios, fx: FxVersion) -> "FxScenarios":
        """Scenarios of prices alone, all at one version of the rates."""
        return cls(native, np.repeat(fx.rate_e8[np.newaxis], len(native), axis=0))

    def of_columns(self, columns: HomeColumns) -> Scenarios:
        """The prices of every column of the marks."""
        return Scenarios(self.native.names, columns.prices(self.native.price_units, self.rate_e8))


@dataclass(frozen=True, eq=False)
class PartStress:
    """A part under K scenarios: `result` in its own money, the rest in the reporting currency, rounded up.

    `shortfall_units` int64[K], `band_debt_units` int64[K, 4].
    """

    rows: Int64s
    result: StressResult
    shortfall_units: Int64s
    band_debt_units: Int64s


def stress_parts(
    book: Book,
    marks: Marks,
    lines: Lines,
    scenarios: FxScenarios,
    parts: Parts,
    *,
    precision: Precision = "exact",
    threads: int = 1,
) -> tuple[PartStress, ...]:
    """Value every account in its own money under every scenario, part by part; see `stress_book` for the arguments.

    Raises `BookError` as `stress_book` does, for a part without a rate, and for a total past 2^62 when converted.
    """
    parts.check(book)
    rates = parts.rates(scenarios.rate_e8)
    prices = scenarios.of_columns(parts.columns)
    found = []
    for part in range(len(parts.home)):
        rows, rate = parts.rows(part), rates[:, part]
        own = take_accounts(book, rows)
        result = stress_book(own, marks, lines, prices, precision=precision, threads=threads)
        found.append(
            PartStress(
                rows,
                result,
                _told(convert_up, result.shortfall_units, rate),
                _told(convert_up, result.band_debt_units, rate[:, np.newaxis]),
            )
        )
    return tuple(found)


def reverse_parts(
    book: Book,
    marks: Marks,
    lines: Lines,
    way: Callable[[Int64s], Scenarios],
    fx: FxVersion,
    parts: Parts,
    *,
    limit_units: int,
    fx_direction_e8: Int64s | None = None,
    threads: int = 1,
) -> ReverseStress:
    """The first step at which the book's total shortfall, in the reporting currency, exceeds the limit.

    `way` tells the prices as quoted after each of the steps 0..10,000 that it is given (a straight one is
    `scenarios.along`); no name turns round on it. `fx_direction_e8` int64[C] is the whole way of the currencies' worth,
    nothing by default. Where a currency moves, the way ends at `FX_WAY_BP` of it, and a loss may fall on it, so that
    the step may not be the smallest. Shortfalls by account are in the reporting currency too.
    """
    fx_way = np.zeros(len(fx.currencies), dtype=np.int64) if fx_direction_e8 is None else fx_direction_e8
    check_column("fx_direction_e8", fx_way, np.int64, (len(fx.currencies),))
    check_range("fx_direction_e8", fx_way, -E8, SHOCK_E8_MAX)

    def run(steps: Int64s) -> tuple[PartStress, ...]:
        scenarios = FxScenarios(way(steps), shock_rates(fx, fx_way * steps.reshape(-1, 1) // BP))
        return stress_parts(book, marks, lines, scenarios, parts, threads=threads)

    def losses(steps: Int64s) -> Int64s:
        return sum_parts([one.shortfall_units for one in run(steps)], len(steps))

    crossing = first_step_over(losses, limit_units, FX_WAY_BP if fx_way.any() else BP)
    last = np.array([crossing.last_bp])
    rates = parts.rates(shock_rates(fx, (fx_way * crossing.last_bp // BP)[np.newaxis]))[0]
    rows, short = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for part, one in enumerate(run(last)):
        own, units = who_is_short(one.result)
        rows.append(one.rows[own])
        short.append(_told(convert_up, units, rates[part]))
    first, end = way(np.array([0, BP])).price_units
    is_smallest = never_gains(book, end - first) and not fx_way.any()
    return crossing.made_up_by(np.concatenate(rows), np.concatenate(short), is_smallest=is_smallest)


def moves_of_parts(
    book: Book, marks: Marks, lines: Lines, scenarios: FxScenarios, parts: Parts, *, threads: int = 1
) -> Sensitivity:
    """What each scenario but the first changes against the first, which is today: totals in the reporting currency.

    Sums are converted before they are compared, so a move of a currency also moves what the sums are told in.
    """
    found = stress_parts(book, marks, lines, scenarios, parts, threads=threads)
    prices, rates = scenarios.of_columns(parts.columns).price_units, parts.rates(scenarios.rate_e8)
    count = len(prices)
    worth = sum_parts(
        [
            _told(convert_down, market_units(take_accounts(book, one.rows), marks, lines, prices), rates[:, part])
            for part, one in enumerate(found)
        ],
        count,
    )
    shortfall = sum_parts([one.shortfall_units for one in found], count)
    bands = sum_parts([one.result.band_accounts for one in found], (count, 4))
    return Sensitivity(scenarios.native.names[1:], *(column[1:] - column[0] for column in (shortfall, bands, worth)))


def groups_of_parts(
    book: Book,
    marks: Marks,
    lines: Lines,
    native_price_units: Int64s,
    fx: FxVersion,
    parts: Parts,
    group: Int32s,
    names: Sequence[str],
    *,
    move_bp: int = -100,
) -> Sensitivity:
    """What moving each group of names (int32[S], by name as quoted) changes, as `sensitivity_by_group` says.

    The changes in each home currency are converted once: losses up, value down.
    """
    parts.check(book)
    check_column("group", group, np.int32, native_price_units.shape)
    moved = shock_prices(native_price_units, np.array([[move_bp * (E8 // BP)]]), ["move"])
    prices = FxScenarios.at_rates(moved, fx).of_columns(parts.columns).price_units[0]
    rates = parts.rates(fx.rate_e8[np.newaxis])[0]
    shortfall, worth = np.zeros((2, len(names)), dtype=np.int64)
    bands = np.zeros((len(names), 4), dtype=np.int64)
    for home in np.unique(parts.home[parts.part]).tolist():
        own = take_accounts(book, np.flatnonzero(parts.home[parts.part] == home))
        rate = int(rates[np.flatnonzero(parts.home == home)[0]])
        found = sensitivity_by_group(
            own, marks, lines, group[parts.columns.instrument], names, move_bp=move_bp, moved_units=prices
        )
        shortfall += _told(convert_up, found.shortfall_units, rate)
        worth += _told(convert_down, found.market_units, rate)
        bands += found.band_accounts
    return Sensitivity(tuple(names), shortfall, bands, worth)


@dataclass(frozen=True, eq=False)
class PartsGap:
    """The lender's gap loss over a book of several home currencies.

    - `total`, `by_group`: tails of the sums in the reporting currency; a part's loss on a path is converted once, up
    - `expected_units` float64[A]: of each account in the reporting currency, not rounded; `is_unknown` bool[A]
    - `by_account`: tails of the accounts `account`, each in its own money
    """

    total: Tails
    by_group: dict[str, Tails]
    expected_units: Float64s
    account: Int64s
    by_account: tuple[Tails, ...]
    is_unknown: Bools


def take_home(
    book: Book, marks: Marks, model: GapModel, parts: Parts, home: int, rows: Int64s
) -> tuple[Book, Marks, GapModel]:
    """The accounts `rows` of one home currency, with the columns of that currency alone: there no name comes twice."""
    columns = np.flatnonzero(parts.columns.home == home)
    place = np.zeros(len(parts.columns.home), dtype=np.int64)
    place[columns] = np.arange(len(columns))
    own = take_accounts(book, rows)
    return (
        replace(own, instrument=pack_instruments(place[own.instrument])),
        take_names(marks, columns),
        model.take(parts.columns.instrument[columns]),
    )


def gap_parts(
    book: Book,
    marks: Marks,
    model: GapModel,
    factor: Factor,
    horizon: Horizon,
    parts: Parts,
    fx: FxVersion,
    *,
    paths: int,
    levels: Sequence[float] = (0.95, 0.99),
    groups: Mapping[str, Int32s] | None = None,
    worst: int = 0,
    threads: int = 1,
) -> PartsGap:
    """The gap loss of every account in its own money, part by part, on the same paths; see `gap_loss`.

    `model` has a row for each name as quoted; a name moves alike in every home currency, and rates stay as they are
    over the days. `groups`: for each grouping an int32[P] column of group numbers by part. The `worst` accounts by
    expected loss have tails of their own. Raises `BookError` as `gap_loss` does, and for a part without a rate.
    """
    check_whole("paths", paths, 1, PATHS_MAX)
    parts.check(book)
    rates = parts.rates(fx.rate_e8[np.newaxis])[0]
    for name, column in (groups or {}).items():
        check_column(name, column, np.int32, (len(parts.home),))
    losses = np.zeros((len(parts.home), paths), dtype=np.int64)
    expected, is_unknown = np.zeros(book.account_count), np.zeros(book.account_count, dtype=np.bool_)

    def run(home: int, rows: Int64s, *, each: bool) -> GapLoss:
        return gap_loss(
            *take_home(book, marks, model, parts, home, rows),
            factor,
            horizon,
            paths=paths,
            levels=levels,
            groups={"part": parts.part[rows]},
            accounts=np.arange(len(rows) if each else 0),
            threads=threads,
        )

    home_of = parts.home[parts.part]
    for home in np.unique(home_of).tolist():
        rows = np.flatnonzero(home_of == home)
        found = run(home, rows, each=False)
        own = found.group_path_loss_units["part"]
        for part in np.unique(parts.part[rows]).tolist():
            losses[part] = _told(convert_up, own[part], int(rates[part]))
        expected[rows] = found.expected_units * (rates[parts.part[rows]] / E8)
        is_unknown[rows] = found.is_unknown
    if losses.sum(axis=0, dtype=np.float64).max(initial=0) >= TOTAL_MAX:
        raise BookError("paths", None, "have losses whose sum in the reporting currency passes 2^62")
    ranked = np.argsort(-expected, kind="stable")[:worst]
    ranked = ranked[expected[ranked] > 0]
    tails = {
        int(row): run(int(home_of[row]), np.array([row]), each=True).by_account for row in ranked
    }  # the same paths again: a path depends on the seed alone, so these are the losses that were counted above
    return PartsGap(
        total=measure_tails(losses.sum(axis=0)[np.newaxis], levels),
        by_group={name: measure_tails(_gather(losses, column), levels) for name, column in (groups or {}).items()},
        expected_units=expected,
        account=ranked,
        by_account=tuple(tails[int(row)] for row in ranked),
        is_unknown=is_unknown,
    )


def _gather(losses: Int64s, group: Int32s) -> Int64s:
    gathered = np.zeros((int(group.max(initial=-1)) + 1, losses.shape[1]), dtype=np.int64)
    np.add.at(gathered, group, losses)
    return gathered


def sum_parts(columns: Sequence[Int64s], shape: int | tuple[int, ...]) -> Int64s:
    """The sum of a column of every part. Raises `BookError` where it passes 2^62."""
    total, size = np.zeros(shape, dtype=np.int64), np.zeros(shape)
    for column in columns:
        total += column
        size += np.abs(column.astype(np.float64))
    if (size >= TOTAL_MAX).any():
        raise BookError("reporting", None, "sums pass what an int64 holds")
    return total


def _told(convert: Callable[[Int64s, Int64s | int], Int64s], units: Int64s, rate_e8: Int64s | int) -> Int64s:
    """Converted, or refused where that passes 2^62."""
    if (np.abs(units.astype(np.float64)) * (np.asarray(rate_e8) / E8) >= TOTAL_MAX).any():
        raise BookError("reporting", None, "sums pass what an int64 holds")
    return convert(units, rate_e8)
