"""Requests for credit, by their client or by staff, and the payments that fund them."""

from typing import Annotated, Literal

from ninja import Status
from pydantic import Field

from reefpoint.flows.lending.rules import LOTS_MAX, fingerprint_of
from reefpoint.flows.lending.selectors.conditions import list_request_conditions
from reefpoint.flows.lending.selectors.defaults import list_defaults
from reefpoint.flows.lending.selectors.renewals import (
    check_renewal,
    find_maturing,
    get_renewal,
    list_own_loans,
    list_renewals,
)
from reefpoint.flows.lending.selectors.requests import (
    find_requests,
    funding_facts,
    get_request,
    list_own_requests,
    list_steps,
)
from reefpoint.flows.lending.services.deciding import decide_request
from reefpoint.flows.lending.services.defaults import propose_default, withdraw_default
from reefpoint.flows.lending.services.funding import request_funding, retry_funding
from reefpoint.flows.lending.services.offering import accept_offer, add_collateral, make_offer, renew_offer
from reefpoint.flows.lending.services.renewals import (
    accept_renewal,
    ask_renewal,
    decline_renewal,
    offer_renewal,
    withdraw_renewal,
)
from reefpoint.flows.lending.services.requests import begin_request, submit_request, withdraw_request
from reefpoint.flows.lending.types import (
    CreditRequestView,
    CreditState,
    CreditStepView,
    DefaultView,
    MaturingLoan,
    RenewalEligibility,
    RenewalView,
)
from reefpoint.platform.access.services import require
from reefpoint.records.treasury.selectors import find_payments, get_payment
from reefpoint.records.treasury.types import PaymentState, PaymentView
from reefpoint.surfaces.api.base import (
    ID_MAX,
    Caller,
    Id,
    In,
    Limit,
    Listed,
    Made,
    Offset,
    SafeText,
    answers,
    now,
    router,
    today,
)
from reefpoint.surfaces.api.routers.credit import ConditionStandingOut, standing_out

lending = router("lending")

Minor = Annotated[int, Field(ge=1, le=10**13, description="Minor units.")]


class PledgedLot(In):
    """Shares that will come in as collateral."""

    instrument_id: Annotated[int, Field(ge=1, le=ID_MAX)]
    quantity: Annotated[int, Field(ge=1, le=10**9)]


class CreditRequestIn(In):
    """What a client asks for."""

    client_id: Annotated[int, Field(ge=1, le=ID_MAX)]
    scheme_code: Annotated[SafeText, Field(min_length=1, max_length=40)]
    amount_minor: Minor
    tenor_days: Annotated[int, Field(ge=1, le=3660)]
    lots: Annotated[list[PledgedLot], Field(min_length=1, max_length=LOTS_MAX)]


class MoreCollateral(In):
    """Shares that come in beside those that were decided on."""

    lots: Annotated[list[PledgedLot], Field(min_length=1, max_length=LOTS_MAX)]


class OfferAccepted(In):
    """The price that was shown: the quote, and its rate in basis points."""

    quote_id: Annotated[int, Field(ge=1, le=ID_MAX)]
    rate_bp: Annotated[int, Field(ge=0, le=10**6)]


class FundingAsk(In):
    """From which pool, and the fingerprint of the facts that were shown (`GET .../funding`)."""

    pool_code: Annotated[SafeText, Field(min_length=1, max_length=32)]
    shown: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class FundingShown(In):
    """What a second person would be asked to approve."""

    fingerprint: str
    amount_minor: int
    currency: str
    rate_bp: int
    tenor_days: int
    pool_code: str
    collateral: list[str]


class RequestWithdrawal(In):
    """Why a request is taken back."""

    reason: Annotated[SafeText, Field(max_length=200)] = ""


@lending.get("/requests", response=answers(Listed[CreditRequestView]))
def list_credit_requests(
    request: Caller, state: CreditState | None = None, offset: Offset = 0, limit: Limit = 50
) -> Listed[CreditRequestView]:
    """Requests for credit in scope, those that wait longest first."""
    found = find_requests(request.auth, state=state.value if state else "", offset=offset, limit=limit, at=now())
    return Listed(items=list(found.rows), count=found.count)


