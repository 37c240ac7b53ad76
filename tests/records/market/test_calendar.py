"""Sessions, half days, summer time, overrides, and what lies beyond the calendar."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.records.market.conftest import FEED

from reefpoint.records.market.adapters.exchange_calendar import (
    CALENDAR_LAST,
    PACKAGED,
    UnknownVenue,
    compute_calendar,
    load_exchange_calendar,
)
from reefpoint.records.market.selectors import (
    add_sessions,
    deadline_at,
    get_calendar,
    is_session,
    last_closed_session,
    next_session,
    previous_session,
    session_close,
    sessions,
)
from reefpoint.records.market.services import CalendarOverrideRefused, override_session
from reefpoint.records.market.types import BeyondCalendar, NotASession

NOW = datetime(2020, 3, 2, 14, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def test_sessions_leave_out_weekends_and_holidays() -> None:
    assert sessions("XNYS", date(2020, 2, 13), date(2020, 2, 19)) == [
        date(2020, 2, 13),
        date(2020, 2, 14),
        date(2020, 2, 18),
        date(2020, 2, 19),
    ]
    assert not is_session("XNYS", date(2020, 2, 17))


@pytest.mark.parametrize(
    ("on", "close"),
    [
        (date(2020, 3, 6), datetime(2020, 3, 6, 21, tzinfo=UTC)),
        (date(2020, 3, 9), datetime(2020, 3, 9, 20, tzinfo=UTC)),
        (date(2008, 11, 28), datetime(2008, 11, 28, 18, tzinfo=UTC)),
        (date(2026, 11, 27), datetime(2026, 11, 27, 18, tzinfo=UTC)),
    ],
    ids=["winter time", "summer time", "half day 2008", "half day 2026"],
)
def test_a_close_knows_summer_time_and_half_days(on: date, close: datetime) -> None:
    assert session_close("XNYS", on) == close


def test_a_close_of_a_day_without_trading_is_refused() -> None:
    with pytest.raises(NotASession, match="2020-02-17"):
        session_close("XNYS", date(2020, 2, 17))


def test_shifts_count_sessions_from_any_day() -> None:
    saturday = date(2020, 2, 15)
    assert next_session("XNYS", saturday) == date(2020, 2, 18)
    assert add_sessions("XNYS", date(2020, 2, 14), 2) == date(2020, 2, 19)
    assert previous_session("XNYS", date(2020, 2, 18)) == date(2020, 2, 14)
    assert add_sessions("XNYS", saturday, -2) == date(2020, 2, 13)
    assert add_sessions("XNYS", date(2020, 2, 14), 0) == date(2020, 2, 14)
    with pytest.raises(NotASession):
        add_sessions("XNYS", saturday, 0)


def test_i26_a_deadline_ends_at_the_close_of_its_last_session() -> None:
    """Two sessions after the Wednesday before Thanksgiving: Friday's half day and Monday."""
    wednesday = date(2019, 11, 27)
    assert deadline_at("XNYS", wednesday, 1) == datetime(2019, 11, 29, 18, tzinfo=UTC)
    assert deadline_at("XNYS", wednesday, 2) == datetime(2019, 12, 2, 21, tzinfo=UTC)


def test_the_last_closed_session_changes_at_the_very_close() -> None:
    close = session_close("XNYS", date(2020, 3, 2))
    assert last_closed_session("XNYS", close - timedelta(seconds=1)) == date(2020, 2, 28)
    assert last_closed_session("XNYS", close) == date(2020, 3, 2)
    assert last_closed_session("XNYS", datetime(2020, 3, 1, 12, tzinfo=UTC)) == date(2020, 2, 28)


@pytest.mark.parametrize("on", [date(1989, 12, 29), CALENDAR_LAST + timedelta(days=1)])
def test_a_day_beyond_the_calendar_is_refused_by_name(on: date) -> None:
    with pytest.raises(BeyondCalendar, match=str(on)):
        is_session("XNYS", on)
    with pytest.raises(BeyondCalendar):
        sessions("XNYS", min(on, date(2020, 1, 2)), max(on, date(2020, 1, 2)))


def test_shifts_over_the_end_are_refused() -> None:
    with pytest.raises(BeyondCalendar):
        next_session("XNYS", CALENDAR_LAST)
    with pytest.raises(BeyondCalendar):
        add_sessions("XNYS", date(1990, 1, 2), -1)


def test_an_unknown_venue_is_refused() -> None:
    with pytest.raises(UnknownVenue, match="XXXX"):
        get_calendar("XXXX")


def test_the_shanghai_calendar_ends_where_its_source_ends() -> None:
    assert get_calendar("XSHG").last <= date(2026, 12, 31)
    assert session_close("XSHG", date(2020, 3, 2)) == datetime(2020, 3, 2, 7, tzinfo=UTC)


def test_an_override_closes_a_day_and_opens_another() -> None:
    friday, holiday = date(2020, 3, 13), date(2020, 4, 10)
    early = datetime(2020, 4, 10, 17, tzinfo=UTC)
    override_session(actor=FEED, venue="XNYS", on=friday, close_at=None, reason="storm", at=NOW)
    override_session(actor=FEED, venue="XNYS", on=holiday, close_at=early, reason="replacement", at=NOW)
    assert not is_session("XNYS", friday)
    assert next_session("XNYS", date(2020, 3, 12)) == date(2020, 3, 16)
    assert session_close("XNYS", holiday) == early


def test_overrides_carry_the_calendar_past_its_end_as_far_as_they_reach() -> None:
    """2028 ends on a Sunday; Monday is New Year's Day and Tuesday trades."""
    monday, tuesday = date(2029, 1, 1), date(2029, 1, 2)
    close = datetime(2029, 1, 2, 21, tzinfo=UTC)
    override_session(actor=FEED, venue="XNYS", on=tuesday, close_at=close, reason="notice", at=NOW)
    with pytest.raises(BeyondCalendar):
        is_session("XNYS", tuesday)
    override_session(actor=FEED, venue="XNYS", on=monday, close_at=None, reason="notice", at=NOW)
    assert next_session("XNYS", date(2028, 12, 29)) == tuesday
    with pytest.raises(BeyondCalendar):
        is_session("XNYS", date(2029, 1, 3))


def test_an_override_with_a_close_on_another_day_is_refused() -> None:
    with pytest.raises(CalendarOverrideRefused):
        override_session(
            actor=FEED, venue="XNYS", on=date(2020, 3, 13), close_at=NOW + timedelta(days=30), reason="typo", at=NOW
        )
    assert is_session("XNYS", date(2020, 3, 13))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of pandas, in the package
@pytest.mark.parametrize("venue", PACKAGED)
def test_the_packaged_sessions_are_those_of_the_exchange_calendars_package(venue: str) -> None:
    """If this fails after an upgrade of the package: `tools/make_calendars.py`, and read what changed."""
    assert load_exchange_calendar(venue) == compute_calendar(venue)


def test_a_venue_without_a_packaged_file_is_computed() -> None:
    assert session_close("XLON", date(2020, 3, 2)) == datetime(2020, 3, 2, 16, 30, tzinfo=UTC)


def test_the_calendar_of_the_desk_needs_no_pandas() -> None:
    code = (
        "import sys; from reefpoint.records.market.adapters.exchange_calendar import load_exchange_calendar;"
        "load_exchange_calendar('XNYS'); print('pandas' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert said == "False\n"
