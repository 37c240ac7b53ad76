"""What the groups do when told."""

from reefpoint.decisions.relations.services import erase_values, regroup_client
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.parties.events import ClientErased, ProfileChanged, TraitRecorded, TraitsErased

WORKER = system_actor("worker")


def regroup_changed_client(stored: StoredEvent) -> None:
    """A client has something new or no longer: who belongs with whom may have changed."""
    event = stored.event
    assert isinstance(event, ProfileChanged | TraitRecorded | TraitsErased)
    regroup_client(actor=WORKER, client_id=event.client_id, at=event.at)


def erase_client_values(stored: StoredEvent) -> None:
    """Forget the digests of what an erased client had."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_values(actor=WORKER, client_id=event.client_id, kept=event.kept, at=event.at)
