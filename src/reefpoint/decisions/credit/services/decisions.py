"""Making a decision, and what two people make of it."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from reefpoint.decisions.credit import rules
from reefpoint.decisions.credit.events import CreditDecided
from reefpoint.decisions.credit.models import MOVING_COLUMNS, CreditCondition, CreditDecision
from reefpoint.decisions.credit.rules.conditions import condition_words
from reefpoint.decisions.credit.selectors.decisions import DecisionNotFound, check_not_erased, newest, view
from reefpoint.decisions.credit.selectors.inputs import gather_inputs
from reefpoint.decisions.credit.selectors.policy import POLICY, read_policy
from reefpoint.decisions.credit.types import (
    Authority,
    CreditAsk,
    CreditOutcome,
    DecisionState,
    DecisionView,
    FeatureInput,
    ScoreInput,
    ScoreReason,
)
from reefpoint.decisions.scoring.selectors import get_feature_set, get_score
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import approve, reject, request_approval, require
from reefpoint.platform.access.types import ApprovalState, ApprovalView
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.parties.selectors.clients import can_see_client
from reefpoint.records.products.selectors import published_version

REASON_CHARS_MAX = 500


class ReasonForDecisionNeeded(Refusal):
    """Whoever departs from the policy, or refuses, says why."""

    code = "reason_needed"


class ScoreRefused(Refusal):
    """A score that is not of these features of this client."""

    code = "score_refused"


class DecisionAlreadyMade(Refusal):
    """Somebody else was quicker, or nothing waits to be decided."""

    code = "already_decided"


class DecisionExpired(Refusal):
    """The decision is too old to be acted on."""

    code = "decision_expired"


class DecisionSuperseded(Refusal):
    """There is a newer decision on the same client and scheme."""

    code = "decision_superseded"


@transaction.atomic
def propose_decision(*, actor: Actor, decision_id: int, limit_minor: int, reason: str, at: datetime) -> int:
    """Put a limit to a second person who has the authority for it. Returns the approval's id.

    Beyond what the policy recommends it is an override: the reason is kept with it and a senior decides. Raises
    `OverrideRefused`, `ReasonForDecisionNeeded`, `DecisionExpired`, `DecisionSuperseded`, `InvalidTransition`.
    """
    require(actor, "credit.decide")
    row = _locked(actor, decision_id)
    return _propose(actor=actor, row=row, limit_minor=limit_minor, reason=_reason(reason), at=at)


def _propose(*, actor: Actor, row: CreditDecision, limit_minor: int, reason: str, at: datetime) -> int:
    rules.DECISION_STATES.check(DecisionState(row.state), DecisionState.PROPOSED)
    _check_current(row, at)
    policy, inputs = read_policy(row.policy_id), rules.inputs_from_json(row.inputs)
    assessment = rules.assessment_from_text(row.answer)
    level, is_override = rules.proposal_authority(policy, inputs, assessment, limit_minor)
    row.state, row.limit_minor, row.authority = DecisionState.PROPOSED, limit_minor, level
    row.is_override, row.proposed_by, row.proposal = is_override, actor.ref, reason
    row.closed_by, row.closed_at, row.closing_note = "", None, ""
    row.approval_id = request_approval(
        actor=actor,
        kind=rules.APPROVAL_KIND[level],
        subject=f"credit_decision:{row.pk}",
        payload=_payload(row),
        reason=reason,
        at=at,
    )
    row.save(update_fields=MOVING_COLUMNS)
    record(
        actor=actor,
        action="credit.override" if is_override else "credit.propose",
        subject=f"credit_decision:{row.pk}",
        reason=reason,
        inputs={
            "limit_minor": limit_minor,
            "recommended_minor": row.recommended_minor,
            "outcome": row.outcome,
            "authority": level.value,
            "approval_id": row.approval_id,
        },
        at=at,
    )
    return row.approval_id


@transaction.atomic
def approve_decision(*, actor: Actor, decision_id: int, at: datetime, reason: str = "") -> DecisionView:
    """Say yes, as the second person, to the limit that is proposed; it is in force at once.

    Two who say it together wait for each other: the second is told that it was done. Raises `DecisionAlreadyMade`,
    `DecisionExpired`, `DecisionSuperseded`, `PermissionRefused` without the authority, `SecondPersonNeeded`.
    """
    row = _locked(actor, decision_id)
    approval = _waiting(row)
    _check_current(row, at)
    approve(actor=actor, approval_id=approval.id, payload_hash=approval.payload_hash, reason=reason, at=at)
    _finish(actor=actor, row=row, approval=get_approval(approval.id), at=at)
    return view(row)


@transaction.atomic
def return_decision(*, actor: Actor, decision_id: int, reason: str, at: datetime) -> DecisionView:
    """Say no, as the second person, to what is proposed: it goes back to whoever proposed it, with the reason."""
    row = _locked(actor, decision_id)
    approval = _waiting(row)
    reject(actor=actor, approval_id=approval.id, payload_hash=approval.payload_hash, reason=_reason(reason), at=at)
    _reopen(row, get_approval(approval.id), at)
    return view(row)


@transaction.atomic
def decline_decision(*, actor: Actor, decision_id: int, reason: str, at: datetime) -> DecisionView:
    """Refuse what was referred. One person may: it lends nothing. Raises `ReasonForDecisionNeeded`."""
    require(actor, "credit.decide")
    row = _locked(actor, decision_id)
    said = _reason(reason)
    rules.DECISION_STATES.check(DecisionState(row.state), DecisionState.DECLINED)
    row.state, row.closed_by, row.closed_at, row.closing_note = DecisionState.DECLINED, actor.ref, at, said
    row.save(update_fields=MOVING_COLUMNS)
    record(actor=actor, action="credit.decline", subject=f"credit_decision:{row.pk}", reason=said, inputs={}, at=at)
    _announce(row, at)
    return view(row)


@transaction.atomic
def follow_approval(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Do what a second person said on the page of approvals. Idempotent; nothing for other kinds of approval.

    An approval of a decision that has expired or was superseded meanwhile has no effect: it goes back, and says so.
    """
    require(actor, "credit.decide")
    approval = get_approval(approval_id)
    if approval.kind not in rules.APPROVAL_KIND.values():
        return
    row = _locked(actor, int(approval.subject.rpartition(":")[2]))
    if row.state != DecisionState.PROPOSED or row.approval_id != approval_id:
        return
    if approval.state is not ApprovalState.APPROVED:
        _reopen(row, approval, at)
        return
    try:
        _check_current(row, at)
    except (DecisionExpired, DecisionSuperseded) as refusal:
        _reopen(row, approval, at, refusal.message)
        return
    _finish(actor=actor, row=row, approval=approval, at=at)


