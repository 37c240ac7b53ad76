"""Forced sales: opened once, planned for the session, looked at once more before each send, ended in one piece."""

from datetime import timedelta

import pytest
from django.db.models import Sum
from pytest_django.fixtures import Settings
from tests.desk import HALF_DAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.decisions.margin.types import Band
from reefpoint.engine.shared_volume import ShareMethod
from reefpoint.flows.liquidation.models import LiquidationPlan
from reefpoint.flows.liquidation.rules import LIQUIDATION_STATES
from reefpoint.flows.liquidation.selectors import LiquidationNotFound, get_liquidation, list_liquidations
from reefpoint.flows.liquidation.selectors.planning import SessionShare
from reefpoint.flows.liquidation.services.late_credit import answer_late_credit
from reefpoint.flows.liquidation.services.opening import open_liquidation, release_idle_enforcement
from reefpoint.flows.liquidation.services.selling import plan_liquidation
from reefpoint.flows.liquidation.types import Cause, LiquidationState
from reefpoint.platform.access.selectors import get_approval, list_pending
from reefpoint.platform.access.services import approve, reject
from reefpoint.platform.access.services.approvals import SecondPersonNeeded
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.models import Delivery
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.execution.models import Fill, Order
from reefpoint.records.execution.rules import order_number
from reefpoint.records.market.selectors.quarantine import list_held
from reefpoint.records.market.services.prices import confirm_held_price


def breach(desk: Desk, price: str = "72") -> None:
    """The near account falls under its close-out line on Tuesday; it is to be sold on Wednesday."""
    desk.prices(TUESDAY, AAPL=price)
    assert desk.band(desk.near) is Band.CLOSE_OUT
    desk.prices(WEDNESDAY, drain=False, AAPL=price)
    desk.drain()


def states(desk: Desk, account_id: int) -> list[str]:
    return [one.state for one in desk.liquidations(account_id)]


def test_a_breach_is_sold_back_to_the_target_and_the_books_hold(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY)
    assert states(desk, desk.near) == ["completed"]
    account = desk.account(desk.near)
    (held,) = account.holdings
    assert 17_000 <= (held.quantity * 72_00 + account.cash_minor) * 10_000 // account.debt_minor < 17_300
    assert not desk.is_enforced(desk.near)
    assert verify_desk(noon(WEDNESDAY)) == []


def test_i10_i11_a_plan_raises_the_ratio_and_one_share_less_would_not_do(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY)
    plan = LiquidationPlan.objects.get()
    (line,) = plan.lines
    assert plan.ratio_before_bp < 17_000 <= plan.ratio_after_bp
    assert 0 < line["quantity"] <= 1_000
    proceeds = (line["quantity"] - 1) * 720_000 * 9_970 // 10_000 // 100
    assets, debt = (1_000 - line["quantity"] + 1) * 72_00, plan.debt_before_minor - proceeds
    assert assets * 10_000 < 17_000 * debt


def test_i10_a_sale_that_cannot_help_says_so_and_recovers_what_there_is(desk: Desk) -> None:
    breach(desk, price="50.00")
    desk.sell_out(WEDNESDAY)
    assert LiquidationPlan.objects.get().outcome == "cannot_help"
    assert states(desk, desk.near) == ["exhausted"]
    assert desk.account(desk.near).holdings == ()


def test_i03_a_deposit_after_the_plan_cancels_what_is_not_sent(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY, drain=False)
    desk.deposit(desk.near, 20_000_00, WEDNESDAY)
    desk.drain()
    (order,) = Order.objects.all()
    assert (order.state, order.sent_at, order.end_reason) == ("cancelled", None, "no longer needed")
    assert desk.account(desk.near).holdings[0].quantity == 1_000
    assert verify_desk(noon(WEDNESDAY)) == []


def test_i03_a_deposit_after_the_plan_that_is_not_enough_makes_the_sale_smaller(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY, drain=False)
    desk.deposit(desk.near, 3_000_00, WEDNESDAY)
    desk.drain()
    (order,) = Order.objects.all()
    assert order.state == "filled"
    assert 0 < order.filled_quantity < order.placed_quantity
    assert verify_desk(noon(WEDNESDAY)) == []


