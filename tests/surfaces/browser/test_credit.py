"""The whole way in a real Chromium: a stranger on the public page ends with a funded account that the desk watches.

The client works in Chinese on a phone, the staff in English at a desk. Where a second person is asked for, it is one.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.desk import MONDAY, POOL, Desk
from tests.flows.lending.conftest import AT, person
from tests.records.contracts.cases import SECRETS
from tests.surfaces.browser.conftest import enter, watched_page
from tests.surfaces.browser.walks import EMAIL, PASSWORD, arm, code, enquire_and_apply
from tests.surfaces.conftest import signed_in_as
from tests.surfaces.portal.conftest import offered

from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.models import User
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.treasury.services import work_payments

__all__ = ["offered"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, page: Page) -> Iterator[Page]:
    """The client's own browser, beside those of the staff."""
    for made in watched_page(browser, live_server.url):
        made.set_viewport_size({"width": 390, "height": 844})
        made.context.set_default_timeout(30_000)
        yield made


def look(page: Page, name: str) -> None:
    """No page is wider than the screen; with `REEFPOINT_SHOTS` set, what it looked like is kept there."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    if folder := os.environ.get("REEFPOINT_SHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def test_a_stranger_applies_in_chinese_and_two_people_at_a_time_accept_decide_sign_and_fund(
    page: Page, phone: Page, live_server: LiveServer, offered: Desk, tmp_path: Path
) -> None:
    page.context.set_default_timeout(30_000)
    compliance = person("compliance", RoleName.COMPLIANCE)
    officer, second = person("officer", RoleName.CREDIT_OFFICER), person("second", RoleName.CREDIT_OFFICER)
    treasurer = person("treasurer", RoleName.TREASURY)
    arm(User.objects.get(pk=officer.user_id), SECRETS[1])

    def at_desk(actor: Actor, address: str) -> None:
        page.context.clear_cookies()
        enter(page, live_server.url, signed_in_as(actor))
        page.goto(address)

    enquire_and_apply(phone, tmp_path)
    arm(User.objects.get(email=EMAIL), SECRETS[0])
    offered.drain()

    at_desk(compliance, "/applications/")
    page.get_by_role("row").filter(has_text="Wang Fang").get_by_role("link").first.click()
    page.get_by_role("button", name="Take it into review").click()
    if page.get_by_role("button", name="Accept the client").is_disabled():
        review = page.url
        page.get_by_role("link", name="Rating, and why").click()
        page.get_by_label("Rating", exact=True).select_option("standard")
        page.get_by_label("What you looked at, and concluded").fill("Statements show the assets.")
        page.get_by_role("button", name="Record the review").click()
        page.goto(review)
    page.get_by_label("Internal note").fill("Documents agree with the statements.")
    page.get_by_role("button", name="Accept the client").click()
    expect(page.get_by_text("Accepted. The client is told.")).to_be_visible()
    offered.drain()

    phone.goto("/portal/borrow/")
    phone.get_by_label("方案").select_option("STANDARD")
    phone.get_by_role("button", name="显示该方案接受的证券").click()
    phone.get_by_label("金额").fill("40,000")
    phone.get_by_label("AAPL").fill("1000")
    phone.get_by_label("JPM").fill("1000")
    look(phone, "ask")
    phone.get_by_role("button", name="查看费用与风险").click()
    expect(phone.get_by_text("全部价格下跌多少时平仓")).to_be_visible()
    look(phone, "draft")
    phone.get_by_role("button", name="提交").click()
    expect(phone.get_by_role("heading", name="我们正在审核")).to_be_visible()
    request = CreditRequest.objects.get()
    file = f"/pipeline/requests/{request.pk}/"

    at_desk(officer, "/pipeline/")
    look(page, "pipeline")
    page.get_by_role("link", name=request.number).click()
    page.get_by_role("button", name="Score and decide").click()
    page.get_by_role("link", name="Open the approval").click()
    at_desk(second, page.url)
    page.get_by_role("button", name="Approve", exact=True).click()
    offered.drain()
    at_desk(officer, file)
    page.get_by_role("button", name="Price and offer").click()
    expect(page.get_by_text("Priced and offered. The client is told.")).to_be_visible()
    look(page, "file")

    phone.reload()
    expect(phone.get_by_role("heading", name="您有一份报价")).to_be_visible()
    look(phone, "offer")
    phone.get_by_role("button", name="接受此价格").click()
    look(phone, "contract")
    for box in phone.get_by_role("checkbox").all():
        box.check()
    phone.get_by_role("button", name="确认已勾选的各项").click()
    phone.get_by_label("您的密码").fill(PASSWORD)
    phone.get_by_label("身份验证器代码").fill(code(SECRETS[0]))
    phone.get_by_role("button", name="签署合同").click()
    expect(phone.get_by_role("heading", name="您已签署")).to_be_visible()
    offered.drain()
    page.goto(file)
    page.get_by_role("link", name="Read and sign for the desk").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code of your authenticator app").fill(code(SECRETS[1]))
    page.get_by_role("button", name="Sign for the desk").click()
    expect(page.get_by_text("Signed for the desk: the contract is in force.")).to_be_visible()
    offered.drain()

    at_desk(offered.operations, file)
    page.get_by_label("Pool").select_option(POOL)
    page.get_by_role("button", name="Show", exact=True).click()
    look(page, "funding")
    page.get_by_role("button", name="Ask a second person to fund exactly this").click()
    at_desk(treasurer, file)
    page.get_by_role("link", name="Open the approval").click()
    page.get_by_role("button", name="Approve", exact=True).click()
    offered.drain()
    work_payments(on=MONDAY, at=AT)
    offered.drain()
    request.refresh_from_db()
    assert request.state == CreditState.FUNDED

    phone.goto(f"/portal/borrow/{request.pk}/")
    expect(phone.get_by_role("heading", name="您的融资已到账")).to_be_visible()
    look(phone, "funded")
    at_desk(offered.risk, f"/margin-accounts/{request.account_id}/")
    expect(page.get_by_role("cell", name="40,000.00").first).to_be_visible()
    look(page, "account")