def _finish(*, actor: Actor, row: CreditDecision, approval: ApprovalView, at: datetime) -> None:
    rules.DECISION_STATES.check(DecisionState(row.state), DecisionState.APPROVED)
    assert approval.payload == _payload(row), "the guards keep what was approved as it is"
    row.state, row.closed_by, row.closed_at = DecisionState.APPROVED, approval.decided_by or "", at
    row.closing_note = approval.decision_reason[:REASON_CHARS_MAX]
    row.save(update_fields=MOVING_COLUMNS)
    record(
        actor=actor,
        action="credit.approve",
        subject=f"credit_decision:{row.pk}",
        reason=row.closing_note,
        inputs={
            "approval_id": approval.id,
            "payload_hash": approval.payload_hash,
            "limit_minor": row.limit_minor,
            "is_override": row.is_override,
        },
        at=at,
    )
    _announce(row, at)


def _reopen(row: CreditDecision, approval: ApprovalView, at: datetime, why: str = "") -> None:
    rules.DECISION_STATES.check(DecisionState(row.state), DecisionState.OPEN)
    row.state = DecisionState.OPEN
    row.closed_by, row.closed_at = approval.decided_by or approval.requested_by, at
    row.closing_note = (why or approval.decision_reason)[:REASON_CHARS_MAX]
    row.save(update_fields=MOVING_COLUMNS)


def _announce(row: CreditDecision, at: datetime) -> None:
    publish(
        CreditDecided(
            decision_id=row.pk,
            client_id=row.client_id,
            scheme_code=row.scheme_code,
            state=DecisionState(row.state),
            limit_minor=row.limit_minor if row.state == DecisionState.APPROVED else None,
            at=at,
        )
    )


def _locked(actor: Actor, decision_id: int) -> CreditDecision:
    row = (
        CreditDecision.objects.select_for_update(of=("self",))
        .select_related("client", "policy")
        .filter(id=decision_id)
        .first()
    )
    if row is None or not can_see_client(actor, row.client_id):
        raise DecisionNotFound("There is no credit decision {decision_id}.", decision_id=decision_id)
    check_not_erased(row)
    return row


def _waiting(row: CreditDecision) -> ApprovalView:
    if row.state != DecisionState.PROPOSED or row.approval_id is None:
        raise DecisionAlreadyMade(
            "This decision is {state} already; somebody else was quicker. Nothing was changed.",
            decision_id=row.pk,
            state=DecisionState(row.state),
        )
    return get_approval(row.approval_id)


def _check_current(row: CreditDecision, at: datetime) -> None:
    if at - row.decided_at > row.expires_on - row.decided_on:
        raise DecisionExpired(
            "The decision held until {expires_on}. Decide again on what is known now.",
            decision_id=row.pk,
            expires_on=row.expires_on,
        )
    latest = newest(row.client_id, row.scheme_code)
    if latest is not None and latest.pk != row.pk:
        raise DecisionSuperseded(
            "Decision {newer_id} on the same client and scheme is newer. Act on that one.", newer_id=latest.pk
        )


