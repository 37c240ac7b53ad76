"""What the cash rail does when it hears of something."""

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.treasury.services import clear_approved_break
from reefpoint.records.treasury.services.clearing import APPROVAL_KIND


def clear_bank_break(stored: StoredEvent) -> None:
    """End a bank break once a second person agreed."""
    event = stored.event
    assert isinstance(event, ApprovalGranted)
    if event.kind == APPROVAL_KIND:
        clear_approved_break(approval_id=event.approval_id, at=event.at)
