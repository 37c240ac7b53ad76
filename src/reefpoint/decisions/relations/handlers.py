"""What the groups do when told."""

from reefpoint.decisions.relations.services import regroup_client
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.parties.events import ProfileChanged, TraitRecorded, TraitsErased

WORKER = system_actor("worker")


def regroup_changed_client(stored: StoredEvent) -> None:
    """A client has something new or no longer: who belongs with whom may have changed."""
    event = stored.event
    assert isinstance(event, ProfileChanged | TraitRecorded | TraitsErased)
    regroup_client(actor=WORKER, client_id=event.client_id, at=event.at)
