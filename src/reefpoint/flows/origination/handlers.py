"""What origination does when told."""

from reefpoint.flows.origination.services.decisions import HIGH_RISK, finish_approved, free_rejected
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.events.types import StoredEvent


def finish_acceptance(stored: StoredEvent) -> None:
    """A second person decided on a client of high risk, or the request was taken back."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    if event.kind != HIGH_RISK:
        return
    approval = get_approval(event.approval_id)
    if isinstance(event, ApprovalGranted):
        finish_approved(approval=approval, at=event.at)
    else:
        free_rejected(approval=approval, at=event.at)
