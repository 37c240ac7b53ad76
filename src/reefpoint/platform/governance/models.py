"""The register of models, the history of each, readings of drift, and looks at sources of data."""

from django.db import models
from django.db.models import F, Q

from reefpoint.platform.governance.rules import SHIPPED
from reefpoint.platform.governance.types import DriftVerdict, ModelState, SourceVerdict

_STATES = [(state.value, state.value) for state in ModelState]
_UNCHECKED = [ModelState.DRAFT, ModelState.DEVELOPED, ModelState.SUSPENDED]
_RELEASED = [ModelState.APPROVED, ModelState.SHADOW, ModelState.CHAMPION, ModelState.RETIRED]


class RegisteredModel(models.Model):
    """A model or rule: what it is for and whose it is. What runs is in its versions."""

    code = models.CharField(max_length=40, unique=True)
    use = models.CharField(max_length=40)
    kind = models.CharField(max_length=20)
    tier = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120)
    purpose = models.CharField(max_length=600)
    purpose_zh = models.CharField(max_length=600)
    owner = models.CharField(max_length=80)

    class Meta:
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class ModelVersion(models.Model):
    """One version. Its artifact and facts never change; its state and who answered for it do, each once."""

    model = models.ForeignKey(RegisteredModel, on_delete=models.PROTECT, related_name="versions")
    use = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=_STATES)
    since = models.DateTimeField()
    artifact = models.TextField()
    sha256 = models.CharField(max_length=64)
    facts = models.JSONField()
    developer = models.CharField(max_length=80)
    validator = models.CharField(max_length=80, blank=True)
    validation = models.CharField(max_length=2000, blank=True)
    approver = models.CharField(max_length=80, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ("model", "-version")
        constraints = (
            models.UniqueConstraint(fields=["model", "version"], name="governance_version_once"),
            models.UniqueConstraint(
                fields=["use"], condition=Q(state=ModelState.CHAMPION), name="governance_one_champion_a_use"
            ),
            models.CheckConstraint(condition=Q(state__in=list(ModelState)), name="governance_state_known"),
            models.CheckConstraint(
                condition=~Q(validator=F("developer")) & ~Q(approver=F("developer")),
                name="governance_second_person",
            ),
            models.CheckConstraint(
                condition=Q(developer=SHIPPED) | Q(state__in=_UNCHECKED) | ~Q(validator=""),
                name="governance_validated_first",
            ),
            models.CheckConstraint(
                condition=Q(developer=SHIPPED) | ~Q(state__in=_RELEASED) | ~Q(approver=""),
                name="governance_released_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.model_id} v{self.version}"


class ModelMove(models.Model):
    """One step of a version's life. Append-only."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="moves")
    old = models.CharField(max_length=12, choices=_STATES)
    new = models.CharField(max_length=12, choices=_STATES)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    approval_id = models.BigIntegerField(null=True, unique=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.version_id} {self.old} -> {self.new}"


class DriftReading(models.Model):
    """How far a measure of a version has moved, as it was found. Append-only."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="readings")
    measure = models.CharField(max_length=60)
    measured_at = models.DateTimeField()
    since = models.DateField()
    until = models.DateField()
    psi_bp = models.IntegerField()
    null_bp = models.IntegerField()
    reference = models.IntegerField()
    current = models.IntegerField()
    missing_bp = models.IntegerField()
    reference_missing_bp = models.IntegerField()
    verdict = models.CharField(max_length=12, choices=[(one.value, one.value) for one in DriftVerdict])

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["version", "measure", "-id"], name="governance_reading_newest"),)

    def __str__(self) -> str:
        return f"{self.version_id} {self.measure} {self.verdict}"


class SourceCheck(models.Model):
    """One look at a source of data. Append-only: the history of its quality."""

    source = models.CharField(max_length=40)
    checked_at = models.DateTimeField()
    rows = models.BigIntegerField()
    newest_at = models.DateTimeField(null=True)
    failures = models.JSONField()
    verdict = models.CharField(max_length=8, choices=[(one.value, one.value) for one in SourceVerdict])

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["source", "-id"], name="governance_check_newest"),)

    def __str__(self) -> str:
        return f"{self.source} {self.verdict}"
