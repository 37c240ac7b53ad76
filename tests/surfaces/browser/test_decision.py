"""An application decided in a real Chromium: the officer in English at a desk, the client in Chinese on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer
from tests.desk import Desk
from tests.surfaces.browser.conftest import enter, watched_page
from tests.surfaces.conftest import SignIn
from tests.surfaces.portal.conftest import Applicant, NewApplicant, applicant, offered

from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.platform.access.types import RoleName
from reefpoint.records.parties.models import Client as ClientRow
from reefpoint.records.parties.types import ClientStatus

__all__ = ["applicant", "offered"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, page: Page) -> Iterator[Page]:
    """The client's own browser, beside the officer's."""
    for made in watched_page(browser, live_server.url):
        made.set_viewport_size({"width": 390, "height": 844})
        yield made


@pytest.fixture
def officer(page: Page, live_server: LiveServer, offered: Desk, signed_in: SignIn) -> Page:
    """A compliance officer's browser."""
    page.context.set_default_timeout(30_000)
    enter(page, live_server.url, signed_in(RoleName.COMPLIANCE))
    return page


@pytest.fixture
def fang(phone: Page, live_server: LiveServer, applicant: NewApplicant) -> Applicant:
    """Somebody who reads Chinese on a phone and has filled in everything, but not handed it in."""
    made = applicant("Fang")
    made.browser.cookies["django_language"] = "zh-hans"
    made.complete()
    enter(phone, live_server.url, made.browser)
    phone.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": live_server.url}])
    return made


def hand_in(made: Applicant) -> None:
    made.post("review/")
    assert made.application.state is ApplicationState.SUBMITTED


def take_up(officer: Page, made: Applicant) -> None:
    """Find the application among what waits today, open it, and take it into review."""
    officer.goto("/")
    officer.get_by_role("listitem").filter(has_text=made.application.number).get_by_role("link").click()
    expect(officer.get_by_role("heading", name="Wang Fang 王芳")).to_be_visible()
    officer.get_by_role("button", name="Take it into review").click()
    expect(officer.get_by_text("You have it in review.")).to_be_visible()


def test_an_officer_rates_who_was_referred_and_accepts_and_the_client_reads_it_in_chinese(
    officer: Page, phone: Page, fang: Applicant
) -> None:
    fang.write("wealth", net_worth_minor="0")
    hand_in(fang)
    take_up(officer, fang)
    review = officer.url
    accept = officer.get_by_role("button", name="Accept the client")
    expect(officer.get_by_text("There is no risk rating, or it waits for a person")).to_be_visible()
    expect(accept).to_be_disabled()
    phone.goto("/portal/")
    expect(phone.get_by_role("heading", name="审核中")).to_be_visible()

    officer.get_by_role("link", name="Rating, and why").click()
    officer.get_by_label("Rating", exact=True).select_option("standard")
    officer.get_by_label("What you looked at, and concluded").fill("Statements show the assets; debts are a mortgage.")
    officer.get_by_role("button", name="Record the review").click()
    expect(officer.get_by_text("Reviewed. The next review is on its day.")).to_be_visible()

    officer.goto(review)
    expect(officer.get_by_text("Standard", exact=True)).to_be_visible()
    expect(officer.get_by_text("It cannot be accepted as it stands")).to_have_count(0)
    officer.get_by_label("Internal note").fill("Documents agree with the statements.")
    accept.click()
    expect(officer.get_by_text("Accepted. The client is told.")).to_be_visible()
    decision = officer.locator("#decision")
    expect(decision).to_contain_text("Documents agree with the statements.")
    expect(decision.get_by_role("button")).to_have_count(0)
    assert officer.evaluate("document.documentElement.scrollWidth") <= 1280
    officer.set_viewport_size({"width": 390, "height": 844})
    assert officer.evaluate("document.documentElement.scrollWidth") == 390

    phone.reload()
    expect(phone.get_by_role("heading", name="已通过")).to_be_visible()
    expect(phone.get_by_text("欢迎您")).to_be_visible()
    expect(phone.get_by_text("Documents agree")).to_have_count(0)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert ClientRow.objects.get(id=fang.application.client_id).status == ClientStatus.ACTIVE


def test_an_officer_refuses_and_the_client_reads_the_reason_that_may_be_told_and_no_other(
    officer: Page, phone: Page, fang: Applicant
) -> None:
    hand_in(fang)
    take_up(officer, fang)
    officer.get_by_text("Ask for more", exact=True).click()
    expect(officer.get_by_label("Proof of income")).to_be_visible()
    officer.get_by_text("Refuse", exact=True).click()
    officer.get_by_label("Source of funds not shown").check()
    officer.get_by_label("Screening").check()
    officer.get_by_label("Internal note").fill("internal: the name is on our list")
    officer.get_by_role("button", name="Refuse the application").click()
    expect(officer.get_by_text("Refused. The client is told what may be told.")).to_be_visible()
    expect(officer.locator("#decision")).to_contain_text("资金来源的说明或证明不充分。")

    phone.goto("/portal/")
    expect(phone.get_by_role("heading", name="未通过").first).to_be_visible()
    main = phone.locator("main")
    expect(main).to_contain_text("资金来源的说明或证明不充分。")
    for kept in ("internal", "Screening", "名单", "筛查", "我们决定不与您建立业务关系"):
        expect(main).not_to_contain_text(kept)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    assert ClientRow.objects.get(id=fang.application.client_id).status == ClientStatus.CLOSED
