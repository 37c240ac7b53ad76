"""What follows for scoring from events of others. Clients who were scored are scored again by the schedule."""

from typing import cast

from reefpoint.decisions.scoring.services.erasing import erase_features
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.parties.events import ClientErased


def erase_client_features(stored: StoredEvent) -> None:
    """Erase what scoring holds of a client whom no law keeps."""
    event = cast(ClientErased, stored.event)
    erase_features(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
