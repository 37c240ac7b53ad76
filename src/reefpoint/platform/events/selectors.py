"""What waits in the outbox, what was given up, and whether it is whole."""

from django.db import connection
from django.db.models import QuerySet

from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.platform.events.models import Delivery
from reefpoint.platform.events.types import DeliveryRow, DeliveryState


def pending_count(group: str | None = None) -> int:
    """How many deliveries wait or rest, of one group or of all."""
    waiting = Delivery.objects.filter(state=DeliveryState.PENDING)
    return (waiting if group is None else waiting.filter(group=group)).count()


def is_drained() -> bool:
    """Whether no delivery waits or rests. For a caller that asks again and again: no object, one index look-up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM events_delivery WHERE state = 'pending')")
        return bool(cursor.fetchone()[0])


def list_dead(limit: int = 100) -> list[DeliveryRow]:
    """Dead letters, newest first."""
    return _rows(Delivery.objects.filter(state=DeliveryState.DEAD), limit)


def list_deliveries(
    stream: str | None = None, consumer: str | None = None, before_id: int | None = None, limit: int = 50
) -> list[DeliveryRow]:
    """Deliveries, newest first; pages by `before_id`."""
    wanted = {"stream": stream, "consumer": consumer, "id__lt": before_id}
    return _rows(Delivery.objects.filter(**{name: value for name, value in wanted.items() if value is not None}), limit)


def _rows(deliveries: "QuerySet[Delivery]", limit: int) -> list[DeliveryRow]:
    return [
        DeliveryRow(
            id=row.id,
            event_id=row.event_id,
            event_name=row.event.name,
            stream=row.stream,
            consumer=row.consumer,
            group=row.group,
            state=DeliveryState(row.state),
            attempts=row.attempts,
            last_error=row.last_error,
            at=row.event.at,
            next_attempt_at=row.next_attempt_at,
            done_at=row.done_at,
        )
        for row in deliveries.select_related("event").order_by("-id")[:limit]
    ]


def verify_outbox() -> list[Finding]:
    """The outbox is drained: a finding for each delivery that still waits (the first hundred) or was given up."""
    stuck = Delivery.objects.exclude(state=DeliveryState.DONE).select_related("event").order_by("id")[:100]
    return verify_guards(["events_event"]) + [
        Finding(
            "events.delivery",
            f"delivery:{row.id}",
            f"{row.event.name} ({row.stream}) is {row.state} at {row.consumer} after {row.attempts} attempts"
            + (f": {row.last_error}" if row.last_error else ""),
        )
        for row in stuck
    ]
