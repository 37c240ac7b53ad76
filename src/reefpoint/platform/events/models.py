"""The outbox's two tables: what happened, and who still has to hear of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reefpoint.platform.events.types import DeliveryState


class Event(models.Model):
    """One published event. Append-only, held by a trigger."""

    name = models.TextField()
    stream = models.TextField()
    payload = models.JSONField()
    at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = (models.Index(fields=["stream", "id"], name="events_event_stream"),)

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Delivery(models.Model):
    """One event on its way to one consumer. `stream` is the event's, kept here for the order check.

    Deliveries are taken in the order of `event`, and only indexes of waiting rows offer that order: with any other,
    the planner would now and then walk through all that is done. Hence the unusual index behind
    `events_delivery_once` (migration 0003).
    """

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    consumer = models.TextField()
    group = models.TextField()
    stream = models.TextField()
    state = models.TextField(db_default=DeliveryState.PENDING)
    attempts = models.IntegerField(db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    last_error = models.TextField(db_default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(state__in=list(DeliveryState)), name="events_delivery_state"),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.DONE, done_at__isnull=False)
                | (~Q(state=DeliveryState.DONE) & Q(done_at__isnull=True)),
                name="events_delivery_done_at",
            ),
        )
        indexes = (
            models.Index(
                fields=["group", "event", "id"],
                condition=Q(state=DeliveryState.PENDING),
                name="events_delivery_waiting",
            ),
            models.Index(
                fields=["consumer", "event"], condition=Q(state=DeliveryState.PENDING), name="events_delivery_batch"
            ),
            models.Index(
                fields=["consumer", "stream", "event"],
                condition=Q(state=DeliveryState.PENDING),
                name="events_delivery_order",
            ),
            models.Index(fields=["id"], condition=Q(state=DeliveryState.DEAD), name="events_delivery_dead"),
            models.Index(fields=["stream", "id"], name="events_delivery_stream"),
        )

    def __str__(self) -> str:
        return f"{self.consumer} {self.event_id} {self.state}"
