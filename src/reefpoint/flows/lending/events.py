"""What the credit flow tells."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class CreditMoved(Event):
    """A request for credit came to another state."""

    name: ClassVar[str] = "lending.credit_moved"
    request_id: int
    client_id: int
    old: str
    new: str

    @property
    def stream(self) -> str:
        return f"credit_request:{self.request_id}"
