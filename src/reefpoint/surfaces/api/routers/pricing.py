"""Quotes, and asking for another price."""

from datetime import datetime
from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.pricing.selectors import read_quote
from reefpoint.decisions.pricing.services import quote, request_exception
from reefpoint.decisions.pricing.types import QuoteView
from reefpoint.surfaces.api.base import ID_MAX, Caller, Id, In, Made, answers, now, router, today

pricing = router("pricing")
Row = Annotated[int, Field(ge=1, le=ID_MAX)]


class PriceLotIn(In):
    """Shares that are or would be pledged."""

    instrument_id: Row
    quantity: Annotated[int, Field(ge=1, le=10**12)]


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


def _out(found: QuoteView) -> QuoteOut:
    return QuoteOut.model_validate(found, from_attributes=True)


@pricing.post("/quotes", response=answers(QuoteOut, 201))
def tell_quote(request: Caller, asked: QuoteIn) -> Status[QuoteOut]:
    """Tell a client a price. The same key again answers with the same quote."""
    wanted = {**asked.dict(), "portfolio": [(lot.instrument_id, lot.quantity) for lot in asked.portfolio]}
    return Status(201, _out(quote(actor=request.auth, on=today(), at=now(), **wanted)))


@pricing.get("/quotes/{quote_id}", response=answers(QuoteOut))
def get_one_quote(request: Caller, quote_id: Id) -> QuoteOut:
    """One quote with its build-up."""
    return _out(read_quote(request.auth, quote_id))


@pricing.post("/quotes/{quote_id}/exception", response=answers(Made, 201))
def ask_exception(request: Caller, quote_id: Id, asked: ExceptionIn) -> Status[Made]:
    """Ask a second person for another price. The id is the approval's."""
    return Status(201, Made(id=request_exception(actor=request.auth, quote_id=quote_id, at=now(), **asked.dict())))
