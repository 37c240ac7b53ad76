"""Dispatchers as they run: several threads, real transactions, connections that die."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import system_actor
from reefpoint.platform.events import rules, services
from reefpoint.platform.events.selectors import list_deliveries, pending_count, verify_outbox
from reefpoint.platform.events.services import claim_batch, connect, mark_done, publish, run_dispatcher
from reefpoint.platform.events.types import Event, Handler, StoredEvent

AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)
WORKER = system_actor("worker")

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@dataclass(frozen=True, kw_only=True)
class DoorOpened(Event):
    name: ClassVar[str] = "tests.door_opened"
    door_id: int
    count: int

    @property
    def stream(self) -> str:
        return f"door:{self.door_id}"


def note(stored: StoredEvent) -> None:
    """Leave one audit entry for each delivery: what was lost, doubled or out of order can be read from them."""
    event = stored.event
    assert isinstance(event, DoorOpened)
    record(actor=WORKER, action="tests.note", subject=event.stream, inputs={"count": event.count}, at=event.at)


def noted(door_id: int) -> list[object]:
    entries = list_entries(subject=f"door:{door_id}", limit=1_000)
    return [entry.inputs["count"] for entry in reversed(entries)]


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_handlers", {})
    monkeypatch.setattr(rules, "retry_delay", lambda attempts: timedelta(milliseconds=5))
    connect((Handler("tests.note", (DoorOpened,), note),))


def in_thread(work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@contextmanager
def dispatchers(count: int) -> Iterator[None]:
    stop = threading.Event()
    threads = [in_thread(lambda: run_dispatcher("worker", stop)) for _ in range(count)]
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=20)
    assert not any(thread.is_alive() for thread in threads)


def open_doors(doors: Sequence[int], times: int) -> None:
    for count in range(times):
        for door_id in doors:
            with transaction.atomic():
                publish(DoorOpened(at=AT, door_id=door_id, count=count))


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def kill_dispatchers() -> int:
    """End the database sessions of all other threads of this test."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])


def test_several_dispatchers_lose_nothing_do_nothing_twice_and_keep_the_order_of_each_stream() -> None:
    failed: set[int] = set()

    def note_at_second_try(stored: StoredEvent) -> None:
        note(stored)
        if stored.id % 7 == 0 and stored.id not in failed:
            failed.add(stored.id)
            raise ValueError("fails after it wrote, once")

    connect((Handler("tests.note", (DoorOpened,), note_at_second_try),))
    with dispatchers(4):
        publishers = [in_thread(lambda doors=doors: open_doors(doors, 10)) for doors in ((1, 2), (3, 4), (5, 6))]
        for publisher in publishers:
            publisher.join()
        wait_until(lambda: pending_count() == 0)
    assert failed
    assert {door: noted(door) for door in range(1, 7)} == {door: list(range(10)) for door in range(1, 7)}
    assert verify_outbox() == []


def test_a_sleeping_dispatcher_is_woken_by_a_new_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "POLL_SECONDS", 2.5)
    with dispatchers(1):
        open_doors([1], 1)
        wait_until(lambda: noted(1) == [0])
        time.sleep(0.2)  # it sleeps now
        started = time.monotonic()
        open_doors([2], 1)
        wait_until(lambda: noted(2) == [0])
        assert time.monotonic() - started < 1.5


def test_a_sleeping_dispatcher_sleeps_on_while_others_are_told_and_wakes_for_its_own() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {services.CHANNEL}")
    listener = connection.connection
    wait = threading.Thread(target=services._wait_for_events, args=(listener, "worker"))
    wait.start()
    with psycopg.connect(**connection.get_connection_params() | {"autocommit": True}) as other:
        for _ in range(3):
            other.execute("SELECT pg_notify(%s, 'watch')", [services.CHANNEL])
            time.sleep(0.05)
        assert wait.is_alive()
        other.execute("SELECT pg_notify(%s, 'worker')", [services.CHANNEL])
        wait.join(services.POLL_SECONDS / 2)
        assert not wait.is_alive()


def test_a_connection_killed_inside_a_handler_rolls_back_and_is_carried_again() -> None:
    killed: list[int] = []

    def note_and_die_once(stored: StoredEvent) -> None:
        note(stored)
        if not killed:
            killed.append(stored.id)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    connect((Handler("tests.note", (DoorOpened,), note_and_die_once),))
    open_doors([1], 5)
    with dispatchers(1):
        wait_until(lambda: pending_count() == 0)
    assert killed
    assert noted(1) == [0, 1, 2, 3, 4]
    assert all(row.attempts == 0 for row in list_deliveries(stream="door:1"))  # a lost database is nobody's failure


def test_dispatchers_survive_killed_connections_again_and_again() -> None:
    with dispatchers(3):
        publisher = in_thread(lambda: open_doors_stubbornly([1, 2, 3], 30))
        for _ in range(6):
            time.sleep(0.1)
            kill_dispatchers()
        publisher.join()
        wait_until(lambda: pending_count() == 0)
    assert {door: noted(door) for door in (1, 2, 3)} == {door: list(range(30)) for door in (1, 2, 3)}


def open_doors_stubbornly(doors: Sequence[int], times: int) -> None:
    """Publish each event until its commit is known to have happened or not."""
    for count in range(times):
        for door_id in doors:
            while noted_or_waiting(door_id) <= count:
                try:
                    open_one(door_id, count)
                except OperationalError:
                    connection.close()


def noted_or_waiting(door_id: int) -> int:
    while True:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM events_event WHERE stream = %s", [f"door:{door_id}"])
                return int(cursor.fetchone()[0])
        except OperationalError:
            connection.close()


@transaction.atomic
def open_one(door_id: int, count: int) -> None:
    publish(DoorOpened(at=AT, door_id=door_id, count=count))


def test_only_one_process_claims_batches_of_a_consumer_at_a_time() -> None:
    open_doors([1, 2], 3)
    others: list[int] = []
    with transaction.atomic():
        claimed = claim_batch("tests.note", 4)
        assert len(claimed) == 4

        def claim_too() -> None:
            with transaction.atomic():
                others.append(len(claim_batch("tests.note", 4)))

        in_thread(claim_too).join()
        for delivery in claimed:
            note(delivery.stored)
        mark_done([delivery.id for delivery in claimed])
    assert others == [0]
    assert pending_count() == 2
