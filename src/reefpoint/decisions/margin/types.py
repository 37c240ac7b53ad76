"""Margin measures and calls as the rest of the desk sees them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.engine.bands import Band

__all__ = ["Band", "CallFacts", "CallState", "Cures", "Standing"]


class CallState(StrEnum):
    OPEN = "open"
    CURED = "cured"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class Standing:
    """One account measured at one version of prices. Minor units; `ratio_bp` is None without debt or when unknown."""

    account_id: int
    market_minor: int
    assets_minor: int
    lendable_minor: int
    requirement_minor: int
    debt_minor: int
    ratio_bp: int | None
    band: Band

    @property
    def is_unknown(self) -> bool:
        return self.band is Band.UNKNOWN

    @property
    def equity_minor(self) -> int:
        return self.assets_minor - self.debt_minor


@dataclass(frozen=True)
class Cures:
    """Three ways back to the cure line, each sufficient alone. Minor units, rounded up."""

    add_collateral_minor: int
    repay_minor: int
    sell_minor: int


@dataclass(frozen=True)
class CallFacts:
    """One margin call."""

    id: int
    number: str
    account_id: int
    state: CallState
    opened_at: datetime
    opened_on: date
    deadline_at: datetime
    amount_minor: int
    debt_minor: int
    assets_minor: int
    ratio_bp: int
    call_bp: int
    cure_bp: int
    closed_at: datetime | None
    close_reason: str
