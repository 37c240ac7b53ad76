"""The live book under scenarios: what it holds, the closes of the past, and the engine's answer in minor units.

Nothing is written: a run that is broken off leaves nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from reefpoint.decisions.margin.selectors.standing import Sheet, book_of, load_sheet
from reefpoint.engine.bands import Band
from reefpoint.engine.columns import BookError
from reefpoint.engine.reverse_stress import reverse_stress
from reefpoint.engine.scenarios import (
    E8,
    Scenarios,
    ShockRow,
    Window,
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
from reefpoint.records.accounts.selectors import load_accounts, pool_codes
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.market.adapters.us20 import load_us20
from reefpoint.records.market.selectors.prices import closes_on
from reefpoint.records.products.selectors import get_version

Int64s = npt.NDArray[np.int64]
_BANDS = (Band.SAFE, Band.WARNING, Band.CALL, Band.CLOSE_OUT)


@dataclass(frozen=True)
class _Desk:
    """The book as it is: accounts, the sheet they are measured by, and the scheme and pool of each."""

    accounts: list[AccountFacts]
    sheet: Sheet
    currency: str
    groups: list[tuple[str, str]]


def stress_desk(
    choice: ScenarioChoice, *, at: datetime, precision: Literal["exact", "fast"] = "exact", threads: int = 1
) -> StressReport:
    """The book on the prices known at `at`, and under every scenario of the choice.

    Raises `ScenarioRefused` for a scenario that cannot be, and for a book in several currencies.
    """
    desk = _load(at)
    scenarios, proxies, not_covered = _scenarios(choice, desk)
    # groups split the accounts: their results add up to the book's, so each account is valued once
    rows_of: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, group in enumerate(desk.groups):
        rows_of[group].append(row)
    parts = {
        group: stress_book(
            book_of([desk.accounts[row] for row in rows], desk.sheet),
            desk.sheet.marks,
            desk.sheet.lines,
            scenarios,
            precision=precision,
            threads=threads,
        )
        for group, rows in sorted(rows_of.items())
    }
    return StressReport(
        at=at,
        currency=desk.currency,
        accounts=len(desk.accounts),
        debt_minor=sum(account.debt_minor for account in desk.accounts),
        is_exact=precision == "exact",
        outcomes=tuple(
            _outcome(desk, scenarios.names[k], parts, k, proxies.get(scenarios.names[k], ()))
            for k in range(len(scenarios))
        ),
        worst_accounts=_worst_accounts(desk, scenarios, [(rows_of[group], part) for group, part in parts.items()]),
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
        book_of(desk.accounts, desk.sheet),
        marks,
        desk.sheet.lines,
        np.full(marks.instrument_count, -E8, dtype=np.int64),
        limit_units=limit_minor * price_units_per_minor(desk.currency),
        threads=threads,
    )
    return ReverseReport(
        at=at,
        currency=desk.currency,
        limit_minor=limit_minor,
        fall_bp=found.step_bp,
        loss_minor=owed_minor(found.loss_units, desk.currency),
        loss_before_minor=owed_minor(found.loss_before_units, desk.currency),
        is_smallest=found.is_smallest,
        accounts=tuple(
            (desk.accounts[row].number, owed_minor(units, desk.currency))
            for row, units in zip(found.accounts.tolist(), found.shortfall_units.tolist(), strict=True)
        ),
    )


def measure_sensitivities(*, at: datetime, threads: int = 1) -> SensitivityReport:
    """What 1% down changes: of everything, of each sector, of each name that somebody holds.

    Raises `ScenarioRefused` for a book in several currencies.
    """
    desk = _load(at)
    book, marks, lines = book_of(desk.accounts, desk.sheet), desk.sheet.marks, desk.sheet.lines
    instruments = desk.sheet.instruments
    sectors = sorted({instrument.sector for instrument in instruments})
    by_sector = np.array([sectors.index(instrument.sector) for instrument in instruments], dtype=np.int32)
    by_name = np.arange(len(instruments), dtype=np.int32)
    symbols = [instrument.symbol for instrument in instruments]
    moved = {
        MoveKind.EVERYTHING: sensitivity_by_scenario(
            book, marks, lines, fall_scenarios(marks.price_units, [-MOVE_BP]), threads=threads
        ),
        MoveKind.SECTOR: sensitivity_by_group(book, marks, lines, by_sector, sectors, move_bp=MOVE_BP),
        MoveKind.NAME: sensitivity_by_group(book, marks, lines, by_name, symbols, move_bp=MOVE_BP),
    }
    effects = [
        MoveEffect(
            kind,
            "all" if kind is MoveKind.EVERYTHING else found.names[row],
            held_minor(int(found.market_units[row]), desk.currency),
            owed_minor(int(found.shortfall_units[row]), desk.currency),
            tuple(map(BandChange, _BANDS, found.band_accounts[row].tolist())),
        )
        for kind, found in moved.items()
        for row in np.argsort(found.market_units, kind="stable")
        if found.market_units[row]
    ]
    return SensitivityReport(at, desk.currency, MOVE_BP, tuple(effects))


def _load(at: datetime) -> _Desk:
    accounts = load_accounts()
    versions = {version_id: get_version(version_id) for version_id in {one.scheme_version_id for one in accounts}}
    pools = pool_codes([account.id for account in accounts])
    currencies = sorted({account.currency for account in accounts}) or ["USD"]
    if len(currencies) > 1:
        raise ScenarioRefused(f"The book is in {' and '.join(currencies)}: there is no rate to add them up by.")
    return _Desk(
        accounts=accounts,
        sheet=load_sheet(list(versions), at=at),
        currency=currencies[0],
        groups=[(versions[one.scheme_version_id].scheme_code, pools.get(one.id, "")) for one in accounts],
    )


def _scenarios(choice: ScenarioChoice, desk: _Desk) -> tuple[Scenarios, dict[str, tuple[str, ...]], tuple[str, ...]]:
    """All scenarios of the choice, today's prices first; the proxies of each that has some; windows left out."""
    prices = desk.sheet.marks.price_units
    symbols = [instrument.symbol for instrument in desk.sheet.instruments]
    sectors = [instrument.sector for instrument in desk.sheet.instruments]
    parts = [_refusing(lambda: fall_scenarios(prices, (0, *choice.falls_bp)))]
    proxies: dict[str, tuple[str, ...]] = {}
    not_covered: tuple[str, ...] = ()
    if choice.with_history:
        closes, windows = _closes_of_windows(desk)
        not_covered = tuple(one.name for one in WINDOWS if one.name not in {window.name for window in windows})
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
    value: dict[int, int] = defaultdict(int)
    for account in desk.accounts:
        for holding in account.holdings:
            column = desk.sheet.column[holding.instrument_id]
            value[column] += holding.quantity * int(prices[column])
    ranked = sorted((column for column in value if value[column]), key=lambda column: (-value[column], column))
    return [desk.sheet.instruments[column].symbol for column in ranked[:GAP_NAMES]]


