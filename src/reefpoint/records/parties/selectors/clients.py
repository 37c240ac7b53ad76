"""Clients within an actor's scope: who may see whom, and whether business with a client is open."""

from collections.abc import Collection, Iterable

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Lower

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding, searched
from reefpoint.records.parties.models import Client
from reefpoint.records.parties.types import ClientKind, ClientStatus, ClientView


class ClientNotFound(Refusal):
    """No client of this id is in the actor's scope: whether it exists for others is not told (I66)."""

    code = "not_found"


class ClientNotOpen(Refusal):
    """Business with this client is not open: a prospect, blocked or closed."""

    code = "client_not_open"


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
        raise ClientNotFound("There is no client {client_id}, or it is not yours to see.", client_id=client_id)
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
    exact = {"kind": kind, "status": status}
    rows = rows.filter(holding(text, *_TEXTS), **{key: value for key, value in exact.items() if value})
    key = order.replace("number", "id")
    page = rows.order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(_view))


_TEXTS = ("number", "name", "name_zh", "email")


def client_texts(client: str = "client") -> tuple[str, str, str]:
    """The fields by which rows are found by their client, whose key is `client`: its number, its names."""
    return f"{client}__number", f"{client}__name", f"{client}__name_zh"


def find_taken_emails(emails: Iterable[str]) -> set[str]:
    """Those of these addresses (in lower case) that belong to a client."""
    rows = Client.objects.annotate(address=Lower("email")).filter(address__in=set(emails))
    return set(rows.values_list("address", flat=True))


def search_clients(actor: Actor, text: str, limit: int = 20) -> list[ClientView]:
    """Clients in scope whose number, name in either language, or e-mail holds `text`."""
    require(actor, "clients.view")
    if not searched(text):
        return []
    return [_view(row) for row in visible_clients(actor).filter(holding(text, *_TEXTS)).order_by("id")[:limit]]


def require_open_for_business(client_id: int) -> None:
    """The one gate: raise `ClientNotOpen` unless the client was accepted and is neither blocked nor closed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT status FROM parties_client WHERE id = %s", [client_id])
        row = cursor.fetchone()
    if row is None or row[0] != ClientStatus.ACTIVE:
        raise ClientNotOpen(
            "Business with this client is not open at present. Nothing was done; compliance can say more.",
            client_id=client_id,
        )


def require_own_or(actor: Actor, permission: str, client_id: int) -> None:
    """Pass the client themselves, who may use the portal, or somebody of the staff with the right and the scope."""
    own = find_own_client(actor)
    if own is not None and own.id == client_id:
        require(actor, "portal.apply")
        return
    require(actor, permission)
    if not can_see_client(actor, client_id):
        raise ClientNotFound("There is no such client.")


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
        accepted_on=row.accepted_on,
        closed_on=row.closed_on,
        is_on_portal=row.portal_user_id is not None,
    )


def find_client_ids(actor: Actor, numbers: Collection[str]) -> dict[str, int]:
    """The ids of those of these client numbers that are in the actor's scope, in one query."""
    return dict(visible_clients(actor).filter(number__in=set(numbers)).values_list("number", "id"))
