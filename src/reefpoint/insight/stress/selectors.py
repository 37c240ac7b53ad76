"""The live book under scenarios: what it holds, the closes of the past, and the engine's answer in minor units.

Each account is valued in its own currency; sums are in one, at one version of the rates. Nothing is written: a run that
is broken off leaves nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Literal

import numpy as np

from reefpoint.decisions.collateral.selectors.assumptions import NotEnoughHistory
from reefpoint.decisions.collateral.selectors.model import fit_market
from reefpoint.decisions.margin.selectors.currencies import CODES, NUMBER
from reefpoint.decisions.margin.selectors.parts import DeskBook, PartKey, load_desk_book
from reefpoint.engine.bands import Band
from reefpoint.engine.columns import BP, BookError, Bools, Int32s, Int64s
from reefpoint.engine.reporting import (
    FxScenarios,
    PartStress,
    groups_of_parts,
    moves_of_parts,
    reverse_parts,
    shock_rates,
    stress_parts,
)
from reefpoint.engine.scenarios import (
    E8,
    Scenarios,
    ShockRow,
    Window,
    factor_scenarios,
    fall_scenarios,
    percent_e8,
    table_scenarios,
    window_scenarios,
)
from reefpoint.engine.sensitivity import Sensitivity
from reefpoint.insight.stress.rules import (
    FX_TARGET,
    GAP_NAMES,
    GAP_PCT,
    MOVE_BP,
    WINDOWS,
    WORST_ACCOUNTS,
    WORST_BY_BETA,
    ScenarioRefused,
    line_of_row,
)
from reefpoint.insight.stress.types import (
    AccountWorst,
    BandChange,
    BandTotal,
    GroupLoss,
    MoveEffect,
    MoveKind,
    ReverseReport,
    ScenarioChoice,
    ScenarioOutcome,
    SensitivityReport,
    StressReport,
)
from reefpoint.platform.basics.money import held_minor, owed_minor, price_units, price_units_per_minor
from reefpoint.records.accounts.selectors import account_numbers
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.prices import closes_on

_BANDS = (Band.SAFE, Band.WARNING, Band.CALL, Band.CLOSE_OUT)


def stress_desk(
    choice: ScenarioChoice,
    *,
    at: datetime,
    currency: str | None = None,
    precision: Literal["exact", "fast"] = "exact",
    threads: int = 1,
) -> StressReport:
    """The book on the prices known at `at`, and under every scenario of the choice; sums in `currency`.

    Raises `ScenarioRefused` for a scenario that cannot be, `NoReportingRate` as `load_desk_book` does.
    """
    desk = load_desk_book(at=at, currency=currency)
    scenarios, proxies, not_covered = _scenarios(choice, desk, at)
    # parts split the accounts: their results add up to the book's, so each account is valued once
    found = stress_parts(
        desk.book, desk.sheet.marks, desk.sheet.lines, scenarios, desk.parts, precision=precision, threads=threads
    )
    names = scenarios.native.names
    return StressReport(
        at=at,
        currency=desk.currency,
        fx_name=desk.fx_name,
        accounts=desk.book.account_count,
        debt_minor=desk.total_debt_minor,
        is_exact=precision == "exact",
        outcomes=tuple(_outcome(desk, name, found, k, proxies.get(name, ())) for k, name in enumerate(names)),
        worst_accounts=_worst_accounts(desk, names, found),
        not_covered=not_covered,
    )


def find_breaking_fall(
    *, limit_minor: int, at: datetime, currency: str | None = None, falling: str | None = None, threads: int = 1
) -> ReverseReport:
    """How far all prices must fall together, or with `falling` that currency alone against all others, until the book's
    shortfall passes the limit; both in `currency`.

    Raises `ScenarioRefused` for a negative limit and a currency that the desk does not have, `NoReportingRate` as
    `load_desk_book` does.
    """
    if limit_minor < 0:
        raise ScenarioRefused("The limit must not be negative.")
    desk = load_desk_book(at=at, currency=currency)
    if falling is not None and falling not in _currencies(desk):
        raise ScenarioRefused(
            "{falling} is no currency of the book: it has {currencies}.",
            falling=falling,
            currencies=_currencies(desk) or [desk.currency],
        )
    way = np.zeros(len(CODES), dtype=np.int64)
    if falling is not None:
        way[NUMBER[falling]] = -E8
    found = reverse_parts(
        desk.book,
        desk.sheet.marks,
        desk.sheet.lines,
        desk.price_units,
        desk.fx,
        desk.parts,
        np.full(desk.native_count, 0 if falling else -E8, dtype=np.int64),
        limit_units=limit_minor * price_units_per_minor(desk.currency),
        fx_direction_e8=way,
        threads=threads,
    )
    ids = desk.account_id[found.accounts].tolist()
    numbers = account_numbers(ids)
    return ReverseReport(
        at=at,
        currency=desk.currency,
        fx_name=desk.fx_name,
        falling=falling or "",
        limit_minor=limit_minor,
        fall_bp=found.step_bp,
        loss_minor=owed_minor(found.loss_units, desk.currency),
        loss_before_minor=owed_minor(found.loss_before_units, desk.currency),
        is_smallest=found.is_smallest,
        accounts=tuple(
            (numbers[account_id], owed_minor(units, desk.currency))
            for account_id, units in zip(ids, found.shortfall_units.tolist(), strict=True)
        ),
    )


def measure_sensitivities(*, at: datetime, currency: str | None = None, threads: int = 1) -> SensitivityReport:
    """What 1% down changes: of everything, of the market, of each currency, of each sector, of each name that somebody
    holds; in `currency`.

    Raises `NoReportingRate` as `load_desk_book` does.
    """
    desk = load_desk_book(at=at, currency=currency)
    book, marks, lines = desk.book, desk.sheet.marks, desk.sheet.lines
    instruments = desk.instruments
    sectors = sorted({instrument.sector for instrument in instruments})
    by_sector = np.array([sectors.index(instrument.sector) for instrument in instruments], dtype=np.int32)
    by_name = np.arange(len(instruments), dtype=np.int32)
    symbols = [instrument.symbol for instrument in instruments]
    today = fall_scenarios(desk.price_units, [0])
    market = _market_falls(desk, [-MOVE_BP], at)

    def together(moves: Iterable[FxScenarios]) -> Sensitivity:
        scenarios = _joined([FxScenarios.at_rates(today, desk.fx), *moves])
        return moves_of_parts(book, marks, lines, scenarios, desk.parts, threads=threads)

    def apart(group: Int32s, names: Sequence[str]) -> Sensitivity:
        return groups_of_parts(book, marks, lines, desk.price_units, desk.fx, desk.parts, group, names, move_bp=MOVE_BP)

    everything = FxScenarios.at_rates(fall_scenarios(desk.price_units, [-MOVE_BP]), desk.fx)
    moved = {
        MoveKind.EVERYTHING: together([everything]),
        MoveKind.MARKET: market and together([FxScenarios.at_rates(market[0], desk.fx)]),
        MoveKind.CURRENCY: together(_currency_falls(desk, [-MOVE_BP])),
        MoveKind.SECTOR: apart(by_sector, sectors),
        MoveKind.NAME: apart(by_name, symbols),
    }
    codes = {
        MoveKind.EVERYTHING: ["all"],
        MoveKind.MARKET: ["all"],
        MoveKind.CURRENCY: _currencies(desk),
        MoveKind.SECTOR: sectors,
        MoveKind.NAME: symbols,
    }
    effects = [
        MoveEffect(
            kind,
            codes[kind][row],
            held_minor(int(found.market_units[row]), desk.currency),
            owed_minor(int(found.shortfall_units[row]), desk.currency),
            tuple(map(BandChange, _BANDS, found.band_accounts[row].tolist())),
        )
        for kind, found in moved.items()
        if found is not None
        for row in np.argsort(found.market_units, kind="stable")
        if found.market_units[row] or found.shortfall_units[row] or found.band_accounts[row].any()
    ]
    return SensitivityReport(at, desk.currency, desk.fx_name, MOVE_BP, tuple(effects))


def _currencies(desk: DeskBook) -> list[str]:
    """The currencies that the book has, of accounts and of names they hold; none where it is only one."""
    held = np.unique(desk.parts.columns.instrument[np.unique(desk.book.instrument)])
    found = {desk.instruments[name].currency for name in held.tolist()} | {key.currency for key in desk.keys}
    return sorted(found | {desk.currency}) if found - {desk.currency} else []


def _currency_falls(desk: DeskBook, falls_bp: Sequence[int]) -> list[FxScenarios]:
    """Each currency of the book falls against all others by each of these, prices as quoted staying as they are."""
    falls = [(code, fall_bp) for code in _currencies(desk) for fall_bp in falls_bp]
    if not falls:
        return []
    shocks = np.zeros((len(falls), len(CODES)), dtype=np.int64)
    for row, (code, fall_bp) in enumerate(falls):
        shocks[row, NUMBER[code]] = -fall_bp * (E8 // BP)
    names = tuple(f"{code} {-fall_bp / 100:+.2f}%" for code, fall_bp in falls)
    prices = np.repeat(desk.price_units[np.newaxis], len(falls), axis=0)
    return [_refusing(lambda: FxScenarios(Scenarios(names, prices), shock_rates(desk.fx, shocks)))]


def _joined(parts: Sequence[FxScenarios]) -> FxScenarios:
    names = tuple(name for part in parts for name in part.native.names)
    tables = np.concatenate([part.native.price_units for part in parts])
    return FxScenarios(Scenarios(names, tables), np.concatenate([part.rate_e8 for part in parts]))


def _market_falls(desk: DeskBook, falls_bp: Sequence[int], at: datetime) -> tuple[Scenarios, Bools] | None:
    """The market falls and each name follows by its beta; and bool[S] of the names that have none and follow like the
    wildest that has one. None when no name has a year of closes.
    """
    try:
        fit = fit_market(desk.instruments, at=at)
    except NotEnoughHistory:
        return None
    beta = np.where(fit.is_fitted, fit.beta, np.nanmax(fit.beta))[:, np.newaxis]
    moves = np.array(falls_bp, dtype=np.float64)[:, np.newaxis] / -BP
    back = np.maximum(WORST_BY_BETA - moves @ beta.T, 0.0)
    names = [f"market {-fall / 100:+.2f}% by beta" for fall in falls_bp]
    return factor_scenarios(desk.price_units, beta, moves, names, back), ~fit.is_fitted


def _scenarios(
    choice: ScenarioChoice, desk: DeskBook, at: datetime
) -> tuple[FxScenarios, dict[str, tuple[str, ...]], tuple[str, ...]]:
    """All scenarios of the choice, today's prices first; the proxies of each that has some; windows left out."""
    prices = desk.price_units
    symbols = [instrument.symbol for instrument in desk.instruments]
    sectors = [instrument.sector for instrument in desk.instruments]
    native = [_refusing(lambda: fall_scenarios(prices, (0, *choice.falls_bp)))]
    proxies: dict[str, tuple[str, ...]] = {}
    not_covered: tuple[str, ...] = ()
    if choice.market_falls_bp:
        market = _market_falls(desk, choice.market_falls_bp, at)
        if market is None:
            not_covered = ("the market by beta",)
        else:
            native.append(market[0])
            unfitted = tuple(symbols[column] for column in np.flatnonzero(market[1] & (prices > 0)))
            proxies.update(dict.fromkeys(market[0].names, unfitted))
    if choice.with_history:
        closes, windows = _closes_of_windows(desk)
        not_covered += tuple(one.name for one in WINDOWS if one.name not in {window.name for window in windows})
        if windows:
            history, is_proxy = window_scenarios(prices, closes, windows, sectors)
            native.append(history)
            for name, row in zip(history.names, is_proxy, strict=True):
                proxies[name] = tuple(symbols[column] for column in np.flatnonzero(row & (prices > 0)))
    if choice.with_gaps and (largest := _largest_names(desk)):
        rows = [ShockRow(f"{symbol} alone {GAP_PCT}%", symbol, GAP_PCT) for symbol in largest]
        native.append(table_scenarios(prices, symbols, sectors, rows))
    parts = [FxScenarios.at_rates(one, desk.fx) for one in native]
    parts += _currency_falls(desk, choice.currency_falls_bp)
    if choice.rows:
        parts.append(_refusing(lambda: _table(choice.rows, desk, symbols, sectors)))
    return _refusing(lambda: _joined(parts)), proxies, not_covered


