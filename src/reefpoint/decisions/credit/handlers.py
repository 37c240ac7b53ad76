"""What follows for credit from events of others."""

from typing import cast

from reefpoint.decisions.credit.selectors.policy import POLICY
from reefpoint.decisions.credit.services import follow_approval, follow_waiver
from reefpoint.decisions.credit.services.erasing import erase_decisions
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.publications.services import publish_approved
from reefpoint.records.parties.events import ClientErased


def publish_approved_policy(stored: StoredEvent) -> None:
    """A second person approved a credit policy: publish it."""
    event = cast(ApprovalGranted, stored.event)
    publish_approved(actor=system_actor("worker"), kind=POLICY, approval_id=event.approval_id, at=event.at)


def follow_credit_approval(stored: StoredEvent) -> None:
    """A second person spoke on a proposed limit: it is in force, or goes back."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    follow_approval(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)


def erase_client_decisions(stored: StoredEvent) -> None:
    """Erase what no law keeps of the decisions on a client."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_decisions(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)


def follow_condition_waiver(stored: StoredEvent) -> None:
    """A second person spoke on letting a condition go."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    follow_waiver(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)
