"""Past prices for a simulation: the closes that the desk recorded, or those that come with the program."""

from collections.abc import Collection, Mapping
from datetime import date

from reefpoint.engine.columns import BookError
from reefpoint.insight.simulation.rules import SimulationRefused, play
from reefpoint.insight.simulation.types import Conduct, History, SimulationRun, Source
from reefpoint.platform.basics.money import price_units
from reefpoint.records.market.adapters.us20 import load_us20, load_us20_instruments
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.selectors.prices import closes_between
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
) -> SimulationRun:
    """Play a loan under these terms, published or not, from the first close since `since` to the last until `until`.

    `holdings` are shares by symbol, `loan_minor` is drawn on the first day. Nothing is written, and nothing of the
    desk's is read but closes and the trading calendar. Raises `SimulationRefused`.
    """
    if since >= until:
        raise SimulationRefused("The first day must be before the last.", why="order")
    history = load_history(source, holdings.keys(), since, until)
    if len(history.days) > SESSIONS_MAX:
        raise SimulationRefused(
            f"The period has {len(history.days):,} sessions; at most {SESSIONS_MAX:,} are played at once.",
            why="too_long",
        )
    calendar = get_calendar(VENUE)
    try:
        return play(terms, history, calendar, holdings=holdings, loan_minor=loan_minor, conduct=conduct)
    except (BookError, OverflowError) as error:
        raise SimulationRefused("A figure is too large to be played exactly.", why="too_large") from error


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
        raise SimulationRefused(f"There are no prices of {', '.join(missing[:3])}.", why="no_prices", symbols=missing)
    instruments = tuple(known[symbol] for symbol in sorted(symbols))
    if source is Source.PACKAGED:
        rows = load_us20(since, until)
        closes = tuple(tuple(price_units(day[one.symbol]) for one in instruments) for _, day in rows)
        return History(instruments, tuple(on for on, _ in rows), closes)
    found = {(key, on): units for key, on, units in closes_between([one.id for one in instruments], since, until)}
    days = tuple(sorted({on for _, on in found}))
    return History(instruments, days, tuple(tuple(found.get((one.id, on), 0) for one in instruments) for on in days))
