"""What liquidations tell."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class LiquidationOpened(Event):
    name: ClassVar[str] = "liquidation.LiquidationOpened"
    liquidation_id: int
    account_id: int

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class LiquidationEnded(Event):
    """It is over: completed, cancelled or exhausted."""

    name: ClassVar[str] = "liquidation.LiquidationEnded"
    liquidation_id: int
    account_id: int
    state: str

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"
