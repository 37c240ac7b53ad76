"""Bureau reports, sets of features and scores. What is personal in them is sealed, and can be erased."""

from django.db import models
from django.db.models import Q

from reefpoint.decisions.scoring.rules.outcomes import Cause as DefaultCause
from reefpoint.decisions.scoring.types import Cause, Grade

_CAUSES = [(cause.value, cause.value) for cause in Cause]
_GRADES = [(grade.value, grade.value) for grade in Grade]


class BureauReport(models.Model):
    """A report of a credit bureau on one client, as it came in a file; its figures are sealed."""

    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    place = models.UUIDField(unique=True)
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField(null=True)
    bureau = models.CharField(max_length=40)
    reference = models.CharField(max_length=60)
    report_on = models.DateField()
    received_at = models.DateTimeField()
    import_id = models.BigIntegerField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "scoring_bureau_report"
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "-report_on", "-id"], name="scoring_report_newest"),)
        constraints = (
            models.UniqueConstraint(fields=["bureau", "reference"], name="scoring_report_once"),
            models.CheckConstraint(
                condition=Q(blob=None, erased_at__isnull=False) | Q(blob__isnull=False, erased_at=None),
                name="scoring_report_sealed_or_erased",
            ),
        )

    def __str__(self) -> str:
        return f"{self.bureau} {self.reference}"


class FeatureSet(models.Model):
    """All features of a client on a day, with the facts they were made from, sealed. Never changed, but erased."""

    client = models.ForeignKey("parties.Client", on_delete=models.PROTECT, related_name="+")
    place = models.UUIDField(unique=True)
    key = models.ForeignKey("vault.DataKey", on_delete=models.PROTECT, related_name="+")
    blob = models.BinaryField(null=True)
    on = models.DateField()
    version = models.PositiveIntegerField()
    currency = models.CharField(max_length=3)
    content_hash = models.CharField(max_length=64)
    built_at = models.DateTimeField()
    built_by = models.CharField(max_length=80)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "scoring_feature_set"
        ordering = ("-id",)
        indexes = (models.Index(fields=["client", "-on", "-id"], name="scoring_set_newest"),)
        constraints = (
            models.UniqueConstraint(fields=["client", "on", "content_hash"], name="scoring_set_once"),
            models.CheckConstraint(
                condition=Q(blob=None, erased_at__isnull=False) | Q(blob__isnull=False, erased_at=None),
                name="scoring_set_sealed_or_erased",
            ),
        )

    def __str__(self) -> str:
        return f"features of client {self.client_id} on {self.on}"


class Score(models.Model):
    """One score. Append-only. Its parts come from its feature set and the artifact of its version again (I60).

    A case of a reference sample has neither client nor set; its `inputs` are kept here. `model_version` is None when
    no version could be trusted: then the case is referred. `points` None is a referred case.
    """

    use = models.CharField(max_length=40)
    client = models.ForeignKey("parties.Client", null=True, on_delete=models.PROTECT, related_name="+")
    feature_set = models.ForeignKey(FeatureSet, null=True, on_delete=models.PROTECT, related_name="scores")
    inputs = models.JSONField(null=True)
    model_version = models.ForeignKey("governance.ModelVersion", null=True, on_delete=models.PROTECT, related_name="+")
    input_hash = models.CharField(max_length=64)
    points = models.IntegerField(null=True)
    grade = models.CharField(max_length=1, blank=True, choices=_GRADES)
    probability_bp = models.IntegerField(null=True)
    reasons = models.JSONField()
    missing = models.JSONField()
    cause = models.CharField(max_length=10, choices=_CAUSES)
    scored_on = models.DateField()
    scored_at = models.DateTimeField()
    scored_by = models.CharField(max_length=80)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=["client", "-id"], name="scoring_score_newest"),
            models.Index(fields=["model_version", "scored_on"], name="scoring_score_of_version"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(client__isnull=False, feature_set__isnull=False, inputs=None)
                | Q(client=None, feature_set=None, inputs__isnull=False),
                name="scoring_score_of_a_set_or_a_case",
            ),
            models.CheckConstraint(
                condition=Q(points=None, grade="") | (Q(points__isnull=False) & ~Q(grade="")),
                name="scoring_score_graded_or_referred",
            ),
            models.CheckConstraint(
                condition=Q(points=None) | Q(model_version__isnull=False), name="scoring_score_by_a_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.use} {self.points}"


class ShadowScore(models.Model):
    """What a version in shadow gave beside a score. It decides nothing. Append-only."""

    score = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="shadows")
    model_version = models.ForeignKey("governance.ModelVersion", on_delete=models.PROTECT, related_name="+")
    probability_bp = models.IntegerField(null=True)
    points = models.IntegerField(null=True)
    contributions = models.JSONField()

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["score", "model_version"], name="scoring_shadow_once"),)

    def __str__(self) -> str:
        return f"shadow of score {self.score_id}"


class ScoreOutcome(models.Model):
    """What came of a scored client under a dated definition of default. Append-only."""

    score = models.ForeignKey(Score, on_delete=models.PROTECT, related_name="outcomes")
    definition = models.PositiveSmallIntegerField()
    cause = models.CharField(max_length=10, choices=[(one.value, one.value) for one in DefaultCause])
    on = models.DateField()
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "scoring_score_outcome"
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=["score", "definition"], name="scoring_outcome_once"),)

    def __str__(self) -> str:
        return f"outcome of score {self.score_id}: {self.cause}"
