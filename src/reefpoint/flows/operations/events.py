"""What operations tell."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class DayClosed(Event):
    """The books of a business day are closed."""

    name: ClassVar[str] = "operations.DayClosed"
    on: date
