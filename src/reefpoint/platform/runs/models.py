"""Long work that was asked for, with what came of it."""

from django.db import models
from django.db.models import CheckConstraint, F, Q, UniqueConstraint

from reefpoint.platform.runs.types import RunState


class Run(models.Model):
    """One piece of long work. The same question of the same person is one run while it waits or runs."""

    kind = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    inputs = models.JSONField()
    state = models.CharField(
        max_length=8, choices=[(state.value, state.value) for state in RunState], default=RunState.WAITING.value
    )
    done = models.IntegerField(default=0)
    of = models.IntegerField()
    asked_by = models.CharField(max_length=80)
    asked_by_name = models.CharField(max_length=120)
    asked_by_user_id = models.BigIntegerField(null=True)
    sees_all_clients = models.BooleanField()
    business_on = models.DateField()
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    summary = models.JSONField(default=dict)
    rows = models.JSONField(default=list)
    rows_count = models.IntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    problem_code = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=["asked_by", "-id"], name="runs_run_of_person"),)
        constraints = (
            UniqueConstraint(
                fields=["asked_by", "digest"], condition=Q(state__in=["waiting", "running"]), name="runs_run_once"
            ),
            CheckConstraint(condition=Q(done__gte=0, done__lte=F("of")), name="runs_run_in_bounds"),
            CheckConstraint(
                condition=Q(state__in=["waiting", "running"], finished_at__isnull=True)
                | Q(state="done", finished_at__isnull=False, problem="")
                | (Q(state="failed", finished_at__isnull=False) & ~Q(problem="")),
                name="runs_run_end_is_whole",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
