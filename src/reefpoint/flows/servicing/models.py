"""Interest as it accrued: one row a loan, or a pool, and period."""

from django.db import models
from django.db.models import F, Q


class InterestAccrual(models.Model):
    """Interest of one loan over `[since, until)`. Append-only.

    Amounts accrue in micro-minor-units (1e-6 of a cent) with an exact remainder; `posted_minor` is what the debt grew
    by in whole minor units, rounded up over the life of the loan, never day by day.
    """

    loan = models.ForeignKey("accounts.Loan", on_delete=models.PROTECT, related_name="+")
    since = models.DateField()
    until = models.DateField()
    days = models.IntegerField()
    principal_minor = models.BigIntegerField()
    rate_bp = models.IntegerField()
    accrued_micro = models.BigIntegerField()
    total_micro = models.BigIntegerField()
    remainder = models.BigIntegerField()
    posted_minor = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("loan", "since"), name="interest_accrues_once"),
            models.CheckConstraint(name="interest_period_forward", condition=Q(until__gt=F("since"))),
            models.CheckConstraint(
                name="interest_not_negative", condition=Q(accrued_micro__gte=0, posted_minor__gte=0)
            ),
        )
        indexes = (
            models.Index(fields=("since",), name="interest_by_start"),
            models.Index(fields=("until",), name="interest_by_end"),
        )


class FundingAccrual(models.Model):
    """What the money lent out of one pool cost over `[since, until)`. Append-only; amounts as for interest."""

    pool_code = models.CharField(max_length=32)
    since = models.DateField()
    until = models.DateField()
    lent_minor = models.BigIntegerField()
    cost_bp = models.IntegerField()
    total_micro = models.BigIntegerField()
    remainder = models.BigIntegerField()
    posted_minor = models.BigIntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("pool_code", "since"), name="funding_cost_accrues_once"),)
