"""Credit in a real Chromium: an accepted client asks in Chinese on a phone, staff work in English at a desk."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from tests.desk import MONDAY, POOL, make_desk
from tests.flows.lending.conftest import AT
from tests.flows.lending.test_credit import Flow, make_flow
from tests.records.contracts.cases import PASSWORD, SECRETS
from tests.surfaces.browser.conftest import enter, watched_page
from tests.surfaces.conftest import signed_in_as

from reefpoint.flows.lending.types import CreditState
from reefpoint.flows.operations.services.clock import set_desk_clock
from reefpoint.platform.access.models import User
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.treasury.services import work_payments

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, page: Page) -> Iterator[Page]:
    """The client's own browser, beside those of the staff."""
    for made in watched_page(browser, live_server.url):
        made.set_viewport_size({"width": 390, "height": 844})
        yield made


@pytest.fixture
def flow(transactional_db: None, live_server: LiveServer, settings: Settings) -> Flow:
    """The desk on its first noon, with a client who was accepted; who signs has a password and an authenticator."""
    settings.REQUIRE_SECOND_FACTOR = False
    flow = make_flow(make_desk())
    for actor, secret in zip((flow.client, flow.officer), SECRETS, strict=True):
        user = User.objects.get(pk=actor.user_id)
        user.set_password(PASSWORD)
        user.save()
        TOTP.activate(user, secret)
    set_desk_clock(AT)
    return flow


def look(page: Page, name: str) -> None:
    """No page is wider than the screen; with `REEFPOINT_SHOTS` set, what it looked like is kept there."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    if folder := os.environ.get("REEFPOINT_SHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)


def code(secret: str) -> str:
    """What an authenticator app shows at this moment."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_a_client_asks_in_chinese_and_two_people_decide_sign_and_fund_an_account_that_is_watched(
    page: Page, phone: Page, live_server: LiveServer, flow: Flow
) -> None:
    page.context.set_default_timeout(30_000)
    phone.context.set_default_timeout(30_000)
    phone.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": live_server.url}])
    enter(phone, live_server.url, signed_in_as(flow.client))

    def at_desk(actor: Actor) -> None:
        page.context.clear_cookies()
        enter(page, live_server.url, signed_in_as(actor))

    phone.goto("/portal/borrow/")
    phone.get_by_label("方案").select_option("STANDARD")
    phone.get_by_role("button", name="显示该方案接受的证券").click()
    phone.get_by_label("金额").fill("40,000")
    phone.get_by_label("AAPL").fill("1000")
    phone.get_by_label("JPM").fill("500")
    look(phone, "ask")
    phone.get_by_role("button", name="查看费用与风险").click()
    expect(phone.get_by_text("全部价格下跌多少时平仓")).to_be_visible()
    look(phone, "draft")
    phone.get_by_role("button", name="提交").click()
    expect(phone.get_by_role("heading", name="我们正在审核")).to_be_visible()
    flow.request_id = flow.desk_request()

    at_desk(flow.officer)
    page.goto("/pipeline/")
    look(page, "pipeline")
    page.get_by_role("link", name=flow.row.number).click()
    page.get_by_role("button", name="Score and decide").click()
    page.get_by_role("link", name="Open the approval").click()
    at_desk(flow.second)
    page.reload()
    page.get_by_role("button", name="Approve", exact=True).click()
    flow.desk.drain()
    assert flow.state is CreditState.APPROVED
    at_desk(flow.officer)
    page.goto(f"/pipeline/requests/{flow.request_id}/")
    page.get_by_role("button", name="Price and offer").click()
    expect(page.get_by_text("Priced and offered. The client is told.")).to_be_visible()
    look(page, "file")

    phone.reload()
    expect(phone.get_by_role("heading", name="您有一份报价")).to_be_visible()
    look(phone, "offer")
    phone.get_by_role("button", name="接受此价格").click()
    expect(phone).to_have_url(f"{live_server.url}/portal/contracts/{flow.row.contract_id}/")
    look(phone, "contract")

    for box in phone.get_by_role("checkbox").all():
        box.check()
    phone.get_by_role("button", name="确认已勾选的各项").click()
    phone.get_by_label("您的密码").fill(PASSWORD)
    phone.get_by_label("身份验证器代码").fill(code(SECRETS[0]))
    phone.get_by_role("button", name="签署合同").click()
    expect(phone.get_by_role("heading", name="您已签署")).to_be_visible()
    flow.desk.drain()
    file = f"/pipeline/requests/{flow.request_id}/"
    page.goto(file)
    page.get_by_role("link", name="Read and sign for the desk").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code of your authenticator app").fill(code(SECRETS[1]))
    page.get_by_role("button", name="Sign for the desk").click()
    expect(page.get_by_text("Signed for the desk: the contract is in force.")).to_be_visible()
    flow.desk.drain()

    at_desk(flow.desk.operations)
    page.goto(file)
    page.get_by_label("Pool").select_option(POOL)
    page.get_by_role("button", name="Show", exact=True).click()
    look(page, "funding")
    page.get_by_role("button", name="Ask a second person to fund exactly this").click()
    at_desk(flow.treasurer)
    page.goto(file)
    page.get_by_role("link", name="Open the approval").click()
    page.get_by_role("button", name="Approve", exact=True).click()
    flow.desk.drain()
    work_payments(on=MONDAY, at=AT)
    flow.desk.drain()
    assert flow.state is CreditState.FUNDED

    phone.goto(f"/portal/borrow/{flow.request_id}/")
    look(phone, "funded")
    at_desk(flow.desk.risk)
    page.goto(f"/margin-accounts/{flow.row.account_id}/")
    expect(page.get_by_role("cell", name="40,000.00").first).to_be_visible()
    look(page, "account")
