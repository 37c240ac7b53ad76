"""Pools of funds: what they may lend, what they cost, and whose money they are."""

from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.platform.access.services import require
from reefpoint.records.treasury.selectors import get_pool, list_pools
from reefpoint.records.treasury.services import change_pool, name_pool_origin, open_pool
from reefpoint.records.treasury.types import PoolOrigin, PoolView
from reefpoint.surfaces.api.base import Caller, In, answers, now, router

pools = router("pools")
PoolCode = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{1,31}$")]
PoolName = Annotated[str, Field(min_length=1, max_length=120)]
Limit = Annotated[int, Field(ge=1, le=10**15, description="Minor units.")]
Cost = Annotated[int, Field(ge=0, le=10_000, description="Basis points a year owed to funders.")]


class PoolIn(In):
    """A pool to be opened. Until its origin is said with evidence it lends nothing under mainland rules."""

    code: PoolCode
    name: PoolName
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    committed_minor: Limit
    cost_bp: Cost


class PoolTermsIn(In):
    """A pool's terms, whole, and why they change."""

    name: PoolName
    committed_minor: Limit
    cost_bp: Cost
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class PoolOriginIn(In):
    """Whose money a pool is, and what shows it: a resolution, a prospectus, audited accounts."""

    origin: PoolOrigin
    evidence: Annotated[str, Field(min_length=1, max_length=500)]


class PoolOut(Schema):
    """A pool; sums in minor units. `available_minor` is what it can still lend."""

    code: str
    name: str
    currency: str
    committed_minor: int
    lent_minor: int
    available_minor: int
    cost_bp: int
    origin: PoolOrigin


def _out(found: PoolView) -> PoolOut:
    return PoolOut.from_orm(found)


@pools.get("", response=answers(list[PoolOut]))
def list_all(request: Caller) -> list[PoolOut]:
    """All pools, by code. Right: treasury.view."""
    require(request.auth, "treasury.view")
    return [_out(one) for one in list_pools()]


@pools.post("", response=answers(PoolOut, 201))
def open_new(request: Caller, given: PoolIn) -> Status[PoolOut]:
    """Open a pool with its ledger accounts; an equal one already open is left as it is. Right: treasury.open_pool."""
    open_pool(actor=request.auth, at=now(), **given.model_dump())
    return Status(201, _out(get_pool(given.code)))


@pools.get("/{code}", response=answers(PoolOut))
def read(request: Caller, code: PoolCode) -> PoolOut:
    """One pool. Right: treasury.view."""
    require(request.auth, "treasury.view")
    return _out(get_pool(code))


@pools.put("/{code}/terms", response=answers(PoolOut))
def change_terms(request: Caller, code: PoolCode, given: PoolTermsIn) -> PoolOut:
    """Change a pool's name, limit and cost. Right: treasury.open_pool."""
    change_pool(actor=request.auth, pool_code=code, at=now(), **given.model_dump())
    return _out(get_pool(code))


@pools.put("/{code}/origin", response=answers(PoolOut))
def name_origin(request: Caller, code: PoolCode, given: PoolOriginIn) -> PoolOut:
    """Say whose money a pool is. Right: treasury.open_pool."""
    name_pool_origin(actor=request.auth, pool_code=code, origin=given.origin, evidence=given.evidence, at=now())
    return _out(get_pool(code))
