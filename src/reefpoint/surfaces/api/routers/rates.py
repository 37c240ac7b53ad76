"""Rates between currencies, version by version."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from ninja import Query, Schema, Status
from pydantic import Field

from reefpoint.platform.access.services import require
from reefpoint.records.market.selectors.fx import list_fx, list_held_fx
from reefpoint.records.market.services.fx import confirm_held_fx, discard_held_fx, record_fx
from reefpoint.records.market.types import FxView, HeldFxView, HeldState
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Made, answers, now, router

rates = router("rates")
Code = Annotated[str, Field(pattern="^[A-Z]{3}$")]


class RatesIn(In):
    """One version: money of `base` for one unit of each currency. What it leaves out has no rate from now on."""

    source: Annotated[str, Field(min_length=1, max_length=80)]
    key: Annotated[str, Field(min_length=1, max_length=200)]
    base: Code
    rates: Annotated[dict[Code, Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=8)]], Field(min_length=1)]
    on: date


@rates.get("", response=answers(list[FxView]))
def list_rates(request: Caller, limit: Annotated[Limit, Query()] = 20) -> list[FxView]:
    """Versions of the rates, newest first; the first is what accounts are valued at. Right: prices.view."""
    require(request.auth, "prices.view")
    return list_fx(limit)


class RatesHeld(Schema):
    """A version that moved too far: it counts for nothing until a second person confirms it under `held_id`."""

    held_id: int


class RatesDecisionIn(In):
    """Whether held rates are believed, and why."""

    decision: Literal["confirm", "discard"]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@rates.post("", response={**answers(Made, 201), 202: RatesHeld})
def record(request: Caller, version: RatesIn) -> Status[Made] | Status[RatesHeld]:
    """Record a version of the rates; whoever holds names abroad is valued anew at once. The same key is one version.

    Answers 202 for a version with a move of 25% or more since the last one: it waits for a second person.
    """
    made = record_fx(actor=request.auth, at=now(), **version.dict())
    if made.version_id is not None:
        return Status(201, Made(id=made.version_id))
    assert made.held_id is not None, "what does not count is held"
    return Status(202, RatesHeld(held_id=made.held_id))


@rates.get("/held", response=answers(list[HeldFxView]))
def list_held_rates(request: Caller, state: HeldState | None = HeldState.HELD) -> list[HeldFxView]:
    """Versions that were held, newest first, each rate beside the last one that counted. Right: prices.view."""
    require(request.auth, "prices.view")
    return list_held_fx(state)


@rates.post("/held/{held_id}/decision", response={**answers(Made, 201), 204: None})
def decide_held_rates(request: Caller, held_id: Id, given: RatesDecisionIn) -> Status[Made] | Status[None]:
    """Confirm held rates, as another person than who brought them, or discard them. Right: prices.confirm."""
    if given.decision == "confirm":
        made = confirm_held_fx(actor=request.auth, held_id=held_id, reason=given.reason, at=now())
        return Status(201, Made(id=made))
    discard_held_fx(actor=request.auth, held_id=held_id, reason=given.reason, at=now())
    return Status(204, None)
