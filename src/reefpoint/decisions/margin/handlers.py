"""What margin decisions do when told."""

from reefpoint.decisions.collateral.selectors.house import PUBLISH
from reefpoint.decisions.margin.events import CallOpened
from reefpoint.decisions.margin.services.collateral import take_approval
from reefpoint.decisions.margin.services.notices import send_call_notice
from reefpoint.platform.access.events import ApprovalGranted
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


def take_collateral_approval(stored: StoredEvent) -> None:
    """A second person approved a change of collateral: do it."""
    event = stored.event
    assert isinstance(event, ApprovalGranted)
    if event.kind == PUBLISH:
        take_approval(actor=WORKER, approval_id=event.approval_id, at=event.at)
