"""Assessments of clients. Append-only: a later look is a later row."""

from django.db import models
from django.db.models import Q

from reefpoint.decisions.kyc.types import AssessmentCause, Rating


class KycAssessment(models.Model):
    """What was known of a client without names or numbers, the table it was read by, and what it came to.

    `computed_rating` is empty when facts were missing; `decided_rating` is what a person said, else empty.
    """

    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    table = models.ForeignKey("publications.Publication", on_delete=models.PROTECT, related_name="+")
    profile_version = models.PositiveIntegerField(null=True)
    cause = models.CharField(max_length=12, choices=[(c.value, c.value) for c in AssessmentCause])
    inputs = models.JSONField()
    computed_rating = models.CharField(max_length=12, blank=True, choices=[(r.value, r.value) for r in Rating])
    decided_rating = models.CharField(max_length=12, blank=True, choices=[(r.value, r.value) for r in Rating])
    rating = models.GeneratedField(
        expression=models.Case(models.When(decided_rating="", then="computed_rating"), default="decided_rating"),
        output_field=models.CharField(max_length=12),
        db_persist=True,
    )
    points = models.PositiveIntegerField()
    blocking = models.PositiveIntegerField()
    note = models.CharField(max_length=1000, blank=True)
    assessed_on = models.DateField()
    assessed_at = models.DateTimeField()
    assessed_by = models.CharField(max_length=80)
    next_review_on = models.DateField()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "-id"], name="kyc_assessment_newest"),)
        constraints = (
            models.CheckConstraint(condition=Q(decided_rating="") | ~Q(note=""), name="kyc_decision_has_a_reason"),
        )

    def __str__(self) -> str:
        return f"{self.client_id} {self.rating} {self.assessed_on}"
