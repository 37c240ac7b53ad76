"""What scoring tells."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ClientScored(Event):
    """A client was scored. `grade` is empty for one who is referred to a person."""

    name: ClassVar[str] = "scoring.client_scored"
    client_id: int
    score_id: int
    grade: str
    cause: str

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"
