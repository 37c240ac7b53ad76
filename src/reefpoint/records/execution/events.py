"""What the securities rail tells: an order's way in the stream of its instrument, results in that of the account."""

from dataclasses import dataclass
from typing import ClassVar

from reefpoint.platform.events.types import Event


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(Event):
    """An order exists and waits to be sent."""

    name: ClassVar[str] = "execution.order_placed"
    order_id: int
    instrument_id: int
    account_id: int

    @property
    def stream(self) -> str:
        return f"instrument:{self.instrument_id}"


@dataclass(frozen=True, kw_only=True)
class OrderSent(Event):
    """An order was released to the broker: from here on it may fill."""

    name: ClassVar[str] = "execution.order_sent"
    order_id: int
    instrument_id: int
    account_id: int

    @property
    def stream(self) -> str:
        return f"instrument:{self.instrument_id}"


@dataclass(frozen=True, kw_only=True)
class FillReported(Event):
    """The broker traded; the fill waits to be booked."""

    name: ClassVar[str] = "execution.fill_reported"
    fill_id: int
    order_id: int
    account_id: int
    instrument_id: int
    purpose: str
    source: str

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"


@dataclass(frozen=True, kw_only=True)
class OrderEnded(Event):
    """An order reached its last state; `filled_quantity` of it was traded."""

    name: ClassVar[str] = "execution.order_ended"
    order_id: int
    account_id: int
    instrument_id: int
    purpose: str
    source: str
    state: str
    filled_quantity: int
    reason: str

    @property
    def stream(self) -> str:
        return f"account:{self.account_id}"
