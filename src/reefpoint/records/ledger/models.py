"""The ledger's tables. Their triggers (migration 0002) keep balances, holds and the period lock, also for raw SQL.

Balance rows are written by triggers only. Accounts, journals, postings, holds and snapshots are append-only.
"""

from django.db import models
from django.db.models import F, Q

from reefpoint.platform.audit.types import Chain
from reefpoint.records.ledger.types import AccountKind

APPEND_ONLY_TABLES = (
    "ledger_account",
    "ledger_journal",
    "ledger_posting",
    "ledger_hold",
    "ledger_hold_resolution",
    "ledger_balance_snapshot",
)
OTHER_TRIGGERS = (
    ("ledger_account", "ledger_account_balance"),
    ("ledger_balance", "ledger_balance_by_trigger_only"),
    ("ledger_balance", "ledger_balance_no_truncate"),
    ("ledger_book_day", "ledger_book_day_kept"),
    ("ledger_book_day", "ledger_book_day_no_truncate"),
    ("ledger_hold", "ledger_hold_balance"),
    ("ledger_hold_resolution", "ledger_hold_resolution_balance"),
    ("ledger_journal", "ledger_journal_period"),
    ("ledger_posting", "ledger_posting_balance"),
)

LEDGER_CHAIN = Chain(
    name="ledger_journal",
    rows="""
    SELECT j.id, j.xid, sha256(convert_to(jsonb_build_array(
               j.id, j.kind, j.key, encode(j.fingerprint, 'hex'), j.effective_on - date '2000-01-01',
               (extract(epoch FROM j.posted_at) * 1000000)::bigint, j.actor, j.memo, j.source, j.reverses_id,
               (SELECT jsonb_agg(jsonb_build_array(p.id, p.effective_on - date '2000-01-01', p.debit_account_id,
                           p.credit_account_id, p.currency, p.amount_minor) ORDER BY p.id)
                  FROM ledger_posting p WHERE p.journal_id = j.id)
           )::text, 'UTF8')) AS hash
      FROM ledger_journal j
    """,
)
"""A journal is sealed together with its postings."""


class LedgerAccount(models.Model):
    """An account of the chart: one code, one kind, one currency, for ever."""

    code = models.TextField(unique=True)
    kind = models.TextField()
    currency = models.CharField(max_length=3)
    floor_minor = models.BigIntegerField(null=True)

    class Meta:
        db_table = "ledger_account"
        constraints = (
            models.UniqueConstraint(fields=["id", "currency"], name="ledger_account_currency"),
            models.CheckConstraint(condition=Q(kind__in=list(AccountKind)), name="ledger_account_kind"),
        )

    def __str__(self) -> str:
        return self.code


class Balance(models.Model):
    """What an account's postings add up to: debit and credit totals that only grow, and what is held."""

    account = models.OneToOneField(LedgerAccount, on_delete=models.PROTECT, primary_key=True, related_name="balance")
    sign = models.SmallIntegerField()
    floor_minor = models.BigIntegerField(null=True)
    debit_minor = models.BigIntegerField(db_default=0)
    credit_minor = models.BigIntegerField(db_default=0)
    held_minor = models.BigIntegerField(db_default=0)
    version = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "ledger_balance"
        constraints = (
            models.CheckConstraint(
                condition=Q(floor_minor__isnull=True)
                | Q(floor_minor__lte=F("sign") * (F("debit_minor") - F("credit_minor")) - F("held_minor")),
                name="ledger_balance_above_floor",
            ),
            models.CheckConstraint(condition=Q(held_minor__gte=0), name="ledger_balance_held"),
        )

    def __str__(self) -> str:
        return f"{self.account_id}"


class BookDay(models.Model):
    """A business date of the books. At most one is open; nothing is posted on or before a closed one."""

    on = models.DateField(primary_key=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_book_day"
        constraints = (
            models.UniqueConstraint(
                fields=["closed_at"],
                condition=Q(closed_at__isnull=True),
                nulls_distinct=False,
                name="ledger_book_day_one_open",
            ),
        )

    def __str__(self) -> str:
        return str(self.on)


class Journal(models.Model):
    """Postings that belong together. `key` makes it happen once; `fingerprint` tells what the key stands for.

    The table has one more column that only the database writes: `xid`, the transaction that wrote the row.
    """

    kind = models.TextField()
    key = models.TextField(unique=True)
    fingerprint = models.BinaryField()
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    actor = models.TextField()
    memo = models.TextField()
    source = models.TextField()
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")

    class Meta:
        db_table = "ledger_journal"

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Posting(models.Model):
    """One amount, debited to one account and credited to another: it cannot fail to balance.

    Both accounts hold the posting's currency by composite foreign keys (migration 0002).
    """

    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="postings")
    effective_on = models.DateField()
    debit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="debits", db_constraint=False, db_index=False
    )
    credit_account = models.ForeignKey(
        LedgerAccount, on_delete=models.PROTECT, related_name="credits", db_constraint=False, db_index=False
    )
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "ledger_posting"
        constraints = (
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="ledger_posting_amount"),
            models.CheckConstraint(condition=~Q(debit_account=F("credit_account")), name="ledger_posting_pair"),
        )
        indexes = (
            models.Index(fields=["debit_account", "effective_on", "id"], name="ledger_posting_debits"),
            models.Index(fields=["credit_account", "effective_on", "id"], name="ledger_posting_credits"),
        )

    def __str__(self) -> str:
        return f"{self.id}"


class Hold(models.Model):
    """Money set aside on an account until it is captured or released. `key` makes it happen once."""

    key = models.TextField(unique=True)
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="holds")
    amount_minor = models.BigIntegerField()
    reason = models.TextField()
    actor = models.TextField()
    placed_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_hold"
        constraints = (models.CheckConstraint(condition=Q(amount_minor__gt=0), name="ledger_hold_amount"),)

    def __str__(self) -> str:
        return self.key


class HoldResolution(models.Model):
    """The one end of a hold, whoever wins the race for it."""

    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, primary_key=True, related_name="resolution")
    is_captured = models.BooleanField()
    actor = models.TextField()
    resolved_at = models.DateTimeField()

    class Meta:
        db_table = "ledger_hold_resolution"

    def __str__(self) -> str:
        return f"{self.hold_id}"


class BalanceSnapshot(models.Model):
    """An account's totals at the end of a closed book day; kept for the accounts that moved since the one before."""

    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="snapshots", db_index=False)
    on = models.DateField()
    debit_minor = models.BigIntegerField()
    credit_minor = models.BigIntegerField()

    class Meta:
        db_table = "ledger_balance_snapshot"
        constraints = (models.UniqueConstraint(fields=["account", "on"], name="ledger_balance_snapshot_once"),)

    def __str__(self) -> str:
        return f"{self.account_id} {self.on}"
