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


@dataclass(frozen=True)
class SoldPosition:
    """What a position of one account fetches in a forced sale, by simulation: the price of a share today, on average,
    and on the paths with a loss; `proceeds_minor` = quantity * the last.
    """

    instrument_id: int
    symbol: str
    quantity: int
    price_units: int
    mean_units: int
    losing_mean_units: int
    proceeds_minor: int


@dataclass(frozen=True)
class AccountGap:
    """Why the expected loss of one account is what it is; its own money, `debt_minor` in full.

    On the `losing_paths`, on average: loss = debt - cash - the proceeds of all positions (but for rounding). Expected
    loss = that * losing paths / paths. `worst_loss_minor` is the largest loss of any path.
    """

    account_id: int
    number: str
    currency: str
    paths: int
    days: int
    grace_days: int
    seed: int
    losing_paths: int
    debt_minor: int
    cash_minor: int
    positions: tuple[SoldPosition, ...]
    losing_mean_minor: int
    expected_minor: int
    worst_loss_minor: int
    is_unknown: bool
