"""What notices tell. A failed delivery is news of its own (I26)."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class NoticeQueued(Event):
    """A notice waits to be delivered."""

    name: ClassVar[str] = "notifications.notice_queued"
    notice_id: int
    client_id: int | None
    about: str

    @property
    def stream(self) -> str:
        return f"notice:{self.notice_id}"


@dataclass(frozen=True, kw_only=True)
class NoticeDelivered(Event):
    """A notice was handed over; the evidence is kept with it."""

    name: ClassVar[str] = "notifications.notice_delivered"
    notice_id: int
    client_id: int | None
    about: str

    @property
    def stream(self) -> str:
        return self.about


@dataclass(frozen=True, kw_only=True)
class NoticeFailed(Event):
    """An attempt to deliver failed; `is_final` if none is left."""

    name: ClassVar[str] = "notifications.notice_failed"
    notice_id: int
    client_id: int | None
    about: str
    attempts: int
    is_final: bool

    @property
    def stream(self) -> str:
        return self.about
