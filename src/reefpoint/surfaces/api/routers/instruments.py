"""Instruments: what is on record of them and was, putting new ones on record, changing, suspending, delisting."""

from datetime import date
from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.collateral.selectors.house import lists_in_force
from reefpoint.platform.access.services import require
from reefpoint.records.accounts.selectors.positions import names_held
from reefpoint.records.market.selectors import get_instrument, list_instruments, list_listings
from reefpoint.records.market.selectors.instruments import listing_history
from reefpoint.records.market.selectors.register import entry_on, instrument_history, trading_history, was_suspended
from reefpoint.records.market.services import resume_instrument, suspend_instrument
from reefpoint.records.market.services.register import ask_delisting, ask_new_instruments, change_instruments
from reefpoint.records.market.types import (
    Board,
    InstrumentDraft,
    InstrumentEntry,
    InstrumentKind,
    InstrumentTerms,
    InstrumentView,
    ListingDraft,
    ListingRecord,
    ListingView,
    NewInstrument,
    Stretch,
)
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Listed, Offset, SafeText, answers, now, router
from reefpoint.surfaces.api.routers.listings import ListingIn

instruments = router("instruments")
Because = Annotated[str, Field(min_length=1, max_length=500)]


class TermsIn(In):
    """What may change of an instrument. `price_band_bp` is the move that is no longer believed; volumes are shares."""

    name: Annotated[str, Field(min_length=1, max_length=120)]
    name_zh: Annotated[str, Field(max_length=120)]
    sector: Annotated[str, Field(max_length=60)]
    lot_size: Annotated[int, Field(ge=1, le=1_000_000)]
    price_band_bp: Annotated[int, Field(ge=1, le=10_000)]
    assumed_daily_volume: Annotated[int, Field(ge=0, le=10**15)]