def test_i01_money_before_the_session_means_no_order(desk: Desk) -> None:
    breach(desk)
    desk.deposit(desk.near, 20_000_00, WEDNESDAY)
    desk.repay(desk.near, 20_000_00, WEDNESDAY)
    desk.sell_out(WEDNESDAY)
    assert not Order.objects.exists()
    assert states(desk, desk.near) == ["cancelled"]
    assert not desk.is_enforced(desk.near)
    assert verify_desk(noon(WEDNESDAY)) == []


def test_i02_an_old_trigger_told_again_finds_its_liquidation(desk: Desk) -> None:
    breach(desk)
    (first,) = desk.liquidations(desk.near)
    again = open_liquidation(
        actor=SYSTEM, account_id=desk.near, cause=Cause.CLOSE_OUT, call_id=None, at=noon(WEDNESDAY)
    )
    assert again == first.id
    assert len(desk.liquidations(desk.near)) == 1


def test_i04_every_event_told_twice_ends_in_the_same_books(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY)
    books = desk.books()
    Delivery.objects.update(state="pending", done_at=None)
    desk.drain()
    assert desk.books() == books
    assert verify_desk(noon(WEDNESDAY)) == []


def test_i20_the_desk_sells_no_more_of_a_name_than_its_share_of_the_volume(desk: Desk) -> None:
    """Coca-Cola trades 10,000 a day, of which the desk takes a tenth; the worst account goes first."""
    milder = desk.open_account({"KO": 2_000}, 50_000_00)
    worse = desk.open_account({"KO": 2_000}, 50_000_00)
    desk.drain()
    desk.receive(milder, desk.instruments["JPM"], 5, TUESDAY)
    desk.prices(TUESDAY, KO="30")
    desk.prices(WEDNESDAY, KO="30", AAPL="100")
    desk.sell_out(WEDNESDAY)
    sold = dict(Fill.objects.values_list("order__account_id").annotate(Sum("quantity")))
    assert sold == {worse: 1_000}
    assert states(desk, worse) == ["selling"]
    assert states(desk, milder) == ["planned"]
    desk.prices(HALF_DAY, KO="30", AAPL="100")
    desk.sell_out(HALF_DAY)
    on_friday = Fill.objects.filter(traded_on=HALF_DAY)
    assert on_friday.aggregate(Sum("quantity"))["quantity__sum"] <= 1_000
    assert on_friday.filter(order__account_id=milder).exists()
    assert verify_desk(noon(HALF_DAY)) == []


def test_i12_a_stale_name_is_not_sold_and_the_rest_of_the_account_acts(desk: Desk) -> None:
    mixed = desk.open_account({"AAPL": 700, "JPM": 300}, 50_000_00)
    desk.drain()
    desk.prices(TUESDAY, AAPL="55")
    desk.prices(WEDNESDAY, AAPL="55")
    desk.sell_out(WEDNESDAY)
    assert {order.instrument.symbol for order in Order.objects.filter(account_id=mixed)} == {"AAPL"}
    assert [line["symbol"] for line in LiquidationPlan.objects.get(liquidation__account_id=mixed).lines] == ["AAPL"]
    assert verify_desk(noon(WEDNESDAY)) == []


def test_i25_after_an_outage_nobody_is_sold_until_current_prices_cover_the_book(desk: Desk) -> None:
    """Apple breaks the account on Tuesday. On Wednesday nothing but a small name has prices yet: the session waits."""
    mixed = desk.open_account({"AAPL": 700, "JPM": 300}, 50_000_00)
    desk.drain()
    desk.prices(TUESDAY, AAPL="55", JPM="100")
    desk.begin(WEDNESDAY)
    desk.begin(HALF_DAY)
    desk.prices(HALF_DAY, JPM="100")
    held = desk.sell_out(HALF_DAY)
    assert held.is_held
    assert not Order.objects.exists()
    assert not LiquidationPlan.objects.exists()
    entry = Entry.objects.get(action="liquidation.hold_session")
    assert entry.subject == f"session:{HALF_DAY}"
    assert entry.inputs["coverage_bp"] < entry.inputs["required_coverage_bp"] == 8_000
    back = noon(HALF_DAY) + timedelta(minutes=1)
    desk.prices(HALF_DAY, back, AAPL="55")
    assert not desk.sell_out(HALF_DAY, back).is_held
    assert Order.objects.filter(account_id=mixed).exists()
    assert verify_desk(back) == []


