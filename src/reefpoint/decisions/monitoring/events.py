"""What monitoring tells."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class AlertRaised(Event):
    """A rule fired live for a client; `rule` is its code."""

    name: ClassVar[str] = "monitoring.alert_raised"
    alert_id: int
    client_id: int
    rule: str

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class RestrictionPlaced(Event):
    """Cash of a client may not leave until a person releases it."""

    name: ClassVar[str] = "monitoring.restriction_placed"
    restriction_id: int
    client_id: int
    kind: str

    @property
    def stream(self) -> str:
        return f"client:{self.client_id}"


@dataclass(frozen=True, kw_only=True)
class BacktestRequested(Event):
    """A version of a rule is to be run over history."""

    name: ClassVar[str] = "monitoring.backtest_requested"
    backtest_id: int

    @property
    def stream(self) -> str:
        return f"backtest:{self.backtest_id}"
