"""A second person's word: asked for, given or refused once, on exactly what was shown (I63)."""

from datetime import datetime

from django.db import transaction

from reefpoint.platform.access import rules
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services.people import ReasonNeeded, require
from reefpoint.platform.access.types import ApprovalState, Payload
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish


class AlreadyAwaitingApproval(Refusal):
    """The same thing already waits for a decision."""

    code = "already_awaiting_approval"


class UnknownApproval(Refusal):
    """There is no such request."""

    code = "unknown_approval"


class SecondPersonNeeded(Refusal):
    """The maker, or a part of the system, tried to decide."""

    code = "second_person_needed"


class PayloadChanged(Refusal):
    """The decision was about something else than what is asked."""

    code = "payload_changed"


@transaction.atomic
def request_approval(*, actor: Actor, kind: str, subject: str, payload: Payload, at: datetime, reason: str = "") -> int:
    """Ask a second person to approve `payload` for `subject` (`scheme:2`). Returns the approval id.

    `kind` must have a row `approvals.decide:<kind>` in the table of permissions. The payload holds text, integers,
    booleans, lists and maps alone, so that its fingerprint is one thing everywhere. The same request again is one
    request; another payload for a subject that already waits raises `AlreadyAwaitingApproval`.
    """
    require(actor, "approvals.request")
    rules.check_permission_exists(rules.DECIDE_APPROVAL + kind)
    payload_hash = rules.fingerprint(kind, subject, payload)
    approval, is_new = Approval.objects.get_or_create(
        kind=kind,
        subject=subject,
        state=ApprovalState.PENDING,
        defaults={
            "payload": payload,
            "payload_hash": payload_hash,
            "reason": reason,
            "requested_by": actor.ref,
            "requested_by_name": actor.name,
            "requested_at": at,
        },
    )
    if not is_new and (approval.payload_hash, approval.requested_by) != (payload_hash, actor.ref):
        raise AlreadyAwaitingApproval(
            "{subject} already waits for a decision on {kind} (approval {approval_id}). That one comes first.",
            approval_id=approval.pk,
            subject=subject,
            kind=kind,
        )
    if is_new:
        _record(actor, approval, "approvals.request", reason, at)
    return approval.pk


@transaction.atomic
def approve(*, actor: Actor, approval_id: int, payload_hash: str, at: datetime, reason: str = "") -> None:
    """Say yes to exactly the payload whose fingerprint was shown; what follows comes by `ApprovalGranted`.

    Raises `SecondPersonNeeded`, `PermissionRefused`, `PayloadChanged`, `InvalidTransition`.
    """
    approval = _decide(
        actor=actor,
        approval_id=approval_id,
        state=ApprovalState.APPROVED,
        payload_hash=payload_hash,
        reason=reason,
        at=at,
    )
    publish(ApprovalGranted(approval_id=approval.pk, kind=approval.kind, subject=approval.subject, at=at))


@transaction.atomic
def reject(*, actor: Actor, approval_id: int, payload_hash: str, reason: str, at: datetime) -> None:
    """Say no, and why. Raises what `approve` raises, and `ReasonNeeded`."""
    if not reason.strip():
        raise ReasonNeeded("Say why this is rejected: the person who asked will read it.")
    approval = _decide(
        actor=actor,
        approval_id=approval_id,
        state=ApprovalState.REJECTED,
        payload_hash=payload_hash,
        reason=reason,
        at=at,
    )
    publish(ApprovalRejected(approval_id=approval.pk, kind=approval.kind, subject=approval.subject, at=at))


@transaction.atomic
def withdraw(*, actor: Actor, approval_id: int, at: datetime, reason: str = "") -> None:
    """Take a request back while it waits: its maker, or a part of the program whose matter has come to an end.

    Raises `UnknownApproval` for others.
    """
    approval = _lock(approval_id)
    if approval.requested_by != actor.ref and not actor.is_system:
        raise UnknownApproval("You have no such request to withdraw.", approval_id=approval_id)
    _close(approval, ApprovalState.WITHDRAWN, reason, at)
    _record(actor, approval, "approvals.withdraw", reason, at)
    publish(ApprovalWithdrawn(approval_id=approval.pk, kind=approval.kind, subject=approval.subject, at=at))


def _lock(approval_id: int) -> Approval:
    approval = Approval.objects.select_for_update().filter(id=approval_id).first()
    if approval is None:
        raise UnknownApproval("There is no such request.", approval_id=approval_id)
    return approval


def _decide(
    *, actor: Actor, approval_id: int, state: ApprovalState, payload_hash: str, reason: str, at: datetime
) -> Approval:
    approval = _lock(approval_id)
    require(actor, rules.DECIDE_APPROVAL + approval.kind)
    if not rules.may_decide(actor, kind=approval.kind, requested_by=approval.requested_by):
        raise SecondPersonNeeded("Whoever asked cannot decide: a second person must.", approval_id=approval_id)
    stored_hash = rules.fingerprint(approval.kind, approval.subject, approval.payload)
    if not payload_hash == approval.payload_hash == stored_hash:
        raise PayloadChanged(
            "What you saw is not what is asked. Nothing was decided; open the request again.", approval_id=approval_id
        )
    approval.decided_by = actor.ref
    approval.decided_by_name = actor.name
    _close(approval, state, reason, at)
    _record(actor, approval, "approvals.approve" if state is ApprovalState.APPROVED else "approvals.reject", reason, at)
    return approval


def _close(approval: Approval, state: ApprovalState, reason: str, at: datetime) -> None:
    rules.APPROVAL_STATES.check(ApprovalState(approval.state), state)
    approval.state = state
    approval.decision_reason = reason
    approval.decided_at = at
    approval.save()


def _record(actor: Actor, approval: Approval, action: str, reason: str, at: datetime) -> None:
    record(
        actor=actor,
        action=action,
        subject=f"approval:{approval.pk}",
        reason=reason,
        inputs={"kind": approval.kind, "subject": approval.subject, "payload_hash": approval.payload_hash},
        at=at,
    )
