"""Changes of collateral go by two people who saw what they do to the book, and none closes out a safe account (I30)."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.decisions.collateral.events import CollateralChanged
from reefpoint.decisions.collateral.selectors.assessments import get_assessment
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import HOUSE, LISTS, PUBLISH, read_content
from reefpoint.decisions.collateral.services.releases import check_releasable, plan_release, release_haircuts
from reefpoint.decisions.margin.selectors.collateral_effects import find_assessment_effect, find_house_effect
from reefpoint.decisions.margin.types import CollateralEffect
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState, ApprovalView
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.platform.publications.services import draft_publication, publish_approved, request_publication
from reefpoint.platform.publications.types import Content, PublicationKind

HAIRCUTS = "collateral.haircuts"
"""How the payload of an approval says that it releases an assessment, and no list or house rule."""


class StepTooFar(Refusal):
    """A change that would take accounts from safe to close-out in one step (I30)."""

    code = "step_too_far"


def check_step(effect: CollateralEffect, override_reason: str) -> None:
    """Raise `StepTooFar` for a change by which safe accounts would be sold at once, unless somebody answers for it."""
    if effect.total.closed_out and not override_reason.strip():
        raise StepTooFar(
            "It would take {accounts} accounts from safe to close-out in one step. Take smaller steps,"
            " or say why it must be so: the second person reads that.",
            accounts=effect.total.closed_out,
        )


@transaction.atomic
def request_haircut_release(
    *, actor: Actor, assessment_id: int, reason: str, override_reason: str = "", on: date, at: datetime
) -> int:
    """Ask a second person to put an assessment in force, with what it does to the book. Returns the approval's id.

    Raises `NotReleasable`, `StepTooFar`.
    """
    require(actor, PUBLISH)
    check_releasable(assessment_id)
    effect = find_assessment_effect(assessment_id, at=at)
    check_step(effect, override_reason)
    return request_approval(
        actor=actor,
        kind=PUBLISH,
        subject=f"collateral_assessment:{assessment_id}",
        payload={
            "kind": HAIRCUTS,
            "assessment_id": assessment_id,
            "names": _changes(assessment_id, on),
            "effect": summarise(effect),
            "override_reason": override_reason.strip(),
        },
        reason=reason,
        at=at,
    )


def _changes(assessment_id: int, on: date) -> list[dict[str, Any]]:
    now, planned = haircuts_in_force(on), plan_release(assessment_id, on)
    return [
        {
            "symbol": one.symbol,
            "now_bp": now.get(one.instrument_id),
            "haircut_bp": one.haircut_bp,
            "first_on": planned[one.instrument_id][0].effective_on.isoformat(),
            "last_on": planned[one.instrument_id][-1].effective_on.isoformat(),
        }
        for one in get_assessment(assessment_id).names
        if one.instrument_id in planned
    ]


def summarise(effect: CollateralEffect) -> dict[str, Any]:
    """An effect as text and integers, for an approval and for the record."""
    return {
        "accounts": effect.total.accounts,
        "moved": effect.total.moved,
        "closed_out": effect.total.closed_out,
        "schemes": [
            {
                "scheme": one.scheme_code,
                "accounts": one.accounts,
                "lendable_before_minor": one.lendable_before_minor,
                "lendable_after_minor": one.lendable_after_minor,
                "over_before": one.over_before,
                "over_after": one.over_after,
            }
            for one in effect.schemes
        ],
    }


@transaction.atomic
def draft_and_request(
    *, actor: Actor, kind: PublicationKind, content: Content, effective_from: date, reason: str, at: datetime
) -> int:
    """Draft the next version of the house's rules or the lists and ask for its publication. Returns the approval's id.

    Raises `MalformedTable`, `NotPublishable`, and `StepTooFar` for a valuation of suspended names that closes out.
    """
    require(actor, PUBLISH)
    kind.check(content)
    if kind == HOUSE:
        house = read_content(content)
        check_step(find_house_effect(house, effective_from, at=at), house.override_reason)
    draft_id = draft_publication(actor=actor, kind=kind, content=content, effective_from=effective_from, at=at)
    return request_publication(actor=actor, kind=kind, publication_id=draft_id, reason=reason, at=at)


@transaction.atomic
def take_approval(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Do what a second person approved of collateral: put haircuts in force, or publish rules or lists. Idempotent.

    The book has moved since: what would now close out safe accounts, and was not answered for, is put on record as
    refused and not done.
    """
    approval = get_approval(approval_id)
    if approval.kind != PUBLISH or approval.state is not ApprovalState.APPROVED or not approval.decided_by:
        return
    try:
        with transaction.atomic():
            _do(actor, approval, at)
    except StepTooFar as error:
        record(
            actor=actor,
            action="collateral.refuse",
            subject=approval.subject,
            reason=error.message,
            inputs={"approval_id": approval_id},
            at=at,
        )


def _do(actor: Actor, approval: ApprovalView, at: datetime) -> None:
    assert approval.decided_by, "it is approved"
    payload = approval.payload
    on = at.date()
    if payload.get("kind") == HAIRCUTS:
        assessment_id = payload["assessment_id"]
        assert isinstance(assessment_id, int)
        override_reason = str(payload["override_reason"])
        effect = find_assessment_effect(assessment_id, at=at)
        check_step(effect, override_reason)
        release_haircuts(
            actor=actor,
            assessment_id=assessment_id,
            approval_id=approval.id,
            maker=approval.requested_by,
            checker=approval.decided_by,
            reason=approval.reason,
            override_reason=override_reason,
            effect=summarise(effect),
            on=on,
            at=at,
        )
        return
    if payload.get("kind") == HOUSE.name:
        house = read_content(payload["content"])  # type: ignore[arg-type]  # it was drafted as such
        effective_from = date.fromisoformat(str(payload["effective_from"]))
        check_step(find_house_effect(house, effective_from, at=at), house.override_reason)
    for kind in (HOUSE, LISTS):
        publish_approved(actor=actor, kind=kind, approval_id=approval.id, at=at)
    publish(CollateralChanged(at=at, on=on))
