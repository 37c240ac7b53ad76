"""What is known of listings, and changing it."""

from datetime import date
from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.platform.access.services import require
from reefpoint.records.market.selectors import get_instrument, list_listings
from reefpoint.records.market.selectors.instruments import listing_history
from reefpoint.records.market.services.listings import change_listings
from reefpoint.records.market.types import Board, InstrumentKind, ListingDraft, ListingRecord, ListingView
from reefpoint.surfaces.api.base import Caller, Id, In, answers, now, router

listings = router("listings")
Count = Annotated[int, Field(ge=0, le=10**15)]


class ListingIn(In):
    """Facts of one listing from a day on, whole; null is not known, and for `limit_bp` no limit."""

    effective_on: date
    source: Annotated[str, Field(min_length=1, max_length=200)]
    kind: InstrumentKind
    board: Board
    has_risk_warning: bool
    is_index_member: bool
    is_pe_excluded: bool
    limit_bp: Annotated[int, Field(ge=1, le=10_000)] | None
    daily_volume: Count | None
    shares_issued: Annotated[int, Field(ge=1, le=10**15)] | None
    issuer: Annotated[str, Field(max_length=80)]


class ListingChangeIn(In):
    """A change and why."""

    facts: ListingIn
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ListingChangeOut(Schema):
    """`recorded` is the record's id; or the change waits as `approval_id`; neither for what was on record already."""

    recorded: int | None
    approval_id: int | None


@listings.get("", response=answers(list[ListingView]))
def list_all(request: Caller) -> list[ListingView]:
    """Every listing as known today, by id. Right: prices.view."""
    require(request.auth, "prices.view")
    return list(list_listings(now().date()).values())


@listings.get("/{instrument_id}/history", response=answers(list[ListingRecord]))
def read_history(request: Caller, instrument_id: Id) -> list[ListingRecord]:
    """Every record of one listing with its source, the latest day first. Right: prices.view."""
    require(request.auth, "prices.view")
    get_instrument(instrument_id)
    return listing_history(instrument_id)


@listings.post("/{instrument_id}/changes", response=answers(ListingChangeOut, 201))
def change(request: Caller, instrument_id: Id, given: ListingChangeIn) -> Status[ListingChangeOut]:
    """Record facts from a day on; what haircuts rest on waits for a second person. Right: instruments.add."""
    outcome = change_listings(
        actor=request.auth,
        changes=[(instrument_id, ListingDraft(**given.facts.dict()))],
        reason=given.reason,
        at=now(),
    )
    recorded = outcome.recorded[0] if outcome.recorded else None
    return Status(201, ListingChangeOut(recorded=recorded, approval_id=outcome.approval_id))
