"""From a signed contract to money in the account: a second person's word, pool, account, collateral, loan and bank.

The money is held until the bank confirms. If it does not, the loan is undone, the pool has its money again, and the
account stands open with its collateral and without debt, ready for another attempt.
"""

from dataclasses import asdict
from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.lending import rules
from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.selectors.conditions import require_first_drawdown
from reefpoint.flows.lending.selectors.requests import gather_facts
from reefpoint.flows.lending.services.steps import (
    LENDER,
    agreed_version,
    lock_for,
    lock_request,
    move,
    note,
    require_gates,
    tell,
)
from reefpoint.flows.lending.types import CreditState, FundingFacts
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.opening import book_securities_receipt, open_margin_account
from reefpoint.flows.servicing.services.undoing import undo_drawdown
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval
from reefpoint.platform.access.types import ApprovalState, ApprovalView, Payload
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.execution.services import deliver_securities
from reefpoint.records.execution.types import SecuritiesDelivery
from reefpoint.records.ledger.services import place_hold, release_hold
from reefpoint.records.ledger.types import client_cash
from reefpoint.records.products.types import FeeMoment
from reefpoint.records.treasury.selectors import get_payment, list_pools
from reefpoint.records.treasury.services import request_payment

APPROVAL_KIND = "lending.fund"
SUBJECT_PREFIX = "credit_request:"


class FundingChanged(Refusal):
    """What was to be funded is not what was shown."""

    code = "funding_changed"


class AwaitsSecondPerson(Refusal):
    """A second person has the word on this request."""

    code = "awaits_second_person"


class PoolUnsuitable(Refusal):
    """A pool of another currency, or without the money."""

    code = "pool_unsuitable"


@transaction.atomic
def request_funding(*, actor: Actor, request_id: int, pool_code: str, shown: str, on: date, at: datetime) -> int:
    """Ask a second person to let money move, for exactly the facts whose fingerprint was `shown`. Returns the approval.

    Raises `FundingChanged`, `AwaitsSecondPerson`, `PoolUnsuitable`, `SchemeGone`, `ConditionNotMet`, and what the gates
    raise.
    """
    row = lock_for(actor, "lending.fund", request_id)
    rules.CREDIT_STATES.check(CreditState(row.state), CreditState.APPROVED_TO_FUND)
    if row.approval_id is not None:
        raise AwaitsSecondPerson("A second person has the word on this funding. Wait, or take the request back.")
    facts = gather_facts(row, pool_code)
    if rules.fingerprint_of(facts) != shown:
        raise FundingChanged("Something has changed since you looked. Nothing was asked; look again.")
    _check_pool(facts)
    require_gates(row, agreed_version(row), on=on, at=at)
    require_first_drawdown(row, on=on, at=at)
    row.approval_id = request_approval(
        actor=actor,
        kind=APPROVAL_KIND,
        subject=f"{SUBJECT_PREFIX}{row.pk}",
        payload=_payload(facts),
        reason=str(Sentence("{number}, attempt {attempt}", {"number": row.number, "attempt": facts.attempt})),
        at=at,
    )
    row.pool_code = pool_code
    note(actor=actor, row=row, action="request_funding", at=at, words=pool_code)
    return row.approval_id


@transaction.atomic
def take_approval(*, approval: ApprovalView, at: datetime) -> None:
    """A second person said yes or no to a funding, or it was taken back. Yes counts for exactly what they saw."""
    row = lock_request(int(approval.subject.removeprefix(SUBJECT_PREFIX)))
    if row.approval_id != approval.id or row.state != CreditState.SIGNED:
        return
    decider = Actor(approval.decided_by or approval.requested_by, approval.decided_by_name or "", frozenset())
    row.approval_id = None
    if approval.state is not ApprovalState.APPROVED:
        note(actor=decider, row=row, action="funding_refused", at=at, words=approval.decision_reason)
        return
    if _payload(gather_facts(row, row.pool_code)) != approval.payload:
        note(actor=LENDER, row=row, action="approval_stale", at=at)
        return
    row.approval_id = approval.id
    move(actor=decider, row=row, new=CreditState.APPROVED_TO_FUND, action="approve_funding", at=at)


def begin_funding(*, request_id: int, on: date, at: datetime) -> None:
    """Do all that comes before the bank, in one transaction; a refusal leaves nothing of it, and says why (FAILED)."""
    try:
        with transaction.atomic():
            _begin(request_id, on, at)
    except Refusal as error:
        with transaction.atomic():
            row = lock_request(request_id)
            row.approval_id = None
            row.attempt += 1
            move(
                actor=LENDER,
                row=row,
                new=CreditState.FAILED,
                action="funding_stopped",
                at=at,
                problem=error.message,
            )


