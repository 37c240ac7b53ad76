"""Listing instruments, stopping trade in them, and recording what a calendar does not know."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.market.events import InstrumentSuspensionChanged
from reefpoint.records.market.models import CalendarOverride, Instrument, InstrumentRecord, TradingHalt
from reefpoint.records.market.selectors import InstrumentNotFound, get_calendar
from reefpoint.records.market.services.locks import lock_market
from reefpoint.records.market.types import InstrumentDraft, InstrumentTerms, InstrumentView


class CalendarOverrideRefused(Refusal):
    """An override that contradicts itself."""

    code = "calendar_override_refused"


class LotRefused(Refusal):
    """A lot that cannot be."""

    code = "lot_refused"


class InstrumentDelisted(Refusal):
    """A name that is delisted does not trade."""

    code = "instrument_delisted"


LOT_MAX = 1_000_000


@transaction.atomic
def add_instruments(
    *,
    actor: Actor,
    drafts: Sequence[InstrumentDraft],
    at: datetime,
    reason: str = "",
    recorded_by: str = "",
    checked_by: str = "",
    approval_id: int | None = None,
) -> dict[str, int]:
    """List instruments; those already listed stay as they are. Returns the ids by symbol. Raises `UnknownVenue`.

    Pages, files and calls ask a second person first: see `ask_new_instruments`.
    """
    require(actor, "instruments.add")
    for venue in {draft.venue for draft in drafts}:
        get_calendar(venue)
    symbols = [draft.symbol for draft in drafts]
    known = set(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", flat=True))
    added = Instrument.objects.bulk_create(
        Instrument(
            symbol=draft.symbol,
            name=draft.name,
            name_zh=draft.name_zh,
            currency=draft.currency,
            venue=draft.venue,
            sector=draft.sector,
            lot_size=draft.lot_size,
            price_band_bp=draft.price_band_bp,
            assumed_daily_volume=draft.assumed_daily_volume,
        )
        for draft in drafts
        if draft.symbol not in known
    )
    keep_record(
        added,
        at=at,
        reason=reason,
        recorded_by=recorded_by or actor.ref,
        checked_by=checked_by,
        approval_id=approval_id,
    )
    for instrument in added:
        record(
            actor=actor,
            action="instruments.add",
            subject=f"instrument:{instrument.pk}",
            reason=reason,
            inputs={"symbol": instrument.symbol, "venue": instrument.venue, "currency": instrument.currency},
            at=at,
        )
    return dict(Instrument.objects.filter(symbol__in=symbols).values_list("symbol", "id"))


def terms_of(instrument: Instrument | InstrumentView) -> InstrumentTerms:
    """What may change of an instrument, as it is now."""
    return InstrumentTerms(
        instrument.name,
        instrument.name_zh,
        instrument.sector,
        instrument.lot_size,
        instrument.price_band_bp,
        instrument.assumed_daily_volume,
    )


def keep_record(
    instruments: Sequence[Instrument],
    *,
    at: datetime,
    reason: str,
    recorded_by: str,
    checked_by: str = "",
    approval_id: int | None = None,
) -> list[int]:
    """Keep instruments as they are from now on, in their history. Returns the records' ids."""
    rows = InstrumentRecord.objects.bulk_create(
        InstrumentRecord(
            instrument=one,
            at=at,
            delisted_on=one.delisted_on,
            reason=reason,
            recorded_by=recorded_by,
            checked_by=checked_by,
            approval_id=approval_id,
            **asdict(terms_of(one)),
        )
        for one in instruments
    )
    return [row.pk for row in rows]


