"""Comparing the bank with the books, day by day."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.query import QuerySet

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState
from reefpoint.platform.database.locks import lock_name
from reefpoint.records.ledger.selectors import balance_as_of, list_entries
from reefpoint.records.ledger.types import BANK_SETTLEMENT
from reefpoint.records.market.selectors import sessions
from reefpoint.records.market.types import VENUE
from reefpoint.records.treasury.adapters import settlement_bank
from reefpoint.records.treasury.models import BankBreak, Match, Reconciliation, Statement, StatementLine
from reefpoint.records.treasury.rules import match_lines
from reefpoint.records.treasury.services.statements import BANK_FILES, receive_statement
from reefpoint.records.treasury.types import FoundBreak, OpenBankLine, OpenBookEntry, Pair, ReconciliationResult

AGREED = "agreed"
"""Who cleared a break that a later comparison no longer found."""

_CLEARED_BY_A_PERSON = Q(state=BreakState.CLEARED) & ~Q(cleared_by=AGREED)


@transaction.atomic
def reconcile_bank(*, actor: Actor, on: date, at: datetime) -> ReconciliationResult:
    """Compare the bank's statement of a day with the ledger's bank account, with what earlier days left open.

    The statement is asked from the bank unless it was received; if there is none, that is a break of its own. Run
    again, it pairs what can be paired by then and changes nothing else. Raises `FileRefused` for a bad statement.
    """
    require(actor, "treasury.reconcile")
    lock_name(BANK_FILES)
    statement = Statement.objects.filter(on=on).first() or _fetch_statement(actor, on, at)
    open_breaks = list(_open_breaks().select_related("line__statement", "posting__journal", "posting__debit_account"))
    lines, entries = _open_lines(statement, open_breaks), _open_entries(open_breaks, on)
    days = [on, *(line.value_on for line in lines), *(entry.effective_on for entry in entries)]
    references = {line.reference for line in lines} | {entry.reference for entry in entries}
    matching = match_lines(
        lines,
        entries,
        on=on,
        sessions=sessions(VENUE, min(days), max(days)),
        settled=set(
            Match.objects.filter(line__reference__in=references).values_list("line__reference", "line__amount_minor")
        ),
    )
    found = list(matching.breaks)
    if statement is None:
        found.append(FoundBreak(BreakClass.STALE_FILE, BreakSide.COUNTERPARTY, 0, f"no statement of {on}"))
    _store_pairs(matching.pairs, on)
    line_ids, posting_ids = {line.line_id for line in lines}, {entry.posting_id for entry in entries}
    compared_again = [
        item
        for item in open_breaks
        if item.line_id in line_ids or item.posting_id in posting_ids or item.kind == BreakClass.STALE_FILE
    ]
    _store_breaks(found, compared_again, on)
    result = _result(statement, on)
    Reconciliation.objects.update_or_create(
        on=on,
        defaults={
            "statement": statement,
            "lines": result.lines,
            "matched": result.matched,
            "broken": result.broken,
            "open_breaks": result.open_breaks,
            "bank_minor": result.bank_minor,
            "books_minor": result.books_minor,
            "unexplained_minor": result.unexplained_minor,
            "at": at,
        },
    )
    record(
        actor=actor,
        action="treasury.reconcile",
        subject=f"reconciliation:{on}",
        inputs={
            "lines": result.lines,
            "matched": result.matched,
            "broken": result.broken,
            "open_breaks": result.open_breaks,
            "unexplained_minor": result.unexplained_minor,
        },
        at=at,
    )
    return result


def _fetch_statement(actor: Actor, on: date, at: datetime) -> Statement | None:
    content = settlement_bank().statement(on)
    if content is None:
        return None
    return Statement.objects.get(id=receive_statement(actor=actor, source="bank", content=content, at=at))


def _open_breaks() -> "QuerySet[BankBreak]":
    return BankBreak.objects.filter(state=BreakState.OPEN)


def _open_lines(statement: Statement | None, open_breaks: Iterable[BankBreak]) -> list[OpenBankLine]:
    """Lines of the day and of open breaks that no entry explains."""
    waiting = [found.line_id for found in open_breaks if found.line_id]
    cleared = BankBreak.objects.filter(_CLEARED_BY_A_PERSON, line__isnull=False).values("line")
    rows = StatementLine.objects.filter(Q(statement=statement) | Q(id__in=waiting), match=None).exclude(id__in=cleared)
    return [
        OpenBankLine(row.id, row.reference, row.amount_minor, row.value_on, row.statement.on)
        for row in rows.select_related("statement")
    ]


def _open_entries(open_breaks: Iterable[BankBreak], on: date) -> list[OpenBookEntry]:
    """Entries of the bank account since the last comparison, and of open breaks, that no line explains.

    Closed book days take no postings: what took effect before the last comparison was seen by it.
    """
    last = Reconciliation.objects.filter(on__lt=on).order_by("-on").values_list("on", flat=True).first()
    recent = [
        OpenBookEntry(entry.posting_id, entry.source, entry.change_minor, entry.effective_on)
        for entry in list_entries(BANK_SETTLEMENT, since_on=last, until_on=on, limit=None)
    ]
    older = [
        OpenBookEntry(
            posting.id,
            posting.journal.source,
            posting.amount_minor if posting.debit_account.code == BANK_SETTLEMENT else -posting.amount_minor,
            posting.effective_on,
        )
        for found in open_breaks
        if (posting := found.posting) is not None
    ]
    by_posting = {entry.posting_id: entry for entry in (*recent, *older)}
    return [by_posting[posting_id] for posting_id in by_posting.keys() - explained_postings(by_posting)]


def explained_postings(posting_ids: Iterable[int]) -> set[int]:
    """Those postings that are matched, that cleared a break, or whose break was cleared."""
    ids = list(posting_ids)
    breaks = BankBreak.objects.filter(_CLEARED_BY_A_PERSON)
    return {
        *Match.objects.filter(posting_id__in=ids).values_list("posting_id", flat=True),
        *breaks.filter(posting_id__in=ids).values_list("posting_id", flat=True),
        *breaks.filter(clearing_posting_id__in=ids).values_list("clearing_posting_id", flat=True),
    }


def _store_pairs(pairs: Iterable[Pair], on: date) -> None:
    Match.objects.bulk_create(
        Match(line_id=pair.line.line_id, posting_id=pair.entry.posting_id, method=pair.method, on=on) for pair in pairs
    )


def _store_breaks(found: Iterable[FoundBreak], earlier: Iterable[BankBreak], on: date) -> None:
    """Bring the breaks that were compared again to what was found: kept, changed, added, or cleared as agreed."""
    known = {(item.line_id, item.posting_id): item for item in earlier}
    changed, added = [], []
    for item in found:
        fields = _fields(item, on)
        row = known.pop((fields["line_id"], fields["posting_id"]), None)
        if row is None:
            added.append(BankBreak(**fields))
        elif any(getattr(row, name) != value for name, value in fields.items()):
            for name, value in fields.items():
                setattr(row, name, value)
            changed.append(row)
    BankBreak.objects.filter(id__in=[row.id for row in known.values()]).update(
        state=BreakState.CLEARED, cleared_on=on, cleared_by=AGREED
    )
    BankBreak.objects.bulk_update(changed, ["kind", "side", "amount_minor", "detail"])
    BankBreak.objects.bulk_create(added)


def _fields(found: FoundBreak, on: date) -> dict[str, Any]:
    """A break's columns. It is as old as the younger of the two things that disagree."""
    line, entry = found.line, found.entry
    dates = [*([line.booked_on] if line else []), *([entry.effective_on] if entry else [])]
    return {
        "kind": found.kind.value,
        "side": found.side.value,
        "line_id": line.line_id if line else None,
        "posting_id": entry.posting_id if entry else None,
        "reference": line.reference if line else entry.reference if entry else "",
        "detail": found.detail,
        "amount_minor": found.amount_minor,
        "opened_on": max(dates, default=on),
    }


def _result(statement: Statement | None, on: date) -> ReconciliationResult:
    """Count the day's lines and prove that open breaks explain the whole difference between bank and books."""
    lines = statement.lines.count() if statement else 0
    broken = _open_breaks().filter(line__statement=statement).values("line").distinct().count() if statement else 0
    last = statement or Statement.objects.filter(on__lt=on).order_by("-on").first()
    bank_minor = last.closing_minor if last else 0
    books_minor = balance_as_of(BANK_SETTLEMENT, on)
    still_open = _open_breaks().aggregate(count=Count("id"), amount=Sum("amount_minor", default=0))
    return ReconciliationResult(
        on=on,
        lines=lines,
        matched=lines - broken,
        broken=broken,
        open_breaks=still_open["count"],
        bank_minor=bank_minor,
        books_minor=books_minor,
        unexplained_minor=books_minor - bank_minor - still_open["amount"],
    )
