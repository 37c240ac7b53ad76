"""The live book under scenarios: what it holds, the closes of the past, and the engine's answer in minor units.

Nothing is written: a run that is broken off leaves nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

import numpy as np

from reefpoint.decisions.collateral.selectors.assumptions import NotEnoughHistory
from reefpoint.decisions.collateral.selectors.model import fit_market
from reefpoint.decisions.margin.selectors.book import load_book
from reefpoint.decisions.margin.selectors.standing import Sheet
from reefpoint.engine.bands import Band
from reefpoint.engine.book import Book, take_accounts
from reefpoint.engine.columns import BP, BookError, Bools, Int64s
from reefpoint.engine.reverse_stress import reverse_stress
from reefpoint.engine.scenarios import (
    E8,
    Scenarios,
    ShockRow,
    Window,
    factor_scenarios,
    fall_scenarios,
    table_scenarios,
    window_scenarios,
)
from reefpoint.engine.sensitivity import sensitivity_by_group, sensitivity_by_scenario
from reefpoint.engine.stress import StressResult, stress_book
from reefpoint.insight.stress.rules import (
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
from reefpoint.records.accounts.selectors import account_numbers, currencies_kept, pool_codes
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.prices import closes_on
from reefpoint.records.products.selectors import get_version

_BANDS = (Band.SAFE, Band.WARNING, Band.CALL, Band.CLOSE_OUT)


class _Group(NamedTuple):
    """Accounts under one scheme that are funded from one pool."""

    scheme: str
    pool: str


@dataclass(frozen=True, eq=False)
class _Part:
    """A group's accounts, by their rows, and what became of them."""

    group: _Group
    rows: Int64s
    debt_minor: int
    result: StressResult


@dataclass(frozen=True, eq=False)
class _Desk:
    """The book as it is, as columns: row i is the account `account_id[i]`, of the group `groups[group[i]]`."""

    book: Book
    sheet: Sheet
    currency: str
    account_id: Int64s
    debt_minor: Int64s
    group: Int64s
    groups: tuple[_Group, ...]


def stress_desk(
    choice: ScenarioChoice, *, at: datetime, precision: Literal["exact", "fast"] = "exact", threads: int = 1
) -> StressReport:
    """The book on the prices known at `at`, and under every scenario of the choice.

    Raises `ScenarioRefused` for a scenario that cannot be, and for a book in several currencies.
    """
    desk = _load(at)
    scenarios, proxies, not_covered = _scenarios(choice, desk, at)
    # groups split the accounts: their results add up to the book's, so each account is valued once
    parts = []
    for number, group in enumerate(desk.groups):
        rows = np.flatnonzero(desk.group == number)
        result = stress_book(
            take_accounts(desk.book, rows),
            desk.sheet.marks,
            desk.sheet.lines,
            scenarios,
            precision=precision,
            threads=threads,
        )
        parts.append(_Part(group, rows, int(desk.debt_minor[rows].sum()), result))
    return StressReport(
        at=at,
        currency=desk.currency,
        accounts=desk.book.account_count,
        debt_minor=int(desk.debt_minor.sum()),
        is_exact=precision == "exact",
        outcomes=tuple(
            _outcome(desk.currency, scenarios.names[k], parts, k, proxies.get(scenarios.names[k], ()))
            for k in range(len(scenarios))
        ),
        worst_accounts=_worst_accounts(desk, scenarios, parts),
        not_covered=not_covered,
    )


def find_breaking_fall(*, limit_minor: int, at: datetime, threads: int = 1) -> ReverseReport:
    """How far all prices must fall together until the book's shortfall passes the limit.

    Raises `ScenarioRefused` for a negative limit, and for a book in several currencies.
    """
    if limit_minor < 0:
        raise ScenarioRefused("The limit must not be negative.")
    desk = _load(at)
    marks = desk.sheet.marks
    found = reverse_stress(
        desk.book,
        marks,
        desk.sheet.lines,
        np.full(marks.instrument_count, -E8, dtype=np.int64),
        limit_units=limit_minor * price_units_per_minor(desk.currency),
        threads=threads,
    )
    numbers = account_numbers(desk.account_id[found.accounts].tolist())
    return ReverseReport(
        at=at,
        currency=desk.currency,
        limit_minor=limit_minor,
        fall_bp=found.step_bp,
        loss_minor=owed_minor(found.loss_units, desk.currency),
        loss_before_minor=owed_minor(found.loss_before_units, desk.currency),
        is_smallest=found.is_smallest,
        accounts=tuple(
            (numbers[account_id], owed_minor(units, desk.currency))
            for account_id, units in zip(
                desk.account_id[found.accounts].tolist(), found.shortfall_units.tolist(), strict=True
            )
        ),
    )


