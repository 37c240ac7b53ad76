"""What the vault tells others."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class DataKeyTurned(Event):
    """Values are sealed under a new data key from now on; what lies under older ones waits to be moved."""

    name: ClassVar[str] = "vault.data_key_turned"
    key_id: int
