"""Rates between currencies, version by version."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from ninja import Query, Status
from pydantic import Field

from reefpoint.platform.access.services import require
from reefpoint.records.market.selectors.fx import list_fx
from reefpoint.records.market.services.fx import record_fx
from reefpoint.records.market.types import FxView
from reefpoint.surfaces.api.base import Caller, In, Limit, Made, answers, now, router

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


@rates.post("", response=answers(Made, 201))
def record(request: Caller, version: RatesIn) -> Status[Made]:
    """Record a version of the rates; whoever holds names abroad is valued anew at once. The same key is one version."""
    return Status(201, Made(id=record_fx(actor=request.auth, at=now(), **version.dict())))
