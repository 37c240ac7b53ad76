"""Erasures of clients' data, legal holds on it, and how long records stay."""

from collections.abc import Collection
from datetime import date

from django.db.models import Exists, OuterRef, Q, Subquery

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.records.parties.models import Client, Erasure, LegalHold
from reefpoint.records.parties.selectors.clients import require_client
from reefpoint.records.parties.types import ClientStatus, ErasureView, HoldView, RetentionFacts


def list_erasures(client_id: int) -> list[ErasureView]:
    """The erasures of a client's data, oldest first."""
    return [
        ErasureView(
            client_id=client_id,
            at=row.at,
            asked_by=row.asked_by,
            approval_id=row.approval_id,
            erased=row.erased,
            kept={name: date.fromisoformat(day) for name, day in row.kept.items()},
        )
        for row in Erasure.objects.filter(client_id=client_id).order_by("id")
    ]


def clients_erased_by(approval_id: int) -> set[int]:
    """The clients whose data was erased on one approval."""
    return set(Erasure.objects.filter(approval_id=approval_id).values_list("client_id", flat=True))


def list_holds(actor: Actor, client_id: int | None = None, *, only_standing: bool = False) -> list[HoldView]:
    """Legal holds on one client, or on all, newest first. Raises `ClientNotFound` outside the scope."""
    require(actor, "clients.hold")
    rows = LegalHold.objects.select_related("client").order_by("-id")
    if client_id is not None:
        require_client(actor, client_id)
        rows = rows.filter(client_id=client_id)
    if only_standing:
        rows = rows.filter(lifted_at=None)
    same = ("id", "client_id", "matter", "reason", "placed_at", "placed_by", "lifted_at", "lifted_by", "lift_reason")
    return [HoldView(client_number=row.client.number, **{name: getattr(row, name) for name in same}) for row in rows]


def load_retention_facts(
    client_ids: Collection[int] | None = None, *, closed_by: date | None = None
) -> list[RetentionFacts]:
    """What decides how long records stay: of these clients, or of all who left by a day and are not erased whole.

    In the order in which they left. Two queries.
    """
    latest = Erasure.objects.filter(client=OuterRef("pk")).order_by("-id").values("kept")[:1]
    held = Exists(LegalHold.objects.filter(client=OuterRef("pk"), lifted_at=None))
    rows = Client.objects.annotate(last_kept=Subquery(latest), is_held=held).order_by("closed_on", "id")
    if client_ids is not None:
        rows = rows.filter(id__in=client_ids)
    if closed_by is not None:
        rows = rows.filter(status=ClientStatus.CLOSED, closed_on__lte=closed_by)
        rows = rows.filter(Q(last_kept__isnull=True) | ~Q(last_kept={}))
    return [
        RetentionFacts(
            client_id=row.pk,
            number=row.number,
            name=row.name,
            accepted_on=row.accepted_on,
            closed_on=row.closed_on,
            left=None if row.last_kept is None else frozenset(DataCategory(name) for name in row.last_kept),
            is_held=row.is_held,
        )
        for row in rows
    ]
