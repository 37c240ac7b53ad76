"""What screening does when it hears of something."""

from reefpoint.decisions.screening.events import ListLoaded, ListReceived
from reefpoint.decisions.screening.jobs import SCREENING, load_list_job, rescreen_job
from reefpoint.decisions.screening.services.clients import screen_client
from reefpoint.decisions.screening.services.erasing import erase_screened
from reefpoint.decisions.screening.services.hits import follow_decision
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.parties.events import ClientErased, ProfileChanged

SCREENED_FIELDS = frozenset(
    {"name", "name_zh", "former_names", "birth_or_incorporated_on", "nationality", "residence", "related_persons"}
)
"""What of a profile is held against lists; a change of anything else changes no answer."""


def screen_changed_client(stored: StoredEvent) -> None:
    """Screen a client whose names, birth, countries or people changed."""
    event = stored.event
    assert isinstance(event, ProfileChanged)
    if event.version == 1 or not SCREENED_FIELDS.isdisjoint(event.changed):
        screen_client(actor=SCREENING, client_id=event.client_id, at=event.at)


def read_received_list(stored: StoredEvent) -> None:
    """Have the worker read a file that was taken in; one that was read meanwhile is left alone."""
    event = stored.event
    assert isinstance(event, ListReceived)
    load_list_job.defer(version_id=event.version_id, at=event.at.isoformat())


def rescreen_after_load(stored: StoredEvent) -> None:
    """Have the worker hold all clients against what changed in a list."""
    event = stored.event
    assert isinstance(event, ListLoaded)
    rescreen_job.defer(version_id=event.version_id, at=event.at.isoformat())


def follow_hit_decision(stored: StoredEvent) -> None:
    """Do what two people agreed on about a hit."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    follow_decision(approval_id=event.approval_id, at=event.at)


def erase_client_names(stored: StoredEvent) -> None:
    """Erase the names and words on a client whom no law keeps."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_screened(actor=SCREENING, client_id=event.client_id, kept=event.kept, at=event.at)
