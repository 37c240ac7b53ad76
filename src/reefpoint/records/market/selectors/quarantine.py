"""Batches, and the lines of them that were held or rejected."""

from datetime import date

from django.db.models import QuerySet

from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.models import HeldPrice, PriceBatch, RejectedRow
from reefpoint.records.market.types import (
    BatchView,
    HeldPriceView,
    HeldState,
    PendingHeld,
    Reason,
    RejectedRowView,
)


class BatchNotFound(Refusal):
    """No batch has this id."""

    code = "not_found"


class HeldPriceNotFound(Refusal):
    """No held price has this id."""

    code = "not_found"


def list_batches(before_id: int | None = None, limit: int = 50) -> list[BatchView]:
    """Batches, newest first, without their lines."""
    rows = PriceBatch.objects.order_by("-id")
    if before_id is not None:
        rows = rows.filter(id__lt=before_id)
    return [_batch_view(row, (), ()) for row in rows[:limit]]


def get_batch(batch_id: int) -> BatchView:
    """A batch with its held and rejected lines in row order. Raises `BatchNotFound`."""
    row = PriceBatch.objects.filter(id=batch_id).first()
    if row is None:
        raise BatchNotFound("There is no price batch {batch_id}.", batch_id=batch_id)
    held = HeldPrice.objects.filter(batch_id=batch_id).order_by("row_number", "id")
    rejected = RejectedRow.objects.filter(batch_id=batch_id).order_by("row_number", "id")
    return _batch_view(
        row,
        tuple(_held_views(held)),
        tuple(RejectedRowView(line.row_number, line.raw, Reason(line.reason)) for line in rejected),
    )


def list_held(state: HeldState | None = HeldState.HELD, limit: int = 200) -> list[HeldPriceView]:
    """Held prices in one state (or, with None, in any), newest first."""
    rows = HeldPrice.objects.order_by("-id")
    if state is not None:
        rows = rows.filter(state=state)
    return list(_held_views(rows[:limit]))


def get_held(held_id: int) -> HeldPriceView:
    """One held price. Raises `HeldPriceNotFound`."""
    for view in _held_views(HeldPrice.objects.filter(id=held_id)):
        return view
    raise HeldPriceNotFound("There is no held price {held_id}.", held_id=held_id)


def list_pending_of_others(*, instrument_ids: set[int], on: date, source: str, received_by: str) -> list[PendingHeld]:
    """Prices held for leaving the band, of that date, which `source` may confirm because it did not bring them.

    A person who brought the held price does not confirm it by bringing another file.
    """
    rows = HeldPrice.objects.filter(
        state=HeldState.HELD, reason=Reason.OUTSIDE_BAND, instrument_id__in=instrument_ids, on=on
    ).exclude(batch__source=source)
    if received_by.startswith("user:"):
        rows = rows.exclude(received_by=received_by)
    return [
        PendingHeld(id=row.pk, instrument_id=row.instrument_id, on=row.on, price_units=row.price_units)
        for row in rows.order_by("id")
    ]


def _held_views(rows: QuerySet[HeldPrice]) -> list[HeldPriceView]:
    return [
        HeldPriceView(
            id=row.pk,
            batch_id=row.batch_id,
            source=row.batch.source,
            received_by=row.received_by,
            instrument_id=row.instrument_id,
            symbol=row.instrument.symbol,
            price_units=row.price_units,
            reference_units=row.reference_units,
            on=row.on,
            at=row.at,
            reason=Reason(row.reason),
            row_number=row.row_number,
            raw=row.raw,
            state=HeldState(row.state),
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            decision_reason=row.decision_reason,
        )
        for row in rows.select_related("batch", "instrument")
    ]


def _batch_view(row: PriceBatch, held: tuple[HeldPriceView, ...], rejected: tuple[RejectedRowView, ...]) -> BatchView:
    return BatchView(
        id=row.pk,
        source=row.source,
        key=row.key,
        content_hash=row.content_hash,
        on=row.on,
        received_at=row.received_at,
        received_by=row.received_by,
        accepted=row.accepted,
        held=row.held,
        rejected=row.rejected,
        held_prices=held,
        rejected_rows=rejected,
    )
