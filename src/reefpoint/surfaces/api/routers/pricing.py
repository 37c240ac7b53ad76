"""Quotes, asking for another price, and new rates for loans."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from ninja import Query, Schema, Status
from pydantic import Field

from reefpoint.decisions.pricing.selectors import find_quotes, list_proposals, read_quote
from reefpoint.decisions.pricing.services import cancel_proposal, quote, request_exception, request_rates
from reefpoint.decisions.pricing.types import ProposalState, QuoteView
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

pricing = router("pricing")
Row = Annotated[int, Field(ge=1, le=ID_MAX)]


class PriceLotIn(In):
    """Shares that are or would be pledged."""

    instrument_id: Row
    quantity: Annotated[int, Field(ge=1, le=10**12)]


class QuoteOrder(StrEnum):
    """What quotes may be put in order by."""

    OLDEST = "id"
    NEWEST = "-id"
    CLIENT = "client_number"
    CLIENT_LAST = "-client_number"
    SCHEME = "scheme_code"
    SCHEME_LAST = "-scheme_code"
    SMALLEST = "amount_minor"
    LARGEST = "-amount_minor"
    CHEAPEST = "rate_bp"
    DEAREST = "-rate_bp"
    ENDS_FIRST = "valid_until"
    ENDS_LAST = "-valid_until"


class QuoteIn(In):
    """What is to be priced. The same key is the same quote; a grade or segment left out counts as not known."""

    key: Annotated[str, Field(min_length=1, max_length=100)]
    client_id: Row
    scheme_version_id: Row
    amount_minor: Annotated[int, Field(ge=1, le=10**15)]
    tenor_days: Annotated[int, Field(ge=1, le=10_000)]
    grade: Annotated[str, Field(pattern="^[A-E]$")] | None = None
    segment: Annotated[str, Field(pattern="^(institution|professional|retail)$")] | None = None
    portfolio: Annotated[tuple[PriceLotIn, ...], Field(max_length=500)] = ()


class ExceptionIn(In):
    """Another rate in basis points, and why."""

    rate_bp: Annotated[int, Field(ge=0, le=10_000)]
    reason: Annotated[str, Field(max_length=500)]


class RatePartOut(Schema):
    """One part of a rate, in basis points and words of both languages."""

    code: str
    bp: int
    words: str
    words_zh: str
    source: str


class QuoteOut(Schema):
    """A quote. The parts add up to the rate."""

    id: int
    client_id: int
    scheme_code: str
    scheme_version_id: int
    amount_minor: int
    currency: str
    tenor_days: int
    rate_bp: int
    listed_bp: int
    parts: list[RatePartOut]
    floor_bp: int
    cap_bp: int
    grid_version: int
    valid_until: datetime


class QuoteRowOut(Schema):
    """A quote in a list. `exception` is the state of a request for another price, or empty."""

    id: int
    client_id: int
    client_number: str
    scheme_code: str
    amount_minor: int
    currency: str
    tenor_days: int
    rate_bp: int
    listed_bp: int
    exception: str
    quoted_at: datetime
    valid_until: datetime


class RateProposalOut(Schema):
    """A new rate for a loan: told to its client on one day, in force from another."""

    id: int
    loan_id: int
    loan_number: str
    account_id: int
    client_id: int
    currency: str
    principal_minor: int
    old_bp: int
    new_bp: int
    parts: list[RatePartOut]
    proposed_on: date
    effective_on: date
    state: str


class RepricingIn(In):
    """Which loans are repriced, all that may move where none are named, and why."""

    loan_ids: Annotated[tuple[Row, ...], Field(min_length=1, max_length=10_000)] | None = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class RateCancelIn(In):
    """Why a new rate is taken back."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]


def _out(found: QuoteView) -> QuoteOut:
    return QuoteOut.model_validate(found, from_attributes=True)


@pricing.post("/quotes", response=answers(QuoteOut, 201))
def tell_quote(request: Caller, asked: QuoteIn) -> Status[QuoteOut]:
    """Tell a client a price. The same key again answers with the same quote."""
    wanted = {**asked.dict(), "portfolio": [(lot.instrument_id, lot.quantity) for lot in asked.portfolio]}
    return Status(201, _out(quote(actor=request.auth, on=today(), at=now(), **wanted)))


@pricing.get("/quotes", response=answers(Listed[QuoteRowOut]))
def list_quotes(
    request: Caller,
    text: SafeText = "",
    state: Annotated[str, Query(pattern="^(valid|expired|exception|)$")] = "",
    scheme: SafeText = "",
    client_id: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
    order: QuoteOrder = QuoteOrder.NEWEST,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[QuoteRowOut]:
    """Quotes in scope that match, in an order: `-` before a field puts the greatest first."""
    found = find_quotes(
        request.auth,
        text=text,
        state=state,
        scheme=scheme,
        client_id=client_id,
        at=now(),
        order=order.value,
        offset=offset,
        limit=limit,
    )
    rows = [QuoteRowOut.model_validate(row, from_attributes=True) for row in found.rows]
    return Listed(count=found.count, items=rows)


@pricing.get("/new-rates", response=answers(list[RateProposalOut]))
def list_new_rates(
    request: Caller, state: Annotated[ProposalState | None, Query()] = None, limit: Limit = 50
) -> list[RateProposalOut]:
    """New rates for loans of clients in scope, the newest first."""
    found = list_proposals(request.auth, state=state.value if state else "", limit=limit)
    return [RateProposalOut.model_validate(one, from_attributes=True) for one in found]


@pricing.post("/new-rates", response=answers(Made, 201))
def ask_for_new_rates(request: Caller, asked: RepricingIn) -> Status[Made]:
    """Ask a second person for new rates of the loans whose terms allow it; clients are told after the decision. The id
    is the approval's.
    """
    return Status(201, Made(id=request_rates(actor=request.auth, on=today(), at=now(), **asked.dict())))


@pricing.post("/new-rates/{proposal_id}/cancel", response=answers(Made))
def cancel_new_rate(request: Caller, proposal_id: Id, asked: RateCancelIn) -> Made:
    """Take a new rate back before its day; the client is told."""
    cancel_proposal(actor=request.auth, proposal_id=proposal_id, reason=asked.reason, at=now())
    return Made(id=proposal_id)


@pricing.get("/quotes/{quote_id}", response=answers(QuoteOut))
def get_one_quote(request: Caller, quote_id: Id) -> QuoteOut:
    """One quote with its build-up."""
    return _out(read_quote(request.auth, quote_id))


@pricing.post("/quotes/{quote_id}/exception", response=answers(Made, 201))
def ask_exception(request: Caller, quote_id: Id, asked: ExceptionIn) -> Status[Made]:
    """Ask a second person for another price. The id is the approval's."""
    return Status(201, Made(id=request_exception(actor=request.auth, quote_id=quote_id, at=now(), **asked.dict())))
