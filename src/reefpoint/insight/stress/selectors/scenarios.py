"""The scenarios that are asked for, as prices and rates: falls, betas, closes of the past, tables of one's own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from reefpoint.decisions.collateral.selectors.assumptions import NotEnoughHistory
from reefpoint.decisions.collateral.selectors.model import fit_market
from reefpoint.decisions.margin.selectors.currencies import CODES, NUMBER
from reefpoint.decisions.margin.selectors.parts import DeskBook
from reefpoint.engine.calibration import FactorFit
from reefpoint.engine.columns import BP, BookError, Bools, Int64s
from reefpoint.engine.reporting import (
    FxScenarios,
    shock_rates,
)
from reefpoint.engine.scenarios import (
    E8,
    Scenarios,
    ShockRow,
    Window,
    along,
    factor_scenarios,
    fall_scenarios,
    percent_e8,
    table_scenarios,
    window_scenarios,
)
from reefpoint.insight.stress.rules import (
    FX_TARGET,
    GAP_NAMES,
    GAP_PCT,
    MARKET,
    WINDOWS,
    WORST_BY_BETA,
    ScenarioRefused,
    line_of_row,
)
from reefpoint.insight.stress.types import (
    ScenarioChoice,
)
from reefpoint.platform.basics.money import price_units
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.prices import closes_on


def scenarios_of(
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
        market = market_falls(desk, choice.market_falls_bp, at)
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
    parts += currency_falls(desk, choice.currency_falls_bp)
    if choice.rows:
        parts.append(_refusing(lambda: _table(choice.rows, desk, symbols, sectors)))
    return _refusing(lambda: join_scenarios(parts)), proxies, not_covered


def market_falls(desk: DeskBook, falls_bp: Sequence[int], at: datetime) -> tuple[Scenarios, Bools] | None:
    """The market falls and each name follows by its beta; and bool[S] of the names that have none and follow like the
    wildest that has one. None when no name has a year of closes.
    """
    try:
        fit = fit_market(desk.instruments, at=at)
    except NotEnoughHistory:
        return None
    return _by_beta(desk, fit, falls_bp), ~fit.is_fitted


def _by_beta(desk: DeskBook, fit: FactorFit, falls_bp: Sequence[int]) -> Scenarios:
    beta = np.where(fit.is_fitted, fit.beta, np.nanmax(fit.beta))[:, np.newaxis]
    moves = np.array(falls_bp, dtype=np.float64)[:, np.newaxis] / -BP
    back = np.maximum(WORST_BY_BETA - moves @ beta.T, 0.0)
    names = [f"market {-fall / 100:+.2f}% by beta" for fall in falls_bp]
    return factor_scenarios(desk.price_units, beta, moves, names, back)


@dataclass(frozen=True)
class Way:
    """What falls in a reverse stress: prices as quoted after each step, and int64[C] how the currencies' worth moves.

    `proxies` are names without a beta, which follow the market like the wildest.
    """

    prices: Callable[[Int64s], Scenarios]
    fx_direction_e8: Int64s
    proxies: tuple[str, ...] = ()


def way_of(falling: str | None, desk: DeskBook, at: datetime) -> Way:
    """The way on which `falling` goes to nothing: a symbol, a sector, a currency of the book (HKD or fx:HKD), `market`
    (each name by its beta), or without it all prices.

    Raises `ScenarioRefused` for what is none of these, `NotEnoughHistory` where no name has a beta.
    """
    still = np.zeros(len(CODES), dtype=np.int64)
    symbols = np.array([instrument.symbol for instrument in desk.instruments])
    sectors = np.array([instrument.sector for instrument in desk.instruments])
    if falling == MARKET:
        fit = fit_market(desk.instruments, at=at)
        unfitted = tuple(symbols[~fit.is_fitted & (desk.price_units > 0)].tolist())
        return Way(lambda steps: _by_beta(desk, fit, steps.tolist()), still, unfitted)
    falls = symbols == falling
    if falling is None:
        falls = np.ones(desk.native_count, dtype=np.bool_)
    elif not falls.any():
        falls = sectors == falling
    code = (falling or "").removeprefix(FX_TARGET)
    if not falls.any() and code in currencies_of(desk):
        still[NUMBER[code]] = -E8
    elif not falls.any() and falling is not None:
        raise ScenarioRefused(
            "{falling} is no symbol, no sector and no currency of the book, which has {currencies}.",
            falling=falling,
            currencies=currencies_of(desk) or [desk.currency],
        )
    direction = np.where(falls, -E8, 0).astype(np.int64)
    return Way(lambda steps: along(desk.price_units, direction, steps.tolist()), still)


def currency_falls(desk: DeskBook, falls_bp: Sequence[int]) -> list[FxScenarios]:
    """Each currency of the book falls against all others by each of these, prices as quoted staying as they are."""
    falls = [(code, fall_bp) for code in currencies_of(desk) for fall_bp in falls_bp]
    if not falls:
        return []
    shocks = np.zeros((len(falls), len(CODES)), dtype=np.int64)
    for row, (code, fall_bp) in enumerate(falls):
        shocks[row, NUMBER[code]] = -fall_bp * (E8 // BP)
    names = tuple(f"{code} {-fall_bp / 100:+.2f}%" for code, fall_bp in falls)
    prices = np.repeat(desk.price_units[np.newaxis], len(falls), axis=0)
    return [_refusing(lambda: FxScenarios(Scenarios(names, prices), shock_rates(desk.fx, shocks)))]


def currencies_of(desk: DeskBook) -> list[str]:
    """The currencies that the book has, of accounts and of names they hold; none where it is only one."""
    held = np.unique(desk.parts.columns.instrument[np.unique(desk.book.instrument)])
    found = {desk.instruments[name].currency for name in held.tolist()} | {key.currency for key in desk.keys}
    return sorted(found | {desk.currency}) if found - {desk.currency} else []


def join_scenarios(parts: Sequence[FxScenarios]) -> FxScenarios:
    names = tuple(name for part in parts for name in part.native.names)
    tables = np.concatenate([part.native.price_units for part in parts])
    return FxScenarios(Scenarios(names, tables), np.concatenate([part.rate_e8 for part in parts]))


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
