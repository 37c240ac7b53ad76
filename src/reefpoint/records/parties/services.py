"""Registering clients, recording licences, and the gate that asks for one."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Lower

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.parties.events import LicenceEnded
from reefpoint.records.parties.models import Client, Licence
from reefpoint.records.parties.selectors import ClientNotFound, find_licence, visible_clients
from reefpoint.records.parties.types import ClientDraft, ClientStatus, LicenceView


class ClientExists(Refusal):
    """The e-mail address already belongs to a client, or stands twice in one list."""

    code = "client_exists"


class LicenceRefused(Refusal):
    """The operator has no licence on record that is valid on the day (I68)."""

    code = "licence_refused"


class LicenceMalformed(Refusal):
    """A licence whose dates are not in order or that is on record already."""

    code = "licence_malformed"


@transaction.atomic
def register_client(*, actor: Actor, draft: ClientDraft, on: date, at: datetime) -> int:
    """Register one client on the business date `on`. Returns the id. Raises `ClientExists`."""
    return register_clients(actor=actor, drafts=[draft], on=on, at=at)[0]


@transaction.atomic
def register_clients(*, actor: Actor, drafts: Sequence[ClientDraft], on: date, at: datetime) -> list[int]:
    """Register many clients or none. Returns the ids in the order of the drafts. Raises `ClientExists`."""
    require(actor, "clients.register")
    addresses = [draft.email.strip().lower() for draft in drafts]
    taken = {address for address, times in Counter(addresses).items() if times > 1} or set(
        Client.objects.annotate(address=Lower("email"))
        .filter(address__in=addresses)
        .values_list("address", flat=True)[:3]
    )
    if taken:
        raise ClientExists(
            f"A client with the address {', '.join(sorted(taken)[:3])} is registered already. Use the existing record.",
            emails=sorted(taken),
        )
    clients = Client.objects.bulk_create(
        Client(
            name=draft.name,
            name_zh=draft.name_zh,
            email=address,
            kind=draft.kind,
            language=draft.language,
            relationship_manager_id=draft.relationship_manager_id,
            status=ClientStatus.ACTIVE,
            opened_on=on,
        )
        for draft, address in zip(drafts, addresses, strict=True)
    )
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
def block_client(*, actor: Actor, client_id: int, reason: str, at: datetime) -> None:
    """Stop all new business with a client. Raises `ClientNotFound` outside the actor's scope."""
    require(actor, "clients.block")
    client = visible_clients(actor).select_for_update().filter(id=client_id).first()
    if client is None:
        raise ClientNotFound(f"There is no client {client_id}, or it is not yours to see.", client_id=client_id)
    client.status = ClientStatus.BLOCKED
    client.save(update_fields=["status"])
    record(actor=actor, action="clients.block", subject=f"client:{client_id}", reason=reason, at=at)


@transaction.atomic
def record_licence(
    *,
    actor: Actor,
    jurisdiction: str,
    activity: str,
    number: str,
    holder: str,
    valid_from: date,
    valid_to: date | None,
    evidence: str,
    at: datetime,
) -> int:
    """Put a licence of the operator on record; both dates inclusive, no end means open. Returns its id.

    Raises `LicenceMalformed`.
    """
    require(actor, "licences.record")
    if valid_to is not None and valid_to < valid_from:
        raise LicenceMalformed(f"The licence would end on {valid_to}, before it begins on {valid_from}.")
    licence, is_new = Licence.objects.get_or_create(
        jurisdiction=jurisdiction,
        activity=activity,
        number=number,
        defaults={"holder": holder, "valid_from": valid_from, "valid_to": valid_to, "evidence": evidence},
    )
    if not is_new:
        raise LicenceMalformed(f"Licence {number} for {activity} in {jurisdiction} is on record already.")
    record(
        actor=actor,
        action="licences.record",
        subject=f"licence:{licence.pk}",
        inputs={
            "jurisdiction": jurisdiction,
            "activity": activity,
            "number": number,
            "valid_from": valid_from.isoformat(),
            "valid_to": valid_to.isoformat() if valid_to else None,
            "evidence": evidence,
        },
        at=at,
    )
    return licence.pk


@transaction.atomic
def end_licence(*, actor: Actor, licence_id: int, valid_to: date, reason: str, at: datetime) -> None:
    """Let a licence end on `valid_to` (inclusive), as when it is revoked. It takes force at once.

    Raises `LicenceMalformed` for an unknown licence or an end before its beginning.
    """
    require(actor, "licences.record")
    licence = Licence.objects.select_for_update().filter(id=licence_id).first()
    if licence is None:
        raise LicenceMalformed(f"There is no licence {licence_id}.")
    if valid_to < licence.valid_from:
        raise LicenceMalformed(f"The licence would end on {valid_to}, before it begins on {licence.valid_from}.")
    licence.valid_to = valid_to
    licence.save(update_fields=["valid_to"])
    record(
        actor=actor,
        action="licences.end",
        subject=f"licence:{licence_id}",
        reason=reason,
        inputs={"valid_to": valid_to.isoformat()},
        at=at,
    )
    publish(
        LicenceEnded(
            licence_id=licence_id,
            jurisdiction=licence.jurisdiction,
            activity=licence.activity,
            valid_to=valid_to,
            at=at,
        )
    )


def require_licence(*, jurisdiction: str, activity: str, on: date) -> LicenceView:
    """The licence under which something is offered, signed or paid out on `on`. Raises `LicenceRefused` (I68)."""
    licence = find_licence(jurisdiction=jurisdiction, activity=activity, on=on)
    if licence is None:
        raise LicenceRefused(
            f"No licence for {activity} in {jurisdiction} is valid on {on}. Record one before going on.",
            jurisdiction=jurisdiction,
            activity=activity,
            on=on,
        )
    return licence
