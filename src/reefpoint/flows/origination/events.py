"""What origination tells."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ApplicationMoved(Event):
    """An application came to another state."""

    name: ClassVar[str] = "origination.application_moved"
    application_id: int
    client_id: int
    old: str
    new: str

    @property
    def stream(self) -> str:
        return f"application:{self.application_id}"