def _table(rows: Sequence[ShockRow], desk: DeskBook, symbols: list[str], sectors: list[str]) -> FxScenarios:
    """A person's table: shocks of names, sectors and all by their target, and of currencies by `fx:CODE`.

    A row of a currency stands in the table of prices as one of nothing, so that scenarios keep their order and every
    refusal its line.
    """
    targets = [f"{FX_TARGET}{code}" for code in CODES]
    prices = np.append(desk.price_units, np.zeros(len(CODES), dtype=np.int64))
    table = table_scenarios(prices, [*symbols, *targets], [*sectors, *targets], rows)
    shocks = np.zeros((len(table), len(CODES)), dtype=np.int64)
    for number, row in enumerate(rows):
        if row.target in targets:
            shocks[table.names.index(row.scenario), targets.index(row.target)] = percent_e8(row.shock_pct, number)
    native = Scenarios(table.names, np.ascontiguousarray(table.price_units[:, : len(symbols)]))
    return FxScenarios(native, shock_rates(desk.fx, shocks))


def _refusing(make: Callable[[], FxScenarios | Scenarios]) -> Any:
    """What the engine refuses, as a sentence with the line of the file."""
    try:
        return make()
    except BookError as error:
        where = f"Line {line_of_row(error.row)}" if error.column == "rows" and error.row is not None else error.column
        raise ScenarioRefused("{where} {problem}.", where=where, problem=error.problem) from error


