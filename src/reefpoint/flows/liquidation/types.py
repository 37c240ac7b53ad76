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
    """`default`: a loan that is late past its grace, sold for until it is paid, whatever the ratio."""

    CALL_EXPIRED = "call_expired"
    CLOSE_OUT = "close_out"
    DEFAULT = "default"


@dataclass(frozen=True)
class SaleAim:
    """What a sale is to reach: the ratio `target_bp`, or `pay_minor` paid from the account's cash and the proceeds."""

    target_bp: int = 0
    pay_minor: int | None = None


@dataclass(frozen=True)
class LiquidationFacts:
    """One liquidation, for the call that ran out (`call_id`), a crossed close-out line, or a late loan (`loan_id`).

    It sells until the ratio `target_bp` is reached, or until the loan is paid: `late_minor` is what was late, with
    interest and fees due, when it was opened.
    """

    id: int
    number: str
    account_id: int
    state: LiquidationState
    cause: Cause
    call_id: int | None
    opened_on: date
    opened_at: datetime
    target_bp: int | None
    closed_at: datetime | None
    close_reason: str
    loan_id: int | None = None
    late_minor: int | None = None


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
class PlanTerm:
    """One holding in the order of sale, and why so much of it is sold; amounts in minor units.

    - `place` from 1; `preference` the contract's rank, then the dearer name comes later
    - `gain_bp`: what 10,000 of value sold closes of the gap; negative: its sale would widen it
    - `held`, `free` (less what was given out already or bought too lately), `most` (what the day's volume, shared by
      all accounts, left of that, in whole lots) and `quantity` to sell, in shares
    - `closes_minor`: what its sale closes of the gap
    - `cheaper`: names that cost less to sell and of which more might have been sold
    """

    place: int
    instrument_id: int
    symbol: str
    preference: int
    cost_bp: int
    gain_bp: int
    held: int
    free: int
    most: int
    quantity: int
    closes_minor: int
    reason: str
    cheaper: tuple[str, ...]

    @property
    def is_held_back(self) -> bool:
        """Whether all that the day's volume left is sold, and the account could have sold more."""
        return self.quantity == self.most < self.free


@dataclass(frozen=True)
class PlanProof:
    """Why a plan sells what it sells, and that no plan could sell much less; amounts in minor units.

    - `gap_minor`: what is missing to the target, or of the late loan, after the account's own cash; the terms'
      `closes_minor` add up to it
    - `bound_minor`: no sale of less value reaches the target, whatever its order and lots; None where none does
    - `in_any_order_minor`: what would be sold without the contract's order of sale; None where that does not cure
    - `served` of `sales`: its place in the session's queue, the lowest ratio first; `method`: how the day's volume was
      shared (see `engine.shared_volume.ShareMethod`)
    """

    gap_minor: int
    bound_minor: int | None
    in_any_order_minor: int | None
    served: int
    sales: int
    method: str
    terms: tuple[PlanTerm, ...]


@dataclass(frozen=True)
class PlanView:
    """A plan as it was made: before, sales, after, and how much over the least possible it sells (basis points).

    `proof` is None for a plan that was made before proofs were kept.
    """

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
    proof: PlanProof | None