@transaction.atomic
def change_lot(*, actor: Actor, instrument_id: int, lot_size: int, reason: str, at: datetime) -> None:
    """Record that a name trades in other lots from now on. Raises `InstrumentNotFound`, `LotRefused`."""
    require(actor, "instruments.add")
    if not 0 < lot_size <= LOT_MAX:
        raise LotRefused("A lot is a whole number of shares from 1 to {lot_max:,}.", lot_max=LOT_MAX)
    lock_market()
    instrument = Instrument.objects.select_for_update().filter(id=instrument_id).first()
    if instrument is None:
        raise InstrumentNotFound("There is no instrument {instrument_id}.", instrument_id=instrument_id)
    before = instrument.lot_size
    if before == lot_size:
        return
    instrument.lot_size = lot_size
    instrument.save(update_fields=["lot_size"])
    keep_record([instrument], at=at, reason=reason, recorded_by=actor.ref)
    record(
        actor=actor,
        action="instruments.change_lot",
        subject=f"instrument:{instrument_id}",
        reason=reason,
        inputs={"before": before, "lot_size": lot_size},
        at=at,
    )


def suspend_instrument(*, actor: Actor, instrument_id: int, reason: str, at: datetime) -> None:
    """Record that a name is not traded: it is in no sale plan until it resumes. Raises `InstrumentNotFound`."""
    set_suspended(actor, instrument_id, is_suspended=True, reason=reason, at=at)


def resume_instrument(*, actor: Actor, instrument_id: int, reason: str, at: datetime) -> None:
    """Record that a name is traded again. Raises `InstrumentNotFound`, `InstrumentDelisted`."""
    set_suspended(actor, instrument_id, is_suspended=False, reason=reason, at=at)


@transaction.atomic
def set_suspended(actor: Actor, instrument_id: int, *, is_suspended: bool, reason: str, at: datetime) -> None:
    """Record that a name is traded or not. Raises `InstrumentNotFound`, `InstrumentDelisted`."""
    require(actor, "instruments.suspend")
    lock_market()
    instrument = Instrument.objects.select_for_update().filter(id=instrument_id).first()
    if instrument is None:
        raise InstrumentNotFound("There is no instrument {instrument_id}.", instrument_id=instrument_id)
    if instrument.is_suspended == is_suspended:
        return
    if instrument.delisted_on is not None:
        raise InstrumentDelisted(
            "{symbol} is delisted since {delisted_on}. It trades again once it is listed again.",
            symbol=instrument.symbol,
            delisted_on=instrument.delisted_on,
        )
    instrument.is_suspended = is_suspended
    instrument.suspended_at = at if is_suspended else None
    instrument.save(update_fields=["is_suspended", "suspended_at"])
    TradingHalt.objects.create(
        instrument=instrument, is_suspended=is_suspended, at=at, reason=reason[:500], recorded_by=actor.ref
    )
    record(
        actor=actor,
        action="instruments.suspend" if is_suspended else "instruments.resume",
        subject=f"instrument:{instrument_id}",
        reason=reason,
        at=at,
    )
    publish(InstrumentSuspensionChanged(instrument_id=instrument_id, is_suspended=is_suspended, at=at))


@transaction.atomic
def override_session(
    *, actor: Actor, venue: str, on: date, close_at: datetime | None, reason: str, at: datetime
) -> None:
    """Record that a venue closes at `close_at` on a day, or with None that it does not trade then.

    A later override of the same day replaces the earlier. Raises `CalendarOverrideRefused`.
    """
    require(actor, "calendars.override")
    zone = get_calendar(venue).zone
    if close_at is not None and close_at.astimezone(zone).date() != on:
        raise CalendarOverrideRefused(
            "{close_at} is not on {on} at {venue}.", venue=venue, on=on, close_at=close_at.isoformat()
        )
    CalendarOverride.objects.update_or_create(
        venue=venue, on=on, defaults={"is_session": close_at is not None, "close_at": close_at, "reason": reason}
    )
    record(
        actor=actor,
        action="calendars.override",
        subject=f"calendar:{venue}",
        reason=reason,
        inputs={"on": on, "close_at": close_at.isoformat() if close_at else None},
        at=at,
    )
