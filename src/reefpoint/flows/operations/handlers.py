"""What operations do when told."""

from reefpoint.flows.operations.jobs import run_import_job
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.imports.events import FileReceived


def start_import(stored: StoredEvent) -> None:
    """A file was handed in: a job reads it, one runner at a time."""
    event = stored.event
    assert isinstance(event, FileReceived)
    run_import_job.configure(lock=f"import:{event.import_id}").defer(import_id=event.import_id)