@lending.get("/own", response=answers(list[CreditRequestView]))
def list_own(request: Caller) -> list[CreditRequestView]:
    """The requests of the client who asks, newest first."""
    require(request.auth, "portal.borrow")
    return list_own_requests(request.auth, at=now())


@lending.post("/requests", response=answers(Made, 201))
def begin_credit(request: Caller, ask: CreditRequestIn) -> Status[Made]:
    """Begin an ask for credit. Nothing is decided before it is handed in."""
    request_id = begin_request(
        actor=request.auth,
        client_id=ask.client_id,
        scheme_code=ask.scheme_code,
        amount_minor=ask.amount_minor,
        tenor_days=ask.tenor_days,
        lots=[(lot.instrument_id, lot.quantity) for lot in ask.lots],
        on=today(),
        at=now(),
    )
    return Status(201, Made(id=request_id))


@lending.get("/requests/{request_id}", response=answers(CreditRequestView))
def get_credit_request(request: Caller, request_id: Id) -> CreditRequestView:
    """One request with what will be pledged and what it waits for."""
    return get_request(request.auth, request_id, at=now())


@lending.get("/requests/{request_id}/steps", response=answers(list[CreditStepView]))
def list_credit_steps(request: Caller, request_id: Id) -> list[CreditStepView]:
    """Every step of a request, for staff."""
    require(request.auth, "lending.view")
    return list_steps(request.auth, request_id)


@lending.post("/requests/{request_id}/submit", response=answers(None, 204))
def submit_credit(request: Caller, request_id: Id) -> Status[None]:
    """Hand an ask in."""
    submit_request(actor=request.auth, request_id=request_id, on=today(), at=now())
    return Status(204, None)


@lending.post("/requests/{request_id}/decide", response=answers(CreditRequestView))
def decide_credit(request: Caller, request_id: Id) -> CreditRequestView:
    """Build features, score, and put the ask to the policy."""
    decide_request(actor=request.auth, request_id=request_id, on=today(), at=now())
    return get_request(request.auth, request_id, at=now())


@lending.post("/requests/{request_id}/offer", response=answers(Made, 201))
def offer_credit(request: Caller, request_id: Id) -> Status[Made]:
    """Price an approved ask and offer it. The answer has the quote's id."""
    return Status(201, Made(id=make_offer(actor=request.auth, request_id=request_id, on=today(), at=now())))


@lending.post("/requests/{request_id}/renew-offer", response=answers(Made, 201))
def renew_credit_offer(request: Caller, request_id: Id) -> Status[Made]:
    """Offer anew what ran out. The answer has the new quote's id."""
    return Status(201, Made(id=renew_offer(actor=request.auth, request_id=request_id, on=today(), at=now())))


@lending.post("/requests/{request_id}/accept", response=answers(Made, 201))
def accept_credit(request: Caller, request_id: Id, accepted: OfferAccepted) -> Status[Made]:
    """Say yes to exactly the price that was shown. The answer has the contract's id."""
    contract_id = accept_offer(
        actor=request.auth,
        request_id=request_id,
        quote_id=accepted.quote_id,
        rate_bp=accepted.rate_bp,
        on=today(),
        at=now(),
    )
    return Status(201, Made(id=contract_id))


@lending.get("/requests/{request_id}/funding", response=answers(FundingShown))
def show_funding(request: Caller, request_id: Id, pool_code: Annotated[str, Field(max_length=32)]) -> FundingShown:
    """What a second person would be asked to approve, and its fingerprint."""
    require(request.auth, "lending.fund")
    facts = funding_facts(request.auth, request_id, pool_code)
    return FundingShown(
        fingerprint=fingerprint_of(facts),
        amount_minor=facts.amount_minor,
        currency=facts.currency,
        rate_bp=facts.rate_bp,
        tenor_days=facts.tenor_days,
        pool_code=facts.pool_code,
        collateral=list(facts.collateral),
    )


