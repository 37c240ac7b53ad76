"""What is known about people and approvals."""

from collections.abc import Sequence
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.db.models import Q, QuerySet

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Approval, Token, User
from reefpoint.platform.access.services.people import require
from reefpoint.platform.access.types import ApprovalState, ApprovalView, PersonView, RoleName, TokenView
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.audit.types import AuditEntry
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.findings import Finding

REAL_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""Recovery codes are no factor of their own: they only stand in for a lost one."""


def needs_second_factor(user: User) -> bool:
    """Whether this person works on the desk but signs in with a password alone; of clients none is asked."""
    return (
        not Authenticator.objects.filter(user_id=user.pk, type__in=REAL_FACTORS).exists()
        and user.roles.exclude(name=RoleName.CLIENT).exists()
    )


def is_client(user: User) -> bool:
    """Whether this person uses the portal and nothing of the desk."""
    return set(user.roles.values_list("name", flat=True)) == {RoleName.CLIENT}


def find_user_id(email: str) -> int | None:
    """The id of whoever signs in with this address."""
    return User.objects.filter(email=email.strip().lower()).values_list("id", flat=True).first()


def find_email(user_id: int) -> str | None:
    """The address with which somebody signs in."""
    return User.objects.filter(id=user_id).values_list("email", flat=True).first()


def list_people() -> list[PersonView]:
    """Everybody who can or could sign in, by address."""
    with_factor = set(Authenticator.objects.filter(type__in=REAL_FACTORS).values_list("user_id", flat=True))
    return [
        PersonView(
            id=user.pk,
            email=user.email,
            name=user.name,
            roles=tuple(RoleName(role.name) for role in user.roles.all()),
            is_active=user.is_active,
            has_second_factor=user.pk in with_factor,
            last_seen_at=user.last_login,
        )
        for user in User.objects.prefetch_related("roles")
    ]


def list_tokens(actor: Actor, at: datetime) -> list[TokenView]:
    """The actor's own keys for programs, newest first; `state` is active, expired or revoked at `at`."""
    if actor.user_id is None:
        return []
    return [
        TokenView(
            id=row.pk,
            name=row.name,
            hint=row.hint,
            rights=None if row.rights is None else tuple(row.rights),
            created_at=row.created_at,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            last_used_on=row.last_used_on,
            state="revoked" if row.revoked_at else "active" if row.expires_at > at else "expired",
        )
        for row in Token.objects.filter(user_id=actor.user_id)
    ]


def find_approval(actor: Actor, approval_id: int) -> ApprovalView | None:
    """One request as this actor may see it; None if there is none, or if it is none of their business."""
    approval = _visible_to(actor).filter(id=approval_id).first()
    return None if approval is None else _view(approval, actor)


def get_approval(approval_id: int) -> ApprovalView:
    """One request, for the program itself (event handlers). Raises `Approval.DoesNotExist`."""
    return _view(Approval.objects.get(id=approval_id))


def list_pending(
    actor: Actor, *, subject: str | None = None, is_decidable: bool = False, limit: int | None = None
) -> list[ApprovalView]:
    """What waits for a decision, oldest first: what this actor may decide, and what they asked for themselves.

    With `is_decidable` only what this very person may say yes to.
    """
    rows = _visible_to(actor).filter(state=ApprovalState.PENDING)
    if subject is not None:
        rows = rows.filter(subject=subject)
    if is_decidable:
        kinds = rules.decidable_kinds(actor.permissions) if actor.user_id is not None else []
        rows = rows.filter(kind__in=kinds).exclude(requested_by=actor.ref)
    return [_view(approval, actor) for approval in rows.order_by("id")[:limit]]


def count_pending(actor: Actor) -> int:
    """How many of them there are."""
    return _visible_to(actor).filter(state=ApprovalState.PENDING).count()


def list_decided(actor: Actor, limit: int = 50) -> list[ApprovalView]:
    """The latest decisions this actor may see, newest first."""
    decided = _visible_to(actor).exclude(state=ApprovalState.PENDING).order_by("-decided_at", "-id")
    return [_view(approval, actor) for approval in decided[:limit]]


def verify_approvals() -> list[Finding]:
    """Approvals whose payload is not what was asked, or that the maker decided: what triggers should have prevented."""
    findings = []
    for approval in Approval.objects.iterator():
        subject = f"approval:{approval.pk}"
        if rules.fingerprint(approval.kind, approval.subject, approval.payload) != approval.payload_hash:
            findings.append(
                Finding("access.approval_payload", subject, "The payload is not the one that was asked for.")
            )
        if approval.decided_by == approval.requested_by:
            findings.append(Finding("access.approval_maker_checker", subject, "The maker decided."))
    return findings


def list_audit(
    actor: Actor,
    *,
    subject: str | None = None,
    by: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Sequence[AuditEntry]:
    """The audit log, newest first, without what this reader may not know to exist. `by` is an actor's reference."""
    require(actor, "audit.view")
    return list_entries(
        subject=subject,
        actor=by,
        action=action,
        since=since,
        before_id=before_id,
        limit=limit,
        hidden=rules.hidden_prefixes(actor.permissions),
    )


def _visible_to(actor: Actor) -> QuerySet[Approval]:
    own = Q(requested_by=actor.ref) | Q(kind__in=rules.decidable_kinds(actor.permissions))
    if not rules.holds(actor.permissions, "audit.view"):
        return Approval.objects.filter(own)
    hidden = Q()
    for prefix in rules.hidden_prefixes(actor.permissions):
        hidden |= Q(kind__startswith=prefix)
    return Approval.objects.filter(own | ~hidden) if hidden else Approval.objects.all()


def _view(approval: Approval, actor: Actor | None = None) -> ApprovalView:
    state = ApprovalState(approval.state)
    return ApprovalView(
        id=approval.pk,
        kind=approval.kind,
        subject=approval.subject,
        payload=approval.payload,
        payload_hash=approval.payload_hash,
        reason=approval.reason,
        requested_by=approval.requested_by,
        requested_by_name=approval.requested_by_name,
        requested_at=approval.requested_at,
        state=state,
        decided_by=approval.decided_by,
        decided_by_name=approval.decided_by_name,
        decided_at=approval.decided_at,
        decision_reason=approval.decision_reason,
        may_decide=actor is not None
        and state is ApprovalState.PENDING
        and rules.may_decide(actor, kind=approval.kind, requested_by=approval.requested_by),
    )
