"""Recording prices line by line, and deciding on those that were held."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.services import publish
from reefpoint.records.market.events import PricesHeld, PricesRecorded
from reefpoint.records.market.models import HeldPrice, Price, PriceBatch, RejectedRow
from reefpoint.records.market.rules import HELD_PRICE_STATES, judge_lines, read_lines
from reefpoint.records.market.selectors import HeldPriceNotFound, get_calendar
from reefpoint.records.market.selectors.instruments import instrument_facts
from reefpoint.records.market.selectors.prices import load_references
from reefpoint.records.market.selectors.quarantine import list_pending_of_others
from reefpoint.records.market.services.locks import lock_market
from reefpoint.records.market.types import (
    Accepted,
    BatchResult,
    Held,
    HeldState,
    InstrumentFacts,
    PriceLine,
    Rejected,
    Tick,
    Verdict,
)

DESK_ZONE = ZoneInfo("America/New_York")
"""Where the desk's business date is read from an instant, if a caller does not name the date."""

CONFIRMATION = "confirmation"
"""The source of a batch that a person's confirmation makes; its key is this prefix and the held price's id."""

SOURCE_MAX, KEY_MAX, RAW_MAX = 80, 200, 200


class PriceBatchConflict(Refusal):
    """The key was used before, for other content (I41)."""

    code = "price_batch_conflict"


class BatchLabelRefused(Refusal):
    """A source or key that is empty, too long, or kept for the desk's own confirmations."""

    code = "batch_label_refused"


class SecondPersonNeeded(Refusal):
    """Whoever brought a price cannot be the one who confirms it."""

    code = "second_person_needed"


def record_prices(
    *, actor: Actor, source: str, key: str, ticks: Sequence[Tick], at: datetime, on: date | None = None
) -> BatchResult:
    """Judge and keep a delivery of prices for the session `on` (by default the New York date of `at`).

    Every tick ends accepted, held or rejected, with its number, counted from 1. The same `key` with the same content
    returns the first result and does nothing more; with other content it raises `PriceBatchConflict`.
    """
    lines = [
        PriceLine(
            row_number=number,
            raw=f"{tick.symbol},{tick.on},{tick.at.isoformat()},{tick.price},{tick.currency}",
            symbol=tick.symbol,
            price=tick.price,
            on=tick.on,
            at=tick.at,
            currency=tick.currency,
        )
        for number, tick in enumerate(ticks, start=1)
    ]
    session_on = on or at.astimezone(DESK_ZONE).date()
    content = json.dumps([source, session_on.isoformat(), [line.raw for line in lines]])
    return record_lines(
        actor=actor,
        source=source,
        key=key,
        content_hash=hashlib.sha256(content.encode()).hexdigest(),
        lines=lines,
        on=session_on,
        at=at,
    )


@transaction.atomic
def record_lines(
    *, actor: Actor, source: str, key: str, content_hash: str, lines: Sequence[PriceLine], on: date, at: datetime
) -> BatchResult:
    """What `record_prices` and `import_price_file` share: one batch, judged line by line."""
    require(actor, "prices.record")
    assert at.tzinfo is not None, "an instant has a time zone"
    _check_labels(source, key)
    lock_market()
    known = PriceBatch.objects.filter(key=key).first()
    if known is not None:
        if known.content_hash != content_hash:
            raise PriceBatchConflict(
                "The key {key} was used for other prices on {on}. Use a new key for new content.", key=key, on=known.on
            )
        return BatchResult(known.pk, known.on, known.accepted, known.held, known.rejected, is_repeat=True)
    verdicts = _judge(lines, source=source, received_by=actor.ref, on=on, received_at=at)
    return _keep_batch(verdicts, actor=actor, source=source, key=key, content_hash=content_hash, on=on, at=at)


@transaction.atomic
def confirm_held_price(*, actor: Actor, held_id: int, at: datetime, reason: str) -> int:
    """Believe a held price on a second person's word. Returns the id of the batch that it now makes.

    It counts as a price of its own instant: if newer prices came since, they stay the latest.
    Raises `HeldPriceNotFound`, `SecondPersonNeeded`, `InvalidTransition`.
    """
    require(actor, "prices.confirm")
    lock_market()
    held = _locked_held(held_id)
    if held.received_by == actor.ref:
        raise SecondPersonNeeded(
            "You brought this price yourself. Ask a colleague to confirm it.", held_id=held_id, actor=actor.ref
        )
    _decide(held, HeldState.CONFIRMED, decided_by=actor.ref, reason=reason, at=at)
    line = PriceLine(held.row_number, held.raw, held.instrument.symbol, "", held.on, held.at, held.instrument.currency)
    accepted = Accepted(line, held.instrument_id, held.price_units, held.on, held.at)
    result = _keep_batch(
        [accepted],
        actor=actor,
        source=CONFIRMATION,
        key=f"{CONFIRMATION}:{held_id}",
        content_hash=hashlib.sha256(f"{CONFIRMATION}:{held_id}".encode()).hexdigest(),
        on=held.on,
        at=at,
    )
    record(
        actor=actor,
        action="prices.confirm",
        subject=f"held_price:{held_id}",
        reason=reason,
        inputs={"price_units": held.price_units, "symbol": held.instrument.symbol, "batch_id": result.batch_id},
        at=at,
    )
    return result.batch_id