def _closes_of_windows(desk: DeskBook) -> tuple[Int64s, list[Window]]:
    """int64[2W, S]: closes of the first and the last day of each window that any name has, and the windows.

    A name's closes are the desk's own records where they have both days, else those of the packaged history, which is
    in dollars and adjusted: of a window only returns matter.
    """
    instruments = desk.instruments
    stored = closes_on([on for window in WINDOWS for on in (window.first_on, window.last_on)])
    rows: list[list[int]] = []
    windows: list[Window] = []
    for window in WINDOWS:
        days = window.first_on, window.last_on
        packaged = [_packaged_closes(on) for on in days]
        pairs = [(0, 0)] * len(instruments)
        for column, instrument in enumerate(instruments):
            own = [stored.get((instrument.id, on), 0) for on in days]
            other = [closes.get(instrument.symbol, 0) if instrument.currency == "USD" else 0 for closes in packaged]
            first, last = own if all(own) else other
            pairs[column] = (first, last)
        if any(first and last for first, last in pairs):
            windows.append(Window(window.name, len(rows), len(rows) + 1))
            rows += [[pair[0] for pair in pairs], [pair[1] for pair in pairs]]
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(instruments)), windows


def _packaged_closes(on: date) -> dict[str, int]:
    return {symbol: price_units(close) for _, closes in load_us20(on, on) for symbol, close in closes.items()}


