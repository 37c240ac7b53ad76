"""Conditions of a decision are shown, written into the contract, and held at drawdown, withdrawal and purchase."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.desk import MONDAY, POOL, SYSTEM, Desk
from tests.flows.lending.conftest import AT
from tests.flows.lending.test_credit import Flow, flow  # noqa: F401 - a fixture

from reefpoint.decisions.credit.models import CreditCondition
from reefpoint.decisions.credit.rules.conditions import ConditionNotMet
from reefpoint.decisions.credit.services import request_waiver
from reefpoint.decisions.credit.types import Act
from reefpoint.decisions.margin.selectors.standing import load_sheet, measure_on
from reefpoint.flows.lending.selectors.conditions import list_request_conditions
from reefpoint.flows.lending.services.deciding import decide_request
from reefpoint.flows.lending.services.funding import request_funding
from reefpoint.flows.lending.services.offering import CollateralFixed, add_collateral, make_offer
from reefpoint.flows.lending.services.requests import AskMalformed
from reefpoint.flows.lending.types import CreditState
from reefpoint.flows.servicing.services.cash import withdraw_cash
from reefpoint.flows.servicing.services.conditions import check_conditions
from reefpoint.flows.servicing.services.credit import draw_down
from reefpoint.flows.servicing.services.trading import place_client_order
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import approve
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.accounts.models import Loan, MarginAccount
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.contracts.selectors import get_contract
from reefpoint.records.execution.models import Order
from reefpoint.records.execution.types import Side
from reefpoint.records.treasury.services import work_payments


def lopsided(flow: Flow) -> None:  # noqa: F811
    """Approved, with two thirds of the shares in one name."""
    names = flow.desk.instruments
    flow.ask(lots=[(names["AAPL"], 1_000), (names["JPM"], 500)])
    assert decide_request(actor=flow.officer, request_id=flow.request_id, on=MONDAY, at=AT) is CreditState.DECIDING
    flow.approve_credit()


def sign(flow: Flow) -> None:  # noqa: F811
    flow.sign(flow.accept())
    flow.countersign()


def ask_for_money(flow: Flow) -> int:  # noqa: F811
    return request_funding(
        actor=flow.desk.operations, request_id=flow.request_id, pool_code=POOL, shown=flow.shown(), on=MONDAY, at=AT
    )


def stands(flow: Flow) -> list[tuple[str, int | None]]:  # noqa: F811
    found = list_request_conditions(flow.client, flow.request_id, on=MONDAY, at=AT)
    return [(one.stands, one.actual) for one in found]


def fund(flow: Flow) -> int:  # noqa: F811
    """Funded; returns the account's id."""
    ask_for_money(flow)
    flow.approve_funding()
    work_payments(on=MONDAY, at=AT)
    flow.desk.drain()
    assert flow.state is CreditState.FUNDED
    return flow.row.account_id or 0


def test_money_is_not_asked_for_before_the_condition_is_met_and_shares_that_are_added_meet_it(flow: Flow) -> None:  # noqa: F811
    lopsided(flow)
    assert stands(flow) == [("not_met", 6_667)]
    told = Notice.objects.filter(subject__contains="is approved").get()
    assert "no name may be more than 50.00%" in told.body
    make_offer(actor=flow.officer, request_id=flow.request_id, on=MONDAY, at=AT)
    contract_id = flow.accept()
    terms = get_contract(flow.client, contract_id, at=AT).terms
    assert [one.words_zh for one in terms.conditions] == ["首次提款前，任何一只股票不得超过股票市值的 50.00%。"]
    flow.sign(contract_id)
    with pytest.raises(CollateralFixed):
        add_collateral(
            actor=flow.client, request_id=flow.request_id, lots=[(flow.desk.instruments["JPM"], 500)], on=MONDAY, at=AT
        )
    flow.countersign()
    with pytest.raises(ConditionNotMet) as refused:
        ask_for_money(flow)
    assert "the largest is 66.67%" in refused.value.message
    assert "目前最大的一只占 66.67%" in str(refused.value.facts["zh"])
    assert flow.row.approval_id is None
    with pytest.raises(AskMalformed):
        add_collateral(actor=flow.client, request_id=flow.request_id, lots=[], on=MONDAY, at=AT)
    add_collateral(
        actor=flow.client, request_id=flow.request_id, lots=[(flow.desk.instruments["JPM"], 500)], on=MONDAY, at=AT
    )
    assert stands(flow) == [("met", 5_000)]
    account_id = fund(flow)
    assert get_account(account_id).decision_id == flow.row.decision_id
    assert {holding.quantity for holding in get_account(account_id).holdings} == {1_000}