def test_i18_a_suspended_name_is_not_sold_and_the_rest_of_the_account_acts(desk: Desk) -> None:
    mixed = desk.open_account({"AAPL": 700, "JPM": 300}, 50_000_00)
    desk.drain()
    desk.prices(TUESDAY, AAPL="55", JPM="100")
    desk.suspend("JPM", is_suspended=True, at=noon(TUESDAY))
    desk.prices(WEDNESDAY, AAPL="55", JPM="100")
    desk.sell_out(WEDNESDAY)
    assert {order.instrument.symbol for order in Order.objects.filter(account_id=mixed)} == {"AAPL"}


def test_i13_nobody_is_sold_on_a_held_price_until_it_is_confirmed(desk: Desk) -> None:
    """JPMorgan falls by a third overnight: not a share is sold at a price that nobody has believed yet."""
    banker = desk.open_account({"JPM": 1_000}, 50_000_00)
    desk.drain()
    desk.prices(TUESDAY, JPM="80.01")
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), JPM="72")
    assert states(desk, banker) == ["planned"]
    assert desk.prices(WEDNESDAY, JPM="50").held == 1
    desk.sell_out(WEDNESDAY)
    assert not Fill.objects.exists()
    (held,) = list_held()
    at = noon(WEDNESDAY) + timedelta(minutes=1)
    confirm_held_price(actor=desk.risk, held_id=held.id, at=at, reason="seen at the exchange")
    desk.drain()
    desk.prices(HALF_DAY, JPM="50", AAPL="100")
    desk.sell_out(HALF_DAY)
    assert Fill.objects.get().price_units < 50_0000
    assert verify_desk(noon(HALF_DAY)) == []


def test_i22_many_small_sales_never_beat_one_large_sale(desk: Desk) -> None:
    large, small = desk.open_account({"AAPL": 900}, 0), desk.open_account({"AAPL": 900}, 0)
    desk.prices(TUESDAY, AAPL="99.99")
    desk.sell(large, "AAPL", 900, TUESDAY)
    for quantity in (1, 7, 101, 191, 600):
        desk.sell(small, "AAPL", quantity, TUESDAY)
    desk.drain()
    assert desk.account(small).holdings == desk.account(large).holdings == ()
    assert 0 < desk.account(small).cash_minor <= desk.account(large).cash_minor
    assert verify_desk(noon(TUESDAY)) == []


def test_i66_a_manager_of_another_client_finds_no_such_liquidation(desk: Desk) -> None:
    breach(desk)
    (liquidation,) = desk.liquidations(desk.near)
    assert get_liquidation(desk.risk, liquidation.id).account_id == desk.near
    with pytest.raises(LiquidationNotFound):
        get_liquidation(desk.manager, liquidation.id)
    assert list_liquidations(desk.manager) == []


def test_i22_parts_of_a_forced_sale_add_up_in_ledger_positions_and_broker(desk: Desk) -> None:
    breach(desk)
    before = desk.account(desk.near)
    desk.sell_out(WEDNESDAY)
    after = desk.account(desk.near)
    net = Fill.objects.aggregate(Sum("net_minor"))["net_minor__sum"]
    assert before.debt_minor - after.debt_minor + after.cash_minor - before.cash_minor == net
    assert Fill.objects.aggregate(Sum("quantity"))["quantity__sum"] == 1_000 - after.holdings[0].quantity


