"""A loan late after its grace: proposed, approved, told with the day, sold for until it is paid, and no further."""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django.fixtures import Settings
from tests.desk import SYSTEM, Desk, close, noon, verify_desk
from tests.flows.servicing.test_fees import LOAN, borrowed

from reefpoint.decisions.margin.selectors.standing import measure
from reefpoint.flows.lending.models import LoanDefault
from reefpoint.flows.lending.selectors.defaults import DefaultNotFound, list_defaults, verify_defaults
from reefpoint.flows.lending.services.defaults import (
    DefaultOver,
    LoanNotLate,
    act_on_defaults,
    propose_default,
    withdraw_default,
)
from reefpoint.flows.lending.types import DefaultHold, DefaultState
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.rules import PAYING_TARGET_BP, SALE_COST_BP, debt_that_asks_for
from reefpoint.flows.liquidation.services.late_credit import answer_late_credit
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import ReasonNeeded, approve, reject
from reefpoint.platform.access.services.approvals import SecondPersonNeeded
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.execution.models import Order
from reefpoint.records.parties.services import lift_hold, place_hold
from reefpoint.records.products.selectors import get_terms
from reefpoint.records.products.types import LiquidationRule

D = DefaultState
LATE = date(2019, 12, 31)
"""The loan of `borrowed` matured on 25 December, and its grace of five days ended on the 30th."""
DEADLINE, SOLD, NEXT = date(2020, 1, 3), date(2020, 1, 6), date(2020, 1, 7)
"""Two sessions after `LATE`, 1 January being none; the day from which may be sold, and the one after."""


def late_loan(desk: Desk, *, rule: LiquidationRule = LiquidationRule.AUTO, **changes: object) -> LoanFacts:
    """A loan of 30,000.00 against 1,000 Apple at 100.00, safe by its ratio, whose client took the money out."""
    account_id = borrowed(desk, liquidation_rule=rule, **changes)
    cash = get_account(account_id).cash_minor
    withdraw_cash(
        actor=desk.operations,
        account_id=account_id,
        amount_minor=cash,
        key=desk.key("out"),
        on=desk_day(),
        at=noon(desk_day()),
    )
    desk.prices(LATE, AAPL="100", JPM="100", KO="50")
    return list_loans(account_id)[0]


def desk_day() -> date:
    return date(2019, 11, 25)


def act(desk: Desk, on: date, at: datetime | None = None) -> int:
    moved = act_on_defaults(on=on, at=at or noon(on))
    desk.drain()
    return moved


def sold(desk: Desk, on: date) -> None:
    desk.prices(on, AAPL="100", JPM="100", KO="50")
    desk.sell_out(on)


def the_default() -> LoanDefault:
    return LoanDefault.objects.get()


def approved(desk: Desk, row: LoanDefault, at: datetime) -> None:
    payload_hash = Approval.objects.get(id=row.approval_id).payload_hash
    approve(actor=desk.approver, approval_id=row.approval_id or 0, payload_hash=payload_hash, at=at)
    desk.drain()


def verified(at: datetime) -> bool:
    assert [*verify_defaults(), *verify_desk(at)] == []
    return True


