"""The desk in a real browser: the board, an account, a call; live, by keyboard, on a phone, without JavaScript."""

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.surfaces.browser.conftest import enter
from tests.surfaces.conftest import SYSTEM, Book, SignIn, open_borrower

from reefpoint.decisions.margin.selectors.pages import list_calls
from reefpoint.platform.access.types import RoleName

PHONE_PAGES = (
    "/",
    "/board/",
    "/margin-accounts/",
    "/margin-accounts/{account}/",
    "/calls/",
    "/liquidations/",
    "/clients/",
    "/prices/",
    "/schemes/",
    "/approvals/",
    "/days/",
)
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def officer(desk_page: Page, streaming_server: str, book: Book, signed_in: SignIn) -> Page:
    """A risk officer's browser on the test desk."""
    enter(desk_page, streaming_server, signed_in(RoleName.RISK_OFFICER))
    return desk_page


def test_the_board_is_live_and_says_so(officer: Page, book: Book) -> None:
    officer.goto("/board/")
    expect(officer.locator("[data-live-word=open]")).to_be_visible()
    in_call = officer.locator(".band-strip a", has_text="Call").locator(".value")
    expect(in_call).to_have_text("1")
    expect(officer.locator("[data-chart=histogram] canvas")).to_be_visible()
    officer.evaluate("window.stayed = true")
    open_borrower(book.desk, book.desk.other_client_id, shares=1_000, debt_minor=40_000_00)
    expect(in_call).to_have_text("2", timeout=10_000)
    expect(officer.locator("#worst-rows tr")).to_have_count(3)
    assert officer.evaluate("window.stayed")


def test_rows_keep_their_order_while_the_reader_points_at_them(officer: Page, book: Book) -> None:
    officer.goto("/board/")
    expect(officer.locator("[data-live-word=open]")).to_be_visible()
    before = officer.locator("#worst-rows tr").first.get_attribute("id")
    officer.locator("#worst-rows tr").first.hover()
    worse = open_borrower(book.desk, book.desk.other_client_id, shares=1_000, debt_minor=41_000_00)
    expect(officer.locator(f"#worst-{worse}")).to_be_visible(timeout=10_000)
    assert officer.locator("#worst-rows tr").first.get_attribute("id") == before


def test_a_table_is_walked_by_keyboard_and_slash_searches(officer: Page, book: Book) -> None:
    officer.goto("/margin-accounts/")
    officer.keyboard.press("j")
    officer.keyboard.press("j")
    expect(officer.locator("tr[aria-selected=true]")).to_have_id(f"account-{book.other_account_id}")
    officer.keyboard.press("k")
    officer.keyboard.press("Enter")
    officer.wait_for_url(f"**/margin-accounts/{book.own_account_id}/")
    officer.keyboard.press("/")
    officer.keyboard.type("AAPL")
    officer.keyboard.press("Enter")
    expect(officer.locator("h1")).to_contain_text("Apple")


def test_a_filter_and_the_columns_are_chosen_in_place_and_stay_in_the_address(officer: Page, book: Book) -> None:
    officer.goto("/margin-accounts/")
    officer.evaluate("window.stayed = true")
    officer.locator("select[name=band]").select_option("2")
    expect(officer.locator("tbody tr")).to_have_count(1)
    assert "band=2" in officer.url
    officer.get_by_text("Columns", exact=True).first.click()
    officer.get_by_role("checkbox", name="Equity").uncheck()
    officer.get_by_role("button", name="Show these").click()
    expect(officer.locator("thead")).not_to_contain_text("Equity")
    expect(officer.locator("tbody tr")).to_have_count(1)
    assert officer.evaluate("window.stayed")


def test_the_account_page_answers_and_its_figures_open(officer: Page, book: Book) -> None:
    officer.goto(f"/margin-accounts/{book.own_account_id}/")
    expect(officer.locator(".verdict .ratio")).to_have_text("151.37%")
    expect(officer.locator(".verdict")).to_contain_text("All securities may fall 4.21% before Close-out at 145.00%")
    officer.get_by_text("60,550.00", exact=True).first.click()
    expect(officer.get_by_text("= 1,000 × 60.55", exact=True)).to_be_visible()


def test_the_call_page_tells_how_much_until_when_and_what_cures(officer: Page, book: Book) -> None:
    [call] = list_calls(SYSTEM).rows
    officer.goto(f"/calls/{call.id}/")
    expect(officer.locator(".verdict .ratio")).to_have_text("4,382.36")
    expect(officer.locator("main")).to_contain_text("2020-03-18 20:00 UTC")
    expect(officer.locator(".what-if")).to_contain_text("repay 4,382.36")


def test_a_reader_turns_the_page_dark_and_chinese(officer: Page, book: Book) -> None:
    officer.goto("/board/")
    officer.locator("details.person summary").click()
    officer.get_by_role("button", name="Dark").click()
    officer.locator("details.person summary").click()
    officer.get_by_role("button", name="简体中文").click()
    expect(officer.locator("h1")).to_have_text("看板")
    assert officer.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 19, 24)"


def test_a_phone_scrolls_down_and_never_sideways(officer: Page, book: Book) -> None:
    officer.set_viewport_size({"width": 390, "height": 844})
    for path in PHONE_PAGES:
        officer.goto(path.format(account=book.own_account_id))
        assert officer.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_everything_but_live_parts_works_without_javascript(
    browser: Browser, streaming_server: str, book: Book, signed_in: SignIn
) -> None:
    context = browser.new_context(base_url=streaming_server, java_script_enabled=False)
    page = context.new_page()
    enter(page, streaming_server, signed_in(RoleName.RISK_OFFICER))
    page.goto("/margin-accounts/")
    page.get_by_label("Account or client").fill("Holdings")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Ratio").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Ratio")
    context.close()
