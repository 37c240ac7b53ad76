"""The desk's clock, and the record of each business day's end."""

from django.db import models
from django.db.models import Q

from reefpoint.flows.operations.types import DayRunState, StepName


class DeskClock(models.Model):
    """The one row that makes the desk live in a replayed past; without it the desk goes by the real time."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.CheckConstraint(name="one_desk_clock", condition=Q(id=1)),)


class DayRun(models.Model):
    """One business day's end."""

    on = models.DateField(unique=True)
    at = models.DateTimeField()
    state = models.CharField(max_length=8, default=DayRunState.RUNNING)

    class Meta:
        constraints = (models.CheckConstraint(name="day_run_state_known", condition=Q(state__in=list(DayRunState))),)


class DayRunStep(models.Model):
    """A step that was done, with what it did. Written in the step's own transaction: a step is done once."""

    run = models.ForeignKey(DayRun, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=20, choices=[(name, name) for name in StepName])
    figures = models.JSONField()
    seconds = models.FloatField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "name"), name="day_run_step_once"),)
