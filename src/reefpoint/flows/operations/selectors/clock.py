"""What time the desk takes it to be. The one place that looks at a clock."""

from datetime import UTC, datetime

from reefpoint.flows.operations.models import DeskClock
from reefpoint.flows.operations.types import ClockView
from reefpoint.records.ledger.selectors import current_book_day


def desk_now() -> datetime:
    """The replayed instant while a past market is replayed, else the real time (UTC)."""
    return DeskClock.objects.values_list("at", flat=True).first() or datetime.now(UTC)


def get_clock() -> ClockView:
    """The desk's time and business date."""
    replayed = DeskClock.objects.values_list("at", flat=True).first()
    return ClockView(at=replayed or datetime.now(UTC), business_date=current_book_day(), is_replay=replayed is not None)
