"""What an event is, and what listens to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened, in the past tense, as ids and primitives only.

    `at` is the business instant at which it happened; handlers take their time from it, never from a clock.
    `stream` names the thing whose events must be handled in order (`account:17`); events of one stream never overtake.
    """

    name: ClassVar[str]
    at: datetime

    @property
    def stream(self) -> str:
        return self.name


@dataclass(frozen=True)
class StoredEvent:
    """An event as a handler receives it: `id` is stable over redeliveries and serves as an idempotency key."""

    id: int
    event: Event


@dataclass(frozen=True)
class Handler:
    """One consumer of some events.

    `consumer` is the durable name under which deliveries wait. `group` tells which process takes them
    (`worker` or `watch`). `handle` runs inside a transaction that also marks the delivery done.
    """

    consumer: str
    events: tuple[type[Event], ...]
    handle: Callable[[StoredEvent], None]
    group: str = "worker"


class DeliveryState(StrEnum):
    """Where a delivery stands: waiting (or resting before its next attempt), done, or given up for a person to see."""

    PENDING = "pending"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True)
class ClaimedDelivery:
    """A delivery that a batch consumer holds in its open transaction."""

    id: int
    stored: StoredEvent


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as a person sees it."""

    id: int
    event_id: int
    event_name: str
    stream: str
    consumer: str
    group: str
    state: DeliveryState
    attempts: int
    last_error: str
    at: datetime
    next_attempt_at: datetime
    done_at: datetime | None
