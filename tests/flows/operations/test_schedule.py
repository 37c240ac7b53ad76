"""What the desk does by the clock, live and in a replay."""

import pytest
from procrastinate.contrib.django import procrastinate_app
from tests.desk import HALF_DAY, TUESDAY, Desk, close

from reefpoint.flows.operations import jobs
from reefpoint.flows.operations.rules import DAY_STEPS, STEP_GROUPS
from reefpoint.flows.operations.selectors.clock import get_clock
from reefpoint.flows.operations.selectors.digest import books_digest
from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.flows.operations.types import ClockView
from reefpoint.platform.audit.models import Entry


def test_every_line_of_the_schedule_is_a_periodic_job() -> None:
    known = {
        (task.cron, task.task.name) for task in procrastinate_app.current_app.periodic_registry.periodic_tasks.values()
    }
    assert known == {(cron, name) for cron, name, _ in jobs.SCHEDULE}


def test_every_step_of_a_day_is_in_one_group_and_in_order() -> None:
    assert tuple(step for group in STEP_GROUPS for step in group) == DAY_STEPS


def test_a_call_that_is_due_expires_by_the_clock(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.prices(TUESDAY, AAPL="78")
    desk.prices(HALF_DAY, AAPL="78")
    live = ClockView(at=close(HALF_DAY), business_date=HALF_DAY, is_replay=False)
    monkeypatch.setattr(jobs, "get_clock", lambda: live)

    jobs.expire_calls(timestamp=0)

    assert [call.state for call in desk.calls(desk.near)] == ["expired"]


def test_in_a_replay_the_schedule_leaves_calls_and_notices_to_the_driver(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="78")
    desk.prices(HALF_DAY, AAPL="78")
    set_desk_clock(close(HALF_DAY))
    assert get_clock().is_replay
    before, entries = books_digest(), Entry.objects.count()

    for _, _, job in jobs.SCHEDULE:
        job(0)

    assert books_digest() == before
    added = set(Entry.objects.order_by("-id").values_list("action", flat=True)[: Entry.objects.count() - entries])
    shipped = {"monitoring.install", "models.register"}
    assert added <= shipped, "shipped typologies and models are put on record, which calls and tells nobody"
    assert [call.state for call in desk.calls(desk.near)] == ["open"]


def test_the_fingerprint_tells_one_cent(desk: Desk) -> None:
    before = books_digest()
    with desk.rolled_back():
        desk.deposit(desk.near, 1, TUESDAY)
        other = books_digest()
    assert other.fingerprint != before.fingerprint
    assert books_digest() == before