def measure_sensitivities(*, at: datetime, threads: int = 1) -> SensitivityReport:
    """What 1% down changes: of everything, of the market, of each sector, of each name that somebody holds.

    Raises `ScenarioRefused` for a book in several currencies.
    """
    desk = _load(at)
    book, marks, lines = desk.book, desk.sheet.marks, desk.sheet.lines
    instruments = desk.sheet.instruments
    sectors = sorted({instrument.sector for instrument in instruments})
    by_sector = np.array([sectors.index(instrument.sector) for instrument in instruments], dtype=np.int32)
    by_name = np.arange(len(instruments), dtype=np.int32)
    symbols = [instrument.symbol for instrument in instruments]
    market = _market_falls(desk, [-MOVE_BP], at)
    moved = {
        MoveKind.EVERYTHING: sensitivity_by_scenario(
            book, marks, lines, fall_scenarios(marks.price_units, [-MOVE_BP]), threads=threads
        ),
        MoveKind.MARKET: market and sensitivity_by_scenario(book, marks, lines, market[0], threads=threads),
        MoveKind.SECTOR: sensitivity_by_group(book, marks, lines, by_sector, sectors, move_bp=MOVE_BP),
        MoveKind.NAME: sensitivity_by_group(book, marks, lines, by_name, symbols, move_bp=MOVE_BP),
    }
    effects = [
        MoveEffect(
            kind,
            "all" if kind in (MoveKind.EVERYTHING, MoveKind.MARKET) else found.names[row],
            held_minor(int(found.market_units[row]), desk.currency),
            owed_minor(int(found.shortfall_units[row]), desk.currency),
            tuple(map(BandChange, _BANDS, found.band_accounts[row].tolist())),
        )
        for kind, found in moved.items()
        if found is not None
        for row in np.argsort(found.market_units, kind="stable")
        if found.market_units[row]
    ]
    return SensitivityReport(at, desk.currency, MOVE_BP, tuple(effects))


def _load(at: datetime) -> _Desk:
    currencies = currencies_kept() or ["USD"]
    if len(currencies) > 1:
        raise ScenarioRefused(f"The book is in {' and '.join(currencies)}: there is no rate to add them up by.")
    loaded = load_book(at=at)
    ids, versions = loaded.record.account_id, loaded.record.scheme_version_id
    schemes = {version: get_version(version).scheme_code for version in np.unique(versions).tolist()}
    pools = pool_codes(ids.tolist())
    groups = [
        _Group(schemes[version], pools.get(account_id, ""))
        for account_id, version in zip(ids.tolist(), versions.tolist(), strict=True)
    ]
    number = {group: place for place, group in enumerate(sorted(set(groups)))}
    return _Desk(
        book=loaded.book,
        sheet=loaded.sheet,
        currency=currencies[0],
        account_id=ids,
        debt_minor=loaded.record.debt_minor,
        group=np.array([number[group] for group in groups], dtype=np.int64),
        groups=tuple(number),
    )


def _market_falls(desk: _Desk, falls_bp: Sequence[int], at: datetime) -> tuple[Scenarios, Bools] | None:
    """The market falls and each name follows by its beta; and bool[S] of the names that have none and follow like the
    wildest that has one. None when no name has a year of closes.
    """
    try:
        fit = fit_market(desk.sheet.instruments, at=at)
    except NotEnoughHistory:
        return None
    beta = np.where(fit.is_fitted, fit.beta, np.nanmax(fit.beta))[:, np.newaxis]
    moves = np.array(falls_bp, dtype=np.float64)[:, np.newaxis] / -BP
    back = np.maximum(WORST_BY_BETA - moves @ beta.T, 0.0)
    names = [f"market {-fall / 100:+.2f}% by beta" for fall in falls_bp]
    return factor_scenarios(desk.sheet.marks.price_units, beta, moves, names, back), ~fit.is_fitted


def _scenarios(
    choice: ScenarioChoice, desk: _Desk, at: datetime
) -> tuple[Scenarios, dict[str, tuple[str, ...]], tuple[str, ...]]:
    """All scenarios of the choice, today's prices first; the proxies of each that has some; windows left out."""
    prices = desk.sheet.marks.price_units
    symbols = [instrument.symbol for instrument in desk.sheet.instruments]
    sectors = [instrument.sector for instrument in desk.sheet.instruments]
    parts = [_refusing(lambda: fall_scenarios(prices, (0, *choice.falls_bp)))]
    proxies: dict[str, tuple[str, ...]] = {}
    not_covered: tuple[str, ...] = ()
    if choice.market_falls_bp:
        market = _market_falls(desk, choice.market_falls_bp, at)
        if market is None:
            not_covered = ("the market by beta",)
        else:
            parts.append(market[0])
            unfitted = tuple(symbols[column] for column in np.flatnonzero(market[1] & (prices > 0)))
            proxies.update(dict.fromkeys(market[0].names, unfitted))
    if choice.with_history:
        closes, windows = _closes_of_windows(desk)
        not_covered += tuple(one.name for one in WINDOWS if one.name not in {window.name for window in windows})
        if windows:
            history, is_proxy = window_scenarios(prices, closes, windows, sectors)
            parts.append(history)
            for name, row in zip(history.names, is_proxy, strict=True):
                proxies[name] = tuple(symbols[column] for column in np.flatnonzero(row & (prices > 0)))
    if choice.with_gaps and (largest := _largest_names(desk)):
        rows = [ShockRow(f"{symbol} alone {GAP_PCT}%", symbol, GAP_PCT) for symbol in largest]
        parts.append(table_scenarios(prices, symbols, sectors, rows))
    if choice.rows:
        parts.append(_refusing(lambda: table_scenarios(prices, symbols, sectors, choice.rows)))
    names = tuple(name for part in parts for name in part.names)
    tables = np.concatenate([part.price_units for part in parts])
    return _refusing(lambda: Scenarios(names, tables)), proxies, not_covered


