"""What follows from calls, lines, approvals, orders and fills. Each makes one service call."""

from reefpoint.decisions.margin.events import CallExpired, CloseOutBreached
from reefpoint.flows.liquidation.services.late_credit import answer_late_credit
from reefpoint.flows.liquidation.services.opening import (
    APPROVAL_KIND,
    approve_liquidation,
    open_liquidation,
    refuse_liquidation,
)
from reefpoint.flows.liquidation.services.selling import (
    book_liquidation_fill,
    follow_order_end,
    release_liquidation_order,
)
from reefpoint.flows.liquidation.types import Cause
from reefpoint.flows.servicing.events import DepositBooked
from reefpoint.flows.servicing.services.trading import book_fill, end_client_order, release_client_order
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.execution.events import FillReported, OrderEnded, OrderPlaced
from reefpoint.records.execution.selectors import get_order
from reefpoint.records.execution.types import OrderPurpose

WORKER = system_actor("worker")


def open_after_breach(stored: StoredEvent) -> None:
    """A call ran out, or the close-out line was crossed: the account's collateral is to be sold."""
    event = stored.event
    if isinstance(event, CallExpired):
        open_liquidation(
            actor=WORKER, account_id=event.account_id, cause=Cause.CALL_EXPIRED, call_id=event.call_id, at=event.at
        )
    else:
        assert isinstance(event, CloseOutBreached)
        open_liquidation(actor=WORKER, account_id=event.account_id, cause=Cause.CLOSE_OUT, call_id=None, at=event.at)


def take_decision(stored: StoredEvent) -> None:
    """The second person spoke on a liquidation."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected)
    if event.kind != APPROVAL_KIND:
        return
    if isinstance(event, ApprovalGranted):
        approve_liquidation(actor=WORKER, approval_id=event.approval_id, at=event.at)
    else:
        refuse_liquidation(actor=WORKER, approval_id=event.approval_id, at=event.at)


def release_order(stored: StoredEvent) -> None:
    """An order was placed: look at its account once more, then let it go to the broker."""
    event = stored.event
    assert isinstance(event, OrderPlaced)
    if get_order(event.order_id).purpose is OrderPurpose.LIQUIDATION:
        release_liquidation_order(actor=WORKER, order_id=event.order_id, at=event.at)
    else:
        release_client_order(actor=WORKER, order_id=event.order_id, at=event.at)


def follow_order(stored: StoredEvent) -> None:
    """The broker filled something, or an order is over: book it, and see what it means, in the account's order."""
    event = stored.event
    is_forced = _purpose(event) == OrderPurpose.LIQUIDATION
    if isinstance(event, FillReported) and is_forced:
        book_liquidation_fill(actor=WORKER, fill_id=event.fill_id, at=event.at)
    elif isinstance(event, FillReported):
        book_fill(actor=WORKER, fill_id=event.fill_id, at=event.at)
    elif isinstance(event, OrderEnded) and is_forced:
        follow_order_end(actor=WORKER, order_id=event.order_id, at=event.at)
    elif isinstance(event, OrderEnded):
        end_client_order(actor=WORKER, order_id=event.order_id, at=event.at)


def look_at_late_credit(stored: StoredEvent) -> None:
    """Money was booked that the bank may have had before a forced sale was sent."""
    event = stored.event
    assert isinstance(event, DepositBooked)
    answer_late_credit(
        actor=WORKER,
        account_id=event.account_id,
        journal_id=event.journal_id,
        amount_minor=event.amount_minor,
        confirmed_at=event.confirmed_at,
        at=event.at,
    )


def _purpose(event: object) -> str:
    assert isinstance(event, FillReported | OrderEnded)
    return event.purpose
