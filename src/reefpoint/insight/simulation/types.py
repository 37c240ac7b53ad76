"""A scheme played over past prices: what goes in, and all that comes out."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from reefpoint.decisions.margin.types import Band
from reefpoint.platform.basics.money import held_minor
from reefpoint.records.market.types import InstrumentView


class Source(StrEnum):
    """Whose closes are played: those the desk recorded, or the packaged 20 US names."""

    PACKAGED = "packaged"
    RECORDED = "recorded"


class Conduct(StrEnum):
    """What the client does when called: nothing, or pay what cures the call on the next morning."""

    SILENT = "silent"
    PAYS = "pays"


class CallEnd(StrEnum):
    OPEN = "open"
    CURED = "cured"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


class SaleCause(StrEnum):
    """Why collateral is sold: a call that nobody answered, or the close-out line."""

    CALL_EXPIRED = "call_expired"
    CLOSE_OUT = "close_out"


@dataclass(frozen=True)
class History:
    """Closes of some names over consecutive sessions: `closes[d][n]` in units of 1e-4, 0 where there is none."""

    instruments: tuple[InstrumentView, ...]
    days: tuple[date, ...]
    closes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class SimDay:
    """The account at the end of a session, minor units. `ratio_bp` is None without debt or without a price."""

    on: date
    market_minor: int
    cash_minor: int
    debt_minor: int
    ratio_bp: int | None
    band: Band


@dataclass(frozen=True)
class SimCall:
    """A margin call: what was asked for, until when, and how it ended."""

    opened_on: date
    ratio_bp: int
    amount_minor: int
    deadline_on: date
    end: CallEnd
    ended_on: date | None


@dataclass(frozen=True)
class SimSale:
    """Shares of one name sold by force at a session's close. `cost_minor` is slippage and the broker's fee."""

    on: date
    cause: SaleCause
    symbol: str
    quantity: int
    price_units: int
    value_minor: int
    cost_minor: int
    ratio_before_bp: int
    ratio_after_bp: int | None


@dataclass(frozen=True)
class SimPayment:
    """What the client paid in to answer a call."""

    on: date
    amount_minor: int


@dataclass(frozen=True)
class SimulationRun:
    """What came of one loan under one scheme.

    The figures in `units` (1e-4 of the currency) add up exactly:
    `client_end + lender_end + sale_cost = start + price_change`, where the lender's end is what it got and is still
    owed and covered, less what it lent, and the client's end is all that is left to it, money taken out and paid in
    included. `shortfall_minor` is debt that nothing covers: the lender bears it here, the client may owe it in law.
    """

    currency: str
    days: tuple[SimDay, ...]
    calls: tuple[SimCall, ...]
    sales: tuple[SimSale, ...]
    payments: tuple[SimPayment, ...]
    loan_minor: int
    start_units: int
    price_change_units: int
    client_end_units: int
    lender_end_units: int
    sale_cost_units: int
    interest_minor: int
    fees_minor: int
    shortfall_minor: int

    @property
    def start_minor(self) -> int:
        return held_minor(self.start_units, self.currency)

    @property
    def client_end_minor(self) -> int:
        return held_minor(self.client_end_units, self.currency)

    @property
    def client_result_minor(self) -> int:
        """What the client has more, or less, than the shares it came with."""
        return self.client_end_minor - self.start_minor

    @property
    def lender_end_minor(self) -> int:
        return held_minor(self.lender_end_units, self.currency)

    @property
    def sale_cost_minor(self) -> int:
        return -held_minor(-self.sale_cost_units, self.currency)

    @property
    def cost_minor(self) -> int:
        """All that the loan cost the client: interest, fees, and what its forced sales lost to slippage and broker."""
        return self.interest_minor + self.fees_minor + self.sale_cost_minor

    @property
    def sold_minor(self) -> int:
        return sum(sale.value_minor for sale in self.sales)

    @property
    def lowest_ratio_bp(self) -> int | None:
        return min((day.ratio_bp for day in self.days if day.ratio_bp is not None), default=None)
