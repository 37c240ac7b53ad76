"""Writing a version down, asking a second person to publish it, publishing exactly that."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.publications.models import Publication
from reefpoint.platform.publications.rules import SHIPPED, SHIPPED_FROM, STATES, fingerprint
from reefpoint.platform.publications.selectors import PublicationNotFound, get_published, in_force
from reefpoint.platform.publications.types import Content, PublicationKind, PublicationState, PublicationView


class NotPublishable(Refusal):
    """A version that cannot be published now, for a reason other than its content."""

    code = "publication_refused"


@transaction.atomic
def draft_publication(
    *, actor: Actor, kind: PublicationKind, content: Content, effective_from: date, at: datetime
) -> int:
    """Write down the next version. Returns its id. A draft never changes: another content is another draft.

    Raises whatever the kind's own check raises, with the cell that is wrong.
    """
    require(actor, kind.right)
    kind.check(content)
    keep_shipped(kind=kind, at=at)
    newest = Publication.objects.select_for_update().filter(kind=kind.name).order_by("-version").first()
    assert newest is not None, "what was shipped is the first version"
    row = Publication.objects.create(
        kind=kind.name,
        version=newest.version + 1,
        content=content,
        content_hash=fingerprint(content),
        effective_from=effective_from,
        maker=actor.ref,
    )
    record(
        actor=actor,
        action="publications.draft",
        subject=f"publication:{row.pk}",
        inputs={"kind": kind.name, "version": row.version, "content_hash": row.content_hash},
        at=at,
    )
    return row.pk


@transaction.atomic
def request_publication(*, actor: Actor, kind: PublicationKind, publication_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to publish a draft, content and all. Returns the approval's id.

    Only its maker asks, so that the maker is never the checker. Raises `NotPublishable`, `InvalidTransition`.
    """
    require(actor, kind.right)
    row = _locked(kind, publication_id)
    if row.maker != actor.ref:
        raise NotPublishable("Whoever drafted this version asks for its publication.", publication_id=publication_id)
    if row.effective_from < at.date():
        raise NotPublishable(
            "The version would take effect on {effective_from}, which is past. Draft it with a later date.",
            publication_id=publication_id,
            effective_from=row.effective_from,
        )
    STATES.check(PublicationState(row.state), PublicationState.PUBLISHED)
    return request_approval(
        actor=actor,
        kind=kind.approval,
        subject=f"publication:{publication_id}",
        payload=_payload(row),
        reason=reason,
        at=at,
    )


@transaction.atomic
def draft_and_ask(
    *, actor: Actor, kind: PublicationKind, content: Content, effective_from: date, reason: str, at: datetime
) -> int:
    """Draft the next version and ask for its publication, both or neither. Returns the approval's id."""
    draft_id = draft_publication(actor=actor, kind=kind, content=content, effective_from=effective_from, at=at)
    return request_publication(actor=actor, kind=kind, publication_id=draft_id, reason=reason, at=at)


@transaction.atomic
def publish_approved(*, actor: Actor, kind: PublicationKind, approval_id: int, at: datetime) -> None:
    """Publish exactly what was approved; from then on the database refuses any change. Idempotent.

    Nothing happens for an approval of another kind of content. Raises `NotPublishable` if it was not given, or not for
    this content, and what the kind's own check raises.
    """
    approval = get_approval(approval_id)
    if approval.kind != kind.approval or approval.payload.get("kind") != kind.name:
        return
    require(actor, kind.right)
    if approval.state is not ApprovalState.APPROVED or not approval.decided_by:
        raise NotPublishable("This publication was not approved.", approval_id=approval_id)
    row = _locked(kind, int(approval.subject.rpartition(":")[2]))
    if row.state != PublicationState.DRAFT:
        return
    if approval.payload != _payload(row):
        raise NotPublishable("What was approved is not this version.", approval_id=approval_id)
    kind.check(row.content)
    row.state = PublicationState.PUBLISHED
    row.checker = approval.decided_by
    row.published_at = at
    row.save(update_fields=["state", "checker", "published_at"])
    record(
        actor=actor,
        action="publications.publish",
        subject=f"publication:{row.pk}",
        inputs={"approval_id": approval_id, "payload_hash": approval.payload_hash, "checker": approval.decided_by},
        at=at,
    )


def use_publication(*, kind: PublicationKind, on: date, at: datetime) -> PublicationView:
    """The version in force on a day, kept on record so that what is decided by it can name it."""
    found = in_force(kind, on)
    return found if found.id is not None else keep_shipped(kind=kind, at=at)


def keep_shipped(*, kind: PublicationKind, at: datetime) -> PublicationView:
    """Put on record what came with the program, as the first version, unless it is there."""
    content = kind.shipped()
    row, _ = Publication.objects.get_or_create(
        kind=kind.name,
        version=1,
        defaults={
            "content": content,
            "content_hash": fingerprint(content),
            "effective_from": SHIPPED_FROM,
            "state": PublicationState.PUBLISHED,
            "maker": SHIPPED,
            "published_at": at,
        },
    )
    return get_published(row.pk)


def _locked(kind: PublicationKind, publication_id: int) -> Publication:
    row = Publication.objects.select_for_update().filter(id=publication_id, kind=kind.name).first()
    if row is None:
        raise PublicationNotFound("There is no publication {publication_id}.", publication_id=publication_id)
    return row


def _payload(row: Publication) -> dict[str, Any]:
    """What the second person sees and answers for."""
    return {
        "kind": row.kind,
        "version": row.version,
        "effective_from": row.effective_from.isoformat(),
        "content": row.content,
    }