def _largest_names(desk: DeskBook) -> list[str]:
    """The symbols of which the book holds most by value today, the largest first."""
    columns = desk.parts.columns
    rates = desk.fx.rate_e8[desk.parts.reporting, columns.home] / E8
    worth = desk.book.quantity * (desk.sheet.marks.price_units * rates)[desk.book.instrument]
    value = np.bincount(columns.instrument[desk.book.instrument], worth, desk.native_count)
    ranked = np.argsort(-value, kind="stable")[:GAP_NAMES]
    return [desk.instruments[column].symbol for column in ranked.tolist() if value[column]]


def _outcome(
    desk: DeskBook, name: str, found: Sequence[PartStress], k: int, proxies: tuple[str, ...]
) -> ScenarioOutcome:
    def total(units: Iterable[int]) -> int:
        return owed_minor(sum(int(one) for one in units), desk.currency)

    def losses(code_of: Callable[[PartKey], str]) -> tuple[GroupLoss, ...]:
        members: dict[str, list[int]] = {}
        for part, key in enumerate(desk.keys):
            members.setdefault(code_of(key), []).append(part)
        return tuple(
            GroupLoss(code, sum(map(desk.debt_of_part, own)), total(found[part].shortfall_units[k] for part in own))
            for code, own in sorted(members.items())
        )

    return ScenarioOutcome(
        name=name,
        bands=tuple(
            BandTotal(
                band,
                sum(int(one.result.band_accounts[k, band]) for one in found),
                total(one.band_debt_units[k, band] for one in found),
            )
            for band in _BANDS
        ),
        unknown_accounts=sum(int(one.result.unknown_accounts[k]) for one in found),
        shortfall_minor=total(one.shortfall_units[k] for one in found),
        by_scheme=losses(lambda key: key.scheme),
        by_pool=losses(lambda key: key.pool),
        proxies=proxies,
    )


def _worst_accounts(desk: DeskBook, names: Sequence[str], found: Sequence[PartStress]) -> tuple[AccountWorst, ...]:
    """The accounts whose worst scenario leaves the largest shortfall, at today's rates; none that is covered in all.

    Their figures are in their own money.
    """
    ranked: list[tuple[float, int, PartStress, int]] = []
    for part, one in enumerate(found):
        short = np.flatnonzero(one.result.expected_shortfall_units > 0)
        lost = desk.book.debt_units[one.rows[short]] - one.result.worst_assets_units[short]
        for place in np.argsort(-lost, kind="stable")[:WORST_ACCOUNTS].tolist():
            ranked.append(
                (float(lost[place]) * desk.rate_e8(part), int(one.rows[short[place]]), one, int(short[place]))
            )
    numbers = account_numbers([int(desk.account_id[row]) for _, row, _, _ in ranked])
    ranked.sort(key=lambda worst: (-worst[0], numbers[int(desk.account_id[worst[1]])]))
    worst = []
    for _, row, one, place in ranked[:WORST_ACCOUNTS]:
        currency, debt = desk.home_of(row), int(desk.debt_minor[row])
        assets = held_minor(int(one.result.worst_assets_units[place]), currency)
        mean = int(np.ceil(one.result.expected_shortfall_units[place]))
        worst.append(
            AccountWorst(
                number=numbers[int(desk.account_id[row])],
                scenario=names[one.result.worst_scenario[place]],
                currency=currency,
                debt_minor=debt,
                assets_minor=assets,
                shortfall_minor=debt - assets,
                expected_shortfall_minor=owed_minor(mean, currency),
            )
        )
    return tuple(worst)