def _reason(reason: str) -> str:
    said = reason.strip()
    if not said or len(said) > REASON_CHARS_MAX:
        raise ReasonForDecisionNeeded(
            "Say why, in at most {reason_chars_max} characters.", reason_chars_max=REASON_CHARS_MAX
        )
    return said


def _payload(row: CreditDecision) -> dict[str, Any]:
    """What the second person sees and answers for."""
    assessment = rules.assessment_from_text(row.answer)
    return {
        "decision": row.pk,
        "client": row.client.number,
        "scheme": row.scheme_code,
        "policy_version": row.policy.version,
        "recommended": row.outcome,
        "recommended_minor": row.recommended_minor,
        "limit_minor": row.limit_minor,
        "currency": row.currency,
        "grade": row.grade,
        "conditions": [condition_words(one).en for one in assessment.conditions],
        "is_override": row.is_override,
    }


@transaction.atomic
def decide(
    *,
    actor: Actor,
    client_id: int,
    ask: CreditAsk,
    feature_set_id: int | None,
    score_id: int | None,
    on: date,
    at: datetime,
) -> DecisionView:
    """Decide an ask by the policy in force, keep what it rests on, and put an approval to a second person.

    A referred ask waits for a person; so does one without features or a score. Raises `ScoreRefused` for a score of
    somebody else or of other features, `AskRefused`, `SchemeVersionNotFound`, `ClientNotFound`.
    """
    features = get_feature_set(feature_set_id) if feature_set_id is not None else None
    score = get_score(score_id) if score_id is not None else None
    if (features and features.client_id != client_id) or (
        score and (score.client_id, score.feature_set_id) != (client_id, feature_set_id)
    ):
        raise ScoreRefused("The score is not one of these features of this client. Score the client again.")
    return decide_on(
        actor=actor,
        client_id=client_id,
        ask=ask,
        features=FeatureInput(features.id, features.version, features.content_hash, features.known)
        if features
        else None,
        score=ScoreInput(
            id=score.id,
            model=score.model,
            model_version=score.model_version,
            points=score.points,
            grade=score.grade or None,
            is_expert=score.is_expert,
            reasons=tuple(ScoreReason(one.code, one.name, one.name_zh, one.points_lost) for one in score.reasons),
        )
        if score
        else None,
        on=on,
        at=at,
    )


@transaction.atomic
def decide_on(
    *,
    actor: Actor,
    client_id: int,
    ask: CreditAsk,
    features: FeatureInput | None,
    score: ScoreInput | None,
    on: date,
    at: datetime,
) -> DecisionView:
    """As `decide`, for features and a score at hand."""
    require(actor, "credit.decide")
    version = published_version(ask.scheme_code, on)
    published = use_publication(kind=POLICY, on=on, at=at)
    assert published.id is not None, "what is used is on record"
    policy = read_policy(published.id)
    inputs = gather_inputs(
        actor=actor,
        client_id=client_id,
        ask=ask,
        version=version,
        policy=policy,
        features=features,
        score=score,
        on=on,
        at=at,
    )
    assessment = rules.assess(policy, inputs)
    is_declined = assessment.outcome is CreditOutcome.DECLINE
    row = CreditDecision.objects.create(
        client_id=client_id,
        scheme_version_id=version.id,
        scheme_code=ask.scheme_code,
        policy_id=published.id,
        feature_set_id=features.set_id if features else None,
        score_id=score.id if score else None,
        inputs=rules.inputs_to_json(inputs),
        answer=rules.answer_text(assessment),
        currency=ask.currency,
        asked_minor=ask.limit_minor,
        recommended_minor=assessment.limit_minor,
        grade=assessment.grade or "",
        outcome=assessment.outcome,
        decided_on=on,
        decided_at=at,
        decided_by=actor.ref,
        expires_on=on + timedelta(days=policy.valid_days),
        state=DecisionState.DECLINED if is_declined else DecisionState.OPEN,
    )
    CreditCondition.objects.bulk_create(
        CreditCondition(decision=row, code=one.code, kind=one.kind, figure=one.figure, moment=one.moment)
        for one in assessment.conditions
    )
    record(
        actor=actor,
        action="credit.decide",
        subject=f"client:{client_id}",
        inputs={
            "decision_id": row.pk,
            "policy_version": published.version,
            "outcome": assessment.outcome.value,
            "limit_minor": assessment.limit_minor,
            "grade": assessment.grade,
        },
        at=at,
    )
    if is_declined:
        _announce(row, at)
    elif assessment.outcome is CreditOutcome.APPROVE and assessment.authority not in {None, Authority.NOBODY}:
        assert assessment.limit_minor is not None, "an approval has a limit"
        _propose(actor=actor, row=row, limit_minor=assessment.limit_minor, reason="", at=at)
    row.refresh_from_db()
    return view(row)
