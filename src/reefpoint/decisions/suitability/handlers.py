"""What follows for suitability from events of others."""

from typing import cast

from reefpoint.decisions.suitability.selectors import OFFERS, QUESTIONNAIRE
from reefpoint.decisions.suitability.services import erase_notes
from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.publications.services import publish_approved
from reefpoint.records.parties.events import ClientErased


def publish_approved_suitability(stored: StoredEvent) -> None:
    """A second person approved a questionnaire or a table of offers: publish it."""
    event = cast(ApprovalGranted, stored.event)
    for kind in (QUESTIONNAIRE, OFFERS):
        publish_approved(actor=system_actor("worker"), kind=kind, approval_id=event.approval_id, at=event.at)


def erase_client_evidence(stored: StoredEvent) -> None:
    """Blank the words on a client whom no law keeps."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_notes(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
