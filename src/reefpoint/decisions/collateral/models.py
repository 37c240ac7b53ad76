"""Assessments of names, what a second person put in force of them, and the days on which each haircut changes.

Append-only, all of it: what is in force on a day is what these rows say of that day, years later too.
"""

from django.db import models
from django.db.models import F, Q

from reefpoint.platform.publications.models import Publication
from reefpoint.records.market.models import Instrument


class Assessment(models.Model):
    """One assessment of names: the day, whose it is, and the versions and parameters that it rests on."""

    on = models.DateField()
    at = models.DateTimeField()
    maker = models.CharField(max_length=80)
    house = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="+")
    lists = models.ForeignKey(Publication, on_delete=models.PROTECT, related_name="+", null=True)
    packs = models.JSONField()
    parameters = models.JSONField()
    assumptions = models.JSONField()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"assessment {self.pk} of {self.on}"


class NameAssessment(models.Model):
    """One name: its haircut is the worst of what its parts ask for. `explanation` opens each part."""

    assessment = models.ForeignKey(Assessment, on_delete=models.PROTECT, related_name="names")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+")
    regulation_bp = models.PositiveIntegerField()
    house_bp = models.PositiveIntegerField()
    model_bp = models.PositiveIntegerField()
    list_bp = models.PositiveIntegerField()
    haircut_bp = models.PositiveIntegerField()
    explanation = models.JSONField()

    class Meta:
        ordering = ("assessment", "instrument")
        constraints = (
            models.UniqueConstraint(fields=["assessment", "instrument"], name="collateral_name_once"),
            models.CheckConstraint(
                condition=Q(haircut_bp__lte=10_000)
                & Q(haircut_bp__gte=F("regulation_bp"))
                & Q(haircut_bp__gte=F("house_bp"))
                & Q(haircut_bp__gte=F("model_bp"))
                & Q(haircut_bp__gte=F("list_bp")),
                name="collateral_haircut_is_the_worst",
            ),
        )

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.haircut_bp}"


class HaircutRelease(models.Model):
    """An assessment that a second person put in force, with what it did to the book as they saw it."""

    assessment = models.OneToOneField(Assessment, on_delete=models.PROTECT, related_name="release")
    approval_id = models.PositiveBigIntegerField(unique=True)
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80)
    reason = models.CharField(max_length=500)
    override_reason = models.CharField(max_length=500, blank=True)
    effect = models.JSONField()
    on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(checker=F("maker")) & ~Q(checker=""), name="collateral_release_second_person"
            ),
        )

    def __str__(self) -> str:
        return f"release {self.pk} of assessment {self.assessment_id}"


class HaircutStep(models.Model):
    """A haircut from a day on, until a later step of the same release or any step of a later one."""

    release = models.ForeignKey(HaircutRelease, on_delete=models.PROTECT, related_name="steps")
    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="+", db_index=False)
    effective_on = models.DateField()
    haircut_bp = models.PositiveIntegerField()

    class Meta:
        ordering = ("instrument", "release", "effective_on")
        constraints = (
            models.UniqueConstraint(fields=["release", "instrument", "effective_on"], name="collateral_step_once"),
            models.CheckConstraint(condition=Q(haircut_bp__lte=10_000), name="collateral_step_within_all"),
        )
        indexes = (
            models.Index("instrument", F("release").desc(), F("effective_on").desc(), name="collateral_step_in_force"),
            models.Index(fields=["effective_on"], name="collateral_step_day"),
        )

    def __str__(self) -> str:
        return f"{self.instrument_id} {self.haircut_bp} from {self.effective_on}"