def test_i27_the_end_clears_enforcement_and_call_in_one_transaction(desk: Desk) -> None:
    """No committed state between two handlers shows a finished liquidation on an account that is still enforced."""
    breach(desk)
    desk.sell_out(WEDNESDAY, drain=False)
    while dispatch_once("worker", limit=1) or desk.monitor.run_once():
        (liquidation,) = desk.liquidations(desk.near)
        is_over = LIQUIDATION_STATES.is_final(LiquidationState(liquidation.state))
        assert desk.is_enforced(desk.near) is not is_over
        assert not any(call.state == "open" for call in desk.calls(desk.near))
    assert states(desk, desk.near) == ["completed"]


def test_a_session_started_twice_places_no_second_order(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY, drain=False)
    (liquidation,) = desk.liquidations(desk.near)
    share = SessionShare((desk.near,), ShareMethod.NOTHING_BINDS, {})
    at = noon(WEDNESDAY)
    placed = plan_liquidation(actor=SYSTEM, liquidation_id=liquidation.id, on=WEDNESDAY, at=at, share=share)
    assert placed == (0, False)
    assert desk.sell_out(WEDNESDAY, drain=False).looked_at == 0
    assert Order.objects.count() == 1


def cautious_breach(desk: Desk) -> int:
    """An account whose scheme asks for a second person falls under its close-out line of 160%."""
    account_id = desk.open_account({"KO": 1_000}, 20_000_00, scheme="CAUTIOUS")
    desk.drain()
    desk.prices(TUESDAY, KO="31.50")
    assert states(desk, account_id) == ["awaiting_approval"]
    return account_id


def test_i63_nothing_is_sold_before_a_second_person_approved_what_was_shown(desk: Desk) -> None:
    account_id = cautious_breach(desk)
    desk.prices(WEDNESDAY, KO="31.50", AAPL="100")
    desk.sell_out(WEDNESDAY)
    assert not Order.objects.exists()
    (waiting,) = list_pending(desk.approver)
    with pytest.raises(Refusal):
        approve(actor=desk.approver, approval_id=waiting.id, payload_hash="0" * 64, at=noon(WEDNESDAY))
    with pytest.raises(SecondPersonNeeded):
        approve(actor=SYSTEM, approval_id=waiting.id, payload_hash=waiting.payload_hash, at=noon(WEDNESDAY))
    with pytest.raises(Refusal):
        approve(actor=desk.operations, approval_id=waiting.id, payload_hash=waiting.payload_hash, at=noon(WEDNESDAY))
    desk.drain()
    assert states(desk, account_id) == ["awaiting_approval"]
    approve(actor=desk.approver, approval_id=waiting.id, payload_hash=waiting.payload_hash, at=noon(WEDNESDAY))
    desk.drain()
    assert states(desk, account_id) == ["planned"]
    desk.sell_out(WEDNESDAY)
    assert states(desk, account_id) == ["completed"]
    approval = get_approval(waiting.id)
    assert (approval.payload["debt_minor"], approval.payload["ratio_bp"]) == (20_000_00, 15_750)


def test_i63_a_refused_sale_sells_nothing_and_the_account_is_judged_anew_the_next_day(desk: Desk) -> None:
    account_id = cautious_breach(desk)
    (waiting,) = list_pending(desk.approver)
    at = noon(TUESDAY)
    reject(actor=desk.approver, approval_id=waiting.id, payload_hash=waiting.payload_hash, reason="wait", at=at)
    desk.drain()
    Delivery.objects.filter(consumer="liquidation.open").update(state="pending", done_at=None)
    desk.drain()
    assert states(desk, account_id) == ["cancelled"]
    assert desk.is_enforced(account_id)
    desk.begin(WEDNESDAY)
    assert release_idle_enforcement(actor=desk.risk, on=WEDNESDAY, at=noon(WEDNESDAY)) == 1
    desk.drain()
    assert states(desk, account_id) == ["cancelled", "awaiting_approval"]
    assert not Order.objects.exists()


def test_a_clients_own_sale_and_the_desks_never_sell_the_same_shares(desk: Desk) -> None:
    breach(desk)
    desk.sell(desk.near, "AAPL", 900, WEDNESDAY)
    desk.sell_out(WEDNESDAY)
    assert dict(Fill.objects.values_list("order__purpose", "quantity")) == {"client": 900, "liquidation": 100}
    assert desk.account(desk.near).holdings == ()
    assert verify_desk(noon(WEDNESDAY)) == []


