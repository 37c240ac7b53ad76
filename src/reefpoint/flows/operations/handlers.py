"""What operations do when told."""

from reefpoint.flows.operations.jobs import run_asked_job, run_import_job
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.imports.events import FileReceived
from reefpoint.platform.notifications.services import erase_notices
from reefpoint.platform.runs.events import RunAsked
from reefpoint.records.parties.events import ClientErased


def start_import(stored: StoredEvent) -> None:
    """A file was handed in: a job reads it, one runner at a time."""
    event = stored.event
    assert isinstance(event, FileReceived)
    run_import_job.configure(lock=f"import:{event.import_id}").defer(import_id=event.import_id)


def start_run(stored: StoredEvent) -> None:
    """Long work was asked for: a job does it, one runner at a time."""
    event = stored.event
    assert isinstance(event, RunAsked)
    run_asked_job.configure(lock=f"run:{event.run_id}").defer(run_id=event.run_id)


def erase_client_notices(stored: StoredEvent) -> None:
    """Blank the notices to a client whom no law keeps."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_notices(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
