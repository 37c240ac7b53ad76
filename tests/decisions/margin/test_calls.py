"""From prices to bands, calls and their end."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from tests.desk import HALF_DAY, MONDAY, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.types import Band
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.events.models import Event
from reefpoint.platform.notifications.selectors import verify_notifications
from reefpoint.platform.notifications.services import retry_notices
from reefpoint.records.market.selectors.quarantine import list_held
from reefpoint.records.market.services.prices import confirm_held_price, record_prices
from reefpoint.records.market.types import Tick

DEADLINE = datetime(2019, 11, 29, 18, tzinfo=UTC)
"""The close of the half day after Thanksgiving: two sessions after Tuesday."""
MEASURES = ("account_id", "band", "assets_minor", "lendable_minor", "requirement_minor", "debt_minor", "ratio_bp")


def measures() -> list[tuple[object, ...]]:
    return list(MarginState.objects.order_by("account_id").values_list(*MEASURES))


def test_the_desk_is_sound_to_begin_with(desk: Desk) -> None:
    assert verify_desk(noon(MONDAY)) == []
    assert desk.band(desk.near) is Band.SAFE
    assert desk.account(desk.near).cash_minor == 0


def test_a_price_under_the_call_line_opens_one_call(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79.99")
    assert [(call.state, call.amount_minor) for call in desk.calls(desk.near)] == [("open", 2_947_06)]
    assert verify_desk(noon(TUESDAY)) == []


def test_the_line_itself_still_holds(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="80.00")
    assert (desk.band(desk.near), desk.calls(desk.near)) == (Band.WARNING, [])


def test_i07_a_price_swinging_around_a_line_by_a_hair_crosses_it_once(desk: Desk) -> None:
    before = Event.objects.filter(name="margin.BandCrossed").count()
    for minute, price in enumerate(["79.99", "80.01", "79.98", "80.49", "79.99"]):
        desk.prices(TUESDAY, noon(TUESDAY) + timedelta(minutes=minute), AAPL=price)
        assert desk.band(desk.near) is Band.CALL
    assert Event.objects.filter(name="margin.BandCrossed").count() == before + 1
    assert len(desk.calls(desk.near)) == 1
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), AAPL="80.50")
    assert desk.band(desk.near) is Band.WARNING


def test_money_that_cures_ends_the_call(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79.99")
    (call,) = desk.calls(desk.near)
    desk.deposit(desk.near, call.amount_minor, TUESDAY)
    desk.repay(desk.near, call.amount_minor, TUESDAY)
    desk.drain()
    assert [call.state for call in desk.calls(desk.near)] == ["cured"]
    assert verify_desk(noon(TUESDAY)) == []


def test_a_cent_less_than_the_call_does_not_cure_it(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79.99")
    (call,) = desk.calls(desk.near)
    desk.deposit(desk.near, call.amount_minor - 1, TUESDAY)
    desk.repay(desk.near, call.amount_minor - 1, TUESDAY)
    desk.drain()
    assert [call.state for call in desk.calls(desk.near)] == ["open"]


def test_an_account_may_be_called_twice_in_a_day(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79.99")
    (call,) = desk.calls(desk.near)
    desk.deposit(desk.near, call.amount_minor, TUESDAY)
    desk.repay(desk.near, call.amount_minor, TUESDAY)
    desk.drain()
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), AAPL="75")
    first, second = desk.calls(desk.near)
    assert (first.state, second.state) == ("cured", "open")
    assert first.number != second.number
    assert verify_desk(noon(TUESDAY) + timedelta(hours=1)) == []


def test_i26_a_deadline_counts_sessions_past_a_holiday_to_the_early_close(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79")
    assert [call.deadline_at for call in desk.calls(desk.near)] == [DEADLINE]
    assert expire_due_calls(actor=desk.risk, at=DEADLINE - timedelta(seconds=1)) == []
    assert not desk.is_enforced(desk.near)
    (call,) = desk.calls(desk.near)
    assert expire_due_calls(actor=desk.risk, at=DEADLINE) == [call.id]
    desk.drain()
    assert [call.state for call in desk.calls(desk.near)] == ["expired"]
    assert desk.is_enforced(desk.near)
    assert [(one.cause, one.call_id) for one in desk.liquidations(desk.near)] == [("call_expired", call.id)]


def test_i26_a_call_whose_notice_never_arrived_stays_open_and_is_seen(desk: Desk, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.desk.BrokenMail"
    desk.prices(TUESDAY, AAPL="79")
    (call,) = desk.calls(desk.near)
    assert expire_due_calls(actor=desk.risk, at=DEADLINE) == []
    assert [call.state for call in desk.calls(desk.near)] == ["open"]
    assert desk.liquidations(desk.near) == []
    stopped = list_entries(subject=f"call:{call.id}", action="margin.expiry_stopped")
    assert [entry.reason for entry in stopped] == ["no notice of this call was delivered"]
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert retry_notices(at=DEADLINE) == 1
    assert expire_due_calls(actor=desk.risk, at=DEADLINE) == [call.id]


def test_i26_a_notice_that_was_given_up_is_a_finding(desk: Desk, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.desk.BrokenMail"
    desk.prices(TUESDAY, AAPL="79")
    for day in range(1, 40):
        retry_notices(at=noon(TUESDAY) + timedelta(days=day))
    (call,) = desk.calls(desk.near)
    assert [finding.message.split(":")[:2] for finding in verify_notifications()] == [["call", str(call.id)]]


def test_i26_the_close_out_line_sells_without_a_deadline(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79")
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), AAPL="72.49")
    assert [call.state for call in desk.calls(desk.near)] == ["superseded"]
    assert [(one.cause, one.call_id) for one in desk.liquidations(desk.near)] == [("close_out", None)]
    assert desk.is_enforced(desk.near)


def test_i26_money_before_the_deadline_that_nobody_measured_yet_stops_the_expiry(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="79")
    (call,) = desk.calls(desk.near)
    desk.begin(HALF_DAY)
    desk.deposit(desk.near, call.amount_minor, HALF_DAY)
    desk.repay(desk.near, call.amount_minor, HALF_DAY)
    assert expire_due_calls(actor=desk.risk, at=DEADLINE) == []
    desk.drain()
    assert [call.state for call in desk.calls(desk.near)] == ["cured"]


def test_i13_a_price_a_fifth_away_calls_nobody_until_it_is_confirmed(desk: Desk) -> None:
    banker = desk.open_account({"JPM": 1_000}, 50_000_00)
    desk.drain()
    result = desk.prices(TUESDAY, JPM="79.99")
    assert (result.accepted, result.held) == (0, 1)
    assert (desk.band(banker), desk.calls(banker)) == (Band.SAFE, [])
    (held,) = list_held()
    at = noon(TUESDAY) + timedelta(minutes=5)
    confirm_held_price(actor=desk.risk, held_id=held.id, at=at, reason="seen at the exchange")
    desk.drain()
    assert (desk.band(banker), len(desk.calls(banker))) == (Band.CALL, 1)
    assert verify_desk(at) == []


@pytest.mark.parametrize("price", ["0", "-80", "NaN", "", "10000", "1e400"])
def test_i14_a_hostile_price_changes_no_state_and_stops_no_loop(desk: Desk, price: str) -> None:
    before = measures()
    desk.prices(TUESDAY, AAPL=price)
    assert measures() == before
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(minutes=1), AAPL="79")
    assert desk.band(desk.near) is Band.CALL


def test_i14_a_price_in_another_currency_changes_no_state(desk: Desk) -> None:
    before = measures()
    tick = Tick("AAPL", "50", MONDAY, noon(MONDAY) + timedelta(minutes=1), currency="EUR")
    record_prices(actor=desk.operations, source="exchange", key="eur", ticks=[tick], at=noon(TUESDAY), on=MONDAY)
    desk.drain()
    assert measures() == before


def test_i04_a_late_price_of_an_earlier_instant_changes_nothing(desk: Desk) -> None:
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), AAPL="90")
    before = measures()
    desk.prices(TUESDAY, noon(TUESDAY), AAPL="79")
    assert measures() == before
    assert desk.calls(desk.near) == []


def test_i04_an_event_of_an_earlier_instant_never_brings_old_prices_back(desk: Desk) -> None:
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), AAPL="79")
    before = measures()
    desk.prices(TUESDAY, noon(TUESDAY), KO="50.10")
    assert measures() == before
    assert verify_desk(noon(TUESDAY) + timedelta(hours=1)) == []


def test_i04_a_monitor_that_starts_again_ends_in_the_same_states(desk: Desk) -> None:
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), AAPL="79")
    before = measures()
    desk.restart_monitor()
    desk.prices(TUESDAY, noon(TUESDAY), KO="50.10")
    assert measures() == before


def test_i06_a_worse_price_never_has_a_milder_band_or_fewer_calls(desk: Desk) -> None:
    seen = []
    for minute, price in enumerate(range(99, 60, -3)):
        desk.prices(TUESDAY, noon(TUESDAY) + timedelta(minutes=minute), AAPL=str(price))
        alarms = len(desk.calls(desk.near)) + len(desk.liquidations(desk.near))
        seen.append((desk.band(desk.near), alarms))
    assert seen == sorted(seen)
    assert {band for band, _ in seen} == {Band.SAFE, Band.WARNING, Band.CALL, Band.CLOSE_OUT}


def test_i15_accounts_with_the_same_book_have_the_same_figures(desk: Desk) -> None:
    twin = desk.open_account({"AAPL": 1_000}, 50_000_00)
    for minute, price in enumerate(["91.37", "79.99", "85.01"]):
        desk.prices(TUESDAY, noon(TUESDAY) + timedelta(minutes=minute), AAPL=price)
        figures = {row[0]: row[1:] for row in measures()}
        assert figures[twin] == figures[desk.near]


def test_i17_an_account_that_cannot_be_valued_is_neither_called_nor_trusted(desk: Desk) -> None:
    unpriced = desk.list_name("NEW")
    desk.receive(desk.near, unpriced, 10, TUESDAY)
    desk.prices(TUESDAY, AAPL="60")
    state = MarginState.objects.get(account_id=desk.near)
    assert (Band(state.band), state.ratio_bp) == (Band.UNKNOWN, None)
    assert (desk.calls(desk.near), desk.liquidations(desk.near)) == ([], [])
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(minutes=1), NEW="1")
    assert desk.band(desk.near) is Band.CLOSE_OUT


def test_i16_interest_alone_opens_a_call_without_any_price(desk: Desk) -> None:
    """At 80.00 the near account stands on its call line to the cent; a day's interest takes it under."""
    desk.prices(TUESDAY, AAPL="80")
    assert desk.calls(desk.near) == []
    desk.accrue(TUESDAY, WEDNESDAY)
    desk.drain()
    assert [call.state for call in desk.calls(desk.near)] == ["open"]
    assert verify_desk(noon(TUESDAY)) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["AAPL", "JPM"]), st.integers(6_000, 11_900)),
        st.tuples(st.just("deposit"), st.integers(1, 20_000_00)),
        st.tuples(st.just("repay"), st.integers(1, 20_000_00)),
        st.tuples(st.just("borrow"), st.integers(1, 20_000_00)),
        st.tuples(st.just("receive"), st.integers(1, 300)),
        st.tuples(st.just("suspend"), st.integers(0, 1)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, is_drained=st.lists(st.booleans(), min_size=8, max_size=8))
def test_i05_states_equal_a_full_revaluation_after_any_changes(
    desk: Desk, steps: list[tuple[str, int]], is_drained: list[bool]
) -> None:
    with desk.rolled_back():
        at = noon(TUESDAY)
        desk.prices(TUESDAY, KO="50.01")  # the monitor has the book in memory from here on
        for (what, amount), drains in zip(steps, is_drained, strict=False):
            at += timedelta(minutes=1)
            if what in {"AAPL", "JPM"}:
                desk.prices(TUESDAY, at, drain=False, **{what: str(Decimal(amount) / 100)})
            elif what == "deposit":
                desk.deposit(desk.near, amount, TUESDAY, at)
            elif what == "repay":
                desk.repay(desk.near, amount, TUESDAY, at)
            elif what == "borrow":
                desk.try_to_borrow(desk.healthy, amount, TUESDAY, at)
            elif what == "suspend":
                desk.suspend("JPM", is_suspended=bool(amount), at=at)
            else:
                desk.receive(desk.near, desk.instruments["JPM"], amount, TUESDAY, at)
            if drains:
                desk.drain()
        desk.drain()
        assert verify_desk(at) == []
