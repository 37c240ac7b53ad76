"""What the market records tell others."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class PricesRecorded(Event):
    """A batch brought at least one accepted price; `prices_of_batch(batch_id)` are exactly those prices."""

    name: ClassVar[str] = "market.prices_recorded"
    batch_id: int
    on: date

    @property
    def stream(self) -> str:
        return "market"


@dataclass(frozen=True, kw_only=True)
class PricesHeld(Event):
    """A batch brought prices that wait for a second source or a person: an alert."""

    name: ClassVar[str] = "market.prices_held"
    batch_id: int
    on: date
    held: int

    @property
    def stream(self) -> str:
        return "market"


@dataclass(frozen=True, kw_only=True)
class InstrumentSuspensionChanged(Event):
    """Trading in a name was stopped or resumed."""

    name: ClassVar[str] = "market.instrument_suspension_changed"
    instrument_id: int
    is_suspended: bool

    @property
    def stream(self) -> str:
        return "market"


@dataclass(frozen=True, kw_only=True)
class FxVersionRecorded(Event):
    """There is a new version of the rates between currencies: what is held abroad is worth something else."""

    name: ClassVar[str] = "market.fx_version_recorded"
    version_id: int
    on: date

    @property
    def stream(self) -> str:
        return "market"
