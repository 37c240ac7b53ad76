"""What a loan against an example portfolio would cost and risk."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class OverviewLineName(StrEnum):
    """The lines of a scheme, highest first: where lending ends, where the client is warned, called, and sold out."""

    INITIAL = "initial"
    WARNING = "warning"
    CALL = "call"
    CLOSE_OUT = "close_out"


@dataclass(frozen=True)
class OverviewLine:
    """One line and how far it is. Below `value_minor` of the portfolio the line is crossed.

    `fall_bp`: how far all prices may fall together, rounded down; negative when the example is under the line already.
    """

    name: OverviewLineName
    line_bp: int
    fall_bp: int
    value_minor: int
    limit_days: int | None


@dataclass(frozen=True)
class OverviewHolding:
    """One name of the example. Prices in 1e-4; the least prices at which a line still holds, rounded up. A call comes
    by the call line or by the maintenance of the names, whichever is met first.

    `call_price_units` and `close_out_price_units`: all names falling by the same part. `call_alone_units` and
    `close_out_alone_units`: this one alone falling; None where even its total loss would not bring it.
    `sold_quantity`: what would be sold if prices stood just under the close-out line.
    """

    symbol: str
    name: str
    name_zh: str
    quantity: int
    price_units: int
    value_minor: int
    share_bp: int
    haircut_bp: int
    lendable_minor: int
    call_price_units: int
    close_out_price_units: int
    call_alone_units: int | None
    close_out_alone_units: int | None
    sold_quantity: int
    sold_minor: int


@dataclass(frozen=True)
class OverviewCost:
    """What the loan costs. A year is 365 days of interest at today's rate; the drawdown's fees are taken once."""

    rate_bp: int
    penalty_rate_bp: int
    day_count: str
    interest_day_minor: int
    interest_year_minor: int
    drawdown_fee_minor: int
    month_fees_minor: int
    is_early_repayment_allowed: bool

    @property
    def first_year_minor(self) -> int:
        return self.interest_year_minor + self.drawdown_fee_minor + 12 * self.month_fees_minor


class Standing(StrEnum):
    """Where the example would stand after a change of prices."""

    SAFE = "safe"
    WARNED = "warned"
    CALLED = "called"
    SOLD = "sold"


@dataclass(frozen=True)
class OverviewOutcome:
    """The example after all prices changed by `change_bp`, a year's cost taken off.

    `own_minor` is what is left of the client's own money, negative when more is owed than all is worth;
    `result_minor` its change.
    """

    change_bp: int
    value_minor: int
    own_minor: int
    result_minor: int
    ratio_bp: int
    standing: Standing


class WhyNot(StrEnum):
    """Why the loan of an example would not be given under the scheme."""

    BELOW_INITIAL = "below_initial"
    ABOVE_LENDABLE = "above_lendable"
    ABOVE_LIMIT = "above_limit"
    TOO_LITTLE_EQUITY = "too_little_equity"
    BELOW_MAINTENANCE = "below_maintenance"
    TOO_CONCENTRATED = "too_concentrated"


@dataclass(frozen=True)
class Overview:
    """What a loan against an example portfolio would cost and risk, before anything is signed.

    Amounts in minor units of `currency`. `call_minor` is what would be asked for at the call line, `sold_minor` the
    market value that would be sold just under the close-out line. `requirement_minor` is the own money that the names
    ask for (their maintenance), `requirement_fall_bp` how far all prices may fall until the client has just that much;
    negative for less already, None for never less. `outcomes` run from the largest fall to the largest rise, as far
    down as up.
    """

    scheme_code: str
    scheme_name: str
    scheme_name_zh: str
    scheme_version: int
    jurisdiction: str
    licence_number: str
    currency: str
    at: datetime
    value_minor: int
    cash_minor: int
    loan_minor: int
    own_minor: int
    ratio_bp: int
    lendable_minor: int
    loan_most_minor: int
    why_not: tuple[WhyNot, ...]
    lines: tuple[OverviewLine, ...]
    requirement_minor: int
    requirement_fall_bp: int | None
    holdings: tuple[OverviewHolding, ...]
    cost: OverviewCost
    call_minor: int
    call_deadline_sessions: int
    sold_minor: int
    outcomes: tuple[OverviewOutcome, ...]

    @property
    def is_lendable(self) -> bool:
        return not self.why_not

    @property
    def call_fall_bp(self) -> int:
        """How far all prices may fall together before a call comes: by the call line or for maintenance."""
        by_line = self.line(OverviewLineName.CALL).fall_bp
        return by_line if self.requirement_fall_bp is None else min(by_line, self.requirement_fall_bp)

    def line(self, name: str) -> OverviewLine:
        """One line by its name."""
        return next(line for line in self.lines if line.name == name)
