"""What notices do when they hear of something."""

from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.notifications.events import NoticeQueued
from reefpoint.platform.notifications.services import deliver_notice


def deliver_queued_notice(stored: StoredEvent) -> None:
    """Try to deliver a notice as soon as it is queued."""
    event = stored.event
    assert isinstance(event, NoticeQueued)
    deliver_notice(notice_id=event.notice_id, at=event.at)