def _outcome(
    desk: _Desk, name: str, parts: dict[tuple[str, str], StressResult], k: int, proxies: tuple[str, ...]
) -> ScenarioOutcome:
    def total(values: Sequence[int]) -> int:
        return owed_minor(sum(values), desk.currency)

    def losses(which: int) -> tuple[GroupLoss, ...]:
        codes = sorted({group[which] for group in parts})
        members = {code: [part for group, part in parts.items() if group[which] == code] for code in codes}
        return tuple(
            GroupLoss(
                code,
                sum(
                    one.debt_minor
                    for one, group in zip(desk.accounts, desk.groups, strict=True)
                    if group[which] == code
                ),
                total([int(part.shortfall_units[k]) for part in members[code]]),
            )
            for code in codes
        )

    return ScenarioOutcome(
        name=name,
        bands=tuple(
            BandTotal(
                band,
                sum(int(part.band_accounts[k, band]) for part in parts.values()),
                total([int(part.band_debt_units[k, band]) for part in parts.values()]),
            )
            for band in _BANDS
        ),
        unknown_accounts=sum(int(part.unknown_accounts[k]) for part in parts.values()),
        shortfall_minor=total([int(part.shortfall_units[k]) for part in parts.values()]),
        by_scheme=losses(0),
        by_pool=losses(1),
        proxies=proxies,
    )


def _worst_accounts(
    desk: _Desk, scenarios: Scenarios, parts: list[tuple[list[int], StressResult]]
) -> tuple[AccountWorst, ...]:
    """The accounts whose worst scenario leaves the largest shortfall; none that is covered in all of them."""
    rows: list[AccountWorst] = []
    for accounts, part in parts:
        for index, row in enumerate(accounts):
            account = desk.accounts[row]
            if part.worst_scenario[index] < 0 or not part.expected_shortfall_units[index] > 0:
                continue
            assets = held_minor(int(part.worst_assets_units[index]), desk.currency)
            rows.append(
                AccountWorst(
                    number=account.number,
                    scenario=scenarios.names[part.worst_scenario[index]],
                    debt_minor=account.debt_minor,
                    assets_minor=assets,
                    shortfall_minor=account.debt_minor - assets,
                    expected_shortfall_minor=owed_minor(
                        int(np.ceil(part.expected_shortfall_units[index])), desk.currency
                    ),
                )
            )
    rows.sort(key=lambda one: (-one.shortfall_minor, one.number))
    return tuple(rows[:WORST_ACCOUNTS])
