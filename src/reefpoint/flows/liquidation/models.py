"""Liquidations and the plans they were carried out by."""

from django.db import models
from django.db.models import Q

from reefpoint.flows.liquidation.rules import LIQUIDATION_STATES
from reefpoint.flows.liquidation.types import Cause, LiquidationState

LIVE = sorted(LIQUIDATION_STATES.live)


class Liquidation(models.Model):
    """The sale of one account's collateral until it holds its target, or until a late loan is paid. At most one runs on
    an account.
    """

    number = models.CharField(max_length=20, unique=True)
    account = models.ForeignKey("accounts.MarginAccount", on_delete=models.PROTECT, related_name="+")
    call = models.ForeignKey("margin.MarginCall", on_delete=models.PROTECT, null=True, related_name="+")
    loan = models.ForeignKey("accounts.Loan", on_delete=models.PROTECT, null=True, related_name="+")
    cause = models.CharField(max_length=16)
    state = models.CharField(max_length=20)
    target_bp = models.IntegerField(null=True)
    late_minor = models.BigIntegerField(null=True)
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    approval_id = models.BigIntegerField(null=True, unique=True)
    closed_at = models.DateTimeField(null=True)
    close_reason = models.CharField(max_length=200, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account",), condition=Q(state__in=LIVE), name="one_live_liquidation_per_account"
            ),
            models.CheckConstraint(name="liquidation_state_known", condition=Q(state__in=list(LiquidationState))),
            models.CheckConstraint(
                name="liquidation_cause_names_its_call",
                condition=Q(cause=Cause.CALL_EXPIRED, call__isnull=False)
                | Q(cause__in=(Cause.CLOSE_OUT, Cause.DEFAULT), call=None),
            ),
            models.CheckConstraint(
                name="liquidation_aims_at_a_ratio_or_a_loan",
                condition=(Q(cause=Cause.DEFAULT, loan__isnull=False, late_minor__gt=0) & Q(target_bp=None))
                | (~Q(cause=Cause.DEFAULT) & Q(loan=None, late_minor=None, target_bp__isnull=False)),
            ),
            models.CheckConstraint(
                name="liquidation_closed_with_its_state",
                condition=(Q(state__in=LIVE) & Q(closed_at=None)) | (~Q(state__in=LIVE) & Q(closed_at__isnull=False)),
            ),
        )
        indexes = (models.Index(fields=("state", "id"), name="liquidations_by_state"),)


class LiquidationPlan(models.Model):
    """A plan for one session, as it was made. Append-only."""

    liquidation = models.ForeignKey(Liquidation, on_delete=models.PROTECT, related_name="plans")
    session_on = models.DateField()
    made_at = models.DateTimeField()
    outcome = models.CharField(max_length=20)
    lines = models.JSONField()
    assets_before_minor = models.BigIntegerField()
    debt_before_minor = models.BigIntegerField()
    ratio_before_bp = models.BigIntegerField(null=True)
    sold_minor = models.BigIntegerField()
    assets_after_minor = models.BigIntegerField()
    debt_after_minor = models.BigIntegerField()
    ratio_after_bp = models.BigIntegerField(null=True)
    over_bound_bp = models.BigIntegerField(null=True)
    proof = models.JSONField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("liquidation", "session_on"), name="one_liquidation_plan_a_session"),
        )
