"""In which order repaid principal reaches the loans of an account."""

from collections.abc import Iterable

from reefpoint.records.accounts.types import LoanFacts


def in_order_of_repayment(loans: Iterable[LoanFacts], *, first: int | None = None) -> list[LoanFacts]:
    """The loans, that which is repaid first in front: earliest maturity, then the older one.

    So what is due is paid before what is not. `first` is the loan for which collateral was sold: its money is its own.
    """
    return sorted(loans, key=lambda loan: (loan.id != first, loan.matures_on, loan.drawn_on, loan.id))
