"""What margin decisions tell."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class _OfAccount(Event):
    account_id: int

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class BandCrossed(_OfAccount):
    """An account moved from one band to another."""

    name: ClassVar[str] = "margin.BandCrossed"
    old: int
    new: int


@dataclass(frozen=True, kw_only=True)
class CallOpened(_OfAccount):
    name: ClassVar[str] = "margin.CallOpened"
    call_id: int


@dataclass(frozen=True, kw_only=True)
class CallCured(_OfAccount):
    name: ClassVar[str] = "margin.CallCured"
    call_id: int


@dataclass(frozen=True, kw_only=True)
class CallExpired(_OfAccount):
    """Nobody answered in time: collateral has to be sold."""

    name: ClassVar[str] = "margin.CallExpired"
    call_id: int


@dataclass(frozen=True, kw_only=True)
class CloseOutBreached(_OfAccount):
    """The ratio fell under the close-out line: collateral has to be sold whatever the deadline."""

    name: ClassVar[str] = "margin.CloseOutBreached"
    ratio_bp: int


@dataclass(frozen=True, kw_only=True)
class _OfPriceAlert(Event):
    """`instrument_id` is None where it is the coverage of the whole book."""

    alert_id: int
    instrument_id: int | None

    @property
    def stream(self) -> str:
        return "price-alerts" if self.instrument_id is None else f"instrument:{self.instrument_id}"


@dataclass(frozen=True, kw_only=True)
class PriceAlertRaised(_OfPriceAlert):
    """A price went stale, or current prices cover too little of the book to lend and to sell (I12)."""

    name: ClassVar[str] = "margin.PriceAlertRaised"


@dataclass(frozen=True, kw_only=True)
class PriceAlertCleared(_OfPriceAlert):
    name: ClassVar[str] = "margin.PriceAlertCleared"
