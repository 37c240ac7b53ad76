"""Clients within the caller's scope."""

from reefpoint.records.parties.selectors import find_clients, get_client
from reefpoint.records.parties.types import ClientKind, ClientStatus, ClientView
from reefpoint.surfaces.api.base import Caller, Id, Limit, Listed, Offset, SafeText, answers, router

clients = router("clients")


@clients.get("", response=answers(Listed[ClientView]))
def list_clients(
    request: Caller,
    text: SafeText = "",
    kind: ClientKind | None = None,
    status: ClientStatus | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[ClientView]:
    """Clients by number; `text` is in their number, a name or the e-mail."""
    found = find_clients(request.auth, text=text, kind=kind or "", status=status or "", offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@clients.get("/{client_id}", response=answers(ClientView))
def read_client(request: Caller, client_id: Id) -> ClientView:
    """One client."""
    return get_client(request.auth, client_id)
