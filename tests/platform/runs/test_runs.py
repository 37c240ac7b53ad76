"""Long work: asked for once, worked at once or by a job, left and come back to, begun anew by the next worker."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.models import Event
from reefpoint.platform.runs import services
from reefpoint.platform.runs.models import Run
from reefpoint.platform.runs.rules import TooManyRuns, csv_lines
from reefpoint.platform.runs.selectors import RunNotFound, find_runs, get_run
from reefpoint.platform.runs.services import ask_run, forget_runs, work_on_run
from reefpoint.platform.runs.types import Outcome, RunKind, RunState, Task

AT = datetime(2020, 1, 6, 12, 0, tzinfo=UTC)
ON = date(2020, 1, 6)
RISK = Actor("user:1", "Rae", frozenset({"credit.view"}), user_id=1)
OTHER = Actor("user:2", "Ona", frozenset({"credit.view"}), user_id=2)
SCOPED = Actor("user:3", "Max", frozenset({"credit.view"}), user_id=3, sees_all_clients=False)
NOBODY = Actor("user:4", "Nil", frozenset(), user_id=4)


class Stopped(Exception):
    """The worker is killed."""


def count(task: Task) -> Outcome:
    of = int(task.inputs["to"])
    for done in range(1, of + 1):
        task.progress(done, of)
        if done == task.inputs.get("dies_at"):
            raise Stopped
        if done == task.inputs.get("refuses_at"):
            raise Refusal("There is nothing to count.")
    return Outcome({"by": task.actor.ref}, [{"n": n, "words": "=1"} for n in range(of)])


@pytest.fixture(autouse=True)
def counting() -> Iterator[None]:
    known = dict(services._kinds)
    services.connect([RunKind("count", "credit.view", ("n", "words"), lambda inputs: int(inputs["to"]), 10, count)])
    yield
    services.connect(list(known.values()))


def ask(actor: Actor = RISK, **inputs: int) -> int:
    return ask_run(actor=actor, kind="count", inputs=inputs, on=ON, at=AT)


@pytest.mark.django_db
def test_a_small_run_is_done_in_the_call_and_its_rows_can_be_taken_along() -> None:
    found = get_run(RISK, ask(to=2))
    assert (found.state, found.done_bp, found.summary, found.rows_count) == (RunState.DONE, 10_000, {"by": "user:1"}, 2)
    assert "".join(csv_lines(("n", "words"), found.rows)) == "n,words\r\n0,'=1\r\n1,'=1\r\n"
    assert not Event.objects.filter(name="runs.asked").exists()


@pytest.mark.django_db
def test_a_large_run_waits_for_a_job_and_the_same_question_is_the_same_run_meanwhile() -> None:
    run_id = ask(to=11)
    assert (get_run(RISK, run_id).state, ask(to=11)) == (RunState.WAITING, run_id)
    assert Event.objects.filter(name="runs.asked").count() == 1
    work_on_run(run_id=run_id, at=AT)
    assert get_run(RISK, run_id).rows_count == 11
    assert ask(to=11) != run_id, "asked again later it is worked out again"


@pytest.mark.django_db
def test_a_run_whose_worker_died_begins_anew_and_one_that_is_over_is_left_alone() -> None:
    run_id = ask(to=20, dies_at=7)
    with pytest.raises(Stopped):
        work_on_run(run_id=run_id, at=AT)
    assert (get_run(RISK, run_id).state, get_run(RISK, run_id).done) == (RunState.RUNNING, 7)
    Run.objects.filter(id=run_id).update(inputs={"to": 20})
    work_on_run(run_id=run_id, at=AT)
    done = get_run(RISK, run_id)
    assert (done.state, done.done, done.finished_at) == (RunState.DONE, 20, AT)
    work_on_run(run_id=run_id, at=AT + timedelta(hours=1))
    assert get_run(RISK, run_id) == done


@pytest.mark.django_db
def test_a_refusal_ends_a_run_with_its_words() -> None:
    found = get_run(RISK, ask(to=5, refuses_at=3))
    assert (found.state, found.problem, found.rows) == (RunState.FAILED, "There is nothing to count.", [])


@pytest.mark.django_db
def test_who_may_ask_who_may_see_and_how_many() -> None:
    with pytest.raises(PermissionRefused):
        ask(NOBODY, to=1)
    for to in (11, 12, 13):
        run_id = ask(to=to)
    with pytest.raises(TooManyRuns):
        ask(to=14)
    assert Run.objects.count() == 3
    assert get_run(OTHER, run_id).id == run_id, "whoever may ask the same and sees all clients"
    for stranger in (SCOPED, NOBODY):
        with pytest.raises(RunNotFound):
            get_run(stranger, run_id)
        assert find_runs(stranger).count == 0
    assert get_run(SCOPED, ask(SCOPED, to=1)).summary == {"by": "user:3"}


@pytest.mark.django_db
def test_results_are_forgotten_after_their_time_and_the_database_keeps_an_end_whole() -> None:
    run_id = ask(to=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Run.objects.filter(id=run_id).update(finished_at=None)
    assert forget_runs(at=AT + timedelta(days=30)) == 0
    assert forget_runs(at=AT + timedelta(days=30, seconds=1)) == 1
