"""What clients answered, what they were shown to be, what they acknowledged. Append-only: a change is a newer row."""

from django.db import models
from django.db.models import F, Q

from reefpoint.decisions.suitability.types import Segment, Tolerance
from reefpoint.platform.publications.models import Publication
from reefpoint.records.parties.models import Client


class Assessment(models.Model):
    """One set of answers under one version of the questionnaire, and what they came to."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    questionnaire = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="+")
    answers = models.JSONField()
    points = models.PositiveIntegerField()
    knowledge_points = models.PositiveIntegerField()
    is_knowledge_shown = models.BooleanField()
    tolerance = models.CharField(max_length=3, choices=[(t.value, t.value) for t in Tolerance])
    assessed_on = models.DateField()
    expires_on = models.DateField()
    assessed_at = models.DateTimeField()
    assessed_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "-id"], name="suitability_assessment_newest"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(expires_on__gt=F("assessed_on")), name="suitability_assessment_holds_a_while"
            ),
        )

    def __str__(self) -> str:
        return f"{self.client_id} {self.tolerance} {self.assessed_on}"


class SegmentRecord(models.Model):
    """The segment a client was put into in a jurisdiction, the facts that qualified it, and what was seen."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    offers = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="+")
    jurisdiction = models.CharField(max_length=8)
    segment = models.CharField(max_length=12, choices=[(s.value, s.value) for s in Segment])
    facts = models.JSONField()
    evidence = models.CharField(max_length=500)
    assigned_on = models.DateField()
    expires_on = models.DateField()
    assigned_at = models.DateTimeField()
    assigned_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "jurisdiction", "-id"], name="suitability_segment_newest"),)
        constraints = (models.CheckConstraint(condition=~Q(evidence=""), name="suitability_segment_proved"),)

    def __str__(self) -> str:
        return f"{self.client_id} {self.segment} {self.jurisdiction}"


class EntryRecord(models.Model):
    """What was proved for the entry conditions of a jurisdiction."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+")
    jurisdiction = models.CharField(max_length=8)
    facts = models.JSONField()
    evidence = models.CharField(max_length=500)
    recorded_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "jurisdiction", "-id"], name="suitability_entry_newest"),)
        constraints = (models.CheckConstraint(condition=~Q(evidence=""), name="suitability_entry_proved"),)

    def __str__(self) -> str:
        return f"{self.client_id} {self.jurisdiction} {self.recorded_on}"


class Acknowledgement(models.Model):
    """A client read the warning and wants a product one class above all the same: for one assessment and one class."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="+")
    risk_class = models.CharField(max_length=2)
    text_hash = models.CharField(max_length=64)
    acknowledged_at = models.DateTimeField()
    acknowledged_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["assessment", "risk_class", "text_hash"], name="suitability_acknowledged_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.assessment_id} {self.risk_class}"
