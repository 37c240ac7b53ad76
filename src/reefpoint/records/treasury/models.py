"""Tables of the cash rail: pools, payments, statements, matches and breaks; and the paper bank's own, another party's
truth.
"""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from reefpoint.platform.basics.breaks import BreakClass, BreakSide, BreakState
from reefpoint.records.treasury.types import (
    MatchMethod,
    PaperBehaviour,
    PaymentOutcome,
    PaymentState,
    PoolMovementKind,
    PoolOrigin,
)


class FundingPool(models.Model):
    """Money committed by funders, and how much of it is lent. It is never lent beyond its commitment (I48)."""

    code = models.CharField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3)
    committed_minor = models.BigIntegerField()
    lent_minor = models.BigIntegerField(default=0)
    cost_bp = models.IntegerField()
    origin = models.CharField(
        max_length=12, default=PoolOrigin.UNSPECIFIED, choices=[(one.value, one.value) for one in PoolOrigin]
    )

    class Meta:
        constraints = (
            CheckConstraint(
                condition=Q(lent_minor__gte=0, lent_minor__lte=F("committed_minor")), name="pool_never_lent_beyond"
            ),
            CheckConstraint(condition=Q(committed_minor__gt=0, cost_bp__gte=0), name="pool_figures_sane"),
        )

    def __str__(self) -> str:
        return self.code


class PoolMovement(models.Model):
    """Money of a pool lent to an account, or come back. Append-only; of one kind, `key` makes it happen once."""

    pool = models.ForeignKey(FundingPool, on_delete=models.PROTECT, related_name="movements")
    account = models.ForeignKey("accounts.MarginAccount", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in PoolMovementKind])
    amount_minor = models.BigIntegerField()
    key = models.CharField(max_length=160)
    moved_by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            UniqueConstraint(fields=["pool", "kind", "key"], name="pool_movement_once"),
            CheckConstraint(condition=Q(amount_minor__gt=0), name="pool_movement_positive"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Statement(models.Model):
    """A bank statement as it was received, with its bytes. Append-only."""

    on = models.DateField(unique=True)
    source = models.CharField(max_length=80)
    bank = models.CharField(max_length=80)
    currency = models.CharField(max_length=3)
    file_hash = models.CharField(max_length=64, unique=True)
    content = models.BinaryField()
    opening_minor = models.BigIntegerField()
    closing_minor = models.BigIntegerField()
    next_sequence = models.BigIntegerField()
    received_by = models.CharField(max_length=80)
    received_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"statement of {self.on}"


class StatementLine(models.Model):
    """One line of a statement; positive for money received. Append-only."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    sequence = models.BigIntegerField(unique=True)
    reference = models.CharField(max_length=160, db_index=True)
    amount_minor = models.BigIntegerField()
    value_on = models.DateField()
    text = models.CharField(max_length=300)

    class Meta:
        constraints = (CheckConstraint(condition=~Q(amount_minor=0), name="statement_line_not_empty"),)

    def __str__(self) -> str:
        return self.reference


class Match(models.Model):
    """A statement line and the one ledger posting that explains it: each is claimed at most once (I47). Append-only."""

    line = models.OneToOneField(StatementLine, on_delete=models.PROTECT, related_name="match")
    posting = models.OneToOneField("ledger.Posting", on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=24, choices=[(method.value, method.value) for method in MatchMethod])
    on = models.DateField()

    def __str__(self) -> str:
        return f"line {self.line_id} is posting {self.posting_id}"


class BankBreak(models.Model):
    """A difference between bank and books; `amount_minor` is books minus bank.

    It ends when the two agree, by a journal that moves the bank account by exactly the difference
    (`clearing_posting`), or, where no money is concerned, by a second person's approval.
    """

    kind = models.CharField(max_length=24, choices=[(kind.value, kind.value) for kind in BreakClass])
    side = models.CharField(max_length=12, choices=[(side.value, side.value) for side in BreakSide])
    line = models.ForeignKey(StatementLine, on_delete=models.PROTECT, null=True, related_name="breaks")
    posting = models.ForeignKey("ledger.Posting", on_delete=models.PROTECT, null=True, related_name="+")
    reference = models.CharField(max_length=160)
    detail = models.CharField(max_length=300)
    amount_minor = models.BigIntegerField()
    opened_on = models.DateField()
    state = models.CharField(
        max_length=8, choices=[(state.value, state.value) for state in BreakState], default=BreakState.OPEN.value
    )
    cleared_on = models.DateField(null=True)
    cleared_by = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    clearing_posting = models.OneToOneField("ledger.Posting", on_delete=models.PROTECT, null=True, related_name="+")
    approval_id = models.BigIntegerField(null=True, unique=True)

    class Meta:
        indexes = (models.Index(fields=["opened_on"], condition=Q(state="open"), name="bank_break_open"),)
        constraints = (
            UniqueConstraint(
                fields=["kind", "line", "posting", "opened_on"],
                condition=Q(state="open"),
                nulls_distinct=False,
                name="bank_break_open_once",
            ),
            CheckConstraint(
                condition=Q(state="open", cleared_on__isnull=True) | Q(state="cleared", cleared_on__isnull=False),
                name="bank_break_cleared_has_date",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"


class Reconciliation(models.Model):
    """The outcome of a day's comparison of bank and books; a later run of the same day replaces the figures."""

    on = models.DateField(unique=True)
    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, null=True, related_name="reconciliation")
    lines = models.IntegerField()
    matched = models.IntegerField()
    broken = models.IntegerField()
    open_breaks = models.IntegerField()
    bank_minor = models.BigIntegerField()
    books_minor = models.BigIntegerField()
    unexplained_minor = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            CheckConstraint(condition=Q(lines=F("matched") + F("broken")), name="reconciliation_every_line_accounted"),
        )

    def __str__(self) -> str:
        return f"bank reconciliation of {self.on}"