@lending.post("/requests/{request_id}/funding", response=answers(Made, 201))
def ask_for_funding(request: Caller, request_id: Id, ask: FundingAsk) -> Status[Made]:
    """Ask a second person to let money move. The answer has the approval's id."""
    approval_id = request_funding(
        actor=request.auth,
        request_id=request_id,
        pool_code=ask.pool_code,
        shown=ask.shown,
        on=today(),
        at=now(),
    )
    return Status(201, Made(id=approval_id))


@lending.post("/requests/{request_id}/retry", response=answers(None, 204))
def retry_credit(request: Caller, request_id: Id) -> Status[None]:
    """Let a request whose money did not come be funded again."""
    retry_funding(actor=request.auth, request_id=request_id, on=today(), at=now())
    return Status(204, None)


@lending.get("/requests/{request_id}/conditions", response=answers(list[ConditionStandingOut]))
def list_conditions_of_request(request: Caller, request_id: Id) -> list[ConditionStandingOut]:
    """What the credit is bound to, met or not yet: by the account once there is one, else by what will come in."""
    found = list_request_conditions(request.auth, request_id, on=today(), at=now())
    return [standing_out(one) for one in found]


@lending.post("/requests/{request_id}/collateral", response=answers(CreditRequestView))
def add_shares(request: Caller, request_id: Id, more: MoreCollateral) -> CreditRequestView:
    """Bring in more shares than were decided on, as a condition may ask. An offer is made anew."""
    lots = [(lot.instrument_id, lot.quantity) for lot in more.lots]
    add_collateral(actor=request.auth, request_id=request_id, lots=lots, on=today(), at=now())
    return get_request(request.auth, request_id, at=now())


@lending.post("/requests/{request_id}/withdraw", response=answers(None, 204))
def withdraw_credit(request: Caller, request_id: Id, withdrawal: RequestWithdrawal) -> Status[None]:
    """Take a request back."""
    withdraw_request(actor=request.auth, request_id=request_id, reason=withdrawal.reason, at=now())
    return Status(204, None)


class FurtherTerm(In):
    """A further term in days, from the maturity on. Its price is the grid's, or an exception of the quote."""

    tenor_days: Annotated[int, Field(ge=1, le=3660)]


