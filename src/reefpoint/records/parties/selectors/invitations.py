"""Who was asked onto the portal and has not come yet."""

from datetime import datetime

from django.db.models import QuerySet

from reefpoint.platform.access.selectors import find_email
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.models import PortalInvitation
from reefpoint.records.parties.selectors.clients import find_own_client, require_client
from reefpoint.records.parties.types import InvitationView


def find_invitation(actor: Actor, client_id: int, at: datetime) -> InvitationView | None:
    """The client's open invitation to the portal, if there is one that has not run out."""
    require_client(actor, client_id)
    return _invitation(PortalInvitation.objects.filter(client_id=client_id), at)


def find_own_invitation(actor: Actor, at: datetime) -> InvitationView | None:
    """The open invitation to the address of whoever is signed in, unless they are a client on the portal already."""
    address = find_email(actor.user_id) if actor.user_id is not None else None
    if not address or find_own_client(actor) is not None:
        return None
    return _invitation(PortalInvitation.objects.filter(client__email__iexact=address), at)


def _invitation(rows: QuerySet[PortalInvitation], at: datetime) -> InvitationView | None:
    row = rows.filter(accepted_at=None, ended_at=None, until__gt=at).order_by("-id").first()
    if row is None:
        return None
    return InvitationView(row.client_id, row.invited_at, row.invited_by, row.until)
