"""Session calendars of exchanges, computed by the exchange-calendars package.

The package needs pandas, which takes a second and 100 MB in each process that imports it. So what it says of the venues
of `PACKAGED` comes along as files (`tools/make_calendars.py`; a test holds them against the package), and it is
imported for any other venue, at the first question.
"""

import gzip
from datetime import UTC, date, datetime, time
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.types import SessionCalendar

CALENDAR_FIRST = date(1990, 1, 1)
CALENDAR_LAST = date(2028, 12, 31)
"""Both ends are fixed: left alone, the package ends its calendars one year after the day on which it is asked.
Exchanges announce holidays a few years ahead; what lies further is for overrides, not for extrapolation."""
PACKAGED = ("XNYS", "XHKG", "XSHG")

_DATA = resources.files("reefpoint.records.market") / "data"


class UnknownVenue(Refusal):
    """A venue for which there is no calendar."""

    code = "unknown_venue"


@lru_cache(maxsize=8)
def load_exchange_calendar(venue: str) -> SessionCalendar:
    """All sessions of a venue (an ISO 10383 code such as XNYS) with their closes, half days and summer time included.

    Raises `UnknownVenue`. Some calendars reach less far than the two ends here; `first` and `last` say how far.
    """
    if venue in PACKAGED:
        return read_calendar((_DATA / packaged_name(venue)).read_bytes())
    return compute_calendar(venue)


def compute_calendar(venue: str) -> SessionCalendar:
    """What the package says of a venue. Raises `UnknownVenue`."""
    import exchange_calendars  # noqa: PLC0415 - pandas takes a second to import
    from exchange_calendars.errors import InvalidCalendarName  # noqa: PLC0415

    try:
        bounds = exchange_calendars.get_calendar(venue)
    except InvalidCalendarName as error:
        raise UnknownVenue("There is no trading calendar for the venue {venue!r}.", venue=venue) from error
    earliest, latest = bounds.bound_min(), bounds.bound_max()
    first = CALENDAR_FIRST if earliest is None else max(CALENDAR_FIRST, earliest.date())
    last = CALENDAR_LAST if latest is None else min(CALENDAR_LAST, latest.date())
    frame = exchange_calendars.get_calendar(venue, start=str(first), end=str(last)).schedule["close"]
    closes = {
        day.date(): datetime.fromtimestamp(close.timestamp(), UTC)
        for day, close in zip(frame.index, frame, strict=True)
    }
    return _calendar(venue, str(bounds.tz), first, last, closes)


def packaged_name(venue: str) -> str:
    return f"sessions_{venue}.csv.gz"


def write_calendar(calendar: SessionCalendar) -> bytes:
    """A calendar as a file: venue, zone, first and last day; then each session and the UTC time of its close."""
    head = f"{calendar.venue},{calendar.zone.key},{calendar.first},{calendar.last}"
    rows = (f"{on},{close:%H:%M}" for on, close in calendar.closes.items())
    return gzip.compress("\n".join([head, *rows]).encode("ascii"), mtime=0)


def read_calendar(content: bytes) -> SessionCalendar:
    """The calendar that `write_calendar` wrote."""
    head, *rows = gzip.decompress(content).decode("ascii").splitlines()
    venue, zone, first, last = head.split(",")
    times = {text: time.fromisoformat(text) for text in {row[11:] for row in rows}}
    days = [(date.fromisoformat(row[:10]), times[row[11:]]) for row in rows]
    closes = {on: datetime.combine(on, at, UTC) for on, at in days}
    return _calendar(venue, zone, date.fromisoformat(first), date.fromisoformat(last), closes)


def _calendar(venue: str, zone: str, first: date, last: date, closes: dict[date, datetime]) -> SessionCalendar:
    return SessionCalendar(venue=venue, zone=ZoneInfo(zone), first=first, last=last, days=tuple(closes), closes=closes)