@lending.get("/loans/maturing", response=answers(Listed[MaturingLoan]))
def list_maturing_loans(
    request: Caller,
    when: Literal["", "past", "near", "soon"] = "",
    renewal: Literal["", "none", "asked", "offered", "accepted", "signed"] = "",
    text: SafeText = "",
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[MaturingLoan]:
    """Open loans in scope within a month of their maturity or past it, earliest first, with their newest renewal."""
    found = find_maturing(request.auth, on=today(), when=when, renewal=renewal, text=text, offset=offset, limit=limit)
    return Listed(items=list(found.rows), count=found.count)


@lending.get("/own/loans", response=answers(list[MaturingLoan]))
def list_loans_of_own(request: Caller) -> list[MaturingLoan]:
    """The open loans of the client who asks, earliest maturity first."""
    require(request.auth, "portal.borrow")
    return list_own_loans(request.auth, on=today())


@lending.get("/loans/{loan_id}/renewal", response=answers(RenewalEligibility))
def check_loan_renewal(request: Caller, loan_id: Id) -> RenewalEligibility:
    """Whether a loan can be renewed now, and what stands against it."""
    return check_renewal(request.auth, loan_id, on=today(), at=now())


@lending.get("/loans/{loan_id}/renewals", response=answers(list[RenewalView]))
def list_loan_renewals(request: Caller, loan_id: Id) -> list[RenewalView]:
    """Every renewal of a loan, newest first."""
    return list_renewals(request.auth, loan_id)


@lending.post("/loans/{loan_id}/renewal", response=answers(Made, 201))
def offer_loan_renewal(request: Caller, loan_id: Id, term: FurtherTerm) -> Status[Made]:
    """Price a further term for a loan and offer it to its client."""
    renewal_id = offer_renewal(actor=request.auth, loan_id=loan_id, tenor_days=term.tenor_days, on=today(), at=now())
    return Status(201, Made(id=renewal_id))


@lending.post("/loans/{loan_id}/renewal-request", response=answers(Made, 201))
def ask_for_loan_renewal(request: Caller, loan_id: Id, term: FurtherTerm) -> Status[Made]:
    """Ask for a further term, as the loan's client or for them. The desk prices it next; nothing is promised."""
    renewal_id = ask_renewal(actor=request.auth, loan_id=loan_id, tenor_days=term.tenor_days, on=today(), at=now())
    return Status(201, Made(id=renewal_id))


@lending.get("/renewals/{renewal_id}", response=answers(RenewalView))
def read_renewal(request: Caller, renewal_id: Id) -> RenewalView:
    """One renewal."""
    return get_renewal(request.auth, renewal_id)


@lending.post("/renewals/{renewal_id}/accept", response=answers(Made, 201))
def accept_loan_renewal(request: Caller, renewal_id: Id, accepted: OfferAccepted) -> Status[Made]:
    """Say yes to exactly the price that was shown. The answer has the id of the agreement, which both sign."""
    contract_id = accept_renewal(
        actor=request.auth,
        renewal_id=renewal_id,
        quote_id=accepted.quote_id,
        rate_bp=accepted.rate_bp,
        on=today(),
        at=now(),
    )
    return Status(201, Made(id=contract_id))


@lending.post("/renewals/{renewal_id}/decline", response=answers(None, 204))
def decline_loan_renewal(request: Caller, renewal_id: Id) -> Status[None]:
    """Turn a renewal down."""
    decline_renewal(actor=request.auth, renewal_id=renewal_id, at=now())
    return Status(204, None)


@lending.post("/renewals/{renewal_id}/withdraw", response=answers(None, 204))
def withdraw_loan_renewal(request: Caller, renewal_id: Id, withdrawal: RequestWithdrawal) -> Status[None]:
    """Take a renewal back before both have signed, with a reason."""
    withdraw_renewal(actor=request.auth, renewal_id=renewal_id, reason=withdrawal.reason, at=now())
    return Status(204, None)


class DefaultReason(In):
    """Why collateral is to be sold for a late loan, or why not."""

    reason: Annotated[SafeText, Field(min_length=1, max_length=300)]


@lending.get("/loans/{loan_id}/defaults", response=answers(list[DefaultView]))
def list_loan_defaults(request: Caller, loan_id: Id) -> list[DefaultView]:
    """Every default of a loan, newest first: the day from which is sold, and what a sale waits for."""
    return list_defaults(request.auth, loan_id)


@lending.post("/loans/{loan_id}/defaults", response=answers(Made, 201))
def propose_loan_default(request: Caller, loan_id: Id, why: DefaultReason) -> Status[Made]:
    """Ask a second person to let collateral be sold for a late loan."""
    default_id = propose_default(actor=request.auth, loan_id=loan_id, reason=why.reason, on=today(), at=now())
    return Status(201, Made(id=default_id))


@lending.post("/defaults/{default_id}/withdraw", response=answers(None, 204))
def withdraw_loan_default(request: Caller, default_id: Id, why: DefaultReason) -> Status[None]:
    """Take a default back before its sale is opened. A client who was told is told of this, too."""
    withdraw_default(actor=request.auth, default_id=default_id, reason=why.reason, at=now())
    return Status(204, None)


@lending.get("/payments", response=answers(Listed[PaymentView]))
def list_payments(
    request: Caller, state: PaymentState | None = None, offset: Offset = 0, limit: Limit = 50
) -> Listed[PaymentView]:
    """Payments, newest first."""
    found = find_payments(request.auth, state=state.value if state else "", offset=offset, limit=limit)
    return Listed(items=list(found.rows), count=found.count)


@lending.get("/payments/{payment_id}", response=answers(PaymentView))
def read_payment(request: Caller, payment_id: Id) -> PaymentView:
    """One payment with its steps."""
    require(request.auth, "treasury.view")
    return get_payment(payment_id)
