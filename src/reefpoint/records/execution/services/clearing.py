"""Ending broker breaks that no later comparison ends: by a second person's word."""

from datetime import datetime

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState, Payload
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BREAK_STATES, BreakState
from reefpoint.records.execution.models import BrokerBreak

APPROVAL_KIND = "execution.write_off"
SUBJECT_PREFIX = "broker_break:"


@transaction.atomic
def request_break_clearance(*, actor: Actor, break_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to end a break whose cause was put right elsewhere. Returns the approval's id.

    What still differs at the next comparison is found again. Raises `InvalidTransition` for a break that has ended.
    """
    require(actor, "execution.reconcile")
    item = BrokerBreak.objects.select_for_update().get(id=break_id)
    BREAK_STATES.check(BreakState(item.state), BreakState.CLEARED)
    return request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{SUBJECT_PREFIX}{break_id}",
        payload=_payload(item),
        reason=reason,
        at=at,
    )


@transaction.atomic
def clear_approved_break(*, approval_id: int, at: datetime) -> None:
    """End the break that a second person approved to end.

    Repeated, or if the break ended or changed since it was shown, it does nothing.
    """
    approval = get_approval(approval_id)
    assert (approval.kind, approval.state) == (APPROVAL_KIND, ApprovalState.APPROVED)
    item = BrokerBreak.objects.select_for_update().get(id=int(approval.subject.removeprefix(SUBJECT_PREFIX)))
    if item.state != BreakState.OPEN or approval.payload != _payload(item):
        return
    item.state, item.cleared_on, item.approval_id = BreakState.CLEARED, at.date(), approval_id
    item.cleared_by, item.reason = approval.decided_by or "", approval.decision_reason[:300]
    item.save(update_fields=["state", "cleared_on", "approval_id", "cleared_by", "reason"])


def _payload(item: BrokerBreak) -> Payload:
    """What the second person sees and decides on."""
    return {
        "kind": item.kind,
        "subject": item.subject,
        "detail": item.detail,
        "amount_minor": item.amount_minor,
        "quantity": item.quantity,
        "opened_on": str(item.opened_on),
    }
