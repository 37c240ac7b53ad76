"""What follows for prices from events of others."""

from typing import cast

from reefpoint.decisions.pricing.selectors.grid import GRID
from reefpoint.decisions.pricing.services import follow_exception, tell_approved_rates
from reefpoint.decisions.pricing.services.erasing import erase_prices
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.publications.services import publish_approved
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.parties.events import ClientErased


def publish_approved_grid(stored: StoredEvent) -> None:
    """A second person approved a price grid: publish it."""
    event = cast(ApprovalGranted, stored.event)
    publish_approved(actor=system_actor("worker"), kind=GRID, approval_id=event.approval_id, at=event.at)


def follow_price_exception(stored: StoredEvent) -> None:
    """A second person spoke on another price: the quote has it, or not."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    follow_exception(actor=system_actor("worker"), approval_id=event.approval_id, at=event.at)


def tell_new_rates(stored: StoredEvent) -> None:
    """A second person approved new rates: their clients are told."""
    event = cast(ApprovalGranted, stored.event)
    on = current_book_day() or event.at.date()
    tell_approved_rates(actor=system_actor("worker"), approval_id=event.approval_id, on=on, at=event.at)


def erase_client_prices(stored: StoredEvent) -> None:
    """Erase what no law keeps of the prices told to a client."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_prices(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
