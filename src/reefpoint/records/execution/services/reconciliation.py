"""Comparing the broker's end-of-day file with the books: trades, shares and cash."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState
from reefpoint.platform.basics.sealed_files import FileRefused, file_hash
from reefpoint.platform.database.locks import lock_name
from reefpoint.records.execution.adapters import desk_broker
from reefpoint.records.execution.models import BrokerBreak, BrokerFile, Fill
from reefpoint.records.execution.rules import compare_day, read_broker_file
from reefpoint.records.execution.types import (
    BookedDay,
    BookedTrade,
    BrokerDay,
    BrokerDifference,
    BrokerReconciliation,
    Side,
)
from reefpoint.records.ledger.selectors import balance_as_of
from reefpoint.records.ledger.types import BROKER_CLEARING

AGREED = "agreed"
"""Who cleared a break that a later comparison no longer found."""


@transaction.atomic
def reconcile_broker(
    *, actor: Actor, on: date, books: Mapping[str, int], at: datetime, content: bytes | None = None
) -> BrokerReconciliation:
    """Compare a session's broker file with the books; `books` are the shares of all accounts by symbol.

    The file is asked from the broker unless it is handed in; if there is none, that is a break of its own. Run again
    with the same file, it clears what agrees by now. Raises `FileRefused` for a file that is damaged, does not add
    up, is of another session, or does not follow on the one before.
    """
    require(actor, "execution.reconcile")
    lock_name("broker files")
    content = desk_broker().end_of_day_file(on) if content is None else content
    if content is None:
        stale = BrokerDifference(f"file:{on}", BreakClass.STALE_FILE, BreakSide.COUNTERPARTY, 0, 0, f"no file of {on}")
        _store_breaks([stale], [], on)
        return BrokerReconciliation(on, 0, 0, 0, _open_count())
    day = read_broker_file(content)
    _check_turn(day, content, on)
    found = compare_day(day, _booked_day(on, books))
    _store_breaks(found, _compared_again(on), on)
    lines = len(day.trades) + len(day.holdings) + 1
    broken = _broken_lines(day, found)
    BrokerFile.objects.update_or_create(
        on=on,
        defaults={
            "file_hash": file_hash(content),
            "content": content,
            "received_at": at,
            "cash_minor": day.cash_minor,
            "lines": lines,
            "matched": lines - broken,
            "broken": broken,
        },
    )
    result = BrokerReconciliation(on, lines, lines - broken, broken, _open_count())
    record(
        actor=actor,
        action="execution.reconcile",
        subject=f"session:{on}",
        inputs={"lines": lines, "broken": broken, "open_breaks": result.open_breaks, "sha256": file_hash(content)},
        at=at,
    )
    return result


def _check_turn(day: BrokerDay, content: bytes, on: date) -> None:
    """Refuse a file that is not this session's, or not the next one."""
    if day.on != on:
        raise FileRefused("the file is of {found}, not of {on}", line=1, found=day.on, on=on)
    last = BrokerFile.objects.order_by("-on").first()
    if last is not None and last.on > on:
        raise FileRefused("the file of {on} was already reconciled", line=1, on=last.on)
    if last is not None and last.on == on:
        if last.file_hash != file_hash(content):
            raise FileRefused("another file of {on} was already reconciled", line=1, on=on)
        return
    before = last.cash_minor if last else 0
    if day.opening_minor != before:
        raise FileRefused(
            "cash opens at {opening_minor}, the file before closed at {before}; a file is missing",
            opening_minor=day.opening_minor,
            before=before,
        )


def _booked_day(on: date, books: Mapping[str, int]) -> BookedDay:
    rows = Fill.objects.select_related("order__instrument")
    unbooked = list(rows.filter(booked_at__isnull=True))
    quantity: dict[str, int] = {}
    for fill in unbooked:
        symbol = fill.order.instrument.symbol
        signed = fill.quantity if fill.order.side == Side.BUY else -fill.quantity
        quantity[symbol] = quantity.get(symbol, 0) + signed
    return BookedDay(
        trades=[
            BookedTrade(
                fill.id,
                fill.broker_fill_id,
                fill.order.instrument.symbol,
                Side(fill.order.side),
                fill.quantity,
                fill.price_units,
                fill.net_minor,
            )
            for fill in rows.filter(traded_on=on).order_by("id")
        ],
        holdings=books,
        cash_minor=balance_as_of(BROKER_CLEARING, on),
        unbooked_quantity=quantity,
        unbooked_minor=sum(fill.net_minor for fill in unbooked),
    )


def _compared_again(on: date) -> list[BrokerBreak]:
    """Open breaks that this comparison decides anew: of shares, cash and files, of this session's trades, and of
    trades that were missing in the books and are there by now.
    """
    found = list(BrokerBreak.objects.filter(state=BreakState.OPEN))
    late = [item.subject.removeprefix("fill:") for item in found if item.kind == BreakClass.MISSING_IN_BOOKS]
    booked = (
        set(Fill.objects.filter(broker_fill_id__in=late).values_list("broker_fill_id", flat=True)) if late else set()
    )
    return [
        item
        for item in found
        if not item.subject.startswith("fill:") or item.opened_on == on or item.subject.removeprefix("fill:") in booked
    ]


def _store_breaks(found: Iterable[BrokerDifference], earlier: Iterable[BrokerBreak], on: date) -> None:
    """Bring the breaks that were compared again to what was found: kept, changed, added, or cleared as agreed."""
    known = {item.subject: item for item in earlier}
    changed: list[BrokerBreak] = []
    added: list[BrokerBreak] = []
    for item in found:
        row = known.pop(item.subject, None) or BrokerBreak(subject=item.subject, opened_on=on)
        (changed if row.pk else added).append(row)
        row.kind, row.side, row.detail = item.kind, item.side, item.detail[:300]
        row.amount_minor, row.quantity = item.amount_minor, item.quantity
    BrokerBreak.objects.filter(id__in=[row.id for row in known.values()]).update(
        state=BreakState.CLEARED, cleared_on=on, cleared_by=AGREED
    )
    BrokerBreak.objects.bulk_update(changed, ["kind", "side", "detail", "amount_minor", "quantity"])
    BrokerBreak.objects.bulk_create(added)


def _broken_lines(day: BrokerDay, found: Iterable[BrokerDifference]) -> int:
    """How many lines of the file have a difference; one that stands only in the books breaks none."""
    subjects = {item.subject for item in found}
    trades = sum(f"fill:{trade.broker_fill_id}" in subjects for trade in day.trades)
    return trades + sum(f"position:{symbol}" in subjects for symbol in day.holdings) + ("cash" in subjects)


def _open_count() -> int:
    return BrokerBreak.objects.filter(state=BreakState.OPEN).count()
