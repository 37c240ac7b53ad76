"""What cases do when told."""

from reefpoint.decisions.cases.services import settle_decision
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent

WORKER = system_actor("worker")


def close_or_reopen_case(stored: StoredEvent) -> None:
    """A second person decided on the closing of a case, or the maker took the request back."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    if event.kind == "cases.close":
        settle_decision(actor=WORKER, approval_id=event.approval_id, at=event.at)
