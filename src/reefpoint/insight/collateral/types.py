"""What the desk is told of the loss behind its collateral. Money in minor units, rounded up."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TailFigures:
    """The loss of one part of the book, or of an account in its own money; errors are Monte Carlo standard errors.

    `value_at_risk_minor` and `expected_shortfall_minor` have one figure for each level of the report.
    """

    code: str
    currency: str
    debt_minor: int
    expected_minor: int
    expected_error_minor: int
    value_at_risk_minor: tuple[int, ...]
    value_at_risk_error_minor: tuple[int, ...]
    expected_shortfall_minor: tuple[int, ...]
    expected_shortfall_error_minor: tuple[int, ...]


@dataclass(frozen=True)
class GapReport:
    """The lender's loss if the desk called every account today and sold all collateral of all of them.

    `proxies` are names without history, which move like the wildest that has one. `unknown_accounts` hold a name
    without a price and are in no figure. Sums are in `currency`, at the version of the rates `fx_name` (nothing where
    no figure rests on a rate), which stays over the days.
    """

    at: datetime
    currency: str
    fx_name: str
    paths: int
    days: int
    grace_days: int
    seed: int
    levels: tuple[float, ...]
    accounts: int
    unknown_accounts: int
    total: TailFigures
    by_scheme: tuple[TailFigures, ...]
    by_pool: tuple[TailFigures, ...]
    worst_accounts: tuple[TailFigures, ...]
    proxies: tuple[str, ...]
    assumptions: tuple[str, ...]
