"""Who hears what: every event -> its handlers. Read it top to bottom to know what follows from what.

A handler runs at least once, in event order for each stream (an account, an instrument), in its own transaction.
The consumer name is its durable identity in the outbox: renaming it orphans what is pending.
"""

from reefpoint.decisions.margin.events import CallOpened
from reefpoint.decisions.margin.handlers import notify_of_call, taken_in_batches
from reefpoint.platform.events.types import Handler
from reefpoint.platform.notifications.events import NoticeQueued
from reefpoint.platform.notifications.handlers import deliver_queued_notice
from reefpoint.records.accounts.events import AccountChanged
from reefpoint.records.market.events import InstrumentSuspensionChanged, PricesRecorded

HANDLERS: tuple[Handler, ...] = (
    # what moves a margin line: the monitor takes it in batches of its own
    Handler(
        "margin.watch",
        (PricesRecorded, InstrumentSuspensionChanged, AccountChanged),
        taken_in_batches,
        group="watch",
    ),
    # a call is told to its client
    Handler("margin.notify", (CallOpened,), notify_of_call),
    Handler("notifications.deliver", (NoticeQueued,), deliver_queued_notice),
)
