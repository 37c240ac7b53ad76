"""Rule packs, schemes and their versions."""

from django.db import models
from django.db.models import F, Q

from reefpoint.records.products.types import TIER_BEST, VersionState


class RulePack(models.Model):
    """The rules of a jurisdiction in one version, as loaded. Append-only."""

    jurisdiction = models.CharField(max_length=8)
    version = models.PositiveIntegerField()
    effective_from = models.DateField()
    rules = models.JSONField()
    content_hash = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()

    class Meta:
        ordering = ("jurisdiction", "-version")
        constraints = (
            models.UniqueConstraint(fields=["jurisdiction", "version"], name="products_rule_pack_version_once"),
        )

    def __str__(self) -> str:
        return f"{self.jurisdiction} {self.version}"


class Scheme(models.Model):
    """A lending product that is offered under changing, versioned terms. `tier` 1 is the best one offered."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=120)
    name_zh = models.CharField(max_length=120, blank=True)
    tier = models.PositiveSmallIntegerField(default=TIER_BEST)

    class Meta:
        ordering = ("code",)
        constraints = (models.CheckConstraint(condition=Q(tier__gte=TIER_BEST), name="products_scheme_tier_from_one"),)

    def __str__(self) -> str:
        return self.code


class SchemeTierChange(models.Model):
    """A scheme was given another tier by two people. Append-only; the database changes no tier without one."""

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="tier_changes")
    before = models.PositiveSmallIntegerField()
    after = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=500)
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80)
    approval_id = models.BigIntegerField(unique=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("scheme", "-id")
        constraints = (
            models.CheckConstraint(condition=~Q(checker=F("maker")) & ~Q(checker=""), name="products_tier_two_people"),
            models.CheckConstraint(
                condition=~Q(before=F("after")) & Q(after__gte=TIER_BEST), name="products_tier_changes"
            ),
        )

    def __str__(self) -> str:
        return f"{self.scheme_id} {self.before} to {self.after}"


class SchemeVersion(models.Model):
    """One set of terms. The database lets the state move on and nothing else change."""

    scheme = models.ForeignKey(Scheme, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    rule_pack = models.ForeignKey(RulePack, on_delete=models.PROTECT, related_name="+")
    terms = models.JSONField()
    effective_from = models.DateField()
    state = models.CharField(
        max_length=12, default=VersionState.DRAFT, choices=[(s.value, s.value) for s in VersionState]
    )
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("scheme", "-version")
        constraints = (
            models.UniqueConstraint(fields=["scheme", "version"], name="products_scheme_version_once"),
            models.CheckConstraint(condition=~Q(checker=F("maker")), name="products_scheme_version_second_person"),
            models.CheckConstraint(
                condition=Q(state=VersionState.DRAFT, checker="", published_at=None)
                | (~Q(state=VersionState.DRAFT) & ~Q(checker="") & Q(published_at__isnull=False)),
                name="products_scheme_version_published_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.scheme_id} v{self.version}"
