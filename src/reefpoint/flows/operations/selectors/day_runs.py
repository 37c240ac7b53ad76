"""Reads of day runs."""

from datetime import date

from django.db import connection

from reefpoint.flows.operations.models import DayRun, DayRunStep
from reefpoint.flows.operations.rules import DAY_STEPS
from reefpoint.flows.operations.types import DayRunState, DayRunView, StepView


def list_day_runs(before: date | None = None, limit: int = 50) -> list[DayRunView]:
    """Day runs, newest first, with their steps, in two queries."""
    runs = DayRun.objects.order_by("-on").prefetch_related("steps")
    if before is not None:
        runs = runs.filter(on__lt=before)
    return [_view(run) for run in runs[:limit]]


def find_day_run(on: date) -> DayRunView | None:
    run = DayRun.objects.filter(on=on).prefetch_related("steps").first()
    return _view(run) if run else None


def is_day_done(on: date) -> bool:
    """Whether the end of that day has run. Written for a caller that asks again and again."""
    with connection.cursor() as cursor:
        cursor.execute("""SELECT EXISTS (SELECT 1 FROM operations_dayrun WHERE "on" = %s AND state = 'done')""", [on])
        return bool(cursor.fetchone()[0])


def _view(run: DayRun) -> DayRunView:
    done: dict[str, DayRunStep] = {step.name: step for step in run.steps.all()}
    return DayRunView(
        on=run.on,
        state=DayRunState(run.state),
        at=run.at,
        steps=tuple(
            StepView(
                name=name,
                is_done=name.value in done,
                figures=done[name.value].figures if name.value in done else {},
                seconds=done[name.value].seconds if name.value in done else None,
            )
            for name in DAY_STEPS
        ),
    )