def test_shares_added_to_an_offer_take_its_contract_back_and_price_it_anew(flow: Flow) -> None:  # noqa: F811
    lopsided(flow)
    make_offer(actor=flow.officer, request_id=flow.request_id, on=MONDAY, at=AT)
    flow.accept()
    old = flow.row.quote_id
    add_collateral(
        actor=flow.client, request_id=flow.request_id, lots=[(flow.desk.instruments["JPM"], 500)], on=MONDAY, at=AT
    )
    row = flow.row
    assert (row.state, row.contract_id, row.accepted_at) == (CreditState.OFFERED, None, None)
    assert row.quote_id != old


def test_the_drawdown_itself_looks_at_the_account_and_leaves_nothing_when_it_refuses(flow: Flow) -> None:  # noqa: F811
    flow.decided()
    make_offer(actor=flow.officer, request_id=flow.request_id, on=MONDAY, at=AT)
    sign(flow)
    ask_for_money(flow)
    CreditCondition.objects.create(
        decision_id=flow.row.decision_id, code="three", kind="names_least", figure=3, moment="first_drawdown"
    )
    flow.approve_funding()
    assert (flow.state, flow.row.account_id) == (CreditState.FAILED, None)
    assert "there must be shares of at least 3 names: there are 2" in flow.row.problem
    assert not MarginAccount.objects.filter(client_id=flow.client_id).exists()
    [condition] = CreditCondition.objects.filter(code="three")
    approval_id = request_waiver(actor=flow.officer, condition_id=condition.pk, reason="two will do", at=AT)
    shown = Approval.objects.get(id=approval_id).payload_hash
    approve(actor=flow.second, approval_id=approval_id, payload_hash=shown, at=AT)
    flow.desk.drain()
    assert stands(flow)[-1][0] == "waived"


def test_a_condition_that_always_binds_stops_drawdown_withdrawal_and_purchase_alone(flow: Flow) -> None:  # noqa: F811
    flow.decided()
    make_offer(actor=flow.officer, request_id=flow.request_id, on=MONDAY, at=AT)
    sign(flow)
    account_id = fund(flow)
    before = (get_account(account_id), Loan.objects.count(), Order.objects.count())
    CreditCondition.objects.create(
        decision_id=flow.row.decision_id, code="high", kind="ratio_least", figure=70_000, moment="always"
    )
    with pytest.raises(ConditionNotMet):
        draw_down(actor=SYSTEM, account_id=account_id, amount_minor=1_00, key="more", on=MONDAY, at=AT)
    with pytest.raises(ConditionNotMet):
        withdraw_cash(actor=SYSTEM, account_id=account_id, amount_minor=1_00, key="out", on=MONDAY, at=AT)
    with pytest.raises(ConditionNotMet):
        place_client_order(
            actor=SYSTEM,
            account_id=account_id,
            instrument_id=flow.desk.instruments["KO"],
            side=Side.BUY,
            quantity=1,
            key="buy",
            session_on=MONDAY,
            at=AT,
        )
    assert (get_account(account_id), Loan.objects.count(), Order.objects.count()) == before
    place_client_order(
        actor=SYSTEM,
        account_id=account_id,
        instrument_id=flow.desk.instruments["JPM"],
        side=Side.SELL,
        quantity=1,
        key="sell",
        session_on=MONDAY,
        at=AT,
    )


def test_an_account_without_a_decision_asks_the_database_nothing_for_it(desk: Desk) -> None:
    account = get_account(desk.healthy)
    sheet = load_sheet([account.scheme_version_id], at=AT)
    (standing,) = measure_on(sheet, [account])
    with CaptureQueriesContext(connection) as asked:
        check_conditions(sheet, account, standing, act=Act.DRAWDOWN, on=MONDAY)
    assert list(asked) == []
