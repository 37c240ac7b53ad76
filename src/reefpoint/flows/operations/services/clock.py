"""The desk's clock."""

from datetime import datetime

from reefpoint.flows.operations.models import DeskClock


def set_desk_clock(at: datetime) -> None:
    """Let the desk take it to be `at`: a replay moves the clock through the past."""
    DeskClock.objects.update_or_create(id=1, defaults={"at": at})
