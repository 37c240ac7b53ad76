"""What a hit is: one person proposes, a second decides; a confirmed one blocks the client in the same transaction."""

from datetime import datetime

from django.db import transaction

from reefpoint.decisions.screening.events import HitResolved
from reefpoint.decisions.screening.models import Hit
from reefpoint.decisions.screening.rules import hits as rules
from reefpoint.decisions.screening.types import HitState, Outcome
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import ReasonNeeded, approve, reject, request_approval, require, withdraw
from reefpoint.platform.access.types import ApprovalState, ApprovalView
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.services import publish
from reefpoint.records.parties.services import block_client

APPROVAL_KIND = "screening.resolve_hit"
REASON_CHARACTERS_MAX = 500
_SUBJECT = "screening_hit:"


class HitNotFound(NotFound):
    """There is no such hit."""


@transaction.atomic
def propose_resolution(*, actor: Actor, hit_id: int, outcome: Outcome, reason: str, at: datetime) -> int:
    """Say what a hit is, and ask a second person to agree. Returns the approval's id.

    Raises `HitNotFound`, `ReasonNeeded`, `InvalidTransition` for a hit that is not open.
    """
    require(actor, "screening.resolve")
    if not reason.strip():
        raise ReasonNeeded("Say why: what in the entry and in the client speaks for it.")
    hit = _lock(hit_id)
    _reopen_if_undecided(hit)
    rules.HIT_STATES.check(HitState(hit.state), HitState.PROPOSED)
    hit.approval_id = request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{_SUBJECT}{hit_id}",
        payload={
            "outcome": outcome.value,
            "client": hit.client.number,
            "name": hit.ours,
            "role": hit.role,
            "list": hit.source,
            "entry": hit.reference,
            "entry_name": hit.theirs,
            "score_bp": hit.score_bp,
            "birth": hit.birth,
            "country": hit.country,
            "cause": hit.cause_hash,
        },
        reason=reason[:REASON_CHARACTERS_MAX],
        at=at,
    )
    hit.state = HitState.PROPOSED
    hit.outcome = outcome
    hit.proposed_by = actor.ref
    hit.proposed_at = at
    hit.proposal = reason[:REASON_CHARACTERS_MAX]
    hit.save()
    record(
        actor=actor,
        action="screening.propose_resolution",
        subject=f"{_SUBJECT}{hit_id}",
        reason=reason,
        inputs={"outcome": outcome.value, "client": hit.client_id, "approval": hit.approval_id},
        at=at,
    )
    return int(hit.approval_id)


@transaction.atomic
def decide_hit(*, actor: Actor, hit_id: int, is_agreed: bool, payload_hash: str, reason: str, at: datetime) -> HitState:
    """The second person's word on exactly what was proposed. A yes takes force here and now, a no opens the hit again.

    Raises `HitNotFound` and what `approve` and `reject` raise: the proposer cannot decide (I63).
    """
    hit = _lock(hit_id)
    if hit.approval_id is None:
        raise HitNotFound("Nothing is proposed for this hit.", hit_id=hit_id)
    decide = approve if is_agreed else reject
    decide(actor=actor, approval_id=hit.approval_id, payload_hash=payload_hash, at=at, reason=reason)
    _follow_approval(hit, get_approval(hit.approval_id), at)
    return HitState(hit.state)


@transaction.atomic
def withdraw_proposal(*, actor: Actor, hit_id: int, at: datetime) -> None:
    """Take a proposal back; only its maker can. The hit is open again."""
    hit = _lock(hit_id)
    if hit.approval_id is None:
        raise HitNotFound("Nothing is proposed for this hit.", hit_id=hit_id)
    withdraw(actor=actor, approval_id=hit.approval_id, at=at)
    _reopen_if_undecided(hit)


@transaction.atomic
def follow_decision(*, approval_id: int, at: datetime) -> None:
    """Do what was decided about a hit, wherever it was decided; nothing, if it is done already."""
    approval = get_approval(approval_id)
    if approval.kind != APPROVAL_KIND:
        return
    hit = _lock(int(approval.subject.removeprefix(_SUBJECT)))
    if hit.approval_id == approval_id and hit.state == HitState.PROPOSED:
        _follow_approval(hit, approval, at)


def _follow_approval(hit: Hit, approval: ApprovalView, at: datetime) -> None:
    if approval.state is not ApprovalState.APPROVED:
        _reopen_if_undecided(hit)
        return
    outcome = Outcome(str(approval.payload["outcome"]))
    new = HitState(outcome.value)
    rules.HIT_STATES.check(HitState(hit.state), new)
    hit.state = new
    hit.outcome = outcome
    hit.decided_by = approval.decided_by or ""
    hit.decided_at = at
    hit.decision = approval.decision_reason[:REASON_CHARACTERS_MAX]
    hit.save()
    screening = system_actor("screening")
    record(
        actor=screening,
        action="screening.resolve_hit",
        subject=f"{_SUBJECT}{hit.pk}",
        reason=hit.proposal,
        inputs={"outcome": outcome.value, "client": hit.client_id, "approval": approval.id, "cause": hit.cause_hash},
        at=at,
    )
    if new is HitState.CONFIRMED:
        block_client(
            actor=screening,
            client_id=hit.client_id,
            reason=str(
                Sentence(
                    "Screening hit {hit_id} was confirmed: {source} {reference}.",
                    {"hit_id": hit.pk, "source": hit.source, "reference": hit.reference},
                )
            ),
            at=at,
        )
    publish(HitResolved(hit_id=hit.pk, client_id=hit.client_id, outcome=outcome.value, at=at))


def _reopen_if_undecided(hit: Hit) -> None:
    """A hit whose proposal was rejected or withdrawn is open again."""
    if hit.state != HitState.PROPOSED or hit.approval_id is None:
        return
    if get_approval(hit.approval_id).state in (ApprovalState.REJECTED, ApprovalState.WITHDRAWN):
        hit.state = HitState.OPEN
        hit.outcome, hit.proposed_by, hit.proposed_at, hit.proposal, hit.approval_id = "", "", None, "", None
        hit.save()


def _lock(hit_id: int) -> Hit:
    hit = Hit.objects.select_for_update(of=("self",)).select_related("client").filter(id=hit_id).first()
    if hit is None:
        raise HitNotFound("There is no hit {hit_id}.", hit_id=hit_id)
    return hit
