"""The account of a play as it stands: what it holds and owes, and its standing by the lines of the scheme."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from reefpoint.decisions.margin.types import Band, CallCause, Standing
from reefpoint.engine.bands import Lines, step_bands
from reefpoint.engine.book import Marks
from reefpoint.engine.columns import BP
from reefpoint.engine.cures import ratio_bp
from reefpoint.insight.simulation.rules.course import Course
from reefpoint.insight.simulation.types import SaleCause, SimCall, SimPayment, SimSale
from reefpoint.platform.basics.money import ceil_div, held_minor, owed_minor
from reefpoint.records.execution.rules import PaperBrokerTerms
from reefpoint.records.market.types import InstrumentView, SessionCalendar
from reefpoint.records.products.types import SchemeTerms

UNKNOWN_RATIO = -1


@dataclass
class Loan:
    """The account as it stands: money in minor units, shares by column of the history."""

    held: list[int]
    cash: int = 0
    principal: int = 0
    interest: int = 0
    fees: int = 0
    band: Band = Band.UNKNOWN
    call: SimCall | None = None
    selling: SaleCause | None = None
    selling_since: date | None = None
    expired_for: CallCause | None = None
    target_bp: int = 0
    has_sold: bool = False
    is_sold_out: bool = False
    is_late_charged: bool = False
    accrued_micro: int = 0
    carry: int = 0
    paid_in: int = 0
    taken_out: int = 0
    repaid: int = 0
    interest_charged: int = 0
    fees_charged: int = 0
    sale_cost_units: int = 0
    price_change_units: int = 0
    calls: list[SimCall] = field(default_factory=list)
    sales: list[SimSale] = field(default_factory=list)
    payments: list[SimPayment] = field(default_factory=list)

    @property
    def debt(self) -> int:
        return self.principal + self.interest + self.fees

    @property
    def is_enforced(self) -> bool:
        return self.selling is not None or self.is_sold_out


@dataclass(frozen=True)
class Desk:
    """What does not change while the days run."""

    terms: SchemeTerms
    instruments: tuple[InstrumentView, ...]
    calendar: SessionCalendar
    course: Course
    lines: Lines
    scale: int
    broker: PaperBrokerTerms
    matures_on: date
    maintenance_bp: tuple[int, ...]

    def marks(self, number: int) -> Marks:
        """What the engine needs to know of each name at the close of a session."""
        course = self.course
        return Marks(
            price_units=course.price_units[number],
            haircut_bp=course.haircut_bp[number][None, :],
            maintenance_bp=np.array([self.maintenance_bp], dtype=np.int64),
            is_stale=np.zeros(len(self.instruments), dtype=np.bool_),
            is_suspended=course.is_suspended[number],
            lot=np.array([one.lot_size for one in self.instruments], dtype=np.int64),
            limit_down_units=course.limit_down_units[number],
        )

    @property
    def late_after(self) -> date:
        return self.matures_on + timedelta(days=self.terms.grace_days)


def market_units(loan: Loan, prices: Sequence[int]) -> int:
    return sum(held * price for held, price in zip(loan.held, prices, strict=True))


def ratio_of(desk: Desk, loan: Loan, prices: Sequence[int]) -> int | None:
    return ratio_bp(market_units(loan, prices) + loan.cash * desk.scale, loan.debt * desk.scale)


def standing_of(desk: Desk, loan: Loan, prices: Sequence[int], *, is_known: bool) -> Standing:
    """Where the account stands, its band after hysteresis; unknown while a price of it is missing."""
    market = market_units(loan, prices)
    ratio = ratio_bp(market + loan.cash * desk.scale, loan.debt * desk.scale)
    engine = UNKNOWN_RATIO if not is_known else np.iinfo(np.int64).max if ratio is None else ratio
    before = np.array([loan.band.value], dtype=np.int8)
    band = step_bands(np.array([engine], dtype=np.int64), np.zeros(1, dtype=np.uint16), desk.lines, before)
    return Standing(
        account_id=0,
        market_minor=held_minor(market, desk.terms.currency),
        assets_minor=held_minor(market, desk.terms.currency) + loan.cash,
        lendable_minor=0,
        requirement_minor=_requirement_minor(desk, loan, prices),
        debt_minor=loan.debt,
        ratio_bp=ratio if is_known else None,
        band=Band(int(band[0])),
    )


def _requirement_minor(desk: Desk, loan: Loan, prices: Sequence[int]) -> int:
    """What the names ask of equity, rounded up as the engine does."""
    asked = sum(held * price * rate for held, price, rate in zip(loan.held, prices, desk.maintenance_bp, strict=True))
    return owed_minor(ceil_div(asked, BP), desk.terms.currency)
