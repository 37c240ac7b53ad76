"""The pages of the credit flow, of the desk and of its client, at every stage, without JavaScript."""

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django.fixtures import Settings
from tests.desk import MONDAY, make_desk
from tests.flows.lending.conftest import AT, person
from tests.flows.lending.test_credit import Flow, make_flow
from tests.surfaces.conftest import signed_in_as

from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.types import RoleName
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
    form = {"scheme": "STANDARD", "amount": "40,000", "tenor": "90", "shares.AAPL": "1000", "shares.JPM": "500"}
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
