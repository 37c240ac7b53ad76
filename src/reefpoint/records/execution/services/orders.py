"""An order's way to the broker and back, in steps that may each be repeated.

Place (NEW) and release (SENT) are each committed before the broker is spoken to. A process killed between any two
steps, or told the same thing twice, ends in the same orders and fills: the broker knows an order by its
`client_order_id`, and the desk knows a fill by its `broker_fill_id`.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish, publish_all
from reefpoint.platform.events.types import Event
from reefpoint.records.execution.adapters import desk_broker
from reefpoint.records.execution.events import FillReported, OrderEnded, OrderPlaced, OrderSent
from reefpoint.records.execution.models import Fill, Order
from reefpoint.records.execution.rules import ORDER_STATES, net_minor, order_number
from reefpoint.records.execution.types import (
    OrderOutcome,
    OrderPurpose,
    OrderReport,
    OrderState,
    OrderTicket,
    SecuritiesDelivery,
    Side,
)


class OrderRefused(Refusal):
    """An order that cannot be placed as asked."""

    code = "order_refused"


class ConflictingOrder(Refusal):
    """A key that already named another order."""

    code = "conflicting_order"


@transaction.atomic
def place_order(
    *,
    actor: Actor,
    account_id: int,
    instrument_id: int,
    side: Side,
    quantity: int,
    purpose: OrderPurpose,
    source: str,
    key: str,
    session_on: date,
    at: datetime,
) -> int:
    """Write down an order for a session; nothing is sent yet. Returns its id; the same key again, the same id.

    `source` names what decided it (`liquidation:5`); whether the actor may decide is checked there. Raises
    `OrderRefused` for a quantity below one and `ConflictingOrder` for a key that named another order.
    """
    if quantity <= 0:
        raise OrderRefused("An order needs a quantity of at least 1, not {quantity}.", quantity=quantity)
    content: dict[str, object] = {
        "account_id": account_id,
        "instrument_id": instrument_id,
        "side": side.value,
        "placed_quantity": quantity,
        "purpose": purpose.value,
        "source": source,
        "session_on": session_on,
    }
    order, is_new = Order.objects.get_or_create(
        client_order_id=key, defaults={**content, "quantity": quantity, "placed_by": actor.ref, "placed_at": at}
    )
    if is_new:
        publish(OrderPlaced(at=at, order_id=order.id, instrument_id=instrument_id, account_id=account_id))
    elif any(getattr(order, name) != value for name, value in content.items()):
        raise ConflictingOrder(
            "Key {key} already named another order, {number}.", key=key, number=order_number(order.id)
        )
    return order.id


@transaction.atomic
def reduce_order(*, actor: Actor, order_id: int, quantity: int, reason: str, at: datetime) -> None:
    """Ask for less, before the order is sent. Raises `OrderRefused` for more than before, none, or a sent order."""
    require(actor, "execution.cancel_order")
    order = Order.objects.select_for_update().get(id=order_id)
    if order.state != OrderState.NEW or not 0 < quantity <= order.quantity:
        raise OrderRefused(
            "Order {number} is {state} for {quantity} and cannot become {wanted}.",
            order_id=order_id,
            number=order_number(order.id),
            state=OrderState(order.state),
            quantity=order.quantity,
            wanted=quantity,
        )
    if quantity == order.quantity:
        return
    record(
        actor=actor,
        action="execution.reduce_order",
        subject=f"order:{order.id}",
        reason=reason,
        inputs={"from": order.quantity, "to": quantity},
        at=at,
    )
    order.quantity = quantity
    order.save(update_fields=["quantity"])


@transaction.atomic
def mark_sent(*, order_id: int, at: datetime) -> None:
    """Release an order to the broker. Call it under the account's lock, after checking that it is still wanted.

    Commit before `submit_order`: then a crash in between is repaired by submitting again. An order already released
    stays as it is; raises `InvalidTransition` for one that was cancelled meanwhile.
    """
    order = Order.objects.select_for_update().get(id=order_id)
    if order.state != OrderState.NEW and order.sent_at is not None:
        return
    ORDER_STATES.check(OrderState(order.state), OrderState.SENT)
    order.state, order.sent_at = OrderState.SENT, at
    order.save(update_fields=["state", "sent_at"])
    publish(OrderSent(at=at, order_id=order.id, instrument_id=order.instrument_id, account_id=order.account_id))


@transaction.atomic
def submit_order(*, order_id: int, at: datetime) -> OrderOutcome:
    """Hand a released order to the broker and record what it reports. Repeated, it changes nothing.

    Raises `InvalidTransition` for an order that was not released by `mark_sent`.
    """
    order = Order.objects.select_for_update(of=("self",)).select_related("instrument").get(id=order_id)
    if order.state == OrderState.NEW:
        ORDER_STATES.check(OrderState.NEW, OrderState.FILLED)
    if OrderState(order.state) not in ORDER_STATES.live:
        return _outcome(order)
    return _record_report(order, desk_broker().submit(_ticket(order), at=at), at)


@transaction.atomic
def cancel_order(*, actor: Actor, order_id: int, reason: str, at: datetime) -> OrderOutcome:
    """Cancel what is not filled yet. An order that has ended stays as it is; fills up to now are kept."""
    require(actor, "execution.cancel_order")
    order = Order.objects.select_for_update(of=("self",)).select_related("instrument").get(id=order_id)
    if OrderState(order.state) not in ORDER_STATES.live:
        return _outcome(order)
    record(actor=actor, action="execution.cancel_order", subject=f"order:{order.id}", reason=reason, at=at)
    return _cancel(order, reason, at)


@transaction.atomic
def end_session_orders(*, on: date, at: datetime) -> list[OrderOutcome]:
    """Cancel what is left of every order for this session or an earlier one, in the order of their ids."""
    live = Order.objects.select_for_update(of=("self",)).select_related("instrument")
    return [
        _cancel(order, "session ended", at)
        for order in live.filter(session_on__lte=on, state__in=ORDER_STATES.live).order_by("id")
    ]


def deliver_securities(*, deliveries: Sequence[SecuritiesDelivery], on: date) -> int:
    """Move securities free of payment into the desk's account with the broker, or out of it (negative quantity).

    Returns how many were new: a reference already known is skipped. Raises the broker's refusal when more would leave
    than is held, or when a reference already named another delivery; then none of them moves.
    """
    return desk_broker().deliver(deliveries, on=on)


def mark_fill_booked(*, fill_id: int, at: datetime) -> bool:
    """Mark a fill as booked, in the transaction that books it. False if it was booked before: then book nothing."""
    return Fill.objects.filter(id=fill_id, booked_at__isnull=True).update(booked_at=at) == 1


def _cancel(order: Order, reason: str, at: datetime) -> OrderOutcome:
    """Cancel a locked live order here and at the broker, recording first what the broker had still filled."""
    if order.state != OrderState.NEW:
        report = desk_broker().cancel(order.client_order_id, reason=reason, at=at)
        if report is not None:
            return _record_report(order, report, at)
    ended = OrderReport(order.client_order_id, OrderState.CANCELLED, reason=reason)
    return _record_report(order, ended, at)


def _record_report(order: Order, report: OrderReport, at: datetime) -> OrderOutcome:
    """Bring a locked order and its fills to what the broker reports; what is already recorded is left alone."""
    known = dict(order.fills.values_list("broker_fill_id", "id")) if order.filled_quantity else {}
    side = Side(order.side)
    new = [
        Fill(
            order=order,
            broker_fill_id=execution.broker_fill_id,
            quantity=execution.quantity,
            price_units=execution.price_units,
            gross_minor=execution.gross_minor,
            fee_minor=execution.fee_minor,
            net_minor=net_minor(side, execution.gross_minor, execution.fee_minor),
            traded_on=order.session_on,
            at=at,
        )
        for execution in report.executions
        if execution.broker_fill_id not in known
    ]
    if report.state != order.state:
        ORDER_STATES.check(OrderState(order.state), report.state)
    if new or report.state != order.state:
        order.filled_quantity += sum(fill.quantity for fill in new)
        order.state, order.end_reason = report.state, report.reason
        order.ended_at = None if report.state in ORDER_STATES.live else at
        order.save(update_fields=["filled_quantity", "state", "end_reason", "ended_at"])
        Fill.objects.bulk_create(new)
        _tell(order, new, at)
    fill_ids = (*known.values(), *(fill.id for fill in new))
    return OrderOutcome(order.id, report.state, order.filled_quantity, fill_ids)


def _tell(order: Order, new: list[Fill], at: datetime) -> None:
    """Tell of new fills first, then of the end."""
    told: list[Event] = [
        FillReported(
            at=at,
            fill_id=fill.id,
            order_id=order.id,
            account_id=order.account_id,
            instrument_id=order.instrument_id,
            purpose=order.purpose,
            source=order.source,
        )
        for fill in new
    ]
    if order.ended_at is not None:
        told.append(
            OrderEnded(
                at=at,
                order_id=order.id,
                account_id=order.account_id,
                instrument_id=order.instrument_id,
                purpose=order.purpose,
                source=order.source,
                state=order.state,
                filled_quantity=order.filled_quantity,
                reason=order.end_reason,
            )
        )
    if told:
        publish_all(told)


def _ticket(order: Order) -> OrderTicket:
    instrument = order.instrument
    return OrderTicket(
        client_order_id=order.client_order_id,
        instrument_id=instrument.id,
        symbol=instrument.symbol,
        side=Side(order.side),
        quantity=order.quantity,
        lot_size=instrument.lot_size,
        assumed_daily_volume=instrument.assumed_daily_volume,
        is_suspended=instrument.is_suspended,
        session_on=order.session_on,
        currency=instrument.currency,
        settles_in=order.account.currency,
    )


def _outcome(order: Order) -> OrderOutcome:
    fill_ids = tuple(order.fills.order_by("id").values_list("id", flat=True))
    return OrderOutcome(order.id, OrderState(order.state), order.filled_quantity, fill_ids)
