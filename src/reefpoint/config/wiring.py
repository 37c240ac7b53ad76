"""Who hears what: every event -> its handlers. Read it top to bottom to know what follows from what.

A handler runs at least once, in event order for each stream (an account, an instrument), in its own transaction.
The consumer name is its durable identity in the outbox: renaming it orphans what is pending.
"""

from reefpoint.platform.events.types import Handler
from reefpoint.platform.notifications.events import NoticeQueued
from reefpoint.platform.notifications.handlers import deliver_queued_notice

HANDLERS: tuple[Handler, ...] = (Handler("notifications.deliver", (NoticeQueued,), deliver_queued_notice),)
