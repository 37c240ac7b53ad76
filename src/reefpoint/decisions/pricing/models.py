"""Quotes, requests for other prices, and new rates for loans. What was said never changes; states move on."""

from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.pricing.types import ExceptionState, ProposalState


class Quote(models.Model):
    """A price that was told, with all it rests on. Append-only; the same key is the same quote (I41)."""

    key = models.CharField(max_length=120, unique=True)
    key_hash = models.CharField(max_length=64)
    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    scheme_version = models.ForeignKey("products.SchemeVersion", on_delete=models.PROTECT, related_name="+")
    scheme_code = models.CharField(max_length=24)
    grid = models.ForeignKey("publications.Publication", on_delete=models.PROTECT, related_name="+")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    tenor_days = models.PositiveIntegerField()
    grade = models.CharField(max_length=1)
    segment = models.CharField(max_length=12)
    inputs = models.JSONField()
    answer = models.TextField()
    rate_bp = models.PositiveIntegerField()
    quoted_on = models.DateField()
    quoted_at = models.DateTimeField()
    quoted_by = models.CharField(max_length=80)
    valid_until = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "-id"], name="pricing_quote_newest"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, tenor_days__gt=0) & Q(valid_until__gt=F("quoted_at")),
                name="pricing_quote_sane",
            ),
        )

    def __str__(self) -> str:
        return f"quote {self.pk}"


class PriceException(models.Model):
    """A request for another price than the grid's; a second person grants it or not."""

    quote = models.ForeignKey(Quote, on_delete=models.PROTECT, related_name="exceptions")
    rate_bp = models.PositiveIntegerField()
    reason = models.CharField(max_length=500)
    asked_by = models.CharField(max_length=80)
    asked_at = models.DateTimeField()
    approval_id = models.BigIntegerField(unique=True)
    state = models.CharField(
        max_length=8, default=ExceptionState.ASKED, choices=[(s.value, s.value) for s in ExceptionState]
    )
    decided_by = models.CharField(max_length=80, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["quote"], condition=~Q(state=ExceptionState.REFUSED), name="pricing_exception_one_live"
            ),
            models.CheckConstraint(condition=~Q(decided_by=F("asked_by")), name="pricing_exception_second_person"),
            models.CheckConstraint(condition=~Q(reason=""), name="pricing_exception_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"exception {self.pk} for quote {self.quote_id}"


class RateProposal(models.Model):
    """A new rate for a loan, told to its client on one day and in force from another. At most one waits for a loan."""

    loan = models.ForeignKey("accounts.Loan", on_delete=models.PROTECT, related_name="+")
    grid = models.ForeignKey("publications.Publication", on_delete=models.PROTECT, related_name="+")
    old_bp = models.PositiveIntegerField()
    new_bp = models.PositiveIntegerField()
    inputs = models.JSONField()
    answer = models.TextField()
    proposed_on = models.DateField()
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=80)
    effective_on = models.DateField()
    state = models.CharField(
        max_length=10, default=ProposalState.NOTIFIED, choices=[(s.value, s.value) for s in ProposalState]
    )
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["loan"], condition=Q(state=ProposalState.NOTIFIED), name="pricing_proposal_one_waits"
            ),
            models.CheckConstraint(
                condition=Q(effective_on__gt=F("proposed_on")) & ~Q(old_bp=F("new_bp")), name="pricing_proposal_sane"
            ),
        )

    def __str__(self) -> str:
        return f"loan {self.loan_id} from {self.old_bp} to {self.new_bp}"
