"""What can change of a published scheme, each by two people: it is offered no longer, or has another tier."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState, ApprovalView
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.products.events import SchemeVersionWithdrawn
from reefpoint.records.products.models import Scheme, SchemeTierChange
from reefpoint.records.products.rules import VERSION_STATES
from reefpoint.records.products.services.publishing import lock_version
from reefpoint.records.products.types import TIER_BEST, TIER_MAX, VersionState

WITHDRAW_KIND = "scheme.withdraw"
TIER_KIND = "scheme.change_tier"


class ChangeRefused(Refusal):
    """A change of a scheme without a reason, without an approval, or that changes nothing."""

    code = "scheme_change_refused"


@transaction.atomic
def request_withdrawal(*, actor: Actor, version_id: int, effect: Mapping[str, int], reason: str, at: datetime) -> int:
    """Ask a second person to offer a published version no longer. Returns the approval's id.

    `effect` is what the second person sees of whom it touches. Raises `ChangeRefused`, `SchemeVersionNotFound`,
    `InvalidTransition`.
    """
    require(actor, "schemes.publish")
    version = lock_version(version_id)
    VERSION_STATES.check(VersionState(version.state), VersionState.WITHDRAWN)
    return request_approval(
        actor=actor,
        kind=WITHDRAW_KIND,
        subject=f"scheme_version:{version_id}",
        payload={
            "scheme": version.scheme.code,
            "version": version.version,
            "withdraw": _reason(reason),
            "affected": dict(effect),
        },
        reason=reason.strip(),
        at=at,
    )


@transaction.atomic
def withdraw_scheme_version(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Offer a version no longer, as a second person approved. Accounts that were signed under it keep its terms.

    Idempotent. Raises `ChangeRefused`.
    """
    require(actor, "schemes.publish")
    approval = _approved(WITHDRAW_KIND, approval_id)
    version = lock_version(_id_of(approval))
    if version.state == VersionState.WITHDRAWN:
        return
    VERSION_STATES.check(VersionState(version.state), VersionState.WITHDRAWN)
    version.state = VersionState.WITHDRAWN
    version.save(update_fields=["state"])
    record(
        actor=actor,
        action="schemes.withdraw",
        subject=approval.subject,
        reason=approval.reason,
        inputs={"approval_id": approval_id, "maker": approval.requested_by, "checker": approval.decided_by},
        at=at,
    )
    publish(SchemeVersionWithdrawn(version_id=version.pk, scheme_code=version.scheme.code, at=at))


@transaction.atomic
def request_tier(*, actor: Actor, scheme_id: int, tier: int, reason: str, at: datetime) -> int:
    """Ask a second person to give a scheme another tier. Returns the approval's id. Raises `ChangeRefused`."""
    require(actor, "schemes.publish")
    scheme = _lock(scheme_id)
    if not TIER_BEST <= tier <= TIER_MAX or tier == scheme.tier:
        raise ChangeRefused(
            "Another tier is needed, from {tier_best} to {tier_max}.", tier=tier, tier_best=TIER_BEST, tier_max=TIER_MAX
        )
    return request_approval(
        actor=actor,
        kind=TIER_KIND,
        subject=f"scheme:{scheme_id}",
        payload={"scheme": scheme.code, "tier_before": scheme.tier, "tier_after": tier, "why": _reason(reason)},
        reason=reason.strip(),
        at=at,
    )


@transaction.atomic
def change_scheme_tier(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Give a scheme the tier that a second person approved, with a row of its history. Idempotent.

    Raises `ChangeRefused`, also where the tier has changed since it was asked for.
    """
    require(actor, "schemes.publish")
    approval = _approved(TIER_KIND, approval_id)
    scheme = _lock(_id_of(approval))
    if SchemeTierChange.objects.filter(approval_id=approval_id).exists():
        return
    before, after = approval.payload["tier_before"], approval.payload["tier_after"]
    assert isinstance(after, int), "it was asked for as such"
    if scheme.tier != before:
        raise ChangeRefused("The tier has changed since this was asked for.", approval_id=approval_id)
    SchemeTierChange.objects.create(
        scheme=scheme,
        before=scheme.tier,
        after=after,
        reason=approval.reason,
        maker=approval.requested_by,
        checker=approval.decided_by or "",
        approval_id=approval_id,
        at=at,
    )
    scheme.tier = after
    scheme.save(update_fields=["tier"])
    record(
        actor=actor,
        action="schemes.change_tier",
        subject=approval.subject,
        reason=approval.reason,
        inputs={"approval_id": approval_id, "before": before, "after": after, "checker": approval.decided_by},
        at=at,
    )


def _approved(kind: str, approval_id: int) -> ApprovalView:
    approval = get_approval(approval_id)
    if approval.kind != kind or approval.state is not ApprovalState.APPROVED or not approval.decided_by:
        raise ChangeRefused("This change was not approved.", approval_id=approval_id)
    return approval


def _id_of(approval: ApprovalView) -> int:
    return int(approval.subject.rpartition(":")[2])


def _lock(scheme_id: int) -> Scheme:
    scheme = Scheme.objects.select_for_update().filter(id=scheme_id).first()
    if scheme is None:
        raise NotFound("There is no scheme {scheme_id}.", scheme_id=scheme_id)
    return scheme


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ChangeRefused("Say why: the second person reads it.")
    return reason.strip()
