"""Letting a condition of an approval go, with a second person within the limits of authority."""

from datetime import datetime

from django.db import transaction

from reefpoint.decisions.credit.models import ConditionWaiver
from reefpoint.decisions.credit.rules.conditions import WAIVER_KIND, condition_words
from reefpoint.decisions.credit.selectors.conditions import condition_of, read_condition
from reefpoint.decisions.credit.types import Authority, DecisionState, WaiverState
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.database.locks import lock_name

REASON_CHARS_MAX = 500


class WaiverRefused(Refusal):
    """A condition that cannot be waived now."""

    code = "waiver_refused"


@transaction.atomic
def request_waiver(*, actor: Actor, condition_id: int, reason: str, at: datetime) -> int:
    """Ask whoever could approve the limit to let one of its conditions go. Returns the approval's id.

    Raises `WaiverRefused` without a reason, before the limit is approved, or while another waiver waits or was granted;
    `ConditionNotFound`.
    """
    require(actor, "credit.decide")
    row = read_condition(actor, condition_id)
    lock_name(f"credit.waiver:{condition_id}")
    said = reason.strip()
    if not said or len(said) > REASON_CHARS_MAX:
        raise WaiverRefused("Say why, in at most {reason_chars_max} characters.", reason_chars_max=REASON_CHARS_MAX)
    if row.decision.state != DecisionState.APPROVED:
        raise WaiverRefused("The limit is not approved, so that nothing is bound to this condition yet.")
    if row.waivers.exclude(state=WaiverState.REFUSED).exists():
        raise WaiverRefused("This condition is waived already, or somebody has asked for it. Nothing was changed.")
    level = Authority.SENIOR if row.decision.is_override else Authority(row.decision.authority)
    approval_id = request_approval(
        actor=actor,
        kind=WAIVER_KIND[level],
        subject=f"credit_condition:{condition_id}",
        payload={
            "decision": row.decision_id,
            "client": row.decision.client.number,
            "scheme": row.decision.scheme_code,
            "limit_minor": row.decision.limit_minor,
            "currency": row.decision.currency,
            "grade": row.decision.grade,
            "condition": condition_words(condition_of(row)).en,
        },
        reason=said,
        at=at,
    )
    ConditionWaiver.objects.create(condition=row, reason=said, asked_by=actor.ref, asked_at=at, approval_id=approval_id)
    record(
        actor=actor,
        action="credit.ask_waiver",
        subject=f"credit_decision:{row.decision_id}",
        reason=said,
        inputs={"condition": condition_id, "approval_id": approval_id},
        at=at,
    )
    return approval_id


@transaction.atomic
def follow_waiver(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Do what a second person said on a waiver. Idempotent; nothing for other kinds of approval."""
    require(actor, "credit.decide")
    approval = get_approval(approval_id)
    if approval.kind not in WAIVER_KIND.values():
        return
    rows = ConditionWaiver.objects.select_for_update(of=("self",)).select_related("condition")
    row = rows.filter(approval_id=approval_id).first()
    if row is None or row.state != WaiverState.ASKED:
        return
    row.state = (WaiverState.GRANTED if approval.state is ApprovalState.APPROVED else WaiverState.REFUSED).value
    row.decided_by = (approval.decided_by or "") if approval.state is not ApprovalState.WITHDRAWN else ""
    row.decided_at = at
    row.save(update_fields=["state", "decided_by", "decided_at"])
    record(
        actor=actor,
        action="credit.waive",
        subject=f"credit_decision:{row.condition.decision_id}",
        reason=approval.decision_reason,
        inputs={"condition": row.condition_id, "state": row.state, "approval_id": approval_id},
        at=at,
    )
