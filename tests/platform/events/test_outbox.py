"""The outbox in one transaction: what is published reaches its consumers, in order, or becomes a dead letter."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from reefpoint.platform.events import rules, services
from reefpoint.platform.events.models import Delivery
from reefpoint.platform.events.models import Event as EventRow
from reefpoint.platform.events.selectors import list_dead, list_deliveries, pending_count, verify_outbox
from reefpoint.platform.events.services import connect, dispatch_once, publish, publish_all, retry_dead
from reefpoint.platform.events.types import DeliveryState, Event, Handler, StoredEvent

AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class LampLit(Event):
    name: ClassVar[str] = "tests.lamp_lit"
    lamp_id: int
    on: date | None = None
    price: Decimal = Decimal("1.10")
    tags: tuple[str, ...] = ()
    colour: Colour = Colour.RED

    @property
    def stream(self) -> str:
        return f"lamp:{self.lamp_id}"


@dataclass(frozen=True, kw_only=True)
class LampBroken(Event):
    name: ClassVar[str] = "tests.lamp_broken"
    lamp_id: int


heard: list[StoredEvent] = []
faults: list[Exception] = []


def hear(stored: StoredEvent) -> None:
    if faults:
        raise faults[0]
    heard.append(stored)


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    heard.clear()
    faults.clear()
    monkeypatch.setattr(services, "_handlers", {})
    connect((Handler("tests.hear", (LampLit,), hear),))


def make_due() -> None:
    Delivery.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))


def test_an_event_comes_back_from_json_as_it_was() -> None:
    event = LampLit(at=AT, lamp_id=7, on=date(2020, 3, 2), price=Decimal("41.20"), tags=("a", "b"))
    assert rules.decode_event(LampLit, rules.encode_event(event)) == event


def test_an_event_with_a_float_is_refused() -> None:
    with pytest.raises(TypeError):
        rules.encode_event(LampLit(at=AT, lamp_id=1.5))  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_published_event_reaches_its_consumer_once() -> None:
    event = LampLit(at=AT, lamp_id=7)
    event_id = publish(event)
    assert pending_count("worker") == 1
    assert dispatch_once("watch", 10) == 0
    assert dispatch_once("worker", 10) == 1
    assert heard == [StoredEvent(event_id, event)]
    assert dispatch_once("worker", 10) == 0
    assert pending_count() == 0
    assert verify_outbox() == []


@pytest.mark.django_db
def test_many_events_are_published_at_once_in_order() -> None:
    events = [LampLit(at=AT, lamp_id=3), LampBroken(at=AT, lamp_id=2), LampLit(at=AT, lamp_id=1)]
    ids = publish_all(events)
    assert ids == sorted(ids)
    assert dispatch_once("worker", 10) == 2
    assert heard == [StoredEvent(ids[0], events[0]), StoredEvent(ids[2], events[2])]
    assert publish_all([]) == []


@pytest.mark.django_db
def test_an_event_that_nobody_hears_is_stored_all_the_same() -> None:
    event_id = publish(LampBroken(at=AT, lamp_id=7))
    assert EventRow.objects.get(id=event_id).payload["lamp_id"] == 7
    assert pending_count() == 0


@pytest.mark.django_db
def test_a_failing_delivery_rests_then_is_retried_and_holds_back_its_stream_only() -> None:
    publish(LampLit(at=AT, lamp_id=1))
    publish(LampLit(at=AT, lamp_id=1))
    publish(LampLit(at=AT, lamp_id=2))
    faults.append(ValueError("no bulb"))
    assert dispatch_once("worker", 1) == 1
    faults.clear()
    assert dispatch_once("worker", 10) == 1
    assert [stored.event.stream for stored in heard] == ["lamp:2"]
    first = Delivery.objects.order_by("id").first()
    assert first is not None
    assert first.attempts == 1
    assert first.last_error.startswith("ValueError: no bulb (test_outbox.py:")
    make_due()
    assert dispatch_once("worker", 10) == 2
    assert [stored.id for stored in heard[1:]] == sorted(stored.id for stored in heard[1:])


@pytest.mark.django_db
def test_a_delivery_that_keeps_failing_becomes_a_dead_letter_that_a_person_can_retry() -> None:
    publish(LampLit(at=AT, lamp_id=1))
    faults.append(ValueError("no bulb"))
    for _attempt in range(rules.ATTEMPTS_MAX):
        make_due()
        assert dispatch_once("worker", 1) == 1
    make_due()
    assert dispatch_once("worker", 1) == 0
    (dead,) = list_dead()
    assert (dead.state, dead.attempts, dead.consumer) == (DeliveryState.DEAD, 8, "tests.hear")
    assert [finding.subject for finding in verify_outbox()] == [f"delivery:{dead.id}"]
    faults.clear()
    retry_dead(dead.id)
    assert dispatch_once("worker", 1) == 1
    assert len(heard) == 1
    with pytest.raises(services.NotADeadLetter):
        retry_dead(dead.id)
    assert [row.state for row in list_deliveries(stream="lamp:1")] == [DeliveryState.DONE]


@pytest.mark.django_db
def test_what_a_failing_handler_wrote_is_undone() -> None:
    def write_then_fail(stored: StoredEvent) -> None:
        publish(LampBroken(at=AT, lamp_id=1))
        raise ValueError("too late")

    connect((Handler("tests.hear", (LampLit,), write_then_fail),))
    publish(LampLit(at=AT, lamp_id=1))
    dispatch_once("worker", 1)
    assert not EventRow.objects.filter(name=LampBroken.name).exists()


@pytest.mark.django_db
def test_a_batch_is_claimed_in_order_and_marked_done() -> None:
    ids = [publish(LampLit(at=AT, lamp_id=lamp)) for lamp in (1, 2, 1)]
    claimed = services.claim_batch("tests.hear", 10)
    assert [delivery.stored.id for delivery in claimed] == ids
    services.mark_done([delivery.id for delivery in claimed])
    assert services.claim_batch("tests.hear", 10) == []


@pytest.mark.django_db
@pytest.mark.parametrize("statement", ["UPDATE events_event SET name = 'x'", "DELETE FROM events_event"])
def test_a_published_event_is_never_changed(statement: str) -> None:
    publish(LampBroken(at=AT, lamp_id=1))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_publishing_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        publish(LampLit(at=AT, lamp_id=1))
