"""What origination does when told."""

from reefpoint.flows.origination.services.decisions import HIGH_RISK, finish_approved, free_rejected
from reefpoint.flows.origination.services.erasing import erase_applications
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.parties.events import ClientErased


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


def erase_client_applications(stored: StoredEvent) -> None:
    """Erase the applications and leads of a client whom no law keeps."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_applications(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
