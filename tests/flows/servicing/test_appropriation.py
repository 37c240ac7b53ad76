"""Which loan a payment reaches: what is due before what is not, and what was collected for one purpose no other."""

from datetime import date, timedelta

from tests.desk import MONDAY, SYSTEM, TUESDAY, Desk, noon, verify_desk
from tests.flows.servicing.test_fees import LOAN, borrowed

from reefpoint.flows.servicing.rules import early_principal_minor
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.interest import collect_interest, collect_matured
from reefpoint.records.accounts.rules import in_order_of_repayment
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.accounts.types import LoanFacts, LoanState
from reefpoint.records.products.types import Due

SECOND = 10_000_00
PRINCIPAL_FIRST = (Due.PRINCIPAL, Due.FEES, Due.PENALTY, Due.INTEREST)


def loan(loan_id: int, principal: int, drawn_on: date, matures_on: date) -> LoanFacts:
    return LoanFacts(
        loan_id, f"N-{loan_id}", 1, "MAIN", principal, principal, 600, "act_360", drawn_on, matures_on, LoanState.OPEN
    )


OLD = loan(1, 100, MONDAY, MONDAY + timedelta(days=60))
YOUNG = loan(2, 40, TUESDAY, MONDAY + timedelta(days=30))
TWIN = loan(3, 10, MONDAY, MONDAY + timedelta(days=30))


def test_the_earliest_maturity_is_repaid_first_then_the_older_loan() -> None:
    assert [one.id for one in in_order_of_repayment([OLD, YOUNG, TWIN])] == [3, 2, 1]


def test_a_loan_for_which_collateral_was_sold_is_repaid_before_all_others() -> None:
    assert [one.id for one in in_order_of_repayment([TWIN, YOUNG, OLD], first=1)] == [1, 3, 2]


def test_principal_is_early_only_once_it_passes_what_is_due() -> None:
    due = YOUNG.matures_on
    assert [early_principal_minor(paid, [OLD, YOUNG, TWIN], due) for paid in (49, 50, 51, 150)] == [0, 0, 1, 100]


def two_loans(desk: Desk) -> tuple[int, LoanFacts, LoanFacts]:
    """An account with a loan of 30,000.00 that matures late, and a younger one of 10,000.00 that matures first."""
    account_id = borrowed(desk, payment_order=PRINCIPAL_FIRST)
    draw_down(
        actor=desk.operations,
        account_id=account_id,
        amount_minor=SECOND,
        tenor_days=10,
        key="second",
        on=MONDAY,
        at=noon(MONDAY),
    )
    old, young = list_loans(account_id)
    assert old.matures_on > young.matures_on
    return account_id, old, young


def test_i45_what_is_collected_for_a_loan_that_is_due_repays_that_loan_and_no_other(desk: Desk) -> None:
    """The terms settle principal first, and cash covers far more: the older loan, not yet due, is not repaid."""
    account_id, old, young = two_loans(desk)
    desk.accrue(MONDAY, TUESDAY)
    before = get_account(account_id)
    assert before.cash_minor > LOAN
    desk.begin(young.matures_on)
    assert collect_matured(actor=SYSTEM, on=young.matures_on, at=noon(young.matures_on)) == 1
    after = get_account(account_id)
    assert [(one.id, one.principal_minor) for one in list_loans(account_id)] == [(old.id, LOAN), (young.id, 0)]
    assert (after.interest_minor, after.fees_minor) == (0, 0)
    assert before.cash_minor - after.cash_minor == SECOND + before.interest_minor + before.fees_minor
    desk.drain()
    assert verify_desk(noon(young.matures_on)) == []


def test_what_is_collected_for_interest_repays_no_principal_whatever_the_order_of_the_terms(desk: Desk) -> None:
    account_id, _, _ = two_loans(desk)
    desk.accrue(MONDAY, TUESDAY)
    assert get_account(account_id).interest_minor > 0
    collect_interest(actor=SYSTEM, on=MONDAY, at=noon(MONDAY))
    after = get_account(account_id)
    assert (after.interest_minor, after.principal_minor) == (0, LOAN + SECOND)


def test_a_clients_own_repayment_reaches_the_loan_that_is_due_first(desk: Desk) -> None:
    account_id, old, young = two_loans(desk)
    desk.begin(young.matures_on)
    desk.repay(account_id, 4_000_00, young.matures_on)
    left = {one.id: one.principal_minor for one in list_loans(account_id)}
    assert left == {old.id: LOAN, young.id: SECOND - 4_000_00}