class PaperBankStatement(models.Model):
    """A day that the paper bank has reported: its entries up to then, and the balance."""

    on = models.DateField(unique=True)
    opening_minor = models.BigIntegerField()
    closing_minor = models.BigIntegerField()
    first_sequence = models.BigIntegerField()
    next_sequence = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.on)


class PaperBankEntry(models.Model):
    """One booking on the paper bank's account of the desk; on a statement once its day was reported."""

    reference = models.CharField(max_length=160, unique=True)
    amount_minor = models.BigIntegerField()
    booked_on = models.DateField()
    value_on = models.DateField()
    text = models.CharField(max_length=300)
    statement = models.ForeignKey(PaperBankStatement, on_delete=models.PROTECT, null=True, related_name="entries")

    class Meta:
        indexes = (models.Index(fields=["id"], condition=Q(statement__isnull=True), name="paper_bank_unreported"),)
        constraints = (CheckConstraint(condition=~Q(amount_minor=0), name="paper_bank_entry_not_empty"),)

    def __str__(self) -> str:
        return self.reference


class Payment(models.Model):
    """One instruction to the bank and where it stands. Only the columns of its standing ever change.

    `key` makes a request one payment; `reference` makes it one at the bank, however often the bank is told.
    """

    reference = models.CharField(max_length=24, unique=True)
    key = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=60)
    pool = models.ForeignKey(FundingPool, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey("accounts.MarginAccount", on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    from_account = models.CharField(max_length=60)
    to_account = models.CharField(max_length=60)
    text = models.CharField(max_length=140)
    on = models.DateField()
    requested_by = models.CharField(max_length=80)
    requested_at = models.DateTimeField()
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in PaymentState],
        default=PaymentState.REQUESTED.value,
    )
    attempts = models.IntegerField(default=0)
    answer_by = models.DateTimeField(null=True)
    waits_since = models.DateTimeField()
    bank_reference = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    is_contradicted = models.BooleanField(default=False)
    approval_id = models.BigIntegerField(null=True, unique=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(
                fields=["id"], condition=Q(state__in=["requested", "sent", "unknown"]), name="treasury_payment_open"
            ),
            models.Index(fields=["subject", "id"], name="treasury_payment_subject"),
        )
        constraints = (
            CheckConstraint(condition=Q(amount_minor__gt=0), name="treasury_payment_positive"),
            CheckConstraint(
                condition=Q(state="requested") | Q(answer_by__isnull=False), name="treasury_payment_sent_has_deadline"
            ),
        )

    def __str__(self) -> str:
        return str(self.reference)


class PaymentStep(models.Model):
    """One move of a payment. Append-only."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="steps")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    words = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("id",)
        db_table = "treasury_payment_step"

    def __str__(self) -> str:
        return f"{self.payment_id} {self.action}"


class PaymentAnswer(models.Model):
    """Something the bank said of a payment, kept once, whatever it changed. Append-only."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="answers")
    outcome = models.CharField(max_length=10, choices=[(outcome.value, outcome.value) for outcome in PaymentOutcome])
    amount_minor = models.BigIntegerField()
    bank_reference = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=120)
    heard_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        db_table = "treasury_payment_answer"
        constraints = (
            UniqueConstraint(
                fields=["payment", "outcome", "amount_minor", "bank_reference"], name="treasury_payment_answer_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment_id} {self.outcome}"


class PaperBankOrder(models.Model):
    """A payment the paper bank was told of, and how it treats it."""

    reference = models.CharField(max_length=160, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    behaviour = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in PaperBehaviour])
    told_on = models.DateField()
    first_asked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.reference


class PaperBankManner(models.Model):
    """How the paper bank treats the next payments; one row, or none for a bank that confirms."""

    id = models.IntegerField(primary_key=True, default=1)
    behaviour = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in PaperBehaviour])

    class Meta:
        constraints = (CheckConstraint(condition=Q(id=1), name="paper_bank_one_manner"),)

    def __str__(self) -> str:
        return self.behaviour
