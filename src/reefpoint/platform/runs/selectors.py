"""How far runs have come, and what came of them."""

from collections.abc import Collection

from django.db.models import Q, QuerySet

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.runs.models import Run
from reefpoint.platform.runs.rules import KEPT
from reefpoint.platform.runs.services import kinds_of
from reefpoint.platform.runs.types import RunState, RunView


class RunNotFound(NotFound):
    """There is no such run, or it is not this person's to see."""


def find_runs(actor: Actor, *, state: str = "", offset: int = 0, limit: int = 50) -> Listing[RunView]:
    """Runs, newest first, without their rows: one's own, and others' for whoever may ask the same and see as much."""
    rows = _visible(actor)
    if state:
        rows = rows.filter(state=state)
    page = rows.defer("rows", "inputs").order_by("-id")[offset : offset + limit]
    return Listing([_view(row) for row in page], rows.count())


def get_run(actor: Actor, run_id: int) -> RunView:
    """One run with its rows. Raises `RunNotFound`."""
    row = _visible(actor).defer("inputs").filter(id=run_id).first()
    if row is None:
        raise RunNotFound("There is no run {run_id}.", run_id=run_id)
    return _view(row, with_rows=True)


def _visible(actor: Actor) -> QuerySet[Run]:
    asked = Q(asked_by=actor.ref)
    if actor.sees_all_clients:
        asked |= Q(kind__in=_names(actor))
    return Run.objects.filter(asked, kind__in=_names(actor))


def _names(actor: Actor) -> Collection[str]:
    return [kind.name for kind in kinds_of(actor)]


def _view(row: Run, *, with_rows: bool = False) -> RunView:
    return RunView(
        id=row.pk,
        kind=row.kind,
        state=RunState(row.state),
        done=row.done,
        of=row.of,
        asked_by=row.asked_by,
        asked_by_name=row.asked_by_name,
        asked_at=row.asked_at,
        on=row.business_on,
        finished_at=row.finished_at,
        kept_until=row.asked_at.date() + KEPT,
        summary=row.summary,
        rows=row.rows if with_rows else (),
        rows_count=row.rows_count,
        problem=row.problem,
        problem_code=row.problem_code,
    )
