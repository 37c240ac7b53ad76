"""A replay whose processes are killed ends in the same books, to the cent, as one that nobody disturbed (I25)."""

import os
import signal
from collections.abc import Iterator

import pytest
from tests.demo_run import EARLY_CLOSE_OUT, SLICE, DemoRun, demo_run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAYS_DONE = "SELECT count(*) >= {days} FROM operations_dayrun WHERE state = 'done'"
IN_THE_DAY_RUN = """
    SELECT count(*) >= {days} AND EXISTS (SELECT 1 FROM procrastinate_jobs
                                           WHERE task_name = 'operations.run_day' AND status = 'doing')
      FROM operations_dayrun WHERE state = 'done'
"""
MID_STEPS = """
    SELECT count(*) >= {days} AND EXISTS (SELECT 1 FROM operations_dayrun run
                                           JOIN operations_dayrunstep step ON step.run_id = run.id
                                          WHERE run.state = 'running')
      FROM operations_dayrun WHERE state = 'done'
"""
EVENTS_WAIT = """
    SELECT count(*) >= {days} AND EXISTS (SELECT 1 FROM events_delivery
                                           WHERE state = 'pending' AND "group" = '{group}')
      FROM operations_dayrun WHERE state = 'done'
"""
ORDER_OUT = "SELECT EXISTS (SELECT 1 FROM execution_order WHERE purpose = 'liquidation' AND state IN ('new', 'sent'))"


SCHEMES_DRAFTED = "SELECT EXISTS (SELECT 1 FROM products_schemeversion)"


@pytest.fixture(scope="module")
def undisturbed() -> Iterator[list[str]]:
    """What the books of an undisturbed replay say."""
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        run.end()
        lines = run.lines()
        assert sum(line.startswith("call ") for line in lines) >= 3
        assert sum(line.startswith("liquidation ") for line in lines) >= 3
        assert any(line.startswith("order L-") and " filled" in line for line in lines)
        yield lines


def assert_same(run: DemoRun, undisturbed: list[str]) -> None:
    """The demo ended well, which includes its own proof of the state, and in the same books."""
    run.end()
    lines = run.lines()
    assert sorted(set(lines) ^ set(undisturbed)) == []
    assert lines == undisturbed


def test_i25_a_killed_watch_changes_nothing(undisturbed: list[str]) -> None:
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        for days in (1, 4, 7, 10, 12):
            run.wait_until(EVENTS_WAIT.format(days=days, group="watch"))
            os.kill(run.child("watch"), signal.SIGKILL)
        assert_same(run, undisturbed)


def test_i25_a_killed_worker_changes_nothing_even_in_the_middle_of_the_day_run(undisturbed: list[str]) -> None:
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        for moment in (
            IN_THE_DAY_RUN.format(days=1),
            EVENTS_WAIT.format(days=3, group="worker"),
            MID_STEPS.format(days=5),
            ORDER_OUT,
            EVENTS_WAIT.format(days=11, group="worker"),
        ):
            run.wait_until(moment)
            os.kill(run.child("work"), signal.SIGKILL)
        assert_same(run, undisturbed)


def test_i25_a_killed_database_changes_nothing(undisturbed: list[str]) -> None:
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        for moment in (
            EVENTS_WAIT.format(days=1, group="watch"),
            MID_STEPS.format(days=4),
            ORDER_OUT,
            DAYS_DONE.format(days=11),
        ):
            run.wait_until(moment)
            run.kill_database()
        assert_same(run, undisturbed)


def test_i25_a_database_killed_while_the_desk_is_being_opened_lets_it_begin_anew(
    undisturbed: list[str],
) -> None:
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        run.wait_until(SCHEMES_DRAFTED)
        run.kill_database()
        assert_same(run, undisturbed)
        assert run.said.read_text().count("it begins anew") == 1
