"""Invitations to the portal: how somebody whom the desk put on record comes to see and sign what is theirs.

An address alone opens nothing: a person of the desk invites, and whoever signs in with that address, which the sign-up
has proved they read, accepts.
"""

from datetime import datetime, timedelta

from django.db import transaction

from reefpoint.platform.access.selectors import find_email
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.notifications.services import send_letter
from reefpoint.records.parties.models import Client, PortalInvitation
from reefpoint.records.parties.rules import INVITATION
from reefpoint.records.parties.services.clients import lock_client
from reefpoint.records.parties.types import ClientStatus

VALID_FOR = timedelta(days=14)


class AlreadyOnPortal(Refusal):
    """Somebody who uses the portal as this client already, or a person who is another client there."""

    code = "already_on_portal"


class NotToInvite(Refusal):
    """A client who is blocked or whose relationship has ended."""

    code = "client_not_to_invite"


class NoInvitation(NotFound):
    """No open invitation to this client or this address."""

    code = "no_invitation"


@transaction.atomic
def invite_to_portal(*, actor: Actor, client_id: int, at: datetime) -> datetime:
    """Invite a client to the portal by letter to the address on record. Returns until when they may accept.

    An open invitation is replaced. Raises `AlreadyOnPortal`, `NotToInvite`, `ClientNotFound`.
    """
    require(actor, "clients.invite")
    client = lock_client(actor, client_id)
    if client.portal_user_id is not None:
        raise AlreadyOnPortal("This client uses the portal already.")
    if client.status in {ClientStatus.BLOCKED, ClientStatus.CLOSED}:
        raise NotToInvite("This client is {status}, so nobody is invited.", status=ClientStatus(client.status))
    client.invitations.filter(accepted_at=None, ended_at=None).update(ended_at=at)
    until = at + VALID_FOR
    invitation = client.invitations.create(invited_at=at, invited_by=actor.ref, until=until)
    send_letter(
        actor=actor,
        to=client,
        texts=INVITATION,
        words={"until": until.date().isoformat()},
        key=f"invitation:{invitation.pk}",
        about=f"client:{client_id}",
        at=at,
    )
    record(
        actor=actor,
        action="clients.invite",
        subject=f"client:{client_id}",
        inputs={"invitation_id": invitation.pk, "until": until.isoformat()},
        at=at,
    )
    return until


@transaction.atomic
def end_invitation(*, actor: Actor, client_id: int, at: datetime) -> None:
    """Take an open invitation back. Raises `NoInvitation`, `ClientNotFound`."""
    require(actor, "clients.invite")
    client = lock_client(actor, client_id)
    if not client.invitations.filter(accepted_at=None, ended_at=None).update(ended_at=at):
        raise NoInvitation("There is no open invitation to take back.")
    record(actor=actor, action="clients.end_invitation", subject=f"client:{client_id}", at=at)


@transaction.atomic
def accept_invitation(*, actor: Actor, at: datetime) -> int:
    """Whoever is signed in uses the portal as the client who was invited at their address. Returns the client's id.

    Raises `NoInvitation` where there is none, it has run out, or the client was blocked or has gone since, and
    `AlreadyOnPortal`.
    """
    require(actor, "portal.apply")
    address = find_email(actor.user_id) if actor.user_id is not None else None
    invitation = (
        PortalInvitation.objects.select_for_update()
        .filter(client__email__iexact=address or "", accepted_at=None, ended_at=None, until__gt=at)
        .first()
    )
    if invitation is None:
        raise NoInvitation("There is no open invitation to your address. Ask the desk for a new one.")
    if Client.objects.filter(portal_user_id=actor.user_id).exists():
        raise AlreadyOnPortal("You use the portal as a client already.")
    client = Client.objects.select_for_update().get(id=invitation.client_id)
    if client.portal_user_id is not None or client.status in {ClientStatus.BLOCKED, ClientStatus.CLOSED}:
        raise NoInvitation("There is no open invitation to your address. Ask the desk for a new one.")
    client.portal_user_id = actor.user_id
    client.save(update_fields=["portal_user"])
    invitation.accepted_at = at
    invitation.save(update_fields=["accepted_at"])
    record(
        actor=actor,
        action="clients.accept_invitation",
        subject=f"client:{client.pk}",
        inputs={"invitation_id": invitation.pk},
        at=at,
    )
    return client.pk
