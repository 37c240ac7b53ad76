"""Versions of published contents."""

from django.db import models
from django.db.models import F, Q

from reefpoint.platform.publications.rules import SHIPPED
from reefpoint.platform.publications.types import PublicationState


class Publication(models.Model):
    """One version of one kind of content. The database lets the state move on and nothing else change."""

    kind = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    effective_from = models.DateField()
    state = models.CharField(
        max_length=12, default=PublicationState.DRAFT, choices=[(s.value, s.value) for s in PublicationState]
    )
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("kind", "-version")
        constraints = (
            models.UniqueConstraint(fields=["kind", "version"], name="publications_version_once"),
            models.CheckConstraint(condition=~Q(checker=F("maker")), name="publications_second_person"),
            models.CheckConstraint(
                condition=Q(state=PublicationState.DRAFT, checker="", published_at=None)
                | Q(state=PublicationState.PUBLISHED, published_at__isnull=False) & (~Q(checker="") | Q(maker=SHIPPED)),
                name="publications_published_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} v{self.version}"
