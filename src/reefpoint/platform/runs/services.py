"""Asking for long work, doing it, and forgetting what came of it."""

import logging
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.runs import rules
from reefpoint.platform.runs.events import RunAsked
from reefpoint.platform.runs.models import Run
from reefpoint.platform.runs.types import Inputs, Outcome, RunKind, RunState, Task

LOG = logging.getLogger("reefpoint.runs")

_kinds: dict[str, RunKind] = {}


def connect(kinds: Sequence[RunKind]) -> None:
    """Make the kinds of runs known to this process; called once at start."""
    global _kinds  # noqa: PLW0603 - the one process-wide table, set at start and never changed
    _kinds = {kind.name: kind for kind in kinds}


def kinds_of(actor: Actor) -> list[RunKind]:
    """The kinds that this actor may ask for and see."""
    return [kind for kind in _kinds.values() if holds(actor.permissions, kind.right)]


def get_kind(name: str) -> RunKind:
    """One kind by its name; a name that nobody wired is a programming error."""
    return _kinds[name]


def ask_run(*, actor: Actor, kind: str, inputs: Inputs, on: date, at: datetime) -> int:
    """Ask for a run. Returns its id; a small one is done at once, a large one by a job, which can be left alone.

    The same question of the same person that is still worked on is that run. Raises `TooManyRuns`, and what the size of
    the work raises.
    """
    known = get_kind(kind)
    require(actor, known.right)
    size = known.size(inputs)
    with transaction.atomic():
        row, is_new = _keep(actor, known, inputs, size, on, at)
        if is_new and size > known.at_once:
            publish(RunAsked(run_id=row.pk, at=at))
    if is_new and size <= known.at_once:
        work_on_run(run_id=row.pk, at=at)
    return row.pk


def _keep(actor: Actor, kind: RunKind, inputs: Inputs, size: int, on: date, at: datetime) -> tuple[Run, bool]:
    lock_name(f"runs:{actor.ref}")
    digest = rules.digest_of(kind.name, inputs)
    live = Run.objects.filter(asked_by=actor.ref, state__in=[RunState.WAITING, RunState.RUNNING])
    if (same := live.filter(digest=digest).first()) is not None:
        return same, False
    if live.count() >= rules.OPEN_MAX:
        raise rules.TooManyRuns(
            "{open_max} of your runs are under way. Wait for one of them to end.", open_max=rules.OPEN_MAX
        )
    row = Run.objects.create(
        kind=kind.name,
        digest=digest,
        inputs=dict(inputs),
        of=max(1, size),
        asked_by=actor.ref,
        asked_by_name=actor.name,
        asked_by_user_id=actor.user_id,
        sees_all_clients=actor.sees_all_clients,
        business_on=on,
        asked_at=at,
    )
    record(actor=actor, action="runs.ask", subject=f"run:{row.pk}", inputs={"kind": kind.name, "of": size}, at=at)
    return row, True


def work_on_run(*, run_id: int, at: datetime) -> None:
    """Do a run to its end; one that was killed begins anew, one that is over is left alone.

    A refusal ends it as FAILED with its words; so does an error of ours, which is also logged.
    """
    row = Run.objects.get(id=run_id)
    if row.state not in {RunState.WAITING, RunState.RUNNING}:
        return
    if row.state == RunState.WAITING:
        rules.RUN_STATES.check(RunState.WAITING, RunState.RUNNING)
    Run.objects.filter(id=run_id).update(state=RunState.RUNNING, done=0)
    kind = get_kind(row.kind)
    try:
        outcome = kind.work(Task(_actor_of(row, kind), row.inputs, row.business_on, row.asked_at, _teller(row)))
    except Refusal as refusal:
        _end(row, at, problem=refusal.message, code=refusal.code)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        LOG.error("run %s broke", run_id, exc_info=error)
        _end(
            row, at, problem=str(Sentence("Something broke on our side. It is logged; ask again later.")), code="broken"
        )
    else:
        _end(row, at, outcome=outcome)


def _teller(row: Run) -> "_Teller":
    return _Teller(row.pk)


class _Teller:
    """Writes progress down, a hundred times in all at most, whatever the work says."""

    def __init__(self, run_id: int) -> None:
        self._run_id, self._told = run_id, 0

    def __call__(self, done: int, of: int) -> None:
        if of > 0 and done * 100 // of > self._told:
            self._told = done * 100 // of
            Run.objects.filter(id=self._run_id).update(done=min(done, of), of=of)


def _end(row: Run, at: datetime, *, outcome: Outcome | None = None, problem: str = "", code: str = "") -> None:
    new = RunState.FAILED if outcome is None else RunState.DONE
    rules.RUN_STATES.check(RunState.RUNNING, new)
    row.refresh_from_db(fields=["done", "of"])
    row.state, row.finished_at, row.problem, row.problem_code = new.value, at, problem[:500], code
    if outcome is not None:
        row.done = row.of
        row.summary, row.rows = dict(outcome.summary), [dict(one) for one in outcome.rows[: rules.ROWS_MAX]]
        row.rows_count = len(outcome.rows)
    row.save()


def _actor_of(row: Run, kind: RunKind) -> Actor:
    """Whoever asked, with the one right that was checked then."""
    return Actor(
        ref=row.asked_by,
        name=row.asked_by_name,
        permissions=frozenset({kind.right}),
        user_id=row.asked_by_user_id,
        sees_all_clients=row.sees_all_clients,
    )


def forget_runs(*, at: datetime) -> int:
    """Delete runs whose time is over. Returns how many."""
    return Run.objects.filter(finished_at__lt=at - rules.KEPT).delete()[0]
