"""Session calendars of exchanges, computed by the exchange-calendars package.

The package needs pandas, which takes a second to import: it is imported at the first question about a calendar.
"""

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.types import SessionCalendar

CALENDAR_FIRST = date(1990, 1, 1)
CALENDAR_LAST = date(2028, 12, 31)
"""Both ends are fixed: left alone, the package ends its calendars one year after the day on which it is asked.
Exchanges announce holidays a few years ahead; what lies further is for overrides, not for extrapolation."""


class UnknownVenue(Refusal):
    """A venue for which there is no calendar."""

    code = "unknown_venue"


@lru_cache(maxsize=8)
def load_exchange_calendar(venue: str) -> SessionCalendar:
    """All sessions of a venue (an ISO 10383 code such as XNYS) with their closes, half days and summer time included.

    Raises `UnknownVenue`. Some calendars reach less far than the two ends here; `first` and `last` say how far.
    """
    import exchange_calendars  # noqa: PLC0415 - pandas takes a second to import
    from exchange_calendars.errors import InvalidCalendarName  # noqa: PLC0415

    try:
        bounds = exchange_calendars.get_calendar(venue)
    except InvalidCalendarName as error:
        raise UnknownVenue(f"There is no trading calendar for the venue {venue!r}.", venue=venue) from error
    earliest, latest = bounds.bound_min(), bounds.bound_max()
    first = CALENDAR_FIRST if earliest is None else max(CALENDAR_FIRST, earliest.date())
    last = CALENDAR_LAST if latest is None else min(CALENDAR_LAST, latest.date())
    frame = exchange_calendars.get_calendar(venue, start=str(first), end=str(last)).schedule["close"]
    closes = {
        day.date(): datetime.fromtimestamp(close.timestamp(), UTC)
        for day, close in zip(frame.index, frame, strict=True)
    }
    return SessionCalendar(
        venue=venue,
        zone=ZoneInfo(str(bounds.tz)),
        first=first,
        last=last,
        days=tuple(closes),
        closes=closes,
    )
