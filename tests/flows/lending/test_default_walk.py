"""Any order of what desk, client, market and time do keeps a late loan on its table, and sold only after its day."""

from datetime import date, datetime, timedelta
from typing import ClassVar

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.desk import Desk, noon
from tests.flows.lending.test_defaults import LATE, late_loan

from reefpoint.flows.lending.models import LoanDefault
from reefpoint.flows.lending.selectors.defaults import verify_defaults
from reefpoint.flows.lending.services.defaults import act_on_defaults, propose_default, withdraw_default
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.selectors import verify_liquidations
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import approve, reject
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.accounts.selectors.proof import verify_accounts
from reefpoint.records.accounts.types import LoanFacts
from reefpoint.records.ledger.selectors import verify_ledger
from reefpoint.records.market.selectors.calendar import next_session
from reefpoint.records.market.types import VENUE
from reefpoint.records.products.types import LiquidationRule


class LateLoan(RuleBasedStateMachine):
    """One loan of 30,000.00, late from the first day on, under a scheme that asks for a second person."""

    desk: Desk
    loan: LoanFacts
    seen: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.desk.restart_monitor()
        self.on: date = LATE

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undo.__exit__(None, None, None)

    @property
    def at(self) -> datetime:
        return noon(self.on)

    @initialize(stage=st.integers(0, 5))
    def come_to(self, stage: int) -> None:
        """Begin anywhere on the way: a walk at random seldom gets as far as a sale."""
        ways = [self.propose, lambda: self.decide(is_yes=True), *(lambda: self.go_on(price="100", hour=4),) * 3]
        for way in ways[:stage]:
            way()

    @rule()
    def propose(self) -> None:
        try:
            propose_default(actor=self.desk.risk, loan_id=self.loan.id, reason="late", on=self.on, at=self.at)
        except Refusal:
            assert list_loans(self.loan.account_id)[0].principal_minor == 0

    @rule(is_yes=st.sampled_from([True, True, False]))
    def decide(self, is_yes: bool) -> None:
        asked = Approval.objects.filter(kind="lending.default", state="pending").first()
        if asked is not None:
            say = approve if is_yes else reject
            say(
                actor=self.desk.approver,
                approval_id=asked.pk,
                payload_hash=asked.payload_hash,
                at=self.at,
                reason="looked at",
            )
            self.desk.drain()

    @rule()
    def take_back(self) -> None:
        newest = LoanDefault.objects.first()
        if newest is not None:
            try:
                withdraw_default(actor=self.desk.risk, default_id=newest.pk, reason="agreed", at=self.at)
            except Refusal:
                assert newest.state in {"selling", "paid", "exhausted"}
            self.desk.drain()

    @rule(part=st.sampled_from([5_000_00, 12_000_00, 31_000_00]))
    def pay(self, part: int) -> None:
        self.desk.deposit(self.loan.account_id, part, self.on)
        self.desk.drain()

    @rule()
    def repay(self) -> None:
        account = get_account(self.loan.account_id)
        if account.cash_minor and account.debt_minor:
            self.desk.repay(account.id, account.cash_minor, self.on)
            self.desk.drain()

    @rule(price=st.sampled_from(["100", "90", "46"]), hour=st.sampled_from([0, 4]))
    def go_on(self, price: str, hour: int) -> None:
        """The next session: prices, forced sales, and the job, at noon and after the close."""
        self.on = next_session(VENUE, self.on)
        self.desk.prices(self.on, AAPL=price, JPM="100", KO="50")
        self.desk.sell_out(self.on)
        act_on_defaults(on=self.on, at=self.at + timedelta(hours=hour))
        self.desk.drain()

    @invariant()
    def is_sold_only_after_the_day_told_and_ends_paid(self) -> None:
        assert [*verify_defaults(), *verify_liquidations(), *verify_accounts(), *verify_ledger()] == []
        self.seen.update(LoanDefault.objects.values_list("state", flat=True))
        for row in LoanDefault.objects.select_related("liquidation"):
            plans = LiquidationPlan.objects.filter(liquidation_id=row.liquidation_id or 0)
            assert all(plan.session_on >= row.sale_from for plan in plans if row.sale_from)
            if row.state == "paid":
                assert list_loans(self.loan.account_id)[0].principal_minor == 0
        assert Liquidation.objects.filter(cause="default").count() <= LoanDefault.objects.count()


def test_no_order_of_events_sells_for_a_late_loan_before_its_day_or_leaves_half_a_state(desk: Desk) -> None:
    LateLoan.desk, LateLoan.loan = desk, late_loan(desk, rule=LiquidationRule.APPROVAL)
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        LateLoan,
        settings=settings(
            max_examples=8,
            stateful_step_count=6,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert {"proposed", "announced", "selling", "paid"} <= LateLoan.seen