def _refusing(make: Callable[[], Scenarios]) -> Scenarios:
    """What the engine refuses, as a sentence with the line of the file."""
    try:
        return make()
    except BookError as error:
        where = f"Line {line_of_row(error.row)}" if error.column == "rows" and error.row is not None else error.column
        raise ScenarioRefused(f"{where} {error.problem}.") from error


def _closes_of_windows(desk: _Desk) -> tuple[Int64s, list[Window]]:
    """int64[2W, S]: closes of the first and the last day of each window that any name has, and the windows.

    A name's closes are the desk's own records where they have both days, else those of the packaged history, which is
    in dollars and adjusted: of a window only returns matter.
    """
    instruments = desk.sheet.instruments
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


def _largest_names(desk: _Desk) -> list[str]:
    """The symbols of which the book holds most by value today, the largest first."""
    prices = desk.sheet.marks.price_units
    worth = desk.book.quantity * prices[desk.book.instrument].astype(np.float64)
    value = np.bincount(desk.book.instrument, worth, len(prices))
    ranked = np.argsort(-value, kind="stable")[:GAP_NAMES]
    return [desk.sheet.instruments[column].symbol for column in ranked.tolist() if value[column]]


def _outcome(currency: str, name: str, parts: Sequence[_Part], k: int, proxies: tuple[str, ...]) -> ScenarioOutcome:
    def total(units: Iterable[int]) -> int:
        return owed_minor(sum(int(one) for one in units), currency)

    def losses(code_of: Callable[[_Group], str]) -> tuple[GroupLoss, ...]:
        members: dict[str, list[_Part]] = {}
        for part in parts:
            members.setdefault(code_of(part.group), []).append(part)
        return tuple(
            GroupLoss(code, sum(one.debt_minor for one in own), total(one.result.shortfall_units[k] for one in own))
            for code, own in sorted(members.items())
        )

    results = [part.result for part in parts]
    return ScenarioOutcome(
        name=name,
        bands=tuple(
            BandTotal(
                band,
                sum(int(one.band_accounts[k, band]) for one in results),
                total(one.band_debt_units[k, band] for one in results),
            )
            for band in _BANDS
        ),
        unknown_accounts=sum(int(one.unknown_accounts[k]) for one in results),
        shortfall_minor=total(one.shortfall_units[k] for one in results),
        by_scheme=losses(lambda group: group.scheme),
        by_pool=losses(lambda group: group.pool),
        proxies=proxies,
    )


def _worst_accounts(desk: _Desk, scenarios: Scenarios, parts: Sequence[_Part]) -> tuple[AccountWorst, ...]:
    """The accounts whose worst scenario leaves the largest shortfall; none that is covered in all of them."""
    worst: list[AccountWorst] = []
    for part in parts:
        short = np.flatnonzero(part.result.expected_shortfall_units > 0)
        lost = desk.book.debt_units[part.rows[short]] - part.result.worst_assets_units[short]
        short = short[np.argsort(-lost, kind="stable")[:WORST_ACCOUNTS]]
        numbers = account_numbers(desk.account_id[part.rows[short]].tolist())
        for index in short.tolist():
            row = part.rows[index]
            debt = int(desk.debt_minor[row])
            assets = held_minor(int(part.result.worst_assets_units[index]), desk.currency)
            mean = int(np.ceil(part.result.expected_shortfall_units[index]))
            worst.append(
                AccountWorst(
                    number=numbers[int(desk.account_id[row])],
                    scenario=scenarios.names[part.result.worst_scenario[index]],
                    debt_minor=debt,
                    assets_minor=assets,
                    shortfall_minor=debt - assets,
                    expected_shortfall_minor=owed_minor(mean, desk.currency),
                )
            )
    worst.sort(key=lambda one: (-one.shortfall_minor, one.number))
    return tuple(worst[:WORST_ACCOUNTS])
