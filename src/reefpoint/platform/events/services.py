"""Publishing into the outbox, and carrying what is published to its consumers.

The outbox is machinery, not business: its retry times come from the database's clock, never from an event's `at`.
"""

import json
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models.functions import Now

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.database.bulk import array_literal
from reefpoint.platform.events import rules
from reefpoint.platform.events.models import Delivery
from reefpoint.platform.events.types import ClaimedDelivery, DeliveryState, Event, Handler, StoredEvent

CHANNEL = "reefpoint_events"
POLL_SECONDS = 1.0
DELIVERIES_A_TURN = 100
RECONNECT_SECONDS_MAX = 5.0

log = structlog.get_logger(__name__)
_handlers: dict[str, Handler] = {}


def connect(handlers: Sequence[Handler]) -> None:
    """Make the wiring table known to this process; called once at start. Consumer names are unique."""
    global _handlers  # noqa: PLW0603 - the one process-wide table, set at start and never changed
    _handlers = {handler.consumer: handler for handler in handlers}
    assert len(_handlers) == len(handlers), "two handlers share a consumer name"


def publish(event: Event) -> int:
    """Store an event in the caller's transaction, with one delivery per consumer. Returns the event id.

    Deliveries of one stream keep the order in which their events were published: publish while holding the lock of
    the thing that the stream names.
    """
    return publish_all([event])[0]


def publish_all(events: Sequence[Event]) -> list[int]:
    """Publish many events in one statement, in the order given. Returns their ids."""
    assert connection.in_atomic_block, "an event is published in the transaction of what it tells"
    if not events:
        return []
    kinds = {type(event) for event in events}
    listeners = [
        (kind.name, handler.consumer, handler.group)
        for handler in _handlers.values()
        for kind in handler.events
        if kind in kinds
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH event AS (
                INSERT INTO events_event (name, stream, at, payload)
                SELECT told.name, told.stream, told.at, told.payload
                  FROM ROWS FROM (
                           unnest(%s::text[], %s::text[], %s::timestamptz[]), jsonb_array_elements(%s::jsonb)
                       ) WITH ORDINALITY AS told(name, stream, at, payload, number)
                 ORDER BY told.number
                RETURNING id, name, stream
            ), delivery AS (
                INSERT INTO events_delivery (event_id, consumer, "group", stream)
                SELECT event.id, listener.consumer, listener.group_name, event.stream
                  FROM event JOIN unnest(%s::text[], %s::text[], %s::text[])
                       AS listener(name, consumer, group_name) ON listener.name = event.name
                 ORDER BY event.id
            )
            SELECT id FROM event ORDER BY id
            """,
            [
                array_literal([event.name for event in events]),
                array_literal([event.stream for event in events]),
                array_literal([event.at for event in events]),
                json.dumps([rules.encode_event(event) for event in events]),
                *([listener[column] for listener in listeners] for column in range(3)),
            ],
        )
        return [event_id for (event_id,) in cursor.fetchall()]


def dispatch_once(group: str, limit: int = DELIVERIES_A_TURN) -> int:
    """Carry up to `limit` waiting deliveries of a group, each in its own transaction. Returns how many were tried."""
    tried = 0
    while tried < limit and _deliver_next(group):
        tried += 1
    return tried


# A delivery is free if it is due and no earlier one of the same consumer and stream still waits. One that another
# dispatcher has in hand still reads as waiting here, which holds back the rest of its stream.
_TAKE_NEXT = """
    UPDATE events_delivery AS taken SET state = 'done', done_at = clock_timestamp()
      FROM events_event AS event
     WHERE event.id = taken.event_id AND taken.id = (
           SELECT waiting.id FROM events_delivery AS waiting
            WHERE waiting.state = 'pending' AND waiting."group" = %s AND waiting.next_attempt_at <= clock_timestamp()
              AND NOT EXISTS (
                  SELECT 1 FROM events_delivery AS earlier
                   WHERE earlier.state = 'pending' AND earlier.consumer = waiting.consumer
                     AND earlier.stream = waiting.stream AND earlier.event_id < waiting.event_id)
            ORDER BY waiting.event_id, waiting.id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING taken.id, taken.consumer, event.id, event.name, event.payload
"""


def _deliver_next(group: str) -> bool:
    """Hand the first free delivery to its consumer; the done mark commits with what the consumer wrote.

    Whatever a handler raises is its delivery's failure, unless the database connection was lost on the way.
    """
    connection.ensure_connection()
    session, delivery_id = connection.connection, 0
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_TAKE_NEXT, [group])
            row = cursor.fetchone()
            if row is None:
                return False
            delivery_id, consumer, event_id, name, payload = row
            _handlers[consumer].handle(_stored(event_id, name, payload))
    except Exception as error:
        if connection.connection is not session:
            raise OperationalError("the database connection was lost") from error
        if not delivery_id:
            raise
        mark_failed(delivery_id, error)
    return True


def _stored(event_id: int, name: str, payload: str) -> StoredEvent:
    return StoredEvent(event_id, rules.decode_event(_event_class(name), json.loads(payload)))


@cache
def _event_class(name: str) -> type[Event]:
    """The class that carries this event name, among all that are imported; every consumer imports what it hears."""
    families = [Event]
    for family in families:
        families.extend(family.__subclasses__())
    return next(kind for kind in families if getattr(kind, "name", None) == name)


def claim_batch(consumer: str, limit: int) -> list[ClaimedDelivery]:
    """Up to `limit` waiting deliveries of one consumer, in order, held until the caller's transaction ends.

    For a consumer that handles many events in one transaction: claim, do the work, `mark_done`. Only one process can
    claim for a consumer at a time; any other gets an empty list. If the transaction fails, all of them wait as before.
    """
    assert connection.in_atomic_block, "a batch is claimed in the transaction that handles it"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH turn AS MATERIALIZED (
                SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS is_ours
            )
            SELECT d.id, e.id, e.name, e.payload
              FROM events_delivery d JOIN events_event e ON e.id = d.event_id
             WHERE (SELECT is_ours FROM turn) AND d.state = 'pending' AND d.consumer = %s
             ORDER BY d.event_id LIMIT %s FOR UPDATE OF d
            """,
            [f"outbox:{consumer}", consumer, limit],
        )
        return [
            ClaimedDelivery(delivery_id, _stored(event_id, name, payload))
            for delivery_id, event_id, name, payload in cursor.fetchall()
        ]


def claim_for_session(consumer: str) -> bool:
    """Keep all other sessions from claiming batches of a consumer for as long as this session lives; false if one does.

    For a consumer with a memory, which would grow old if somebody else handled events in between.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [f"outbox:{consumer}"])
        return bool(cursor.fetchone()[0])


def mark_done(delivery_ids: Sequence[int]) -> None:
    """End deliveries, in the transaction that did their work."""
    if not delivery_ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE events_delivery SET state = 'done', done_at = statement_timestamp()
             WHERE id = ANY(%s::bigint[]) AND state = 'pending'
            """,
            [array_literal(delivery_ids)],
        )


