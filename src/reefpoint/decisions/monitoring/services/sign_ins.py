"""Noting that a client signed in, and on which device."""

from datetime import datetime

from django.db import transaction

from reefpoint.decisions.monitoring.services.activities import device_code, note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.services import record_trait
from reefpoint.records.parties.types import TraitKind


@transaction.atomic
def note_sign_in(*, actor: Actor, device: str, at: datetime) -> bool:
    """Note a client's sign-in on a device, as a trait of the client too. False before there is a client to note it of.

    `device` is a random text that the portal put into that browser; only its blind index is kept.
    """
    require(actor, "portal.apply")
    client = find_own_client(actor)
    if client is None:
        return False
    code = device_code(device)
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.SIGN_IN,
                key=f"sign_in:{client.id}:{code}:{at.isoformat()}",
                client_id=client.id,
                at=at,
                device=code,
            )
        ]
    )
    record_trait(client_id=client.id, kind=TraitKind.DEVICE, value=device, at=at)
    return True
