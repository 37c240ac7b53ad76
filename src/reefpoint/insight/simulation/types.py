"""A scheme played over past prices: what goes in, and all that comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from reefpoint.decisions.collateral.types import HouseRules, Ramp, Step
from reefpoint.decisions.margin.types import Band, CallCause
from reefpoint.platform.basics.money import held_minor
from reefpoint.records.market.types import InstrumentView


class Source(StrEnum):
    """Whose closes are played: the packaged 20 US names, those the desk recorded, or those of a file of one's own."""

    PACKAGED = "packaged"
    RECORDED = "recorded"
    FILE = "file"


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
class Suspension:
    """A name that does not trade from `since` on; it trades again on `until`, never where that is None."""

    symbol: str
    since: date
    until: date | None

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on < self.until)


@dataclass(frozen=True)
class RateChange:
    """A day on which the desk would tell the client of a new rate, and that rate."""

    on: date
    rate_bp: int


@dataclass(frozen=True)
class HaircutChange:
    """A day on which the desk would put a haircut of its own in force for a name; a cut then comes by its ramp."""

    on: date
    symbol: str
    haircut_bp: int


@dataclass(frozen=True)
class Happenings:
    """What happens besides the closes. `steps` are haircuts that the desk has on record, by symbol, in order."""

    rates: tuple[RateChange, ...] = ()
    haircuts: tuple[HaircutChange, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    steps: Mapping[str, tuple[Step, ...]] = field(default_factory=dict)


AT_ONCE = Ramp(notice_sessions=0, step_bp=10_000)


@dataclass(frozen=True)
class Policy:
    """What of the desk's own rules a play needs beside the scheme's terms.

    - `house`: what a suspended name is still worth; None leaves its last price
    - `ramp`: how a higher haircut takes force, the scheme's own notice aside
    - `rate_step_bp`, `rate_cap_bp`: the least move of a rate, and the most that law allows; None knows no such cap
    """

    house: HouseRules | None = None
    ramp: Ramp = AT_ONCE
    rate_step_bp: int = 1
    rate_cap_bp: int | None = None


@dataclass(frozen=True)
class History:
    """Closes of some names over consecutive sessions: `closes[d][n]` in units of 1e-4, 0 where there is none.

    `limits_bp`: how far each name may move in a day, None where its venue sets no limit; empty for none at all.
    """

    instruments: tuple[InstrumentView, ...]
    days: tuple[date, ...]
    closes: tuple[tuple[int, ...], ...]
    limits_bp: tuple[int | None, ...] = ()
    suspensions: tuple[Suspension, ...] = ()


@dataclass(frozen=True)
class SimDay:
    """The account at the end of a session, minor units. `ratio_bp` is None without debt or without a price.

    `lendable_minor` is what is lent on its securities and cash by the haircuts of the day, `rate_bp` what its loan
    bears from this close on. `held_back` names what cannot be sold: suspended, or at its limit.
    """

    on: date
    market_minor: int
    cash_minor: int
    debt_minor: int
    lendable_minor: int
    ratio_bp: int | None
    band: Band
    rate_bp: int
    held_back: tuple[str, ...]

    @property
    def is_over_lent(self) -> bool:
        """Whether more is owed than is lent on what the account holds: no new credit, and no cash paid out."""
        return self.debt_minor > self.lendable_minor


@dataclass(frozen=True)
class SimRate:
    """A new rate: told on a day, in force from another; `effective_on` is None where the terms let no rate move."""

    told_on: date
    effective_on: date | None
    rate_bp: int


@dataclass(frozen=True)
class SimHaircut:
    """A change of a haircut: asked for on a day, in steps from `steps[0]` to `steps[-1]`; none where none changed."""

    on: date
    symbol: str
    haircut_bp: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class SimCall:
    """A margin call: why, what was asked for, until when, and how it ended."""

    opened_on: date
    cause: CallCause
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
    `most_minor` is the largest loan that the desk's rules would have allowed on the first day; the loan that is played
    may be larger.
    """

    currency: str
    days: tuple[SimDay, ...]
    calls: tuple[SimCall, ...]
    sales: tuple[SimSale, ...]
    payments: tuple[SimPayment, ...]
    rates: tuple[SimRate, ...]
    haircuts: tuple[SimHaircut, ...]
    loan_minor: int
    most_minor: int
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
    def is_beyond_rules(self) -> bool:
        """Whether the desk would not have lent this much on the first day."""
        return self.loan_minor > self.most_minor

    @property
    def days_over_lent(self) -> int:
        """Closes at which the desk would have lent nothing more."""
        return sum(day.is_over_lent for day in self.days)

    @property
    def lowest_ratio_bp(self) -> int | None:
        return min((day.ratio_bp for day in self.days if day.ratio_bp is not None), default=None)
