"""The words of notices."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Channel(StrEnum):
    """How a notice reaches somebody: by mail, or on the pages of the product."""

    MAIL = "mail"
    IN_APP = "in_app"


class NoticeState(StrEnum):
    """QUEUED until it was handed over with evidence; FAILED after the last attempt."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True)
class NoticeRow:
    """A notice as other parts and pages see it. `evidence` proves the delivery: message id, hash of what was sent."""

    notice_id: int
    client_id: int | None
    channel: Channel
    to: str
    subject: str
    body: str
    about: str
    state: NoticeState
    attempts: int
    evidence: dict[str, str]
    last_error: str
    queued_at: datetime
    delivered_at: datetime | None
