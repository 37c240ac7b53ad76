"""What the credit flow does when told."""

from reefpoint.flows.lending.events import CreditMoved
from reefpoint.flows.lending.services.funding import (
    SUBJECT_PREFIX,
    begin_funding,
    finish_funding,
    follow_approval,
    undo_funding,
)
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.treasury.events import PaymentConfirmed, PaymentRejected


def follow_funding_approval(stored: StoredEvent) -> None:
    """A second person decided on a funding, or it was taken back."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    follow_approval(approval_id=event.approval_id, at=event.at)


def fund_approved(stored: StoredEvent) -> None:
    """An approved request is funded, in the books that are open."""
    event = stored.event
    assert isinstance(event, CreditMoved)
    if event.new == CreditState.APPROVED_TO_FUND:
        on = current_book_day() or event.at.date()
        begin_funding(request_id=event.request_id, on=on, at=event.at)


def follow_payment(stored: StoredEvent) -> None:
    """The bank's answer ends a funding."""
    event = stored.event
    assert isinstance(event, PaymentConfirmed | PaymentRejected)
    if not event.subject.startswith(SUBJECT_PREFIX):
        return
    request_id = int(event.subject.removeprefix(SUBJECT_PREFIX))
    if isinstance(event, PaymentConfirmed):
        finish_funding(request_id=request_id, payment_id=event.payment_id, at=event.at)
    else:
        undo_funding(
            request_id=request_id,
            payment_id=event.payment_id,
            reason=event.reason,
            on=current_book_day() or event.at.date(),
            at=event.at,
        )
