"""A notice's life, and when a failed delivery is tried again."""

import hashlib
from datetime import timedelta

from reefpoint.platform.basics.states import StateTable
from reefpoint.platform.notifications.types import NoticeState

NOTICE_STATES = StateTable(
    "notice",
    NoticeState.QUEUED,
    {
        NoticeState.QUEUED: frozenset({NoticeState.DELIVERED, NoticeState.FAILED}),
        NoticeState.DELIVERED: frozenset(),
        NoticeState.FAILED: frozenset(),
    },
)

RETRY_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""Waits after the first, second ... failed attempt; the attempt after the last wait is the final one."""

SUBJECT_CHARS_MAX = 200
BODY_CHARS_MAX = 20_000


def retry_delay(attempts: int) -> timedelta | None:
    """How long to wait after this many failed attempts; None if none is left."""
    return RETRY_DELAYS[attempts - 1] if attempts <= len(RETRY_DELAYS) else None


def message_id(key: str) -> str:
    """The Message-ID of a notice, the same on every attempt: a mail sent twice is recognised as one."""
    return f"<{hashlib.sha256(key.encode()).hexdigest()[:32]}@reefpoint>"
