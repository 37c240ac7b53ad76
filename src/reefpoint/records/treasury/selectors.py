"""What the cash rail tells."""

from datetime import date

from django.db.models import Case, F, Sum, When

from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState, age_bucket, business_days_old
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.records.ledger.selectors import list_entries
from reefpoint.records.ledger.types import BANK_SETTLEMENT
from reefpoint.records.market.selectors import sessions
from reefpoint.records.market.types import VENUE
from reefpoint.records.treasury.models import BankBreak, FundingPool, Match, Reconciliation, Statement, StatementLine
from reefpoint.records.treasury.rules import total_by_age
from reefpoint.records.treasury.types import BreakRow, BreakTotals, PoolMovementKind, PoolView, ReconciliationResult

APPEND_ONLY_TABLES = ("treasury_poolmovement", "treasury_statement", "treasury_statementline", "treasury_match")


class PoolNotFound(LookupError):
    """No pool has this code."""


def list_pools() -> list[PoolView]:
    """All funding pools, by code."""
    return [
        PoolView(pool.code, pool.name, pool.currency, pool.committed_minor, pool.lent_minor, pool.cost_bp)
        for pool in FundingPool.objects.order_by("code")
    ]


def get_pool(code: str) -> PoolView:
    """One pool. Raises `PoolNotFound`."""
    found = next((pool for pool in list_pools() if pool.code == code), None)
    if found is None:
        raise PoolNotFound(code)
    return found


def get_reconciliation(on: date) -> ReconciliationResult | None:
    """The outcome of a day's comparison of bank and books, as of its last run; None if there was none."""
    row = Reconciliation.objects.filter(on=on).first()
    return None if row is None else _result(row)


def list_reconciliations(limit: int = 30) -> list[ReconciliationResult]:
    """The latest days' outcomes, newest first."""
    return [_result(row) for row in Reconciliation.objects.order_by("-on")[:limit]]


def list_breaks(*, on: date, open_only: bool = True, limit: int = 200) -> list[BreakRow]:
    """Breaks between bank and books with their age at `on`, oldest first."""
    breaks = BankBreak.objects.filter(opened_on__lte=on)
    if open_only:
        breaks = breaks.filter(state=BreakState.OPEN)
    rows = list(breaks.order_by("opened_on", "id")[:limit])
    days = sessions(VENUE, rows[0].opened_on, on) if rows else []
    return [_break_row(row, business_days_old(days, row.opened_on, row.cleared_on or on)) for row in rows]


def list_break_totals(*, on: date) -> list[BreakTotals]:
    """Open breaks counted by age at `on`, youngest first."""
    return total_by_age(list_breaks(on=on, limit=10_000))


def verify_treasury() -> list[Finding]:
    """Pools have lent what their movements add up to; statements follow on one another; every line and every entry of
    the bank account up to the last comparison is matched or broken; the guards stand.
    """
    return [*_verify_pools(), *_verify_statements(), *_verify_accounted(), *verify_guards(APPEND_ONLY_TABLES)]


def _verify_pools() -> list[Finding]:
    signed = Case(
        When(movements__kind=PoolMovementKind.ALLOCATE, then=F("movements__amount_minor")),
        default=-F("movements__amount_minor"),
    )
    pools = FundingPool.objects.annotate(moved=Sum(signed, default=0)).exclude(moved=F("lent_minor"))
    return [
        Finding(
            "treasury.pool", f"pool:{pool.code}", f"{pool.lent_minor} is lent, its movements add up to {pool.moved}"
        )
        for pool in pools.order_by("code")
    ]


def _verify_statements() -> list[Finding]:
    rows = list(Statement.objects.annotate(moved=Sum("lines__amount_minor", default=0)).order_by("on"))
    closings = [0, *(row.closing_minor for row in rows)]
    return [
        Finding("treasury.statement", f"statement:{row.on}", f"it does not lead from {before} to {row.closing_minor}")
        for before, row in zip(closings, rows, strict=False)
        if (row.opening_minor, row.opening_minor + row.moved) != (before, row.closing_minor)
    ]


def _verify_accounted() -> list[Finding]:
    """Nothing slipped through: each line and each entry has its match or its break, and no cent is unexplained."""
    last = Reconciliation.objects.order_by("-on").first()
    if last is None:
        return []
    lines = StatementLine.objects.filter(match=None, breaks=None, statement__on__lte=last.on).order_by("id")
    explained = {
        *Match.objects.values_list("posting_id", flat=True),
        *BankBreak.objects.values_list("posting_id", flat=True),
        *BankBreak.objects.values_list("clearing_posting_id", flat=True),
    }
    entries = list_entries(BANK_SETTLEMENT, until_on=last.on, limit=None)
    return [
        *(
            Finding("treasury.reconciliation", f"line:{line.id}", f"{line.reference} was not compared")
            for line in lines
        ),
        *(
            Finding("treasury.reconciliation", f"posting:{entry.posting_id}", f"{entry.source} was not compared")
            for entry in entries
            if entry.posting_id not in explained
        ),
        *(
            Finding("treasury.reconciliation", f"reconciliation:{row.on}", f"{row.unexplained_minor} is unexplained")
            for row in Reconciliation.objects.exclude(unexplained_minor=0).order_by("on")
        ),
    ]


def _break_row(row: BankBreak, age_days: int) -> BreakRow:
    return BreakRow(
        break_id=row.id,
        kind=BreakClass(row.kind),
        side=BreakSide(row.side),
        reference=row.reference,
        detail=row.detail,
        amount_minor=row.amount_minor,
        opened_on=row.opened_on,
        cleared_on=row.cleared_on,
        age_days=age_days,
        age_bucket=age_bucket(age_days),
    )


def _result(row: Reconciliation) -> ReconciliationResult:
    return ReconciliationResult(
        on=row.on,
        lines=row.lines,
        matched=row.matched,
        broken=row.broken,
        open_breaks=row.open_breaks,
        bank_minor=row.bank_minor,
        books_minor=row.books_minor,
        unexplained_minor=row.unexplained_minor,
    )