def test_a_mail_server_that_is_away_stops_no_sale_at_the_close_out_line(desk: Desk, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.desk.BrokenMail"
    breach(desk)
    desk.sell_out(WEDNESDAY)
    assert states(desk, desk.near) == ["completed"]


def test_a_price_above_the_line_by_the_session_sells_nothing_more_than_the_target_needs(desk: Desk) -> None:
    breach(desk)
    desk.prices(WEDNESDAY, noon(WEDNESDAY) + timedelta(minutes=1), AAPL="90")
    desk.sell_out(WEDNESDAY, noon(WEDNESDAY) + timedelta(minutes=1))
    assert not Order.objects.exists()
    assert states(desk, desk.near) == ["cancelled"]
    assert verify_desk(noon(WEDNESDAY) + timedelta(minutes=1)) == []


@pytest.mark.parametrize("minutes", [-30, -1, 0])
@pytest.mark.parametrize("amount_minor", [9_000_00, 2_000_00])
def test_i01_a_credit_booked_after_the_send_is_never_met_with_silence(
    desk: Desk, minutes: int, amount_minor: int
) -> None:
    """The bank had it when the order was sent, the desk books it later: wrongful if it would have cured the account."""
    breach(desk)
    desk.sell_out(WEDNESDAY)
    sent_at = Order.objects.get().sent_at
    assert sent_at is not None
    late = noon(WEDNESDAY) + timedelta(minutes=5)
    confirmed_at = sent_at + timedelta(minutes=minutes)
    desk.deposit(desk.near, amount_minor, WEDNESDAY, late, confirmed_at=confirmed_at)
    desk.drain()
    (liquidation,) = desk.liquidations(desk.near)
    entries = list_entries(subject=f"liquidation:{liquidation.id}", action="liquidation.wrongful")
    if amount_minor == 2_000_00:
        assert entries == []
    else:
        (entry,) = entries
        assert entry.inputs["orders"] == [order_number(Order.objects.get().id)]
    assert verify_desk(late) == []


def test_i01_a_credit_that_came_after_the_send_makes_no_sale_wrongful(desk: Desk) -> None:
    breach(desk)
    desk.sell_out(WEDNESDAY)
    late = noon(WEDNESDAY) + timedelta(minutes=5)
    desk.deposit(desk.near, 20_000_00, WEDNESDAY, late, confirmed_at=noon(WEDNESDAY) + timedelta(milliseconds=1))
    desk.drain()
    assert list_entries(action="liquidation.wrongful") == []


def test_i01_what_is_not_filled_of_a_wrongful_sale_is_cancelled_and_told_once(desk: Desk) -> None:
    """The credit is looked at between the send and the broker's answer."""
    breach(desk)
    desk.sell_out(WEDNESDAY, drain=False)
    dispatch_once("worker", limit=1)
    (order,) = Order.objects.all()
    assert order.state == "sent"
    late = noon(WEDNESDAY) + timedelta(minutes=5)
    desk.deposit(desk.near, 20_000_00, WEDNESDAY, late, confirmed_at=noon(WEDNESDAY))
    deposit = Delivery.objects.select_related("event").get(consumer="liquidation.late_credit", state="pending")
    told = {
        "actor": SYSTEM,
        "account_id": desk.near,
        "journal_id": deposit.event.payload["journal_id"],
        "amount_minor": 20_000_00,
        "confirmed_at": noon(WEDNESDAY),
        "at": late,
    }
    assert answer_late_credit(**told) == [desk.liquidations(desk.near)[0].id]
    desk.drain()
    assert answer_late_credit(**told) == []
    order.refresh_from_db()
    assert (order.state, order.filled_quantity) == ("cancelled", 0)
    (entry,) = list_entries(action="liquidation.wrongful")
    assert (entry.inputs["orders"], entry.inputs["filled"]) == ([order_number(order.id)], 0)
    assert desk.account(desk.near).holdings[0].quantity == 1_000
    assert verify_desk(late) == []
