"""Servicing rules: how a payment is split, what credit needs, and what a month's end is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from reefpoint.decisions.margin.rules import PRICE_COVERAGE_MIN_BP, is_covered
from reefpoint.decisions.margin.types import Standing
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import Money, ceil_div, percent
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts.rules import in_order_of_repayment
from reefpoint.records.accounts.types import AccountStatus, LoanFacts
from reefpoint.records.products.types import Due


class CreditRefused(Refusal):
    """New credit, a purchase or a withdrawal that would leave the account too weak."""

    code = "credit_refused"


class AmountRefused(Refusal):
    """An amount of nothing, or less."""

    code = "amount_refused"


def check_amount(amount_minor: int) -> None:
    """Refuse an amount that moves nothing, or the other way. Raises `AmountRefused`."""
    if amount_minor <= 0:
        raise AmountRefused("The amount must be above zero.", amount_minor=amount_minor)


@dataclass(frozen=True)
class Allocation:
    """How a payment was split, in minor units; `left_minor` stays the client's."""

    paid: Mapping[Due, int]
    left_minor: int


def allocate_payment(amount_minor: int, dues: Mapping[Due, int], order: Sequence[Due]) -> Allocation:
    """Set a payment against what is due, in the contract's order, to the last unit.

    A due that the order does not name is paid last, in the order of `Due`, so that nothing is ever unpayable.
    """
    left = amount_minor
    paid: dict[Due, int] = {}
    for due in [*order, *(due for due in Due if due not in order)]:
        part = min(left, dues.get(due, 0))
        if part:
            paid[due] = part
            left -= part
    return Allocation(paid, left)


def share_minor(amount_minor: int, share_bp: int) -> int:
    """A part of an amount in minor units, rounded up."""
    return ceil_div(amount_minor * share_bp, 10_000)


class EarlyRepaymentRefused(Refusal):
    """Principal offered back before its maturity under terms that do not allow it."""

    code = "early_repayment_refused"


def early_principal_minor(amount_minor: int, loans: Iterable[LoanFacts], on: date) -> int:
    """How much of repaid principal falls on loans that are not mature on `on`."""
    left, early = amount_minor, 0
    for loan in in_order_of_repayment(loans):
        part = min(left, loan.principal_minor)
        left -= part
        early += part if loan.matures_on > on else 0
    return early


def is_late(loan: LoanFacts, grace_days: int, on: date) -> bool:
    """Whether principal is still owed on `on` after the maturity and the days of grace."""
    return loan.principal_minor > 0 and on > loan.matures_on + timedelta(days=grace_days)


def check_credit(
    *,
    status: AccountStatus,
    is_enforced: bool,
    after: Standing,
    required_bp: int,
    coverage_bp: int,
    what: Sentence,
    currency: str,
    min_equity_minor: int = 0,
) -> None:
    """Refuse what would leave the account under `required_bp` or the maintenance that its names ask for, lent beyond
    its lendable value, or unmeasured.

    `coverage_bp` is the share of the whole book that has current prices: under the desk's minimum no account that
    would owe anything gets credit. Raises `CreditRefused` with the reason in words. Sources: 12 CFR 220.12(a) for
    the initial line, FINRA 4210(b) for the minimum equity and 4210(c) for maintenance by name of the US pack; house
    rules for the drawing power and the coverage.
    """
    if status is not AccountStatus.ACTIVE:
        raise CreditRefused("The account is {status}, so {what} is not possible.", status=status, what=what)
    if is_enforced:
        raise CreditRefused(
            "Collateral of this account is being sold, so {what} is not possible until that ends.", what=what
        )
    if after.is_unknown:
        raise CreditRefused(
            "The account cannot be valued at the moment (a price is missing), so {what} has to wait.", what=what
        )
    if after.debt_minor and not is_covered(coverage_bp):
        raise CreditRefused(
            "Only {coverage} of what the desk holds has a current price, and {what} needs "
            "{required}: it has to wait until prices are back.",
            coverage_bp=coverage_bp,
            required_coverage_bp=PRICE_COVERAGE_MIN_BP,
            coverage=percent(coverage_bp),
            what=what,
            required=percent(PRICE_COVERAGE_MIN_BP),
        )
    if after.ratio_bp is not None and after.ratio_bp < required_bp:
        raise CreditRefused(
            "After {what} the ratio would be {ratio:.2f}%; it needs {required:.2f}%.",
            ratio_bp=after.ratio_bp,
            required_bp=required_bp,
            what=what,
            ratio=after.ratio_bp / 100,
            required=required_bp / 100,
        )
    if after.is_short_of_maintenance:
        raise CreditRefused(
            "After {what} the account's own money would be {equity}, below the maintenance of its names, {required}.",
            equity_minor=after.equity_minor,
            requirement_minor=after.requirement_minor,
            what=what,
            equity=Money(after.equity_minor, currency),
            required=Money(after.requirement_minor, currency),
        )
    if after.equity_minor < min_equity_minor:
        raise CreditRefused(
            "After {what} the account's own money would be under the minimum it needs for credit.",
            equity_minor=after.equity_minor,
            min_equity_minor=min_equity_minor,
            what=what,
        )
    if after.debt_minor > after.lendable_minor:
        raise CreditRefused(
            "After {what} the debt would exceed the lendable value of the collateral.",
            debt_minor=after.debt_minor,
            lendable_minor=after.lendable_minor,
            what=what,
        )


def check_concentration(*, value_minor: int, assets_minor: int, cap_bp: int, symbol: str) -> None:
    """Refuse a purchase after which one name would be too much of the account. Raises `CreditRefused`."""
    if value_minor * 10_000 > cap_bp * assets_minor:
        raise CreditRefused(
            "After this purchase {symbol} would be more than {cap:.0f}% of the account.",
            cap_bp=cap_bp,
            symbol=symbol,
            cap=cap_bp / 100,
        )


def is_interest_payment_day(on: date, next_session: date) -> bool:
    """Interest is taken from cash on the last session of each month."""
    return next_session.month != on.month
