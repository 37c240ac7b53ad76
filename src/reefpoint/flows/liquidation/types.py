"""Forced sales as the rest of the desk sees them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class LiquidationState(StrEnum):
    """`completed`: back at the target. `exhausted`: nothing is left to sell and debt remains (a deficit).
    `cancelled`: cured before anything was sold, if by its own cash, or refused by the second person."""

    AWAITING_APPROVAL = "awaiting_approval"
    PLANNED = "planned"
    SELLING = "selling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXHAUSTED = "exhausted"


class Cause(StrEnum):
    CALL_EXPIRED = "call_expired"
    CLOSE_OUT = "close_out"


@dataclass(frozen=True)
class LiquidationFacts:
    """One liquidation. `call_id` is the call that ran out, None when the close-out line was crossed."""

    id: int
    number: str
    account_id: int
    state: LiquidationState
    cause: Cause
    call_id: int | None
    opened_on: date
    opened_at: datetime
    target_bp: int
    closed_at: datetime | None
    close_reason: str


@dataclass(frozen=True)
class PlanLine:
    """Sell `quantity` at an assumed price; amounts in minor units."""

    instrument_id: int
    symbol: str
    quantity: int
    price_units: int
    value_minor: int
    cost_minor: int


@dataclass(frozen=True)
class PlanView:
    """A plan as it was made: before, sales, after, and how much over the least possible it sells (basis points)."""

    id: int
    session_on: date
    made_at: datetime
    outcome: str
    lines: tuple[PlanLine, ...]
    assets_before_minor: int
    debt_before_minor: int
    ratio_before_bp: int | None
    sold_minor: int
    assets_after_minor: int
    debt_after_minor: int
    ratio_after_bp: int | None
    over_bound_bp: int | None
