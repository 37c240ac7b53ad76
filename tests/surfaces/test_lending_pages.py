"""The pages of the credit flow, of the desk and of its client, at every stage, without JavaScript."""

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django.fixtures import Settings
from tests.desk import MONDAY, close, make_desk, noon
from tests.flows.lending.conftest import AT, person
from tests.flows.lending.test_credit import Flow, make_flow
from tests.flows.lending.test_defaults import DEADLINE, LATE, SOLD, act, approved, late_loan, sold, the_default
from tests.flows.lending.test_renewals import Renewing, make_renewing
from tests.flows.servicing.test_fees import borrowed
from tests.surfaces.conftest import signed_in_as

from reefpoint.flows.lending.models import Renewal
from reefpoint.flows.lending.types import CreditState
from reefpoint.flows.liquidation.models import Liquidation
from reefpoint.platform.access.types import RoleName
from reefpoint.records.products.types import LiquidationRule
from reefpoint.records.treasury.models import Payment
from reefpoint.records.treasury.services import work_payments


@pytest.fixture
def flow(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flow:
    """The desk on its first noon, also for the pages."""
    settings.REQUIRE_SECOND_FACTOR = False
    flow = make_flow(make_desk())
    for module in ("console.views.lending", "console.views.payments", "portal.views.borrow", "console.today"):
        monkeypatch.setattr(f"reefpoint.surfaces.{module}.desk_now", lambda: AT)
    return flow


def read(browser: Browser, name: str, *args: int, language: str = "en") -> str:
    answer = browser.get(reverse(name, args=args), headers={"accept-language": language})
    assert answer.status_code == 200, (name, answer.status_code)
    return answer.content.decode()


def do(browser: Browser, name: str, *args: int, **given: object) -> str:
    answer = browser.post(reverse(name, args=args), given, follow=True)
    assert answer.status_code == 200, answer.content.decode()[-3000:]
    return answer.content.decode()


def test_a_client_asks_on_the_portal_and_staff_bring_it_to_the_money(flow: Flow) -> None:
    portal, officer, operations = (signed_in_as(one) for one in (flow.client, flow.officer, flow.desk.operations))
    treasurer = signed_in_as(flow.treasurer)
    assert "No request is under way" in read(officer, "console:pipeline")
    form = {"scheme": "STANDARD", "amount": "40,000", "tenor": "90", "shares.AAPL": "1000", "shares.JPM": "1000"}
    shown = do(portal, "portal:borrow", **form)
    assert "What it would cost and risk" in shown
    assert "You are called when all prices fall by" in shown
    flow.request_id = flow.desk_request()
    do(portal, "portal:borrow_on", flow.request_id, step="submit")
    assert flow.state is CreditState.REQUESTED
    assert "Score and decide" in read(officer, "console:credit_file", flow.request_id)
    assert flow.row.number in read(officer, "console:pipeline")
    assert flow.row.number in read(officer, "console:today")
    do(officer, "console:work_on_credit", flow.request_id, step="decide")
    assert flow.state is CreditState.DECIDING
    assert "Open the approval" in read(officer, "console:credit_file", flow.request_id)
    flow.approve_credit()
    do(officer, "console:work_on_credit", flow.request_id, step="offer")
    offer = read(portal, "portal:borrowing", flow.request_id)
    assert "Accept this price" in offer
    assert "接受此价格" in read(portal, "portal:borrowing", flow.request_id, language="zh-hans")
    row = flow.row
    refused = portal.post(
        reverse("portal:borrow_on", args=[row.pk]), {"step": "accept", "quote": row.quote_id, "rate": 1}
    )
    assert refused.status_code == 409
    assert "price has changed" in refused.content.decode() or "look again" in refused.content.decode()
    flow.sign(flow.accept())
    flow.countersign()
    page = read(operations, "console:credit_file", flow.request_id)
    assert "Ask a second person to fund exactly this" in page
    do(operations, "console:work_on_credit", flow.request_id, step="fund", pool="MAIN", shown=flow.shown())
    flow.approve_funding()
    payment = Payment.objects.get()
    assert payment.reference in read(treasurer, "console:payments")
    assert "Tell the bank again" in read(treasurer, "console:payment", payment.pk)
    assert "The money is on its way" in read(portal, "portal:borrowing", flow.request_id)
    do(treasurer, "console:paper_manner", behaviour="late")
    work_payments(on=MONDAY, at=AT)
    flow.desk.drain()
    assert flow.state is CreditState.FUNDED
    assert "Your credit is paid" in read(portal, "portal:borrowing", flow.request_id)
    assert flow.row.number in read(officer, "console:credit_requests")
    answer = officer.get(reverse("console:credit_requests"), {"format": "csv"})
    assert flow.row.number in answer.content.decode()
    assert "档案" in read(treasurer, "console:payment", payment.pk, language="zh-hans")


def test_what_is_wrong_in_an_ask_is_said_beside_its_field(flow: Flow) -> None:
    portal = signed_in_as(flow.client)
    answer = portal.post(
        reverse("portal:borrow"), {"scheme": "STANDARD", "amount": "much", "tenor": "x", "shares.AAPL": "1.5"}
    )
    assert answer.status_code == 422
    page = answer.content.decode()
    for words in ("Write an amount above zero", "Write a number of days", "Write whole numbers of shares"):
        assert words in page


def test_i66_a_client_cannot_open_the_request_of_another(flow: Flow) -> None:
    flow.ask()
    other = signed_in_as(person("other", RoleName.CLIENT))
    assert other.get(reverse("portal:borrowing", args=[flow.request_id])).status_code == 404
    assert other.post(reverse("portal:borrow_on", args=[flow.request_id]), {"step": "withdraw"}).status_code == 404
    assert flow.state is CreditState.REQUESTED


@pytest.fixture
def renewing(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Renewing:
    """A loan that can be renewed, also for the pages."""
    settings.REQUIRE_SECOND_FACTOR = False
    desk = make_desk()
    modules = ("console.views.maturities", "console.views.contracts", "portal.views.loans", "portal.views.contracts")
    for module in modules:
        monkeypatch.setattr(f"reefpoint.surfaces.{module}.desk_now", lambda: AT)
    return make_renewing(desk, borrowed(desk))


def test_a_loan_near_its_maturity_is_renewed_over_the_pages_of_desk_and_client(renewing: Renewing) -> None:
    manager, portal, officer = (signed_in_as(one) for one in (renewing.desk.manager, renewing.client, renewing.officer))
    loan_id = renewing.loan.id
    assert renewing.loan.number in read(manager, "console:maturities")
    answer = manager.get(reverse("console:maturities"), {"format": "csv", "when": "near"})
    assert renewing.loan.number in answer.content.decode()
    assert "by its live risk" in read(manager, "console:loan", loan_id)
    assert "Your loan is due soon" in read(portal, "portal:home")
    assert "To be paid in" in read(portal, "portal:loan", loan_id)
    wrong = manager.post(reverse("console:renew_loan", args=[loan_id]), {"tenor": "31"})
    assert wrong.status_code == 422
    assert "1 to 30 days" in wrong.content.decode()
    assert "Priced and offered" in do(manager, "console:renew_loan", loan_id, tenor="30")
    renewing.renewal_id = Renewal.objects.get().pk
    row = renewing.row
    shown = read(portal, "portal:loan", loan_id)
    assert "Accept this price" in shown
    assert "接受此价格" in read(portal, "portal:loan", loan_id, language="zh-hans")
    assert "担保品" not in shown
    form = {"step": "accept", "renewal": row.pk, "quote": row.quote_id, "rate": 1}
    assert portal.post(reverse("portal:renew_loan", args=[loan_id]), form).status_code == 409
    agreement = do(portal, "portal:renew_loan", loan_id, **{**form, "rate": row.rate_bp})
    assert "Read the key facts" in agreement
    assert "Read, acknowledge and sign" in read(portal, "portal:loan", loan_id)
    renewing.sign()
    assert "Read and sign for the desk" in read(officer, "console:loan", loan_id)
    assert "Sign for the desk" in read(officer, "console:contract", renewing.row.contract_id or 0)
    renewing.countersign()
    page = read(officer, "console:loan", loan_id)
    assert "Renewed" in page
    assert "20.00" in page
    assert "Your loan is renewed" in read(portal, "portal:loan", loan_id)
    assert "Renewal" in read(portal, "portal:contracts")


def test_a_client_asks_for_a_renewal_on_the_portal_and_the_desk_answers(
    renewing: Renewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reefpoint.surfaces.console.today.desk_now", lambda: AT)
    manager, portal, loan_id = signed_in_as(renewing.desk.manager), signed_in_as(renewing.client), renewing.loan.id
    assert "Ask for a renewal" in read(portal, "portal:loan", loan_id)
    wrong = portal.post(reverse("portal:renew_loan", args=[loan_id]), {"step": "ask", "tenor": "31"})
    assert (wrong.status_code, Renewal.objects.count()) == (409, 0)
    assert "You asked for a renewal" in do(portal, "portal:renew_loan", loan_id, step="ask", tenor="20")
    assert "您已申请展期" in read(portal, "portal:loan", loan_id, language="zh-hans")
    assert "A client asks for a renewal" in read(manager, "console:today")
    assert "Asked for by the client" in read(manager, "console:maturities")
    page = read(manager, "console:loan", loan_id)
    assert "Further term asked for" in page
    assert 'value="20"' in page
    assert "Priced and offered" in do(manager, "console:renew_loan", loan_id, tenor="20")
    assert "Accept this price" in read(portal, "portal:loan", loan_id)


def test_what_stands_against_a_renewal_is_said_to_staff_and_to_the_client_in_words(renewing: Renewing) -> None:
    renewing.desk.suspend("AAPL", is_suspended=True, at=AT)
    manager, portal = signed_in_as(renewing.desk.manager), signed_in_as(renewing.client)
    assert "without the suspended names" in read(manager, "console:loan", renewing.loan.id)
    assert "不计停牌证券" in read(portal, "portal:loan", renewing.loan.id, language="zh-hans")
    refused = manager.post(reverse("console:renew_loan", args=[renewing.loan.id]), {"tenor": "30"})
    assert refused.status_code == 422
    assert "see what stands against it" in refused.content.decode()
    assert not Renewal.objects.exists()


def test_a_late_loan_is_proposed_by_one_told_to_its_client_and_sold_for_over_the_pages(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    desk = make_desk()
    loan = late_loan(desk, rule=LiquidationRule.APPROVAL)
    client, at = make_renewing(desk, loan.account_id).client, noon(LATE)
    for module in ("console.views.maturities", "console.views.liquidations", "console.today", "portal.views.loans"):
        monkeypatch.setattr(f"reefpoint.surfaces.{module}.desk_now", lambda: at)
    risk, portal = signed_in_as(desk.risk), signed_in_as(client)
    assert "Decide whether it is sold for" in read(risk, "console:today")
    assert "Ask a second person" in read(risk, "console:loan", loan.id)
    empty = risk.post(reverse("console:default_loan", args=[loan.id]), {"reason": " "})
    assert empty.status_code == 422
    assert "Say why collateral is to be sold" in empty.content.decode()
    assert "A second person is asked" in do(risk, "console:default_loan", loan.id, reason="no answer")
    assert "may be sold" not in read(portal, "portal:home")
    approved(desk, the_default(), at)
    assert "The client is told" in read(risk, "console:maturities")
    told = read(portal, "portal:loan", loan.id)
    assert "May be sold from" in told
    assert "2020-01-06" in told
    assert "可能卖出的起始日" in read(portal, "portal:loan", loan.id, language="zh-hans")
    assert "Your shares may be sold from" in read(portal, "portal:home")
    act(desk, DEADLINE, close(DEADLINE))
    assert "Your shares are being sold for this loan" in read(portal, "portal:loan", loan.id)
    sold(desk, SOLD)
    sale = Liquidation.objects.get()
    page = read(risk, "console:liquidation", sale.pk)
    assert "the loan is paid, with interest and fees due" in page
    assert "To be paid by the sale" in page
    assert "逾期融资" in read(risk, "console:liquidations", language="zh-hans")
    assert "Paid" in read(risk, "console:loan", loan.id)
