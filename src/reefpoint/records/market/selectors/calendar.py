"""Trading sessions of a venue: the exchange's calendar with what people recorded about single days."""

from datetime import date, datetime
from functools import lru_cache

from django.db import connection

from reefpoint.records.market.adapters.exchange_calendar import load_exchange_calendar
from reefpoint.records.market.rules import with_overrides
from reefpoint.records.market.types import SessionCalendar, SessionOverride


@lru_cache(maxsize=32)
def _merged(venue: str, overrides: tuple[SessionOverride, ...]) -> SessionCalendar:
    return with_overrides(load_exchange_calendar(venue), overrides)


def get_calendar(venue: str) -> SessionCalendar:
    """The calendar of a venue with its overrides as they are recorded now (one small query).

    Hold on to it in a loop. Raises `UnknownVenue`.
    """
    with connection.cursor() as cursor:
        cursor.execute('SELECT "on", close_at FROM market_calendaroverride WHERE venue = %s ORDER BY "on"', [venue])
        return _merged(venue, tuple(SessionOverride(*row) for row in cursor.fetchall()))


def sessions(venue: str, start: date, end: date) -> list[date]:
    """Sessions from `start` to `end`, both inclusive. Raises `BeyondCalendar`."""
    return get_calendar(venue).between(start, end)


def is_session(venue: str, on: date) -> bool:
    """Whether the venue trades on this day. Raises `BeyondCalendar` where nobody knows."""
    return get_calendar(venue).is_session(on)


def session_close(venue: str, on: date) -> datetime:
    """The instant (UTC) at which a session ends, half days and summer time included. Raises `NotASession`."""
    return get_calendar(venue).close(on)


def add_sessions(venue: str, on: date, count: int) -> date:
    """The `count`-th session after `on`, or before it when negative. Raises `BeyondCalendar`."""
    return get_calendar(venue).shift(on, count)


def next_session(venue: str, on: date, count: int = 1) -> date:
    """The `count`-th session after `on`, which need not be a session itself."""
    return add_sessions(venue, on, count)


def previous_session(venue: str, on: date) -> date:
    """The last session before `on`."""
    return add_sessions(venue, on, -1)


def deadline_at(venue: str, on: date, session_count: int) -> datetime:
    """When a deadline of so many sessions after `on` ends: the close of the last of them (I26)."""
    calendar = get_calendar(venue)
    return calendar.close(calendar.shift(on, session_count))


def last_closed_session(venue: str, at: datetime) -> date:
    """The newest session that has ended at `at`."""
    return get_calendar(venue).last_closed(at)
