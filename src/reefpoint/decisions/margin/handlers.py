"""What margin decisions do when told."""

from reefpoint.decisions.margin.events import CallOpened
from reefpoint.decisions.margin.services.notices import send_call_notice
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent


def taken_in_batches(stored: StoredEvent) -> None:
    """The monitor claims its events itself, many at once (`services.monitor`); nobody else may take them."""
    raise AssertionError(f"event {stored.id} belongs to the margin monitor")


WORKER = system_actor("worker")


def notify_of_call(stored: StoredEvent) -> None:
    """A call was opened: tell the client."""
    event = stored.event
    assert isinstance(event, CallOpened)
    send_call_notice(actor=WORKER, call_id=event.call_id, at=event.at)
