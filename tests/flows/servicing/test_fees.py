"""Fees: each that the terms name is charged at its moment and on its amount, once, and no other charge exists."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.desk import MONDAY, SYSTEM, TUESDAY, Desk, noon, verify_desk

from reefpoint.flows.servicing.models import InterestAccrual
from reefpoint.flows.servicing.rules import EarlyRepaymentRefused
from reefpoint.flows.servicing.selectors import Action, what_if
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.fees import charge_fees, charge_late_fees, charge_month_fees
from reefpoint.flows.servicing.services.interest import accrue_interest
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import approve, find_actor
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.ledger.selectors import balance_minor
from reefpoint.records.ledger.services import close_book_day, open_book_day
from reefpoint.records.ledger.types import INCOME_FEES
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.services import draft_scheme_version, request_publication
from reefpoint.records.products.types import Fee, FeeBasis, FeeMoment

LOAN = 30_000_00
SHARE, FLAT = FeeBasis.SHARE, FeeBasis.FLAT
FEES = (
    Fee("arrangement", "Arrangement fee", "安排费", FeeMoment.DRAWDOWN, SHARE, rate_bp=10),
    Fee("paper", "Document fee", "文件费", FeeMoment.DRAWDOWN, FLAT, amount_minor=5_00),
    Fee("keeping", "Account fee", "账户管理费", FeeMoment.MONTH_END, FLAT, amount_minor=8_00),
    Fee("commitment", "Commitment fee", "承诺费", FeeMoment.UNUSED_MONTH_END, SHARE, rate_bp=2),
    Fee("early", "Early repayment fee", "提前还款费", FeeMoment.EARLY_REPAYMENT, SHARE, rate_bp=100, most_minor=60_00),
    Fee("renewal", "Renewal fee", "续期费", FeeMoment.RENEWAL, SHARE, rate_bp=5, least_minor=20_00),
    Fee("late", "Late fee", "逾期费", FeeMoment.LATE, SHARE, rate_bp=50),
)


def borrowed(desk: Desk, **changes: object) -> int:
    """An account on a scheme with these fees, 1,000 Apple, a loan of 30,000.00 and a facility of 60,000.00."""
    standard = next(draft for draft in load_demo_schemes() if draft.code == "STANDARD")
    terms = replace(standard.terms, **{"fees": FEES, "tenor_days": 30, "rate_reset_days": 30, **changes})
    credit = find_actor("credit@desk.test")
    version_id = draft_scheme_version(
        actor=credit, draft=replace(standard, code="FEES", terms=terms), effective_from=MONDAY, at=noon(MONDAY)
    )
    request_publication(actor=credit, version_id=version_id, reason="fees", at=noon(MONDAY))
    for approval in list_pending(desk.risk):
        approve(actor=desk.risk, approval_id=approval.id, payload_hash=approval.payload_hash, at=noon(MONDAY))
    desk.drain()
    account_id = desk.open_account({"AAPL": 1_000}, 0, scheme="FEES", commitment_minor=60_000_00)
    draw_down(actor=desk.operations, account_id=account_id, amount_minor=LOAN, key="fees", on=MONDAY, at=noon(MONDAY))
    return account_id


def income() -> int:
    return balance_minor(INCOME_FEES)


def at_day(on: date) -> None:
    close_book_day(actor=SYSTEM, on=MONDAY, at=noon(on))
    open_book_day(actor=SYSTEM, on=on, at=noon(on))


def test_a_drawdown_bears_each_of_its_fees_out_of_the_money_drawn(desk: Desk) -> None:
    before = income()
    account = get_account(borrowed(desk))
    assert account.cash_minor == LOAN - 30_00 - 5_00
    assert (account.principal_minor, account.fees_minor) == (LOAN, 0)
    assert income() - before == 35_00


def test_a_fee_is_rounded_up_and_kept_between_its_least_and_its_most() -> None:
    share = Fee("x", "x", "", FeeMoment.RENEWAL, SHARE, rate_bp=5, least_minor=20_00, most_minor=100_00)
    assert [share.charge_minor(base) for base in (0, 1, 40_000_00, 40_000_01, 900_000_00)] == [
        0,
        20_00,
        20_00,
        20_01,
        100_00,
    ]
    assert [FEES[2].charge_minor(base) for base in (0, 1, LOAN)] == [0, 8_00, 8_00]


def test_a_months_end_is_charged_once_on_what_is_owed_and_on_what_is_not_drawn(desk: Desk) -> None:
    account_id = borrowed(desk)
    assert charge_month_fees(actor=desk.operations, on=MONDAY, at=noon(MONDAY)) == 8_00 + 6_00
    assert charge_month_fees(actor=desk.operations, on=MONDAY, at=noon(MONDAY)) == 0
    assert get_account(account_id).fees_minor == 14_00
    assert get_account(desk.near).fees_minor == 0  # its scheme names no such fee


def test_principal_back_before_maturity_bears_the_fee_that_was_shown_before(desk: Desk) -> None:
    account_id = borrowed(desk)
    shown = what_if(desk.risk, account_id, Action.REPAY, amount_minor=5_000_00, at=noon(MONDAY))
    before = get_account(account_id)
    desk.repay(account_id, 5_000_00, MONDAY)
    after = get_account(account_id)
    assert shown.fee_minor == 50_00  # 1% of 5,000.00
    assert after.cash_minor == before.cash_minor - 5_050_00 == shown.account_after.cash_minor
    assert (after.principal_minor, after.fees_minor) == (LOAN - 5_000_00, 0)
    desk.repay(account_id, 10_000_00, MONDAY)
    assert get_account(account_id).cash_minor == after.cash_minor - 10_060_00  # the fee's most


def test_cash_that_does_not_cover_the_fee_leaves_it_due(desk: Desk) -> None:
    account_id = borrowed(desk)
    cash_minor = get_account(account_id).cash_minor
    desk.repay(account_id, cash_minor, MONDAY)
    account = get_account(account_id)
    assert (account.cash_minor, account.fees_minor, account.principal_minor) == (0, 60_00, 35_00)


def test_a_repayment_at_maturity_bears_no_fee(desk: Desk) -> None:
    account_id = borrowed(desk)
    mature = list_loans(account_id)[0].matures_on
    before = income()
    at_day(mature)
    desk.repay(account_id, 5_000_00, mature)
    assert (get_account(account_id).fees_minor, income()) == (0, before)


def test_terms_without_early_repayment_refuse_it_but_not_the_answer_to_a_call(desk: Desk) -> None:
    fees = tuple(fee for fee in FEES if fee.moment is not FeeMoment.EARLY_REPAYMENT)
    account_id = borrowed(desk, is_early_repayment_allowed=False, fees=fees)
    withdraw_cash(
        actor=desk.operations, account_id=account_id, amount_minor=29_000_00, key="out", on=MONDAY, at=noon(MONDAY)
    )
    before = desk.books()
    with pytest.raises(EarlyRepaymentRefused, match="maturity"):
        desk.repay(account_id, 900_00, MONDAY)
    assert desk.books() == before
    desk.prices(TUESDAY, AAPL="46")  # 46,965.00 against 30,000.00
    assert [call.state for call in desk.calls(account_id)] == ["open"]
    desk.repay(account_id, 900_00, TUESDAY)
    assert get_account(account_id).principal_minor == LOAN - 900_00


def test_a_renewal_bears_its_fee_once_for_a_key(desk: Desk) -> None:
    account_id = borrowed(desk)
    for _ in range(2):
        charged = charge_fees(
            actor=desk.operations,
            account=get_account(account_id),
            moment=FeeMoment.RENEWAL,
            base_minor=LOAN,
            key="renewal-1",
            on=MONDAY,
            at=noon(MONDAY),
        )
        assert charged == 20_00
    assert get_account(account_id).fees_minor == 20_00


def test_a_loan_that_is_late_bears_its_fee_once_and_the_penalty_rate_from_then_on(desk: Desk) -> None:
    account_id = borrowed(desk)
    loan = list_loans(account_id)[0]
    last_of_grace = loan.matures_on + timedelta(days=5)
    at_day(last_of_grace)
    assert charge_late_fees(actor=desk.operations, on=last_of_grace, at=noon(last_of_grace)) == 0
    late = last_of_grace + timedelta(days=1)
    assert charge_late_fees(actor=desk.operations, on=late, at=noon(late)) == 150_00
    assert charge_late_fees(actor=desk.operations, on=late, at=noon(late)) == 0
    for since in (last_of_grace, late):
        accrue_interest(actor=desk.operations, on=since, until=since + timedelta(days=1), at=noon(since))
    accrued = InterestAccrual.objects.filter(loan_id=loan.id, since__gte=last_of_grace).order_by("since")
    assert list(accrued.values_list("since", "rate_bp")) == [(last_of_grace, 650), (late, 950)]
    assert list_loans(account_id)[0].rate_bp == 650
    desk.drain()
    assert verify_desk(noon(late)) == []


def test_a_scheme_that_names_no_fee_charges_none(desk: Desk) -> None:
    before = income()
    account_id = borrowed(desk, fees=())
    charge_month_fees(actor=desk.operations, on=MONDAY, at=noon(MONDAY))
    desk.repay(account_id, 5_000_00, MONDAY)
    assert (income(), get_account(account_id).fees_minor) == (before, 0)
    assert get_account(account_id).cash_minor == LOAN - 5_000_00
