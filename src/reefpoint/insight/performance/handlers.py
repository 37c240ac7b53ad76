"""What performance does when told."""

from reefpoint.flows.operations.events import DayClosed
from reefpoint.insight.performance.services import record_day
from reefpoint.platform.events.types import StoredEvent


def record_closed_day(stored: StoredEvent) -> None:
    """A business day's books are closed: write its figures."""
    event = stored.event
    assert isinstance(event, DayClosed)
    record_day(on=event.on)
