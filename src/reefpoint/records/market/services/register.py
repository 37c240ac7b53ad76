"""Putting instruments on record, changing and delisting them: two people, but for what only names a thing.

The instrument's row is what is so now; `InstrumentRecord` keeps each state whole, with its day, reason and people.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.records.market.adapters.exchange_calendar import UnknownVenue
from reefpoint.records.market.models import Instrument, InstrumentRecord
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.market.selectors.instruments import InstrumentNotFound, list_instruments
from reefpoint.records.market.services.instruments import (
    LOT_MAX,
    add_instruments,
    keep_record,
    set_suspended,
    terms_of,
)
from reefpoint.records.market.services.listings import COUNT_MAX, check_facts, draft_of, keep_facts, plain_facts
from reefpoint.records.market.services.locks import lock_market
from reefpoint.records.market.types import (
    InstrumentDraft,
    InstrumentTerms,
    ListingOutcome,
    NewInstrument,
)

CHANGE = "instruments.change"
"""The kind of approval, and the audited action."""
NEEDS_SECOND_PERSON = ("sector", "price_band_bp", "assumed_daily_volume")
"""What decides which prices are believed, what counts as concentrated and how fast a name is sold."""
_VENUE = re.compile(r"[A-Z0-9]{4}")
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,19}")


class InstrumentRefused(Refusal):
    """What cannot be on record of an instrument. `field` names what is wrong, `symbol` whose it is."""

    code = "instrument_refused"


def check_terms(terms: InstrumentTerms | InstrumentDraft) -> None:
    """Refuse what no instrument can be. Raises `InstrumentRefused`."""
    if not 0 < len(terms.name.strip()) <= 120 or find_unsafe(terms.name):
        raise InstrumentRefused("An instrument has a name of at most 120 characters.", field="name")
    if len(terms.name_zh) > 120 or find_unsafe(terms.name_zh):
        raise InstrumentRefused("A Chinese name has at most 120 characters.", field="name_zh")
    if len(terms.sector) > 60 or find_unsafe(terms.sector):
        raise InstrumentRefused("A sector has at most 60 characters.", field="sector")
    if not 0 < terms.lot_size <= LOT_MAX:
        raise InstrumentRefused(
            "A lot is a whole number of shares from 1 to {lot_max:,}.", field="lot_size", lot_max=LOT_MAX
        )
    if not 0 < terms.price_band_bp <= 10_000:
        raise InstrumentRefused("A believed move is above 0 and at most 100%.", field="price_band_bp")
    if not 0 <= terms.assumed_daily_volume <= COUNT_MAX:
        raise InstrumentRefused("A volume is zero or more.", field="assumed_daily_volume")


def check_symbol(symbol: str) -> None:
    """Refuse what is no symbol. Raises `InstrumentRefused`."""
    if not _SYMBOL.fullmatch(symbol):
        raise InstrumentRefused(
            "A symbol is 1 to 20 capital letters, digits, dots or hyphens.", field="symbol", symbol=symbol[:20]
        )


def check_venue(venue: str) -> None:
    """Refuse a venue whose sessions the desk does not know. Raises `InstrumentRefused`."""
    if not _has_calendar(venue):
        raise InstrumentRefused(
            "The desk has no trading calendar for this venue; it is a code such as XNYS.", field="venue"
        )


def check_new(new: NewInstrument) -> None:
    """Refuse a name that cannot be put on record as it stands. Raises `InstrumentRefused`, `ListingRefused`."""
    draft = new.draft
    check_symbol(draft.symbol)
    if draft.currency not in MINOR_DIGITS:
        raise InstrumentRefused("The desk keeps no such currency.", field="currency")
    check_venue(draft.venue)
    check_terms(draft)
    check_facts(new.facts)


def _has_calendar(venue: str) -> bool:
    if not _VENUE.fullmatch(venue):
        return False
    try:
        get_calendar(venue)
    except UnknownVenue:
        return False
    return True


@transaction.atomic
def ask_new_instruments(*, actor: Actor, new: Sequence[NewInstrument], reason: str, at: datetime) -> int:
    """Ask a second person to put names on record, with the facts of their listing. Returns the approval's id.

    Raises `InstrumentRefused`, `ListingRefused`.
    """
    require(actor, "instruments.add")
    known = set(Instrument.objects.values_list("symbol", flat=True))
    for one in new:
        check_new(one)
        if one.draft.symbol in known:
            raise InstrumentRefused(
                "{symbol} is on record already, or stands here twice.", field="symbol", symbol=one.draft.symbol
            )
        known.add(one.draft.symbol)
    asked = [
        {
            "what": "add",
            "symbol": one.draft.symbol,
            "after": dataclasses.asdict(one.draft),
            "facts": plain_facts(one.facts),
        }
        for one in new
    ]
    return _ask(actor, asked, reason, at)


@transaction.atomic
def change_instruments(
    *, actor: Actor, changes: Sequence[tuple[int, InstrumentTerms]], reason: str, at: datetime
) -> ListingOutcome:
    """Change what is on record of instruments: names and lots at once, the rest as one request for a second person.

    What is so already is left out. Raises `InstrumentNotFound`, `InstrumentRefused`.
    """
    require(actor, "instruments.add")
    lock_market()
    known = {one.id: one for one in list_instruments()}
    recorded: list[int] = []
    asked: list[dict[str, Any]] = []
    for instrument_id, after in changes:
        if instrument_id not in known:
            raise InstrumentNotFound("There is no instrument {instrument_id}.", instrument_id=instrument_id)
        check_terms(after)
        before = terms_of(known[instrument_id])
        moved = [one.name for one in dataclasses.fields(after) if getattr(after, one.name) != getattr(before, one.name)]
        if waiting := [name for name in moved if name in NEEDS_SECOND_PERSON]:
            asked.append({
                "what": "change",
                "instrument_id": instrument_id,
                "symbol": known[instrument_id].symbol,
                "before": {name: getattr(before, name) for name in waiting},
                "after": {name: getattr(after, name) for name in waiting},
            })  # fmt: skip
        if now := {name: getattr(after, name) for name in moved if name not in NEEDS_SECOND_PERSON}:
            recorded.append(_change(actor, instrument_id, now, reason=reason, at=at))
    return ListingOutcome(tuple(recorded), _ask(actor, asked, reason, at) if asked else None)


@transaction.atomic
def ask_delisting(*, actor: Actor, instrument_id: int, on: date | None, reason: str, at: datetime) -> int:
    """Ask a second person to delist a name as of a day, or with None to list it again. Returns the approval's id.

    Raises `InstrumentNotFound`, `InstrumentRefused`.
    """
    require(actor, "instruments.add")
    found = next((one for one in list_instruments() if one.id == instrument_id), None)
    if found is None:
        raise InstrumentNotFound("There is no instrument {instrument_id}.", instrument_id=instrument_id)
    if on == found.delisted_on:
        raise InstrumentRefused("This is on record already.", field="delisted_on")
    if on is not None and on > at.date():
        raise InstrumentRefused(
            "A name is delisted on its last day or after it; until then it is under risk warning.", field="delisted_on"
        )
    one = {
        "what": "list_again" if on is None else "delist",
        "instrument_id": instrument_id,
        "symbol": found.symbol,
        "before": {"delisted_on": _text(found.delisted_on)},
        "after": {"delisted_on": _text(on)},
    }
    return _ask(actor, [one], reason, at)


@transaction.atomic
def record_approved_instruments(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Put on record exactly what a second person approved. Idempotent.

    A name that somebody put on record meanwhile stays as it is.
    """
    approval = get_approval(approval_id)
    is_given = approval.state is ApprovalState.APPROVED and bool(approval.decided_by)
    if approval.kind != CHANGE or not is_given or InstrumentRecord.objects.filter(approval_id=approval_id).exists():
        return
    require(actor, "instruments.add")
    lock_market()
    asked: Any = approval.payload["instruments"]
    people: dict[str, Any] = {
        "recorded_by": approval.requested_by,
        "checked_by": approval.decided_by or "",
        "approval_id": approval_id,
    }
    added = [one for one in asked if one["what"] == "add"]
    known = set(Instrument.objects.filter(symbol__in=[one["symbol"] for one in added]).values_list("symbol", flat=True))
    added = [one for one in added if one["symbol"] not in known]
    drafts = [InstrumentDraft(**one["after"]) for one in added]
    ids = add_instruments(actor=actor, drafts=drafts, at=at, reason=approval.reason, **people)
    keep_facts(actor, [(ids[one["symbol"]], draft_of(one["facts"])) for one in added], at=at, **people)
    for one in asked:
        if one["what"] == "change":
            _change(actor, one["instrument_id"], one["after"], reason=approval.reason, at=at, **people)
        elif one["what"] in {"delist", "list_again"}:
            day = one["after"]["delisted_on"]
            if day is not None:
                set_suspended(actor, one["instrument_id"], is_suspended=True, reason=approval.reason, at=at)
            after = {"delisted_on": date.fromisoformat(day) if day else None}
            _change(actor, one["instrument_id"], after, reason=approval.reason, at=at, **people)


