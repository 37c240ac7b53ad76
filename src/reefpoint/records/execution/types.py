"""The words of the securities rail: orders, fills, and what a broker promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from reefpoint.platform.basics.breaks import BreakClass, BreakSide


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class OrderPurpose(StrEnum):
    """Whose wish an order is: the client's, or the desk's when it closes out."""

    CLIENT = "client"
    LIQUIDATION = "liquidation"


class OrderState(StrEnum):
    """NEW is ours alone; from SENT on the broker may know the order; the last three are final."""

    NEW = "new"
    SENT = "sent"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class OrderTicket:
    """An order as a broker receives it. `client_order_id` is its identity: the same ticket twice is one order.

    The name is quoted in `currency`; the broker changes the money and reports price and amounts in `settles_in`.
    """

    client_order_id: str
    instrument_id: int
    symbol: str
    side: Side
    quantity: int
    lot_size: int
    assumed_daily_volume: int
    is_suspended: bool
    session_on: date
    currency: str = "USD"
    settles_in: str = "USD"


@dataclass(frozen=True)
class Execution:
    """One trade as the broker reports it. Amounts in minor units, all non-negative; the price in 1e-4 units."""

    broker_fill_id: str
    quantity: int
    price_units: int
    gross_minor: int
    fee_minor: int


@dataclass(frozen=True)
class OrderReport:
    """All that the broker has done for one order so far. `state` is SENT while it rests untouched."""

    client_order_id: str
    state: OrderState
    executions: tuple[Execution, ...] = ()
    reason: str = ""


class Broker(Protocol):
    """What the desk needs of a broker. Every call may be repeated: the answer is the same and nothing happens twice."""

    def submit(self, ticket: OrderTicket, *, at: datetime) -> OrderReport: ...

    def cancel(self, client_order_id: str, *, reason: str, at: datetime) -> OrderReport | None:
        """Cancel what is unfilled; None if the broker never saw the order."""

    def deliver(self, deliveries: "Sequence[SecuritiesDelivery]", *, on: date) -> int:
        """Move securities free of payment, each reference once; returns how many were new."""

    def session_capacity(self, assumed_daily_volume: int) -> int:
        """Shares of one name that the broker trades for the desk in a session, over all orders."""

    def settlement_sessions(self) -> int:
        """Sessions from trade to settlement."""

    def settle(self, traded_on: date, *, settled_on: date) -> int:
        """Pay the net cash of a session's trades; returns it, positive when the broker pays the desk."""

    def end_of_day_file(self, on: date) -> bytes | None:
        """The session's sealed file: trades, holdings and cash. None if the broker has not sent it."""


class BankRail(Protocol):
    """The bank account over which the desk and the broker settle."""

    def credit(self, *, reference: str, amount_minor: int, on: date, text: str) -> None: ...

    def debit(self, *, reference: str, amount_minor: int, on: date, text: str) -> None: ...


@dataclass(frozen=True)
class SecuritiesDelivery:
    """Securities moved free of payment into (positive) or out of (negative) the desk's account with the broker."""

    reference: str
    symbol: str
    quantity: int


@dataclass(frozen=True)
class OrderOutcome:
    """Where an order stands after the broker was asked."""

    order_id: int
    state: OrderState
    filled_quantity: int
    fill_ids: tuple[int, ...]


@dataclass(frozen=True)
class BrokerTrade:
    """A trade line of the broker's file. `net_minor` is signed: what the trade adds to the desk's cash."""

    line: int
    broker_fill_id: str
    client_order_id: str
    symbol: str
    side: Side
    quantity: int
    price_units: int
    net_minor: int


@dataclass(frozen=True)
class BrokerDay:
    """The broker's file of one session, opened and checked. `cash_minor` is what it owes the desk at the close."""

    broker: str
    on: date
    trades: Sequence[BrokerTrade]
    holdings: Mapping[str, int]
    opening_minor: int
    settled_minor: int
    cash_minor: int


@dataclass(frozen=True)
class BookedTrade:
    """A fill as the desk's books have it."""

    fill_id: int
    broker_fill_id: str
    symbol: str
    side: Side
    quantity: int
    price_units: int
    net_minor: int


@dataclass(frozen=True)
class BookedDay:
    """What the books say about a session: its fills, shares held for all accounts by symbol, and the broker's debt.

    The unbooked figures belong to fills that are recorded and wait to be booked: shares bought less sold, and cash.
    """

    trades: Sequence[BookedTrade]
    holdings: Mapping[str, int]
    cash_minor: int
    unbooked_quantity: Mapping[str, int]
    unbooked_minor: int


@dataclass(frozen=True, order=True)
class BrokerDifference:
    """One difference between the broker's file and the books; `subject` names the thing (`position:AAPL`)."""

    subject: str
    kind: BreakClass
    side: BreakSide
    amount_minor: int
    quantity: int
    detail: str


@dataclass(frozen=True)
class BrokerReconciliation:
    """The outcome of a session's comparison: `matched + broken == lines`."""

    on: date
    lines: int
    matched: int
    broken: int
    open_breaks: int


@dataclass(frozen=True)
class BreakRow:
    """A break as pages show it. `age_days` in business days; amounts are the books' side minus the broker's."""

    break_id: int
    kind: BreakClass
    side: BreakSide
    subject: str
    detail: str
    amount_minor: int
    quantity: int
    opened_on: date
    cleared_on: date | None
    age_days: int
    age_bucket: str


@dataclass(frozen=True)
class OrderFacts:
    """An order as other parts and pages see it."""

    order_id: int
    number: str
    account_id: int
    instrument_id: int
    symbol: str
    side: Side
    quantity: int
    filled_quantity: int
    state: OrderState
    purpose: OrderPurpose
    source: str
    session_on: date
    placed_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    end_reason: str

    @property
    def open_quantity(self) -> int:
        """What can still fill; zero once the order has ended."""
        return 0 if self.ended_at else self.quantity - self.filled_quantity


@dataclass(frozen=True)
class FillFacts:
    """A fill as other parts and pages see it. Price in 1e-4 units; `net_minor` is what it adds to the client's cash."""

    fill_id: int
    broker_fill_id: str
    order_id: int
    order_number: str
    account_id: int
    instrument_id: int
    symbol: str
    side: Side
    purpose: OrderPurpose
    source: str
    quantity: int
    price_units: int
    gross_minor: int
    fee_minor: int
    net_minor: int
    traded_on: date
    at: datetime
    booked_at: datetime | None

    @property
    def is_booked(self) -> bool:
        return self.booked_at is not None
