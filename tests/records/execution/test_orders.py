"""An order's way to the broker and back, interrupted and repeated at every step."""

import pytest
from django.db import IntegrityError, transaction
from tests.records.rails import AT, DAY, DESK, NEXT_DAY, RailsDesk, place, set_price

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.platform.events.models import Event
from reefpoint.records.execution.adapters import desk_broker
from reefpoint.records.execution.models import Fill, Order, PaperFill, PaperHolding, PaperOrder
from reefpoint.records.execution.selectors import (
    get_fill,
    get_order,
    list_live_orders,
    open_sell_quantity,
    sale_cap_by_instrument,
    sold_quantity_by_instrument,
)
from reefpoint.records.execution.services import (
    ConflictingOrder,
    OrderRefused,
    cancel_order,
    end_session_orders,
    mark_fill_booked,
    mark_sent,
    reduce_order,
    submit_order,
)
from reefpoint.records.execution.services.orders import _ticket
from reefpoint.records.execution.types import OrderOutcome, OrderState, Side
from reefpoint.records.market.models import Instrument


def send(order_id: int) -> OrderOutcome:
    mark_sent(order_id=order_id, at=AT)
    return submit_order(order_id=order_id, at=AT)


def event_names() -> list[str]:
    return list(Event.objects.order_by("id").values_list("name", flat=True))


def world() -> list[object]:
    """All that desk and broker hold, to compare two histories."""
    orders = Order.objects.order_by("id").values_list("client_order_id", "state", "filled_quantity", "end_reason")
    fills = Fill.objects.order_by("id").values_list("broker_fill_id", "quantity", "price_units", "net_minor")
    holdings = PaperHolding.objects.order_by("symbol").values_list("symbol", "quantity", "session_quantity")
    return [*orders, *fills, *PaperFill.objects.order_by("id").values_list("broker_fill_id", "quantity"), *holdings]


def test_a_sale_fills_at_the_session_price_less_slippage_and_fees(desk: RailsDesk) -> None:
    outcome = send(place(desk, 300))
    assert outcome.state is OrderState.FILLED
    fill = get_fill(outcome.fill_ids[0])
    assert fill.price_units == 999_500  # 100.00 less 5 bp
    assert fill.gross_minor == 2_998_500
    assert fill.fee_minor == 450  # 300 x 0.005 = 1.50, and 1 bp of 29,985.00 = 2.9985, rounded up once
    assert fill.net_minor == 2_998_050
    assert not fill.is_booked
    assert get_order(outcome.order_id).number == f"O-{outcome.order_id:06d}"
    assert event_names() == [
        "execution.order_placed",
        "execution.order_sent",
        "execution.fill_reported",
        "execution.order_ended",
    ]


def test_a_purchase_costs_slippage_upward_and_its_fee(desk: RailsDesk) -> None:
    fill = get_fill(send(place(desk, 7, side=Side.BUY, instrument_id=desk.jpm)).fill_ids[0])
    assert fill.price_units == 412_206
    assert fill.gross_minor == 28_855  # 288.5442 rounded up
    assert (fill.fee_minor, fill.net_minor) == (100, -28_955)


def test_an_order_takes_few_queries(desk: RailsDesk, django_assert_max_num_queries: object) -> None:
    order_id = place(desk, 10)
    mark_sent(order_id=order_id, at=AT)
    with django_assert_max_num_queries(20):  # type: ignore[operator] # pytest-django's fixture has no public type
        submit_order(order_id=order_id, at=AT)


def test_i41_same_key_twice_is_one_order_and_other_content_is_refused(desk: RailsDesk) -> None:
    assert place(desk, 300) == place(desk, 300)
    with pytest.raises(ConflictingOrder):
        place(desk, 301, key="L-1:300")
    assert Order.objects.count() == 1
    assert event_names() == ["execution.order_placed"]


def test_an_order_for_nothing_is_refused_and_leaves_nothing(desk: RailsDesk) -> None:
    for quantity in (0, -5):
        with pytest.raises(OrderRefused):
            place(desk, quantity)
    assert not Order.objects.exists()


