"""What clients did, the rules that look at it, and what they raised."""

from django.db import models
from django.db.models import Q

from reefpoint.decisions.monitoring.types import (
    ActivityKind,
    AlertState,
    BacktestState,
    Consequence,
    Pivot,
    RestrictionKind,
    RuleMode,
    RuleVersionState,
)


class Activity(models.Model):
    """One thing a client did, written in the transaction that did it; see `types.ActivityDraft`. Append-only.

    A column `xid` (migration 0002) holds the transaction that wrote it: sweeps take rows in the order in which
    transactions ended, so that one that commits late is never passed over.
    """

    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=160, unique=True)
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+", db_index=False)
    account_id = models.BigIntegerField(default=0)
    at = models.DateTimeField()
    amount_minor = models.BigIntegerField(default=0)
    counterparty = models.BigIntegerField(default=0)
    counterparty_name = models.CharField(max_length=160, blank=True, default="")
    score_bp = models.IntegerField(default=-1)
    is_verified = models.SmallIntegerField(default=-1)
    is_third_party = models.SmallIntegerField(default=-1)
    country = models.CharField(max_length=2, blank=True, default="")
    instrument_id = models.BigIntegerField(default=0)
    quantity = models.BigIntegerField(default=0)
    price_units = models.BigIntegerField(default=0)
    position_before = models.BigIntegerField(default=0)
    move_bp = models.IntegerField(default=0)
    device = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=120, blank=True, default="")
    declared_liquid_minor = models.BigIntegerField(default=-1)
    declared_income_minor = models.BigIntegerField(default=-1)
    declared_worth_minor = models.BigIntegerField(default=-1)

    class Meta:
        constraints = (
            models.CheckConstraint(name="activity_kind_known", condition=Q(kind__in=list(ActivityKind))),
            models.CheckConstraint(
                name="activity_amounts_sane",
                condition=Q(amount_minor__gte=0, quantity__gte=0, price_units__gte=0, position_before__gte=0),
            ),
            models.CheckConstraint(
                name="activity_answers_known",
                condition=Q(is_verified__in=[-1, 0, 1], is_third_party__in=[-1, 0, 1], score_bp__gte=-1),
            ),
        )
        indexes = (
            models.Index(fields=("client", "at", "id"), name="activity_of_client"),
            models.Index(fields=("counterparty", "at"), condition=~Q(counterparty=0), name="activity_of_counterparty"),
            models.Index(fields=("device", "at"), condition=~Q(device=0), name="activity_of_device"),
        )

    def __str__(self) -> str:
        return self.key


class Watermark(models.Model):
    """Up to which transaction activities have been judged: one row."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    below_xid = models.BigIntegerField(default=0)
    swept_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(name="one_watermark", condition=Q(id=1)),)


class Rule(models.Model):
    """A typology that is watched for. What it asks is in its versions."""

    code = models.CharField(max_length=40, unique=True)
    number = models.SmallIntegerField(unique=True)
    title = models.CharField(max_length=80)
    title_zh = models.CharField(max_length=80)
    what = models.CharField(max_length=500)
    what_zh = models.CharField(max_length=500)

    def __str__(self) -> str:
        return self.code


class RuleVersion(models.Model):
    """What a rule asks from a date on. Its words never change; its state and approval do."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="versions")
    version = models.IntegerField()
    expression = models.TextField()
    triggers = models.JSONField()
    parameters = models.JSONField()
    pivot = models.CharField(max_length=16, choices=[(pivot.value, pivot.value) for pivot in Pivot])
    cooldown_days = models.IntegerField()
    mode = models.CharField(max_length=8, choices=[(mode.value, mode.value) for mode in RuleMode])
    consequence = models.CharField(max_length=8, choices=[(one.value, one.value) for one in Consequence])
    sources = models.JSONField()
    effective_from = models.DateField()
    state = models.CharField(
        max_length=10,
        choices=[(state.value, state.value) for state in RuleVersionState],
        default=RuleVersionState.DRAFT.value,
    )
    made_by = models.CharField(max_length=80)
    made_at = models.DateTimeField()
    approval_id = models.BigIntegerField(null=True, unique=True)
    decided_by = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("rule", "version"), name="rule_version_once"),
            models.CheckConstraint(name="rule_cooldown_positive", condition=Q(cooldown_days__gte=0)),
            models.CheckConstraint(name="rule_version_state", condition=Q(state__in=list(RuleVersionState))),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.version}"


class Alert(models.Model):
    """A rule fired on one activity. `inputs` are all that it was given, so that it can be judged again."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="alerts")
    rule_version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="alerts")
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    account_id = models.BigIntegerField(default=0)
    activity = models.ForeignKey(Activity, on_delete=models.PROTECT, related_name="+")
    pivot = models.CharField(max_length=80)
    at = models.DateTimeField()
    raised_at = models.DateTimeField()
    inputs = models.JSONField()
    mode = models.CharField(max_length=8, choices=[(mode.value, mode.value) for mode in RuleMode])
    consequence = models.CharField(max_length=8, choices=[(one.value, one.value) for one in Consequence])
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in AlertState], default=AlertState.OPEN.value
    )
    snoozed_until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)
    case_id = models.BigIntegerField(null=True, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("rule", "pivot", "activity"), name="alert_once_for_an_activity"),
            models.CheckConstraint(
                name="alert_state_has_its_facts",
                condition=(Q(state="in_case") & Q(case_id__isnull=False))
                | (Q(state="snoozed", snoozed_until__isnull=False) & ~Q(reason=""))
                | (Q(state="dismissed") & ~Q(reason=""))
                | Q(state="open"),
            ),
        )
        indexes = (
            models.Index(fields=("rule", "pivot", "at"), name="alert_by_pivot"),
            models.Index(fields=("-at", "-id"), condition=Q(mode="live", state="open"), name="alert_open"),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} {self.pivot}"


class Undecided(models.Model):
    """A rule that could not be judged for a client, since a fact is missing: it waits for a person (I61)."""

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="+")
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    missing = models.CharField(max_length=200)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.IntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rule", "client", "missing"), name="undecided_once"),)


class Restriction(models.Model):
    """Cash that may not leave: an amount on hold in the ledger, or all of a client's."""

    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in RestrictionKind])
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    account_id = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0)
    hold_key = models.CharField(max_length=120, unique=True)
    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, null=True, related_name="restrictions")
    reason = models.CharField(max_length=300)
    placed_by = models.CharField(max_length=80)
    placed_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, blank=True)
    released_at = models.DateTimeField(null=True)
    release_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="restriction_release_is_whole",
                condition=Q(released_at__isnull=True, released_by="", release_reason="")
                | (Q(released_at__isnull=False) & ~Q(released_by="") & ~Q(release_reason="")),
            ),
            models.CheckConstraint(
                name="restriction_amount",
                condition=Q(kind="hold", amount_minor__gt=0) | Q(kind="block", amount_minor=0),
            ),
        )
        indexes = (
            models.Index(fields=("client",), condition=Q(released_at__isnull=True), name="restriction_standing"),
        )


class Backtest(models.Model):
    """A version run over history, before it may be asked for: a job with its progress and its result."""

    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="backtests")
    since = models.DateField()
    until = models.DateField()
    state = models.CharField(
        max_length=8,
        choices=[(state.value, state.value) for state in BacktestState],
        default=BacktestState.QUEUED.value,
    )
    done = models.IntegerField(default=0)
    total = models.IntegerField(default=0)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    result = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (models.CheckConstraint(name="backtest_dates", condition=Q(until__gte=models.F("since"))),)