@transaction.atomic
def discard_held_price(*, actor: Actor, held_id: int, at: datetime, reason: str) -> None:
    """Decide that a held price was wrong. Raises `HeldPriceNotFound`, `InvalidTransition`."""
    require(actor, "prices.confirm")
    lock_market()
    held = _locked_held(held_id)
    _decide(held, HeldState.DISCARDED, decided_by=actor.ref, reason=reason, at=at)
    record(
        actor=actor,
        action="prices.discard",
        subject=f"held_price:{held_id}",
        reason=reason,
        inputs={"price_units": held.price_units, "symbol": held.instrument.symbol},
        at=at,
    )


def _check_labels(source: str, key: str) -> None:
    for name, label, longest in ((Sentence("source"), source, SOURCE_MAX), (Sentence("key"), key, KEY_MAX)):
        if not 0 < len(label) <= longest or not label.isprintable():
            raise BatchLabelRefused(
                "The {name} of a price batch has 1 to {longest} printable characters.",
                name=name,
                longest=longest,
            )
        if label.startswith(CONFIRMATION):
            raise BatchLabelRefused(
                "A {name} that begins with {confirmation} is the desk's own. Choose another.",
                name=name,
                confirmation=CONFIRMATION,
            )


def _judge(
    lines: Sequence[PriceLine], *, source: str, received_by: str, on: date, received_at: datetime
) -> list[Verdict]:
    instruments = _instruments_of(lines)
    calendars = {venue: get_calendar(venue) for venue in {facts.venue for facts in instruments.values()}}
    read = read_lines(lines, instruments=instruments, calendars=calendars, on=on, received_at=received_at)
    readable = [verdict for verdict in read if isinstance(verdict, Accepted)]
    believed = judge_lines(
        readable,
        bands_bp={facts.id: facts.price_band_bp for facts in instruments.values()},
        references=load_references(sorted({(line.instrument_id, line.at) for line in readable})),
        pending=list_pending_of_others(
            instrument_ids={line.instrument_id for line in readable}, on=on, source=source, received_by=received_by
        ),
    )
    return [*believed, *(verdict for verdict in read if isinstance(verdict, Rejected))]


def _instruments_of(lines: Sequence[PriceLine]) -> dict[str, InstrumentFacts]:
    wanted = {line.symbol for line in lines}
    return {symbol: facts for symbol, facts in instrument_facts().items() if symbol in wanted}


def _keep_batch(
    verdicts: Sequence[Verdict], *, actor: Actor, source: str, key: str, content_hash: str, on: date, at: datetime
) -> BatchResult:
    accepted = [verdict for verdict in verdicts if isinstance(verdict, Accepted)]
    held = [verdict for verdict in verdicts if isinstance(verdict, Held)]
    rejected = [verdict for verdict in verdicts if isinstance(verdict, Rejected)]
    counts = {"accepted": len(accepted), "held": len(held), "rejected": len(rejected)}
    batch = PriceBatch.objects.create(
        source=source, key=key, content_hash=content_hash, on=on, received_at=at, received_by=actor.ref, **counts
    )
    Price.objects.bulk_create(
        Price(
            batch=batch,
            instrument_id=line.instrument_id,
            price_units=line.price_units,
            at=line.at,
            on=line.on,
            recorded_at=at,
        )
        for line in sorted(accepted, key=lambda line: (line.at, line.instrument_id))
    )
    HeldPrice.objects.bulk_create(
        HeldPrice(
            batch=batch,
            instrument_id=line.instrument_id,
            price_units=line.price_units,
            reference_units=line.reference_units,
            at=line.at,
            on=line.on,
            raw=_storable(line.line.raw),
            row_number=line.line.row_number,
            reason=line.reason,
            received_by=actor.ref,
        )
        for line in held
    )
    RejectedRow.objects.bulk_create(
        RejectedRow(batch=batch, row_number=line.line.row_number, raw=_storable(line.line.raw), reason=line.reason)
        for line in rejected
    )
    record(
        actor=actor,
        action="prices.record",
        subject=f"price_batch:{batch.pk}",
        inputs={"source": source, "key": key, "on": on, "content_hash": content_hash, **counts},
        at=at,
    )
    for line in accepted:
        _confirm_by_second_source(line, batch, at)
    if accepted:
        publish(PricesRecorded(batch_id=batch.pk, on=on, at=at))
    if held:
        publish(PricesHeld(batch_id=batch.pk, on=on, held=len(held), at=at))
    return BatchResult(batch.pk, on, len(accepted), len(held), len(rejected))


def _confirm_by_second_source(line: Accepted, batch: PriceBatch, at: datetime) -> None:
    for held_id in line.agrees_with_held:
        _decide(
            _locked_held(held_id),
            HeldState.CONFIRMED,
            decided_by=f"source:{batch.source}",
            reason=str(
                Sentence(
                    "The second source {source} agrees in batch {batch}, row {row}.",
                    {"source": batch.source, "batch": batch.pk, "row": line.line.row_number},
                )
            ),
            at=at,
        )


def _locked_held(held_id: int) -> HeldPrice:
    held = HeldPrice.objects.select_for_update(of=("self",)).select_related("instrument").filter(id=held_id).first()
    if held is None:
        raise HeldPriceNotFound("There is no held price {held_id}.", held_id=held_id)
    return held


def _decide(held: HeldPrice, state: HeldState, *, decided_by: str, reason: str, at: datetime) -> None:
    HELD_PRICE_STATES.check(HeldState(held.state), state)
    held.state = state
    held.decided_by = decided_by
    held.decided_at = at
    held.decision_reason = reason
    held.save(update_fields=["state", "decided_by", "decided_at", "decision_reason"])


def _storable(raw: str) -> str:
    """A line as the database can hold it: control characters made visible, cut to length."""
    visible = "".join(character if character.isprintable() else repr(character)[1:-1] for character in raw[:RAW_MAX])
    return visible[:RAW_MAX]
