"""The desk at a glance, in the top bar of every page: its business date, the market's session, prices held back."""

from dataclasses import dataclass
from datetime import date, datetime

from reefpoint.flows.operations.selectors.clock import get_clock
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.selectors import get_calendar, list_held
from reefpoint.records.market.types import VENUE


@dataclass(frozen=True)
class DeskGlance:
    """`session` is open, closed, none (the venue does not trade that day) or unknown (beyond the calendar)."""

    business_date: date | None
    at: datetime
    is_replay: bool
    session: str
    closes_at: datetime | None
    held_prices: int


def glance(actor: Actor) -> DeskGlance:
    """The desk now, in a few small queries."""
    clock = get_clock()
    on = clock.business_date or clock.at.date()
    session, closes_at = _session(on, clock.at)
    held = len(list_held()) if "prices.view" in actor.permissions else 0
    return DeskGlance(clock.business_date, clock.at, clock.is_replay, session, closes_at, held)


def _session(on: date, at: datetime) -> tuple[str, datetime | None]:
    calendar = get_calendar(VENUE)
    try:
        if not calendar.is_session(on):
            return "none", None
        closes_at = calendar.close(on)
    except Refusal:
        return "unknown", None
    return ("open" if at < closes_at else "closed"), closes_at