def test_i26_a_late_loan_is_told_the_day_sold_for_from_that_day_on_and_no_further_than_it_is_paid(desk: Desk) -> None:
    loan = late_loan(desk)
    before = get_account(loan.account_id)
    assert act(desk, LATE - timedelta(days=1)) == 0
    assert act(desk, LATE) == 1
    row = the_default()
    assert (row.state, row.deadline_at, row.sale_from) == (D.ANNOUNCED, close(DEADLINE), SOLD)
    letter = Notice.objects.get(id=row.notice_id)
    assert "2020-01-06" in letter.subject
    assert "2020-01-03 21:00" in letter.body
    for on in (LATE, DEADLINE):
        assert act(desk, on) == 0
        sold(desk, on)
    assert not Order.objects.exists()
    assert act(desk, DEADLINE, close(DEADLINE)) == 1
    assert (the_default().state, desk.is_enforced(loan.account_id)) == (D.SELLING, True)
    sold(desk, DEADLINE)
    assert not Order.objects.exists()
    sold(desk, SOLD)
    (plan,) = LiquidationPlan.objects.all()
    owed = LOAN + before.interest_minor + before.fees_minor
    assert (plan.outcome, plan.debt_before_minor, plan.debt_after_minor) == ("cures", owed, 0)
    assert (plan.proof["gap_minor"], plan.proof["bound_minor"]) == (owed, -(-owed * 10_000 // (10_000 - SALE_COST_BP)))
    (line,) = plan.lines
    assert line["quantity"] == 301
    (order,) = Order.objects.all()
    assert (order.state, order.filled_quantity) == ("filled", 301)
    account = get_account(loan.account_id)
    assert (account.debt_minor, account.holdings[0].quantity) == (0, 699)
    assert 0 < account.cash_minor < 100_00
    assert (the_default().state, Liquidation.objects.get().state) == (D.PAID, "completed")
    assert not desk.is_enforced(loan.account_id)
    assert verified(noon(SOLD))


def test_one_person_proposes_and_another_approves_where_the_scheme_asks_for_it(desk: Desk) -> None:
    loan = late_loan(desk, rule=LiquidationRule.APPROVAL)
    assert act(desk, LATE) == 0
    with pytest.raises(ReasonNeeded):
        propose_default(actor=desk.risk, loan_id=loan.id, reason=" ", on=LATE, at=noon(LATE))
    with pytest.raises(LoanNotLate, match="2019-12-30"):
        propose_default(actor=desk.risk, loan_id=loan.id, reason="late", on=LATE - timedelta(days=1), at=noon(LATE))
    assert not LoanDefault.objects.exists()
    default_id = propose_default(actor=desk.risk, loan_id=loan.id, reason="no answer", on=LATE, at=noon(LATE))
    assert propose_default(actor=desk.approver, loan_id=loan.id, reason="again", on=LATE, at=noon(LATE)) == default_id
    asked = Approval.objects.get(id=the_default().approval_id)
    assert (asked.payload["due_minor"], asked.payload["notice_sessions"]) == (LOAN, 2)
    with pytest.raises(SecondPersonNeeded):
        approve(actor=desk.risk, approval_id=asked.id, payload_hash=asked.payload_hash, at=noon(LATE))
    assert not Notice.objects.filter(about__startswith="loan_default").exists()
    approved(desk, the_default(), noon(LATE))
    assert (the_default().state, the_default().sale_from) == (D.ANNOUNCED, SOLD)
    assert verified(noon(LATE))


def test_a_refused_proposal_tells_nobody_and_a_taken_back_notice_is_taken_back_to_the_client(desk: Desk) -> None:
    loan = late_loan(desk, rule=LiquidationRule.APPROVAL)
    propose_default(actor=desk.risk, loan_id=loan.id, reason="no answer", on=LATE, at=noon(LATE))
    asked = Approval.objects.get(id=the_default().approval_id)
    reject(actor=desk.approver, approval_id=asked.id, payload_hash=asked.payload_hash, at=noon(LATE), reason="he pays")
    desk.drain()
    assert (the_default().state, the_default().end_reason) == (D.WITHDRAWN, "he pays")
    second = propose_default(actor=desk.risk, loan_id=loan.id, reason="he did not", on=LATE, at=noon(LATE))
    approved(desk, LoanDefault.objects.get(id=second), noon(LATE))
    for _ in range(2):
        withdraw_default(actor=desk.risk, default_id=second, reason="a plan was agreed", at=noon(LATE))
    desk.drain()
    assert Notice.objects.filter(subject__contains="暂不").count() == 1
    assert act(desk, SOLD) == 0
    assert not Liquidation.objects.exists()
    assert verified(noon(LATE))


def test_money_that_arrives_before_the_day_ends_it_and_nothing_is_sold(desk: Desk) -> None:
    loan = late_loan(desk)
    act(desk, LATE)
    desk.prices(DEADLINE, AAPL="100", JPM="100", KO="50")
    desk.deposit(loan.account_id, LOAN + 100_00, DEADLINE)
    desk.repay(loan.account_id, LOAN + 100_00, DEADLINE)
    assert act(desk, DEADLINE) == 1
    assert the_default().state == D.PAID
    assert Notice.objects.filter(subject__contains="已付清").count() == 1
    assert act(desk, SOLD) == 0
    assert not Liquidation.objects.exists()
    assert verified(noon(DEADLINE))


def test_i03_money_after_the_plan_makes_the_sale_for_a_late_loan_smaller_or_needless(desk: Desk) -> None:
    loan = late_loan(desk)
    act(desk, LATE)
    act(desk, DEADLINE, close(DEADLINE))
    desk.prices(SOLD, AAPL="100", JPM="100", KO="50")
    with desk.rolled_back():
        desk.sell_out(SOLD, drain=False)
        desk.deposit(loan.account_id, 20_000_00, SOLD)
        desk.drain()
        assert Order.objects.get().filled_quantity == 101
        assert get_account(loan.account_id).debt_minor == 0
    desk.sell_out(SOLD, drain=False)
    desk.deposit(loan.account_id, LOAN, SOLD)
    desk.drain()
    assert (Order.objects.get().state, Order.objects.get().sent_at) == ("cancelled", None)
    desk.begin(NEXT)
    sold(desk, NEXT)
    assert (the_default().state, get_account(loan.account_id).debt_minor) == (D.PAID, 0)
    assert verified(noon(NEXT))


def two_loans(desk: Desk) -> int:
    """The account of a client with an older loan that runs and a younger one that is late first; the money is out."""
    account_id = borrowed(desk, liquidation_rule=LiquidationRule.AUTO, tenor_days=90)
    draw_down(
        actor=desk.operations,
        account_id=account_id,
        amount_minor=10_000_00,
        tenor_days=30,
        key="second",
        on=desk_day(),
        at=noon(desk_day()),
    )
    cash = get_account(account_id).cash_minor
    withdraw_cash(
        actor=desk.operations, account_id=account_id, amount_minor=cash, key="o", on=desk_day(), at=noon(desk_day())
    )
    return account_id


def test_proceeds_pay_the_late_loan_and_leave_one_that_is_not_due(desk: Desk) -> None:
    """Two loans: the younger one is late, the older one runs. What a lot brings above stays the client's cash."""
    account_id = two_loans(desk)
    desk.prices(LATE, AAPL="100", JPM="100", KO="50")
    act(desk, LATE)
    act(desk, DEADLINE, close(DEADLINE))
    sold(desk, SOLD)
    assert [one.principal_minor for one in list_loans(account_id)] == [LOAN, 0]
    account = get_account(account_id)
    assert (account.debt_minor, account.holdings[0].quantity) == (LOAN, 899)
    assert account.cash_minor > 0
    assert verified(noon(SOLD))


@pytest.mark.parametrize("hold", [DefaultHold.OPEN_CALL, DefaultHold.LEGAL_HOLD, DefaultHold.NOTICE_NOT_DELIVERED])
def test_the_sale_waits_for_what_goes_before_it_and_says_for_what(
    desk: Desk, hold: DefaultHold, settings: Settings
) -> None:
    loan = late_loan(desk)
    if hold is DefaultHold.NOTICE_NOT_DELIVERED:
        settings.EMAIL_BACKEND = "tests.desk.BrokenMail"
    act(desk, LATE)
    desk.prices(DEADLINE, AAPL="45" if hold is DefaultHold.OPEN_CALL else "100", JPM="100", KO="50")
    hold_id = 0
    if hold is DefaultHold.OPEN_CALL:
        assert [call.state for call in desk.calls(loan.account_id)] == ["open"]
    elif hold is DefaultHold.LEGAL_HOLD:
        hold_id = place_hold(actor=SYSTEM, client_id=desk.near_client, matter="C-1", reason="a court", at=noon(LATE))
    assert act(desk, DEADLINE, close(DEADLINE)) == 0
    assert (the_default().state, the_default().waits_for) == (D.ANNOUNCED, hold.value)
    assert not Liquidation.objects.filter(cause="default").exists()
    if hold is DefaultHold.LEGAL_HOLD:
        lift_hold(actor=SYSTEM, client_id=desk.near_client, hold_id=hold_id, reason="over", at=close(DEADLINE))
        assert act(desk, DEADLINE, close(DEADLINE)) == 1
    if hold is DefaultHold.NOTICE_NOT_DELIVERED:
        assert the_default().sale_from == date(2020, 1, 8)
        assert "2020-01-08" in Notice.objects.get(id=the_default().notice_id).subject
    assert verified(close(DEADLINE))


def test_a_name_that_is_suspended_is_not_sold_and_when_all_is_sold_and_it_is_not_paid_the_account_is_frozen(
    desk: Desk,
) -> None:
    loan = late_loan(desk)
    act(desk, LATE)
    act(desk, DEADLINE, close(DEADLINE))
    desk.prices(SOLD, AAPL="100", JPM="100", KO="50")
    desk.suspend("AAPL", is_suspended=True, at=noon(SOLD))
    desk.sell_out(SOLD)
    assert LiquidationPlan.objects.get().outcome == "nothing_to_sell"
    desk.suspend("AAPL", is_suspended=False, at=noon(SOLD))
    desk.prices(NEXT, AAPL="40.01", JPM="100", KO="50")
    with desk.rolled_back():
        desk.prices(NEXT, at=noon(NEXT) + timedelta(minutes=5), AAPL="25", JPM="100", KO="50")
        at = noon(NEXT) + timedelta(minutes=6)
        desk.sell_out(NEXT, at)
        assert (the_default().state, Liquidation.objects.get(cause="default").state) == (D.EXHAUSTED, "exhausted")
        assert get_account(loan.account_id).status == "frozen"
        assert Notice.objects.filter(subject__contains="仍欠").count() == 1
    assert the_default().state == D.SELLING


def test_i01_a_credit_that_the_bank_had_before_makes_the_sale_for_a_late_loan_wrongful(desk: Desk) -> None:
    loan = late_loan(desk)
    act(desk, LATE)
    act(desk, DEADLINE, close(DEADLINE))
    sold(desk, SOLD)
    (sale,) = Liquidation.objects.all()
    credit = {"actor": SYSTEM, "account_id": loan.account_id, "confirmed_at": close(DEADLINE), "at": noon(SOLD)}
    assert answer_late_credit(journal_id=1, amount_minor=LOAN - 1, **credit) == []  # type: ignore[arg-type]
    assert answer_late_credit(journal_id=2, amount_minor=LOAN, **credit) == [sale.id]  # type: ignore[arg-type]


def test_the_database_lets_no_sale_for_a_loan_open_before_its_client_was_told(desk: Desk) -> None:
    loan = late_loan(desk)
    sale = Liquidation(
        number="L-X",
        account_id=loan.account_id,
        loan_id=loan.id,
        cause="default",
        state="planned",
        late_minor=1,
        opened_on=LATE,
        opened_at=noon(LATE),
    )
    with pytest.raises(IntegrityError, match="before its client was told"), transaction.atomic():
        sale.save()
    act(desk, LATE)
    with pytest.raises(IntegrityError, match="before its client was told"), transaction.atomic():
        sale.save()
    with pytest.raises(IntegrityError, match="lending_default_told_the_day"), transaction.atomic():
        LoanDefault.objects.update(sale_from=None)


def test_i66_another_client_finds_no_such_default_and_a_running_sale_is_not_taken_back(desk: Desk) -> None:
    loan = late_loan(desk)
    act(desk, LATE)
    with pytest.raises(DefaultNotFound):
        list_defaults(desk.manager, loan.id)
    assert [one.state for one in list_defaults(desk.risk, loan.id)] == [D.ANNOUNCED]
    act(desk, DEADLINE, close(DEADLINE))
    with pytest.raises(DefaultOver):
        withdraw_default(actor=desk.risk, default_id=the_default().pk, reason="sorry", at=close(DEADLINE))
    assert the_default().state == D.SELLING


@examples(suppress_health_check=[HealthCheck.too_slow])
@given(
    pay=st.integers(1, 10**9),
    cash=st.integers(0, 10**9),
    stocks=st.integers(0, 10**10),
    sold_value=st.integers(0, 10**10),
)
def test_a_sale_planned_for_an_amount_holds_its_ratio_exactly_when_it_pays_the_amount(
    pay: int, cash: int, stocks: int, sold_value: int
) -> None:
    """Whatever is sold: the ratio to which it is planned is held if the amount is paid, but for a unit's rounding."""
    sold_value = min(sold_value, stocks)
    debt = debt_that_asks_for(pay, cash=cash, assets=cash + stocks)
    from_cash = min(cash, pay)
    proceeds = sold_value * (10_000 - SALE_COST_BP) // 10_000
    left_owed, left_assets = debt - from_cash - proceeds, cash + stocks - from_cash - sold_value
    is_held = left_owed * PAYING_TARGET_BP <= left_assets * 10_000
    missing = pay - from_cash - proceeds
    assert is_held if missing <= -2 else not is_held if missing >= 2 else True


def test_an_account_that_falls_under_its_close_out_line_while_a_late_loan_is_sold_for_is_sold_to_the_ratio(
    desk: Desk,
) -> None:
    """Two loans, a small one of them late: paying that alone would leave the account under the line."""
    account_id = two_loans(desk)
    desk.prices(LATE, AAPL="100", JPM="100", KO="50")
    act(desk, LATE)
    act(desk, DEADLINE, close(DEADLINE))
    terms = get_terms(get_account(account_id).scheme_version_id)
    held = get_account(account_id).holdings[0].quantity
    price = get_account(account_id).debt_minor * (terms.close_out_bp - 500) // 10_000 // held
    desk.prices(SOLD, AAPL=f"{price / 100:.2f}", JPM="100", KO="50")
    desk.sell_out(SOLD)
    after = measure(get_account(account_id), at=noon(SOLD))
    assert after.ratio_bp is not None
    assert after.ratio_bp >= terms.target_bp
    assert [one.principal_minor for one in list_loans(account_id)][1] == 0
    assert (the_default().state, Liquidation.objects.get(account_id=account_id).state) == (D.PAID, "completed")
    assert verified(noon(SOLD))