def _begin(request_id: int, on: date, at: datetime) -> None:
    row = lock_request(request_id)
    if row.state != CreditState.APPROVED_TO_FUND:
        return
    version = agreed_version(row)
    require_gates(row, version, on=on, at=at)
    row.attempt += 1
    key = f"credit_request:{row.pk}:{row.attempt}"
    if row.account_id is None:
        row.account_id = open_margin_account(
            actor=LENDER,
            client_id=row.client_id,
            scheme_code=row.scheme_code,
            pool_code=row.pool_code,
            commitment_minor=row.amount_minor,
            on=on,
            at=at,
            scheme_version_id=version.id,
            decision_id=row.decision_id,
        )
        _receive_collateral(row, on, at)
    loan_id = draw_down(
        actor=LENDER,
        account_id=row.account_id,
        amount_minor=row.amount_minor,
        key=key,
        on=on,
        at=at,
        rate_bp=row.rate_bp,
        tenor_days=row.tenor_days,
    )
    number = account_numbers([row.account_id])[row.account_id]
    row.loan_id = loan_id
    row.held_minor = row.amount_minor - version.terms.charges_minor(FeeMoment.DRAWDOWN, row.amount_minor)
    place_hold(
        actor=LENDER,
        code=client_cash(number),
        amount_minor=row.held_minor,
        key=key,
        at=at,
        reason=str(Sentence("{number}: until the bank confirms", {"number": row.number})),
    )
    row.payment_id = request_payment(
        actor=LENDER,
        key=key,
        subject=f"{SUBJECT_PREFIX}{row.pk}",
        pool_code=row.pool_code,
        account_id=row.account_id,
        amount_minor=row.amount_minor,
        text=f"{row.number} {number}",
        on=on,
        at=at,
    )
    move(actor=LENDER, row=row, new=CreditState.FUNDING, action="begin_funding", at=at)


def _receive_collateral(row: CreditRequest, on: date, at: datetime) -> None:
    """The client's shares arrive at the broker free of payment, and are booked on the new account."""
    lots = list(row.lots.order_by("id").values_list("instrument_id", "instrument__symbol", "quantity"))
    deliver_securities(
        deliveries=[SecuritiesDelivery(f"{row.number}-{symbol}", symbol, quantity) for _, symbol, quantity in lots],
        on=on,
    )
    assert row.account_id is not None
    book_securities_receipt(
        actor=LENDER,
        account_id=row.account_id,
        lots=[(instrument_id, quantity) for instrument_id, _, quantity in lots],
        reference=row.number,
        on=on,
        at=at,
    )


@transaction.atomic
def finish_funding(*, request_id: int, payment_id: int, at: datetime) -> None:
    """The bank moved the money: it is the client's to use. Once; a payment of another attempt changes nothing."""
    row = lock_request(request_id)
    if row.state != CreditState.FUNDING or row.payment_id != payment_id:
        return
    release_hold(actor=LENDER, key=_key(row), at=at)
    move(actor=LENDER, row=row, new=CreditState.FUNDED, action="fund", at=at)
    assert row.account_id is not None
    tell(actor=LENDER, row=row, letter="funded", at=at, words=account_numbers([row.account_id])[row.account_id])


@transaction.atomic
def undo_funding(*, request_id: int, payment_id: int, reason: str, on: date, at: datetime) -> None:
    """The bank did not move the money: the loan is undone, and the request can be tried again. Once, as above."""
    row = lock_request(request_id)
    if row.state != CreditState.FUNDING or row.payment_id != payment_id:
        return
    assert row.loan_id is not None
    assert row.held_minor is not None
    release_hold(actor=LENDER, key=_key(row), at=at)
    undo_drawdown(
        actor=LENDER,
        loan_id=row.loan_id,
        fee_minor=row.amount_minor - row.held_minor,
        reason=str(
            Sentence(
                "{reference} was rejected: {reason}", {"reference": get_payment(payment_id).reference, "reason": reason}
            )
        ),
        on=on,
        at=at,
    )
    row.loan_id = row.payment_id = row.held_minor = row.approval_id = None
    move(
        actor=LENDER,
        row=row,
        new=CreditState.FAILED,
        action="funding_failed",
        at=at,
        problem=str(
            Sentence("The bank did not pay: {reason}", {"reason": reason})
            if reason
            else Sentence("The bank did not pay.")
        ),
    )
    tell(actor=LENDER, row=row, letter="failed", at=at)


@transaction.atomic
def retry_funding(*, actor: Actor, request_id: int, on: date, at: datetime) -> None:
    """Let a request whose money did not come be funded again; a second person is asked anew."""
    row = lock_for(actor, "lending.fund", request_id)
    rules.CREDIT_STATES.check(CreditState(row.state), CreditState.SIGNED)
    require_gates(row, agreed_version(row), on=on, at=at)
    move(actor=actor, row=row, new=CreditState.SIGNED, action="retry_funding", at=at)


def follow_approval(*, approval_id: int, at: datetime) -> None:
    """Follow an approval of a funding that was decided or taken back."""
    approval = get_approval(approval_id)
    if approval.kind == APPROVAL_KIND:
        take_approval(approval=approval, at=at)


def _key(row: CreditRequest) -> str:
    return f"credit_request:{row.pk}:{row.attempt}"


def _payload(facts: FundingFacts) -> Payload:
    return {**asdict(facts), "collateral": list(facts.collateral)}


def _check_pool(facts: FundingFacts) -> None:
    pool = next((one for one in list_pools() if one.code == facts.pool_code), None)
    if pool is None or pool.currency != facts.currency or pool.available_minor < facts.amount_minor:
        raise PoolUnsuitable(
            "Pool {pool_code} cannot lend as much in {currency} now. Choose another one.",
            pool_code=facts.pool_code,
            currency=facts.currency,
        )