def _change(
    actor: Actor,
    instrument_id: int,
    after: Mapping[str, Any],
    *,
    reason: str,
    at: datetime,
    recorded_by: str = "",
    checked_by: str = "",
    approval_id: int | None = None,
) -> int:
    instrument = Instrument.objects.select_for_update().get(id=instrument_id)
    before = {name: getattr(instrument, name) for name in after}
    for name, value in after.items():
        setattr(instrument, name, value)
    instrument.save(update_fields=list(after))
    [record_id] = keep_record(
        [instrument],
        at=at,
        reason=reason,
        recorded_by=recorded_by or actor.ref,
        checked_by=checked_by,
        approval_id=approval_id,
    )
    record(
        actor=actor,
        action=CHANGE,
        subject=f"instrument:{instrument_id}",
        reason=reason,
        inputs={
            "before": {name: _plain(value) for name, value in before.items()},
            "after": {name: _plain(value) for name, value in after.items()},
            "approval_id": approval_id,
        },
        at=at,
    )
    return record_id


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _text(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def _ask(actor: Actor, asked: Sequence[Mapping[str, Any]], reason: str, at: datetime) -> int:
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    only = asked[0] if len(asked) == 1 else {}
    subject = f"instruments:{digest}"
    if "instrument_id" in only:
        subject = f"instrument:{only['instrument_id']}"
    elif only:
        subject = f"symbol:{only['symbol']}"
    return request_approval(
        actor=actor, kind=CHANGE, subject=subject, payload={"instruments": list(asked)}, reason=reason, at=at
    )
