"""What the desk concluded about each account: its margin state, the history of it, and margin calls."""

from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.margin.types import Band, CallCause, CallState

BANDS = [band.value for band in Band]


class MarginState(models.Model):
    """The latest measure of one account."""

    account = models.OneToOneField(
        "accounts.MarginAccount", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    band = models.SmallIntegerField()
    band_since = models.DateTimeField()
    is_enforced = models.BooleanField(default=False)
    market_minor = models.BigIntegerField()
    assets_minor = models.BigIntegerField()
    lendable_minor = models.BigIntegerField()
    requirement_minor = models.BigIntegerField()
    debt_minor = models.BigIntegerField()
    ratio_bp = models.BigIntegerField(null=True)
    valued_at = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(name="margin_state_band", condition=Q(band__in=BANDS)),)
        indexes = (
            models.Index(fields=("ratio_bp", "account"), name="margin_state_worst"),
            models.Index(fields=("band",), name="margin_state_band_idx"),
        )


class MarginSnapshot(models.Model):
    """An account's measure at the end of a business day. Append-only; it draws the margin line."""

    account = models.ForeignKey("accounts.MarginAccount", on_delete=models.PROTECT, related_name="+")
    on = models.DateField()
    at = models.DateTimeField()
    assets_minor = models.BigIntegerField()
    debt_minor = models.BigIntegerField()
    ratio_bp = models.BigIntegerField(null=True)
    band = models.SmallIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "on"), name="margin_snapshot_once_a_day"),
            models.CheckConstraint(name="margin_snapshot_band", condition=Q(band__in=BANDS)),
        )


class PriceAlert(models.Model):
    """A spell in which a name had no current price, or too little of the book had one (`instrument` is null then)."""

    instrument = models.ForeignKey("market.Instrument", on_delete=models.PROTECT, null=True, related_name="+")
    raised_at = models.DateTimeField()
    detail = models.CharField(max_length=200)
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("instrument",),
                condition=Q(cleared_at=None),
                nulls_distinct=False,
                name="one_open_price_alert_per_name",
            ),
            models.CheckConstraint(
                name="price_alert_cleared_later", condition=Q(cleared_at=None) | Q(cleared_at__gte=F("raised_at"))
            ),
        )
        ordering = ("-id",)


class MarginCall(models.Model):
    """A demand to bring an account back over its cure line, or its equity to the maintenance of its names, in time."""

    number = models.CharField(max_length=24, unique=True)
    account = models.ForeignKey("accounts.MarginAccount", on_delete=models.PROTECT, related_name="+", db_index=False)
    cause = models.CharField(max_length=12, default=CallCause.LINE.value, db_default=CallCause.LINE.value)
    state = models.CharField(max_length=10, default=CallState.OPEN)
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    amount_minor = models.BigIntegerField()
    debt_minor = models.BigIntegerField()
    assets_minor = models.BigIntegerField()
    ratio_bp = models.BigIntegerField()
    call_bp = models.IntegerField()
    cure_bp = models.IntegerField()
    requirement_minor = models.BigIntegerField(null=True)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account",), condition=Q(state=CallState.OPEN), name="one_open_call_per_account"
            ),
            models.CheckConstraint(name="call_state_known", condition=Q(state__in=list(CallState))),
            models.CheckConstraint(
                name="call_closed_with_its_state",
                condition=Q(state=CallState.OPEN, closed_at=None)
                | (~Q(state=CallState.OPEN) & Q(closed_at__isnull=False)),
            ),
            models.CheckConstraint(name="call_deadline_later", condition=Q(deadline_at__gt=F("opened_at"))),
            models.CheckConstraint(name="call_amount_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="call_names_what_its_cause_asks",
                condition=Q(cause=CallCause.LINE, requirement_minor=None)
                | Q(
                    cause=CallCause.MAINTENANCE,
                    requirement_minor=F("assets_minor") - F("debt_minor") + F("amount_minor"),
                ),
            ),
        )
        indexes = (
            models.Index(
                fields=("deadline_at", "id"), condition=Q(state=CallState.OPEN), name="open_calls_by_deadline"
            ),
            models.Index(fields=("account", "-opened_at"), name="calls_of_account"),
        )
