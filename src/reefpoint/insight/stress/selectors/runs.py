"""The live book under scenarios: what it holds, the closes of the past, and the engine's answer in minor units.

Each account is valued in its own currency; sums are in one, at one version of the rates. Nothing is written: a run that
is broken off leaves nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Literal

import numpy as np

from reefpoint.decisions.margin.selectors.parts import DeskBook, PartKey, load_desk_book
from reefpoint.engine.bands import Band
from reefpoint.engine.columns import Int32s
from reefpoint.engine.reporting import (
    FxScenarios,
    PartStress,
    groups_of_parts,
    moves_of_parts,
    reverse_parts,
    stress_parts,
)
from reefpoint.engine.scenarios import fall_scenarios
from reefpoint.engine.sensitivity import Sensitivity
from reefpoint.insight.stress.rules import (
    MOVE_BP,
    WORST_ACCOUNTS,
    ScenarioRefused,
)
from reefpoint.insight.stress.selectors.scenarios import (
    currencies_of,
    currency_falls,
    join_scenarios,
    market_falls,
    scenarios_of,
    way_of,
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
from reefpoint.platform.basics.money import held_minor, owed_minor, price_units_per_minor
from reefpoint.records.accounts.selectors.accounts import account_numbers

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
    scenarios, proxies, not_covered = scenarios_of(choice, desk, at)
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
    """How far all prices must fall together, or with `falling` what that names (see `way_of`), until the book's
    shortfall passes the limit; both in `currency`.

    Raises `ScenarioRefused` for a negative limit and as `way_of` does, `NoReportingRate` as `load_desk_book` does.
    """
    if limit_minor < 0:
        raise ScenarioRefused("The limit must not be negative.")
    desk = load_desk_book(at=at, currency=currency)
    way = way_of(falling, desk, at)
    found = reverse_parts(
        desk.book,
        desk.sheet.marks,
        desk.sheet.lines,
        way.prices,
        desk.fx,
        desk.parts,
        limit_units=limit_minor * price_units_per_minor(desk.currency),
        fx_direction_e8=way.fx_direction_e8,
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
        proxies=way.proxies,
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
    market = market_falls(desk, [-MOVE_BP], at)

    def together(moves: Iterable[FxScenarios]) -> Sensitivity:
        scenarios = join_scenarios([FxScenarios.at_rates(today, desk.fx), *moves])
        return moves_of_parts(book, marks, lines, scenarios, desk.parts, threads=threads)

    def apart(group: Int32s, names: Sequence[str]) -> Sensitivity:
        return groups_of_parts(book, marks, lines, desk.price_units, desk.fx, desk.parts, group, names, move_bp=MOVE_BP)

    everything = FxScenarios.at_rates(fall_scenarios(desk.price_units, [-MOVE_BP]), desk.fx)
    moved = {
        MoveKind.EVERYTHING: together([everything]),
        MoveKind.MARKET: market and together([FxScenarios.at_rates(market[0], desk.fx)]),
        MoveKind.CURRENCY: together(currency_falls(desk, [-MOVE_BP])),
        MoveKind.SECTOR: apart(by_sector, sectors),
        MoveKind.NAME: apart(by_name, symbols),
    }
    codes = {
        MoveKind.EVERYTHING: ["all"],
        MoveKind.MARKET: ["all"],
        MoveKind.CURRENCY: currencies_of(desk),
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