class NewInstrumentIn(In):
    """A name to be put on record: what never changes, what may, and the facts of its listing."""

    symbol: Annotated[str, Field(pattern=r"^[A-Z0-9][A-Z0-9.\-]{0,19}$")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    venue: Annotated[str, Field(pattern=r"^[A-Z0-9]{4}$", description="An ISO 10383 code such as XNYS.")]
    terms: TermsIn
    facts: ListingIn
    reason: Because


class TermsChangeIn(In):
    """A change, whole, and why."""

    terms: TermsIn
    reason: Because


class DelistingIn(In):
    """The last day of a name, or null to list it again, and why."""

    delisted_on: date | None
    reason: Because


class TradingIn(In):
    """Whether a name is traded from now on, and why."""

    is_suspended: bool
    reason: Because


class InstrumentAsked(Schema):
    """The request that a second person decides."""

    approval_id: int


class InstrumentChanged(Schema):
    """`recorded` is the record of what counts already, `approval_id` the request for what does not; null is none."""

    recorded: int | None
    approval_id: int | None


class AcceptedOn(Schema):
    """Whether a list of accepted names takes a name; the tier "" is the whole desk."""

    tier: str
    is_accepted: bool


class InstrumentOn(Schema):
    """A name on a day. `then` is null for a day before the desk's record; `held` counts the caller's accounts, now."""

    instrument: InstrumentView
    on: date
    then: InstrumentEntry | None
    was_suspended: bool
    listing: ListingView
    shares_held: int
    holders: int
    lists: list[AcceptedOn]


class InstrumentPast(Schema):
    """Everything that was on record, the newest first."""

    records: list[InstrumentEntry]
    without_trading: list[Stretch]
    listings: list[ListingRecord]


@instruments.get("", response=answers(Listed[InstrumentView]))
def find(
    request: Caller,
    q: SafeText = "",
    venue: SafeText = "",
    kind: InstrumentKind | None = None,
    board: Board | None = None,
    is_suspended: bool | None = None,
    is_delisted: bool | None = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Listed[InstrumentView]:
    """Instruments by symbol; `q` is a part of the symbol, name or sector. Right: prices.view."""
    require(request.auth, "prices.view")
    known = list_listings(now().date())
    needle = q.casefold()
    found = [
        one
        for one in sorted(list_instruments(), key=lambda one: one.symbol)
        if (not needle or any(needle in text.casefold() for text in (one.symbol, one.name, one.name_zh, one.sector)))
        and (not venue or one.venue == venue)
        and (kind is None or known[one.id].kind is kind)
        and (board is None or known[one.id].board is board)
        and (is_suspended is None or one.is_suspended is is_suspended)
        and (is_delisted is None or (one.delisted_on is not None) is is_delisted)
    ]
    return Listed(count=len(found), items=found[offset : offset + limit])


@instruments.post("", response=answers(InstrumentAsked, 202))
def put_on_record(request: Caller, given: NewInstrumentIn) -> Status[InstrumentAsked]:
    """Ask a second person to put a name on record. Right: instruments.add."""
    draft = InstrumentDraft(symbol=given.symbol, currency=given.currency, venue=given.venue, **given.terms.model_dump())
    approval_id = ask_new_instruments(
        actor=request.auth,
        new=[NewInstrument(draft, ListingDraft(**given.facts.model_dump()))],
        reason=given.reason,
        at=now(),
    )
    return Status(202, InstrumentAsked(approval_id=approval_id))


@instruments.get("/{instrument_id}", response=answers(InstrumentOn))
def read(request: Caller, instrument_id: Id, on: date | None = None) -> InstrumentOn:
    """One instrument as it is, or with `on` as it was at the end of that day (UTC). Right: prices.view."""
    require(request.auth, "prices.view")
    found = get_instrument(instrument_id)
    day = on or now().date()
    held = next((one for one in names_held(request.auth) if one.instrument_id == instrument_id), None)
    return InstrumentOn(
        instrument=found,
        on=day,
        then=entry_on(instrument_history(instrument_id), day),
        was_suspended=was_suspended(trading_history(instrument_id), day),
        listing=list_listings(day)[instrument_id],
        shares_held=held.quantity if held else 0,
        holders=held.holders if held else 0,
        lists=[
            AcceptedOn(tier=tier, is_accepted=one.accepts(found.symbol, day))
            for tier, one in lists_in_force(day).items()
        ],
    )


@instruments.get("/{instrument_id}/history", response=answers(InstrumentPast))
def read_past(request: Caller, instrument_id: Id) -> InstrumentPast:
    """What was on record of one instrument and when, who recorded it and why. Right: prices.view."""
    require(request.auth, "prices.view")
    get_instrument(instrument_id)
    return InstrumentPast(
        records=instrument_history(instrument_id),
        without_trading=trading_history(instrument_id),
        listings=listing_history(instrument_id),
    )


@instruments.post("/{instrument_id}/changes", response=answers(InstrumentChanged, 201))
def change_terms(request: Caller, instrument_id: Id, given: TermsChangeIn) -> Status[InstrumentChanged]:
    """Change names and lot at once; sector, believed move and assumed volume wait for a second person.

    Right: instruments.add.
    """
    outcome = change_instruments(
        actor=request.auth,
        changes=[(instrument_id, InstrumentTerms(**given.terms.model_dump()))],
        reason=given.reason,
        at=now(),
    )
    recorded = outcome.recorded[0] if outcome.recorded else None
    return Status(201, InstrumentChanged(recorded=recorded, approval_id=outcome.approval_id))


@instruments.post("/{instrument_id}/delisting", response=answers(InstrumentAsked, 202))
def delist(request: Caller, instrument_id: Id, given: DelistingIn) -> Status[InstrumentAsked]:
    """Ask a second person to delist a name, or to list it again. Right: instruments.add."""
    approval_id = ask_delisting(
        actor=request.auth, instrument_id=instrument_id, on=given.delisted_on, reason=given.reason, at=now()
    )
    return Status(202, InstrumentAsked(approval_id=approval_id))


@instruments.post("/{instrument_id}/trading", response=answers(InstrumentView))
def set_trading(request: Caller, instrument_id: Id, given: TradingIn) -> InstrumentView:
    """Record that a name is not traded, or traded again. Right: instruments.suspend."""
    act = suspend_instrument if given.is_suspended else resume_instrument
    act(actor=request.auth, instrument_id=instrument_id, reason=given.reason, at=now())
    return get_instrument(instrument_id)
