"""What the cash rail tells."""

from collections.abc import Collection
from datetime import date

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Sum, When

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState, age_bucket, business_days_old
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.ledger.selectors import list_entries, list_journal_keys
from reefpoint.records.ledger.types import BANK_SETTLEMENT
from reefpoint.records.market.selectors import sessions
from reefpoint.records.market.types import VENUE
from reefpoint.records.treasury.adapters import payment_bank
from reefpoint.records.treasury.adapters.paper_payments import get_manner
from reefpoint.records.treasury.models import (
    BankBreak,
    FundingPool,
    Match,
    Payment,
    PaymentStep,
    Reconciliation,
    Statement,
    StatementLine,
)
from reefpoint.records.treasury.rules import total_by_age
from reefpoint.records.treasury.types import (
    BreakRow,
    BreakTotals,
    PaperBehaviour,
    PaymentState,
    PaymentStepView,
    PaymentView,
    PoolMovementKind,
    PoolOrigin,
    PoolView,
    ReconciliationResult,
)

SIDES = ("in", "out")
"""A confirmed payment is booked out of one bank account and into another."""

APPEND_ONLY_TABLES = (
    "treasury_poolmovement",
    "treasury_statement",
    "treasury_statementline",
    "treasury_match",
    "treasury_payment_step",
    "treasury_payment_answer",
)

_PAYMENT_ORDERS = {
    "reference": "id",
    "amount_minor": "amount_minor",
    "state": "state",
    "requested_at": "requested_at",
    "waits_since": "waits_since",
}


class PoolNotFound(NotFound):
    """No pool has this code."""


def list_pools() -> list[PoolView]:
    """All funding pools, by code."""
    return [
        PoolView(
            pool.code,
            pool.name,
            pool.currency,
            pool.committed_minor,
            pool.lent_minor,
            pool.cost_bp,
            PoolOrigin(pool.origin),
        )
        for pool in FundingPool.objects.order_by("code")
    ]


def get_pool(code: str) -> PoolView:
    """One pool. Raises `PoolNotFound`."""
    found = next((pool for pool in list_pools() if pool.code == code), None)
    if found is None:
        raise PoolNotFound("There is no pool {code}.", code=code)
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
    return [
        *_verify_pools(),
        *_verify_statements(),
        *_verify_accounted(),
        *_verify_payments(),
        *verify_guards(APPEND_ONLY_TABLES, guards_of(["treasury_payment"])),
    ]


class PaymentNotFound(NotFound):
    """No payment has this id."""


def get_payment(payment_id: int) -> PaymentView:
    """One payment with its steps. Raises `PaymentNotFound`."""
    row = Payment.objects.select_related("pool").prefetch_related("steps").filter(id=payment_id).first()
    if row is None:
        raise PaymentNotFound("There is no such payment.", payment_id=payment_id)
    return _payment(row, tuple(_payment_step(step) for step in row.steps.all()))


def list_payments_for(subject: str) -> list[PaymentView]:
    """All payments of one matter, newest first, with their steps."""
    rows = Payment.objects.filter(subject=subject).select_related("pool").prefetch_related("steps").order_by("-id")
    return [_payment(row, tuple(_payment_step(step) for step in row.steps.all())) for row in rows]


def find_payments(
    actor: Actor, *, text: str = "", state: str = "", order: str = "-requested_at", offset: int = 0, limit: int = 50
) -> Listing[PaymentView]:
    """Payments by reference or matter and state; `order` is a column, with a minus for descending."""
    require(actor, "treasury.view")
    rows = Payment.objects.select_related("pool").filter(holding(text, "reference", "subject"))
    if state:
        rows = rows.filter(state=state)
    counted = rows.aggregate(count=Count("id"), amount_minor=Sum("amount_minor", default=0))
    column = _PAYMENT_ORDERS.get(order.removeprefix("-"), "id")
    sign = "-" if order.startswith("-") else ""
    found = rows.order_by(f"{sign}{column}", f"{sign}id")
    sums = {"amount_minor": counted["amount_minor"]}
    return cut(found, offset=offset, limit=limit, view=each(_payment), count=counted["count"], sums=sums)


def count_payments_to_look_at() -> dict[str, int]:
    """How many payments need a person: of unknown end, contradicted by the bank, and not told to the bank yet."""
    return Payment.objects.aggregate(
        unknown=Count("id", filter=Q(state=PaymentState.UNKNOWN)),
        contradicted=Count("id", filter=Q(is_contradicted=True)),
        unsent=Count("id", filter=Q(state=PaymentState.REQUESTED)),
    )


def payment_states(payment_ids: Collection[int]) -> dict[int, PaymentState]:
    """Where payments stand, by id."""
    rows = Payment.objects.filter(id__in=payment_ids).values_list("id", "state")
    return {payment_id: PaymentState(state) for payment_id, state in rows}


def paper_behaviour() -> PaperBehaviour | None:
    """How the paper bank treats the next payments; None where the bank is a real one."""
    return get_manner() if payment_bank().name == "paper" else None


def _payment(row: Payment, steps: tuple[PaymentStepView, ...] = ()) -> PaymentView:
    return PaymentView(
        id=row.pk,
        reference=row.reference,
        state=PaymentState(row.state),
        amount_minor=row.amount_minor,
        currency=row.currency,
        pool_code=row.pool.code,
        account_id=row.account_id,
        from_account=row.from_account,
        to_account=row.to_account,
        text=row.text,
        subject=row.subject,
        attempts=row.attempts,
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        answer_by=row.answer_by,
        waits_since=row.waits_since,
        bank_reference=row.bank_reference,
        reason=row.reason,
        is_contradicted=row.is_contradicted,
        approval_id=row.approval_id,
        steps=steps,
    )


def _payment_step(row: PaymentStep) -> PaymentStepView:
    return PaymentStepView(row.at, row.actor, row.action, PaymentState(row.state), row.words)


def _verify_payments() -> list[Finding]:
    """A payment stands where its last step left it; what the bank moved, and nothing else, is booked twice over."""
    last = PaymentStep.objects.filter(payment=OuterRef("pk")).order_by("-id").values("state")[:1]
    moved = Payment.objects.filter(state=PaymentState.CONFIRMED)
    keys = {f"payment:{payment_id}:{side}": None for payment_id in moved.values_list("id", flat=True) for side in SIDES}
    booked = list_journal_keys("payment")
    return [
        *(
            Finding("treasury.payment", f"payment:{row.pk}", f"it is {row.state}, its last step left it {row.last}")
            for row in Payment.objects.annotate(last=Subquery(last)).exclude(last=F("state")).order_by("id")
        ),
        *(
            Finding("treasury.payment", key.rpartition(":")[0], "the books and the payment do not agree")
            for key in sorted(keys.keys() ^ booked)
        ),
    ]


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
