"""What the securities rail does when it hears of something."""

from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.execution.events import OrderSent
from reefpoint.records.execution.services import submit_order


def submit_sent_order(stored: StoredEvent) -> None:
    """Speak to the broker about an order whose release is committed."""
    event = stored.event
    assert isinstance(event, OrderSent)
    submit_order(order_id=event.order_id, at=event.at)
