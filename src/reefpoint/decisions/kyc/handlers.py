"""What follows for KYC from events of others."""

from typing import cast

from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.kyc.services import erase_notes, reassess_after_change, reassess_after_screening
from reefpoint.decisions.screening.events import HitRaised, HitResolved
from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.publications.services import publish_approved
from reefpoint.records.parties.events import ClientErased, ProfileChanged


def reassess_changed_client(stored: StoredEvent) -> None:
    """A client's profile changed: rate the client again, so that the next review moves."""
    event = cast(ProfileChanged, stored.event)
    reassess_after_change(
        actor=system_actor("kyc"), client_id=event.client_id, version=event.version, on=event.at.date(), at=event.at
    )


def reassess_screened_client(stored: StoredEvent) -> None:
    """A hit was raised or resolved: rate the client again, so that the next review moves."""
    event = stored.event
    assert isinstance(event, HitRaised | HitResolved)
    actor = system_actor("kyc")
    reassess_after_screening(actor=actor, client_id=event.client_id, on=event.at.date(), at=event.at)


def publish_approved_rating(stored: StoredEvent) -> None:
    """A second person approved a rating table: publish it."""
    event = cast(ApprovalGranted, stored.event)
    publish_approved(actor=system_actor("worker"), kind=RATING, approval_id=event.approval_id, at=event.at)


def erase_client_notes(stored: StoredEvent) -> None:
    """Blank the words on a client whom no law keeps."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_notes(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
