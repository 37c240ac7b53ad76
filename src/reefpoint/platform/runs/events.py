"""What runs tell."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class RunAsked(Event):
    """Long work was asked for, to be done by a job."""

    name: ClassVar[str] = "runs.asked"
    run_id: int

    @property
    def stream(self) -> str:
        return f"run:{self.run_id}"
