"""The desk's figures."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class DayFigures:
    """One business day of the desk at its close. Money in minor units; flows are of the day, stocks at its end."""

    on: date
    accounts: int
    assets_minor: int
    debt_minor: int
    safe: int
    warning: int
    call: int
    close_out: int
    unknown: int
    calls_opened: int
    calls_cured: int
    calls_expired: int
    calls_superseded: int
    liquidations_opened: int
    liquidations_ended: int
    sold_minor: int
    interest_income_minor: int
    fee_income_minor: int
    funding_cost_minor: int
    deficit_accounts: int
    deficit_minor: int
    pool_lent_minor: int
    pool_committed_minor: int


@dataclass(frozen=True)
class PeriodFigures:
    """A run of business days: flows added up, and the last day's stocks."""

    days: int
    first: DayFigures
    last: DayFigures
    calls_opened: int
    calls_cured: int
    calls_expired: int
    calls_superseded: int
    liquidations_opened: int
    liquidations_ended: int
    sold_minor: int
    interest_income_minor: int
    fee_income_minor: int
    funding_cost_minor: int

    @property
    def net_revenue_minor(self) -> int:
        """Interest and fees earned, less what the lent money cost."""
        return self.interest_income_minor + self.fee_income_minor - self.funding_cost_minor
