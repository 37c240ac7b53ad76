"""Publishing into the outbox."""

from reefpoint.platform.events.types import Event, Handler

_handlers: tuple[Handler, ...] = ()


def connect(handlers: tuple[Handler, ...]) -> None:
    """Make the wiring table known to this process; called once at start."""
    global _handlers  # noqa: PLW0603 - the one process-wide table, set at start and never changed
    _handlers = handlers


def publish(event: Event) -> int:
    """Store an event in the caller's transaction, with one delivery per consumer. Returns the event id."""
    raise RuntimeError("the outbox is being built")
