"""Registering, accepting, blocking and closing clients."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Lower

from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.parties.events import ClientStatusChanged
from reefpoint.records.parties.models import Client, Erasure
from reefpoint.records.parties.rules import CLIENT_STATES
from reefpoint.records.parties.selectors.clients import ClientNotFound, require_own_or, visible_clients
from reefpoint.records.parties.types import ClientDraft, ClientStatus


class ClientExists(Refusal):
    """The e-mail address already belongs to a client, or stands twice in one list."""

    code = "client_exists"


@transaction.atomic
def register_client(*, actor: Actor, draft: ClientDraft, on: date, at: datetime) -> int:
    """Register one client on the business date `on`. Returns the id. Raises `ClientExists`."""
    return register_clients(actor=actor, drafts=[draft], on=on, at=at)[0]


@transaction.atomic
def register_clients(*, actor: Actor, drafts: Sequence[ClientDraft], on: date, at: datetime) -> list[int]:
    """Register many accepted clients or none. Returns the ids in the order of the drafts. Raises `ClientExists`."""
    require(actor, "clients.register")
    clients = _add(drafts, ClientStatus.ACTIVE, on)
    ids = [client.pk for client in clients]
    if ids:
        record(
            actor=actor,
            action="clients.register",
            subject=f"client:{ids[0]}" if len(ids) == 1 else f"clients:{ids[0]}-{ids[-1]}",
            inputs={"count": len(ids), "first_id": ids[0], "last_id": ids[-1], "opened_on": on.isoformat()},
            at=at,
        )
    return ids


@transaction.atomic
def begin_prospect(
    *, actor: Actor, draft: ClientDraft, portal_user_id: int | None = None, on: date, at: datetime
) -> int:
    """Put somebody who applies on record, by themselves on the portal or with help. Returns the client's id.

    Raises `ClientExists`, also for a portal user who has begun before.
    """
    require(actor, "portal.apply" if portal_user_id and portal_user_id == actor.user_id else "applications.assist")
    if portal_user_id and Client.objects.filter(portal_user_id=portal_user_id).exists():
        raise ClientExists("You have begun an application already. Go on with that one.")
    client = _add([draft], ClientStatus.PROSPECT, on, portal_user_id)[0]
    record(
        actor=actor,
        action="clients.begin_prospect",
        subject=f"client:{client.pk}",
        inputs={"kind": draft.kind, "portal_user_id": portal_user_id, "opened_on": on},
        at=at,
    )
    return client.pk


@transaction.atomic
def begin_prospects(*, actor: Actor, drafts: Sequence[ClientDraft], source: str, on: date, at: datetime) -> list[int]:
    """Put many who do not apply by themselves on record, all or none; `source` says where they came from (`import:3`).

    Returns the ids in the order of the drafts. Raises `ClientExists`.
    """
    require(actor, "clients.import")
    ids = [client.pk for client in _add(drafts, ClientStatus.PROSPECT, on)]
    if ids:
        record(
            actor=actor,
            action="clients.begin_prospects",
            subject=source,
            inputs={"count": len(ids), "first_id": ids[0], "last_id": ids[-1], "opened_on": on},
            at=at,
        )
    return ids


def _add(
    drafts: Sequence[ClientDraft], status: ClientStatus, on: date, portal_user_id: int | None = None
) -> list[Client]:
    addresses = [draft.email.strip().lower() for draft in drafts]
    taken = {address for address, times in Counter(addresses).items() if times > 1} or set(
        Client.objects.annotate(address=Lower("email"))
        .filter(address__in=addresses)
        .values_list("address", flat=True)[:3]
    )
    if taken:
        raise ClientExists(
            "A client with the address {addresses} is registered already. Use the existing record.",
            emails=sorted(taken),
            addresses=sorted(taken)[:3],
        )
    return Client.objects.bulk_create(
        Client(
            name=draft.name,
            name_zh=draft.name_zh,
            email=address,
            kind=draft.kind,
            language=draft.language,
            relationship_manager_id=draft.relationship_manager_id,
            portal_user_id=portal_user_id,
            status=status,
            opened_on=on,
            accepted_on=on if status is ClientStatus.ACTIVE else None,
        )
        for draft, address in zip(drafts, addresses, strict=True)
    )


@transaction.atomic
def activate_client(*, actor: Actor, client_id: int, reason: str, on: date, at: datetime) -> None:
    """Accept a prospect as a client on the business date `on`. Raises `InvalidTransition` for anybody else."""
    require(actor, "applications.decide")
    client = lock_client(actor, client_id)
    CLIENT_STATES.check(ClientStatus(client.status), ClientStatus.ACTIVE)
    if client.status == ClientStatus.BLOCKED:
        raise ClientIsBlocked("This client is blocked. Compliance must release the block first.", client_id=client_id)
    client.accepted_on = on
    _move(actor, client, ClientStatus.ACTIVE, "clients.activate", reason, at)


@transaction.atomic
def block_client(*, actor: Actor, client_id: int, reason: str, at: datetime) -> None:
    """Stop all business with a client at once. Blocking a blocked one adds the reason to the audit log alone.

    Raises `ClientNotFound` outside the actor's scope.
    """
    require(actor, "clients.block")
    client = lock_client(actor, client_id)
    _move(actor, client, ClientStatus.BLOCKED, "clients.block", reason, at)


@transaction.atomic
def unblock_client(*, actor: Actor, client_id: int, reason: str, at: datetime) -> None:
    """Release a block: a client is active again, a prospect a prospect. Raises `ReasonNeeded`, `InvalidTransition`."""
    require(actor, "clients.block")
    if not reason.strip():
        raise ReasonNeeded("Say why the block is released: it goes into the audit log.")
    client = lock_client(actor, client_id)
    new = ClientStatus.ACTIVE if client.accepted_on else ClientStatus.PROSPECT
    if client.status != ClientStatus.BLOCKED:
        CLIENT_STATES.check(ClientStatus(client.status), ClientStatus.BLOCKED)
        raise ClientIsNotBlocked("This client is not blocked. Nothing was changed.", client_id=client_id)
    _move(actor, client, new, "clients.unblock", reason, at)


@transaction.atomic
def close_client(*, actor: Actor, client_id: int, reason: str, at: datetime) -> None:
    """End the relationship with a client, or with a prospect who was refused or went away.

    The caller makes sure that no account is open. Raises `InvalidTransition` for one that is closed.
    """
    require(actor, "applications.decide" if not actor.is_system else "clients.block")
    client = lock_client(actor, client_id)
    CLIENT_STATES.check(ClientStatus(client.status), ClientStatus.CLOSED)
    client.closed_on = at.date()
    _move(actor, client, ClientStatus.CLOSED, "clients.close", reason, at)


@transaction.atomic
def reopen_prospect(*, actor: Actor, client_id: int, reason: str, at: datetime) -> None:
    """Let somebody who was closed without ever having been accepted be a prospect again, who applies anew.

    By the client themselves, or by staff who help them. Raises `InvalidTransition` for one who was a client once, or
    whose data were erased.
    """
    require_own_or(actor, "applications.assist", client_id)
    client = Client.objects.select_for_update().get(id=client_id)
    is_erased = Erasure.objects.filter(client=client).exists()
    if client.status != ClientStatus.CLOSED or client.accepted_on is not None or is_erased:
        raise InvalidTransition("Only somebody who never was a client, and is closed, can be a prospect again.")
    CLIENT_STATES.check(ClientStatus.CLOSED, ClientStatus.PROSPECT)
    client.closed_on = None
    _move(actor, client, ClientStatus.PROSPECT, "clients.reopen", reason, at)


def lock_client(actor: Actor, client_id: int) -> Client:
    """The row of a client in the actor's scope, locked. Raises `ClientNotFound`."""
    client = visible_clients(actor).select_for_update().filter(id=client_id).first()
    if client is None:
        raise ClientNotFound("There is no client {client_id}, or it is not yours to see.", client_id=client_id)
    return client


def _move(actor: Actor, client: Client, new: ClientStatus, action: str, reason: str, at: datetime) -> None:
    old = ClientStatus(client.status)
    client.status = new
    client.save(update_fields=["status", "accepted_on", "closed_on"])
    record(
        actor=actor,
        action=action,
        subject=f"client:{client.pk}",
        reason=reason,
        inputs={"old": old, "new": new},
        at=at,
    )
    if old is not new:
        publish(ClientStatusChanged(client_id=client.pk, old=old, new=new, at=at))


class ClientIsBlocked(Refusal):
    """A blocked client cannot be accepted."""

    code = "client_is_blocked"


class ClientIsNotBlocked(Refusal):
    """There is no block to release."""

    code = "client_is_not_blocked"
