"""What collateral decisions tell others."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class CollateralChanged(Event):
    """From `on` on, haircuts or valuations of suspended names are others than before: look at every account (I16)."""

    name: ClassVar[str] = "collateral.changed"
    on: date

    @property
    def stream(self) -> str:
        return "market"
