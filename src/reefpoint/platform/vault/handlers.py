"""What follows when a key was turned."""

from contextlib import suppress

from procrastinate.exceptions import AlreadyEnqueued

from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.vault.jobs import reseal


def start_resealing(stored: StoredEvent) -> None:
    """Let the job move sealed rows to the new key; one that waits already will do."""
    with suppress(AlreadyEnqueued):
        reseal.defer()
