"""Clients within an actor's scope, and the operator's licences."""

from datetime import date

from django.db.models import Q, QuerySet

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.listing import Listing
from reefpoint.records.parties.models import Client, Licence
from reefpoint.records.parties.types import ClientKind, ClientStatus, ClientView, LicenceView


class ClientNotFound(Refusal):
    """No client of this id is in the actor's scope: whether it exists for others is not told (I66)."""

    code = "not_found"


def visible_clients(actor: Actor) -> QuerySet[Client]:
    """The clients whose records this actor may see: all, or those assigned to the person. The one home of the scope."""
    if actor.is_system or actor.sees_all_clients:
        return Client.objects.all()
    if actor.user_id is None:
        return Client.objects.none()
    return Client.objects.filter(relationship_manager_id=actor.user_id)


def find_own_client(actor: Actor) -> ClientView | None:
    """The client as whom this person uses the portal; None for staff and for those who have not begun."""
    row = Client.objects.filter(portal_user_id=actor.user_id).first() if actor.user_id is not None else None
    return _view(row) if row else None


def can_see_client(actor: Actor, client_id: int) -> bool:
    """Whether this client is in the actor's scope."""
    return visible_clients(actor).filter(id=client_id).exists()


def require_client(actor: Actor, client_id: int) -> None:
    """Raise `ClientNotFound` unless the actor may act for this client: outside the scope it does not exist (I66)."""
    if not actor.sees_all_clients and not can_see_client(actor, client_id):
        raise ClientNotFound("There is no such client.")


def get_client(actor: Actor, client_id: int) -> ClientView:
    """One client. Raises `ClientNotFound` alike for a client outside the scope and for one that never was."""
    require(actor, "clients.view")
    row = visible_clients(actor).filter(id=client_id).first()
    if row is None:
        raise ClientNotFound(f"There is no client {client_id}, or it is not yours to see.", client_id=client_id)
    return _view(row)


def list_clients(actor: Actor, after_id: int = 0, limit: int = 50) -> list[ClientView]:
    """Clients in scope, by id, a page at a time."""
    require(actor, "clients.view")
    return [_view(row) for row in visible_clients(actor).filter(id__gt=after_id).order_by("id")[:limit]]


CLIENT_ORDERS = frozenset({"number", "name", "kind", "status", "opened_on", "id"})


def find_clients(
    actor: Actor, *, text: str = "", kind: str = "", status: str = "", order: str = "number", offset: int, limit: int
) -> Listing[ClientView]:
    """One page of the clients in scope that match, in a given order (`-name` is descending). Two queries.

    Raises `ValueError` for an order that clients do not have.
    """
    require(actor, "clients.view")
    if order.lstrip("-") not in CLIENT_ORDERS:
        raise ValueError(f"clients have no order {order!r}")
    rows = visible_clients(actor)
    if text.strip():
        rows = rows.filter(_holds_text(text))
    exact = {"kind": kind, "status": status}
    rows = rows.filter(**{key: value for key, value in exact.items() if value})
    key = order.replace("number", "id")
    page = rows.order_by(key, "id")[offset : offset + limit]
    return Listing([_view(row) for row in page], rows.count())


def _searchable(text: str) -> str:
    """What is searched for: the database takes no NUL."""
    return text.replace("\x00", "").strip()


def _holds_text(text: str) -> Q:
    wanted = _searchable(text)
    return (
        Q(number__icontains=wanted)
        | Q(name__icontains=wanted)
        | Q(name_zh__icontains=wanted)
        | Q(email__icontains=wanted)
    )


def search_clients(actor: Actor, text: str, limit: int = 20) -> list[ClientView]:
    """Clients in scope whose number, name in either language, or e-mail holds `text`."""
    require(actor, "clients.view")
    if not _searchable(text):
        return []
    return [_view(row) for row in visible_clients(actor).filter(_holds_text(text)).order_by("id")[:limit]]


def list_licences() -> list[LicenceView]:
    """Every licence on record, by jurisdiction."""
    return [_licence_view(row) for row in Licence.objects.order_by("jurisdiction", "activity", "id")]


def find_licence(*, jurisdiction: str, activity: str, on: date) -> LicenceView | None:
    """A licence that is valid on the day, if there is one. Never cached: an end takes force at once."""
    row = (
        Licence.objects.filter(jurisdiction=jurisdiction, activity=activity, valid_from__lte=on)
        .filter(Q(valid_to=None) | Q(valid_to__gte=on))
        .order_by("id")
        .first()
    )
    return _licence_view(row) if row else None


def _view(row: Client) -> ClientView:
    return ClientView(
        id=row.pk,
        number=row.number,
        name=row.name,
        name_zh=row.name_zh,
        email=row.email,
        kind=ClientKind(row.kind),
        language=row.language,
        relationship_manager_id=row.relationship_manager_id,
        status=ClientStatus(row.status),
        opened_on=row.opened_on,
    )


def _licence_view(row: Licence) -> LicenceView:
    return LicenceView(
        id=row.pk,
        jurisdiction=row.jurisdiction,
        activity=row.activity,
        number=row.number,
        holder=row.holder,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        evidence=row.evidence,
    )
