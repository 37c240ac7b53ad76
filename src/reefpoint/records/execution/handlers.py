"""What the securities rail does when it hears of something."""

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.execution.events import OrderSent
from reefpoint.records.execution.services import clear_approved_break, submit_order
from reefpoint.records.execution.services.clearing import APPROVAL_KIND


def submit_sent_order(stored: StoredEvent) -> None:
    """Speak to the broker about an order whose release is committed."""
    event = stored.event
    assert isinstance(event, OrderSent)
    submit_order(order_id=event.order_id, at=event.at)


def clear_broker_break(stored: StoredEvent) -> None:
    """End a broker break once a second person agreed."""
    event = stored.event
    assert isinstance(event, ApprovalGranted)
    if event.kind == APPROVAL_KIND:
        clear_approved_break(approval_id=event.approval_id, at=event.at)
