"""What follows for market records from events of others."""

from typing import cast

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.market.services.listings import RECORD, record_approved_listings
from reefpoint.records.market.services.register import CHANGE, record_approved_instruments


def take_approved_listings(stored: StoredEvent) -> None:
    """A second person approved changes of listings: put exactly those on record."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind == RECORD:
        record_approved_listings(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)


def take_approved_instruments(stored: StoredEvent) -> None:
    """A second person approved names or changes of them: put exactly those on record."""
    event = cast(ApprovalGranted, stored.event)
    if event.kind == CHANGE:
        record_approved_instruments(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)
