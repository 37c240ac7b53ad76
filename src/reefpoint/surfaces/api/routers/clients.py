"""Clients within the caller's scope, and their invitations to the portal."""

from datetime import datetime

from ninja import Schema, Status

from reefpoint.records.parties.selectors.clients import find_clients, get_client
from reefpoint.records.parties.services import end_invitation, invite_to_portal
from reefpoint.records.parties.types import ClientKind, ClientStatus, ClientView
from reefpoint.surfaces.api.base import Caller, Id, Limit, Listed, Offset, SafeText, answers, now, router

clients = router("clients")


class Invited(Schema):
    """Until when the client may accept."""

    until: datetime


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


@clients.post("/{client_id}/invitation", response=answers(Invited, 201))
def invite_client(request: Caller, client_id: Id) -> Status[Invited]:
    """Invite a client to the portal by letter. An open invitation is replaced."""
    return Status(201, Invited(until=invite_to_portal(actor=request.auth, client_id=client_id, at=now())))


@clients.delete("/{client_id}/invitation", response=answers(None, 204))
def end_client_invitation(request: Caller, client_id: Id) -> Status[None]:
    """Take the open invitation back."""
    end_invitation(actor=request.auth, client_id=client_id, at=now())
    return Status(204, None)
