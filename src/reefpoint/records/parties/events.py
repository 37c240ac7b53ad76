"""What the records of people tell others."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class LicenceEnded(Event):
    """A licence ends: from the day after `valid_to` nothing rests on it."""

    name: ClassVar[str] = "parties.licence_ended"
    licence_id: int
    jurisdiction: str
    activity: str
    valid_to: date

    @property
    def stream(self) -> str:
        return f"licence:{self.licence_id}"
