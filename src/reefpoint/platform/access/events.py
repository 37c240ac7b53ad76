"""What happened to requests for a second person's word."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ApprovalGranted(Event):
    """A second person approved; handlers read what exactly from `access.selectors.get_approval`."""

    name: ClassVar[str] = "access.approval_granted"
    approval_id: int
    kind: str
    subject: str

    @property
    def stream(self) -> str:
        return self.subject


@dataclass(frozen=True, kw_only=True)
class ApprovalRejected(Event):
    """A second person said no."""

    name: ClassVar[str] = "access.approval_rejected"
    approval_id: int
    kind: str
    subject: str

    @property
    def stream(self) -> str:
        return self.subject


@dataclass(frozen=True, kw_only=True)
class ApprovalWithdrawn(Event):
    """Whoever asked took the request back."""

    name: ClassVar[str] = "access.approval_withdrawn"
    approval_id: int
    kind: str
    subject: str

    @property
    def stream(self) -> str:
        return self.subject
