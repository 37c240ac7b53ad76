"""What the register tells."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class ModelMoved(Event):
    """A version of a model came into another state; for `use` another one may answer from now on."""

    name: ClassVar[str] = "governance.model_moved"
    version_id: int
    use: str
    old: str
    new: str

    @property
    def stream(self) -> str:
        return f"model:{self.use}"