@transaction.atomic
def mark_failed(delivery_id: int, error: Exception) -> None:
    """Count a failed attempt: the delivery rests and is tried again, or is a dead letter after the last attempt."""
    delivery = Delivery.objects.select_for_update().get(id=delivery_id)
    if delivery.state != DeliveryState.PENDING:
        return  # another dispatcher has carried it meanwhile
    delivery.attempts += 1
    delivery.last_error = _describe(error)
    delivery.next_attempt_at = Now() + rules.retry_delay(delivery.attempts)
    if delivery.attempts >= rules.ATTEMPTS_MAX:
        delivery.state = DeliveryState.DEAD
    delivery.save()
    log.warning("delivery_failed", delivery_id=delivery_id, state=delivery.state, error=delivery.last_error)


def _describe(error: Exception) -> str:
    """What was raised, and where: `ValueError: no price (rules.py:17)`."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


@transaction.atomic
def retry_dead(delivery_id: int) -> None:
    """Let a dead letter wait again, with all its attempts, after a person has removed the cause."""
    delivery = Delivery.objects.select_for_update().get(id=delivery_id)
    if delivery.state != DeliveryState.DEAD:
        raise NotADeadLetter(
            "Delivery {delivery_id} is {state}; only a dead letter can be tried again.",
            delivery_id=delivery_id,
            state=DeliveryState(delivery.state),
        )
    delivery.state = DeliveryState.PENDING
    delivery.attempts = 0
    delivery.next_attempt_at = Now()
    delivery.save()


def run_dispatcher(group: str, stop: threading.Event) -> None:
    """Carry the deliveries of a group until `stop` is set."""
    run_consumer(group, lambda: dispatch_once(group) == DELIVERIES_A_TURN, stop)


def run_consumer(group: str, take: Callable[[], bool], stop: threading.Event) -> None:
    """Call `take` until `stop` is set: at once when told of new events for `group`, else every second.

    `take` handles what waits and returns whether it left anything that could be taken at once. A lost database is
    waited for, for ever: what was under way rolled back and is taken again.
    """
    pause_seconds = 0.1
    listener: psycopg.Connection[tuple[object, ...]] | None = None
    while not stop.is_set():
        try:
            while not stop.is_set():
                connection.ensure_connection()
                if connection.connection is not listener:  # Django replaces one that was lost
                    listener = _listen()
                if not take():
                    _wait_for_events(listener, group)
                pause_seconds = 0.1
        except (OperationalError, InterfaceError, psycopg.OperationalError) as error:
            log.warning("consumer_lost_database", group=group, error=str(error), retry_in_seconds=pause_seconds)
            connection.close()
            stop.wait(pause_seconds)
            pause_seconds = min(2 * pause_seconds, RECONNECT_SECONDS_MAX)
    connection.close()


def _listen() -> psycopg.Connection[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    listener = connection.connection
    assert isinstance(listener, psycopg.Connection)
    return listener


def _wait_for_events(listener: psycopg.Connection[tuple[object, ...]], group: str) -> None:
    """Sleep until a delivery for `group` is committed, or has been since the last time; at most `POLL_SECONDS`."""
    deadline = time.monotonic() + POLL_SECONDS
    groups: set[str] = set()
    while group not in groups and (seconds := deadline - time.monotonic()) > 0:
        groups = {told.payload for told in listener.notifies(timeout=seconds, stop_after=1)}


class NotADeadLetter(Refusal):
    """Only what was given up can be tried again."""

    code = "not_a_dead_letter"