def test_an_order_that_was_not_released_is_never_sent(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    with pytest.raises(InvalidTransition):
        submit_order(order_id=order_id, at=AT)
    assert not PaperOrder.objects.exists()


def test_i04_i25_every_step_repeated_changes_nothing(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    for _ in range(2):
        place(desk, 300)
        mark_sent(order_id=order_id, at=AT)
    outcome = submit_order(order_id=order_id, at=AT)
    after, names = world(), event_names()
    mark_sent(order_id=order_id, at=AT)
    assert submit_order(order_id=order_id, at=AT) == outcome
    end_session_orders(on=DAY, at=AT)
    assert (world(), event_names()) == (after, names)


def test_i25_a_kill_between_the_broker_and_the_record_ends_the_same(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    mark_sent(order_id=order_id, at=AT)
    ticket = _ticket(Order.objects.select_related("instrument").get(id=order_id))
    desk_broker().submit(ticket, at=AT)  # the broker has filled; the process dies before the desk records it
    assert not Fill.objects.exists()
    outcome = submit_order(order_id=order_id, at=AT)
    assert (outcome.state, outcome.filled_quantity) == (OrderState.FILLED, 300)
    assert PaperFill.objects.count() == Fill.objects.count() == 1


def test_i25_a_session_that_ends_over_an_unrecorded_fill_still_records_it(desk: RailsDesk) -> None:
    order_id = place(desk, 20_000, side=Side.BUY)
    mark_sent(order_id=order_id, at=AT)
    desk_broker().submit(_ticket(Order.objects.select_related("instrument").get(id=order_id)), at=AT)
    (outcome,) = end_session_orders(on=DAY, at=AT)
    assert (outcome.state, outcome.filled_quantity) == (OrderState.CANCELLED, 10_000)
    assert event_names()[-2:] == ["execution.fill_reported", "execution.order_ended"]


def test_i20_orders_of_all_accounts_share_the_participation_cap(desk: RailsDesk) -> None:
    assert sale_cap_by_instrument(DAY)[desk.jpm] == 1_000
    first = send(place(desk, 700, instrument_id=desk.jpm))
    assert sale_cap_by_instrument(DAY)[desk.jpm] == 300
    second = send(place(desk, 500, instrument_id=desk.jpm, account_id=desk.calm, source="account:1"))
    third = send(place(desk, 1, instrument_id=desk.jpm))
    assert [one.filled_quantity for one in (first, second, third)] == [700, 300, 0]
    assert [one.state for one in (first, second, third)] == [
        OrderState.FILLED,
        OrderState.PARTIALLY_FILLED,
        OrderState.SENT,
    ]
    ended = end_session_orders(on=DAY, at=AT)
    assert [one.state for one in ended] == [OrderState.CANCELLED, OrderState.CANCELLED]
    assert sold_quantity_by_instrument(DAY) == {desk.jpm: 1_000}
    assert sale_cap_by_instrument(NEXT_DAY)[desk.jpm] == 1_000


def test_a_new_session_has_a_new_cap_and_the_old_one_is_over(desk: RailsDesk) -> None:
    send(place(desk, 1_000, instrument_id=desk.jpm))
    set_price(desk.jpm, 400_000, NEXT_DAY)
    order_id = place(desk, 400, instrument_id=desk.jpm, session_on=NEXT_DAY)
    mark_sent(order_id=order_id, at=AT.replace(day=13))
    assert submit_order(order_id=order_id, at=AT.replace(day=13)).state is OrderState.FILLED
    assert send(place(desk, 5, instrument_id=desk.jpm)).state is OrderState.REJECTED


def test_i12_a_price_of_another_day_fills_nothing(desk: RailsDesk) -> None:
    outcome = send(place(desk, 10, instrument_id=desk.xom))
    assert outcome.state is OrderState.REJECTED
    assert get_order(outcome.order_id).end_reason == "no price today"
    assert not Fill.objects.exists()


def test_i11_more_than_the_broker_holds_is_rejected_whole(desk: RailsDesk) -> None:
    outcome = send(place(desk, 10_001))
    assert outcome.state is OrderState.REJECTED
    assert get_order(outcome.order_id).end_reason == "only 10000 held"
    assert PaperHolding.objects.get(symbol="AAPL").quantity == 10_000


def test_a_suspended_name_is_rejected(desk: RailsDesk) -> None:
    Instrument.objects.filter(id=desk.aapl).update(is_suspended=True)
    assert send(place(desk, 10)).state is OrderState.REJECTED


def test_an_order_cancelled_before_it_is_sent_never_reaches_the_broker(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    cancel_order(actor=DESK, order_id=order_id, reason="the deposit came first", at=AT)
    with pytest.raises(InvalidTransition):
        mark_sent(order_id=order_id, at=AT)
    assert get_order(order_id).state is OrderState.CANCELLED
    assert not PaperOrder.objects.exists()
    assert event_names()[-1] == "execution.order_ended"


def test_cancelling_a_partly_filled_order_keeps_its_fill(desk: RailsDesk) -> None:
    outcome = send(place(desk, 1_500, instrument_id=desk.jpm))
    assert [order.open_quantity for order in list_live_orders("liquidation:1")] == [500]
    ended = cancel_order(actor=DESK, order_id=outcome.order_id, reason="enough", at=AT)
    assert (ended.state, ended.filled_quantity, ended.fill_ids) == (OrderState.CANCELLED, 1_000, outcome.fill_ids)
    assert cancel_order(actor=DESK, order_id=outcome.order_id, reason="again", at=AT) == ended
    assert list_live_orders("liquidation:1") == []


def test_an_order_can_be_made_smaller_until_it_is_sent(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    reduce_order(actor=DESK, order_id=order_id, quantity=120, reason="a fill came in", at=AT)
    assert place(desk, 300) == order_id  # the key still names the order as it was placed
    with pytest.raises(OrderRefused):
        reduce_order(actor=DESK, order_id=order_id, quantity=121, reason="more", at=AT)
    assert send(order_id).filled_quantity == 120
    with pytest.raises(OrderRefused):
        reduce_order(actor=DESK, order_id=order_id, quantity=1, reason="late", at=AT)


def test_only_those_with_the_right_cancel_orders(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    with pytest.raises(PermissionRefused):
        cancel_order(actor=Actor(ref="user:9", name="Outsider"), order_id=order_id, reason="why not", at=AT)
    assert get_order(order_id).state is OrderState.NEW


def test_shares_given_out_to_sell_count_until_their_sale_is_booked(desk: RailsDesk) -> None:
    outcome = send(place(desk, 1_500, instrument_id=desk.jpm))
    assert open_sell_quantity(desk.hurt, desk.jpm) == 1_500
    assert mark_fill_booked(fill_id=outcome.fill_ids[0], at=AT)
    assert not mark_fill_booked(fill_id=outcome.fill_ids[0], at=AT)
    assert open_sell_quantity(desk.hurt, desk.jpm) == 500
    end_session_orders(on=DAY, at=AT)
    assert open_sell_quantity(desk.hurt, desk.jpm) == 0


@pytest.mark.parametrize(
    "change", [{"quantity": 1}, {"price_units": 1}, {"net_minor": 0}, {"broker_fill_id": "forged"}]
)
def test_a_fill_cannot_be_changed_even_by_raw_sql(desk: RailsDesk, change: dict[str, object]) -> None:
    send(place(desk, 300))
    with pytest.raises(IntegrityError), transaction.atomic():
        Fill.objects.update(**change)


def test_the_database_refuses_an_overfilled_order(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(id=order_id).update(filled_quantity=301, state="filled", ended_at=AT)


def test_i28_the_same_orders_in_the_same_order_fill_the_same(desk: RailsDesk) -> None:
    quantities = [400, 350, 500, 20, 1]
    for quantity in quantities:
        send(place(desk, quantity, instrument_id=desk.jpm))
    assert [fill.quantity for fill in Fill.objects.order_by("id")] == [400, 350, 250]
