"""Past prices for a simulation: the closes that the desk recorded, those that come with the program, or a file's."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date

from reefpoint.decisions.collateral.selectors.haircuts import recorded_steps
from reefpoint.decisions.collateral.selectors.house import published_house, read_house
from reefpoint.decisions.collateral.types import Step
from reefpoint.decisions.pricing.selectors.grid import GRID, read_grid
from reefpoint.engine.columns import BookError
from reefpoint.insight.simulation.rules.checks import SimulationRefused
from reefpoint.insight.simulation.rules.files import PriceFile
from reefpoint.insight.simulation.rules.playing import play
from reefpoint.insight.simulation.types import (
    Conduct,
    Happenings,
    History,
    Policy,
    SimulationRun,
    Source,
    Suspension,
)
from reefpoint.platform.basics.money import price_units
from reefpoint.platform.publications.selectors import in_force
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.market.adapters.us20 import load_us20, load_us20_instruments
from reefpoint.records.market.rules import day_limit_bp
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.selectors.limits import limits_bp
from reefpoint.records.market.selectors.prices import closes_between
from reefpoint.records.market.selectors.suspensions import suspensions_between
from reefpoint.records.market.types import VENUE, InstrumentView
from reefpoint.records.products.types import SchemeTerms

SESSIONS_MAX = 5_200
"""The longest period that is played at once: a little more than twenty years."""
PACKAGED_FIRST, PACKAGED_LAST = date(1990, 1, 2), date(2022, 12, 30)


def simulate(
    terms: SchemeTerms,
    holdings: Mapping[str, int],
    loan_minor: int,
    since: date,
    until: date,
    *,
    source: Source = Source.PACKAGED,
    conduct: Conduct = Conduct.SILENT,
    happenings: Happenings | None = None,
    file: PriceFile | None = None,
) -> SimulationRun:
    """Play a loan under these terms, published or not, from the first close since `since` to the last until `until`.

    `holdings` are shares by symbol, `loan_minor` is drawn on the first day. Nothing is written, and nothing of the
    desk's is read but closes, the trading calendar, suspensions and haircuts on record (of its own closes), and its
    rules of today. Names of a `file` count as accepted, with the scheme's default terms where it does not name them.
    Raises `SimulationRefused`.
    """
    if since >= until:
        raise SimulationRefused("The first day must be before the last.", why="order")
    if source is Source.FILE:
        if file is None:
            raise SimulationRefused("A file of prices is needed.", why="no_file")
        history, venue = file.between(holdings.keys(), since, until, terms.currency), file.venue
        terms = replace(terms, accepted_symbols=tuple(sorted({*terms.accepted_symbols, *holdings})))
    else:
        history, venue = load_history(source, holdings.keys(), since, until), VENUE
    if len(history.days) > SESSIONS_MAX:
        raise SimulationRefused(
            "The period has {count:,} sessions; at most {sessions_max:,} are played at once.",
            why="too_long",
            count=len(history.days),
            sessions_max=SESSIONS_MAX,
        )
    happenings = happenings or Happenings()
    if source is Source.RECORDED:
        happenings = replace(happenings, steps=_steps(history, until))
    calendar = get_calendar(venue)
    try:
        return play(
            terms,
            history,
            calendar,
            holdings=holdings,
            loan_minor=loan_minor,
            conduct=conduct,
            happenings=happenings,
            policy=load_policy(terms.rule_pack, current_book_day() or until),
        )
    except (BookError, OverflowError) as error:
        raise SimulationRefused("A figure is too large to be played exactly.", why="too_large") from error


def load_policy(jurisdiction: str, on: date) -> Policy:
    """The desk's own rules of a day: what suspended names are worth, how haircuts ramp, how far a rate may move."""
    house = published_house(on)
    grid = read_grid(in_force(GRID, on).id)
    legal = grid.legal_caps.get(jurisdiction)
    return Policy(
        house=house,
        ramp=(house or read_house(None)).ramp,
        rate_step_bp=grid.step_bp,
        rate_cap_bp=None if legal is None else legal.cap_bp,
    )


def _steps(history: History, until: date) -> dict[str, tuple[Step, ...]]:
    """Every haircut that the desk had in force on these names, by symbol."""
    symbols = {one.id: one.symbol for one in history.instruments}
    return {
        symbols[instrument_id]: tuple(Step(one.effective_on, one.haircut_bp) for one in steps)
        for instrument_id, steps in recorded_steps(until, list(symbols)).items()
    }


def list_names(source: Source) -> tuple[InstrumentView, ...]:
    """The names that a source has prices of, by symbol."""
    if source is Source.RECORDED:
        return tuple(sorted(list_instruments(), key=lambda one: one.symbol))
    return tuple(
        InstrumentView(
            id=number,
            symbol=draft.symbol,
            name=draft.name,
            name_zh=draft.name_zh,
            currency=draft.currency,
            venue=draft.venue,
            sector=draft.sector,
            lot_size=draft.lot_size,
            price_band_bp=draft.price_band_bp,
            assumed_daily_volume=draft.assumed_daily_volume,
            is_suspended=False,
        )
        for number, draft in enumerate(sorted(load_us20_instruments(), key=lambda draft: draft.symbol), start=1)
    )


def load_history(source: Source, symbols: Collection[str], since: date, until: date) -> History:
    """The closes of some names. Raises `SimulationRefused` for a name that the source does not have."""
    known = {one.symbol: one for one in list_names(source)}
    if missing := sorted(set(symbols) - set(known)):
        raise SimulationRefused(
            "There are no prices of {missing}.", why="no_prices", symbols=missing, missing=missing[:3]
        )
    instruments = tuple(known[symbol] for symbol in sorted(symbols))
    if source is Source.PACKAGED:
        rows = load_us20(since, until)
        closes = tuple(tuple(price_units(day[one.symbol]) for one in instruments) for _, day in rows)
        limits = tuple(day_limit_bp(one.venue, one.symbol) for one in instruments)
        return History(instruments, tuple(on for on, _ in rows), closes, limits)
    found = {(key, on): units for key, on, units in closes_between([one.id for one in instruments], since, until)}
    days = tuple(sorted({on for _, on in found}))
    limits_of = limits_bp(instruments, since)
    halted = suspensions_between([one.id for one in instruments], since, until)
    return History(
        instruments=instruments,
        days=days,
        closes=tuple(tuple(found.get((one.id, on), 0) for one in instruments) for on in days),
        limits_bp=tuple(limits_of.get(one.id) for one in instruments),
        suspensions=tuple(
            Suspension(one.symbol, begin, end) for one in instruments for begin, end in halted.get(one.id, [])
        ),
    )
