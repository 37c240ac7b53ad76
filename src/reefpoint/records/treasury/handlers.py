"""What the cash rail does when it hears of something."""

from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.treasury.events import PaymentRequested
from reefpoint.records.treasury.services import clear_approved_break
from reefpoint.records.treasury.services.clearing import APPROVAL_KIND
from reefpoint.records.treasury.services.payments import APPROVAL_KIND as RESOLVE_PAYMENT
from reefpoint.records.treasury.services.payments import resolve_approved, send_payment


def clear_bank_break(stored: StoredEvent) -> None:
    """End a bank break once a second person agreed."""
    event = stored.event
    assert isinstance(event, ApprovalGranted)
    if event.kind == APPROVAL_KIND:
        clear_approved_break(approval_id=event.approval_id, at=event.at)


def send_requested_payment(stored: StoredEvent) -> None:
    """Tell the bank of a payment that was asked for."""
    event = stored.event
    assert isinstance(event, PaymentRequested)
    send_payment(payment_id=event.payment_id, at=event.at)


def resolve_payment(stored: StoredEvent) -> None:
    """End a payment that the bank does not answer, once a second person agreed, in the books that are open."""
    event = stored.event
    assert isinstance(event, ApprovalGranted)
    if event.kind == RESOLVE_PAYMENT:
        resolve_approved(approval_id=event.approval_id, on=current_book_day() or event.at.date(), at=event.at)
