"""What the credit flow does when told."""

from reefpoint.decisions.credit.events import CreditDecided
from reefpoint.flows.lending.events import CreditMoved
from reefpoint.flows.lending.services.deciding import follow_decision
from reefpoint.flows.lending.services.defaults import APPROVAL_KIND as DEFAULT_APPROVAL
from reefpoint.flows.lending.services.defaults import follow_default_sale, take_default_approval
from reefpoint.flows.lending.services.erasing import erase_requests
from reefpoint.flows.lending.services.funding import (
    SUBJECT_PREFIX,
    begin_funding,
    finish_funding,
    follow_approval,
    undo_funding,
)
from reefpoint.flows.lending.services.offering import drop_contract, note_client_signature, take_contract
from reefpoint.flows.lending.services.renewals import drop_renewal
from reefpoint.flows.lending.services.withdrawals import follow_withdrawal
from reefpoint.flows.lending.types import CreditState
from reefpoint.flows.liquidation.events import LiquidationEnded
from reefpoint.platform.access.events import ApprovalGranted, ApprovalRejected, ApprovalWithdrawn
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events.types import StoredEvent
from reefpoint.records.contracts.events import ContractEnded, ContractInForce, ContractSignedByClient
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.parties.events import ClientErased
from reefpoint.records.products.events import SchemeVersionWithdrawn
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


def follow_credit_decision(stored: StoredEvent) -> None:
    """A decision on a request's ask was taken."""
    event = stored.event
    assert isinstance(event, CreditDecided)
    follow_decision(event=event)


def follow_scheme_withdrawal(stored: StoredEvent) -> None:
    """A scheme version is offered no longer: whoever stands between ask and money is told."""
    event = stored.event
    assert isinstance(event, SchemeVersionWithdrawn)
    follow_withdrawal(version_id=event.version_id, on=current_book_day() or event.at.date(), at=event.at)


def follow_contract(stored: StoredEvent) -> None:
    """The contract of a request was signed, came into force, or ended before."""
    event = stored.event
    match event:
        case ContractSignedByClient():
            note_client_signature(contract_id=event.contract_id, at=event.at)
        case ContractInForce():
            take_contract(contract_id=event.contract_id, at=event.at)
        case ContractEnded():
            drop_contract(contract_id=event.contract_id, at=event.at)
            drop_renewal(contract_id=event.contract_id, state=event.state, at=event.at)


def follow_default_approval(stored: StoredEvent) -> None:
    """A second person decided on selling for a late loan, or it was taken back."""
    event = stored.event
    assert isinstance(event, ApprovalGranted | ApprovalRejected | ApprovalWithdrawn)
    if event.kind == DEFAULT_APPROVAL:
        on = current_book_day() or event.at.date()
        take_default_approval(approval_id=event.approval_id, on=on, at=event.at)


def follow_liquidation(stored: StoredEvent) -> None:
    """A sale is over; if it was for a late loan, so is its default."""
    event = stored.event
    assert isinstance(event, LiquidationEnded)
    follow_default_sale(liquidation_id=event.liquidation_id, state=event.state, at=event.at)


def erase_client_requests(stored: StoredEvent) -> None:
    """Erase what no law keeps of a client's requests."""
    event = stored.event
    assert isinstance(event, ClientErased)
    erase_requests(actor=system_actor("worker"), client_id=event.client_id, kept=event.kept, at=event.at)
