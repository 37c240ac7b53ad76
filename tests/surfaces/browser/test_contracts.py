"""A contract signed in a real Chromium: the client in Chinese on a phone, the officer in English, each with a code."""

import time
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from playwright.sync_api import Browser, Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from tests.records.contracts.cases import AT, PASSWORD, SECRETS, Cast, make_cast
from tests.surfaces.browser.conftest import enter, plug_in_authenticator, watched_page
from tests.surfaces.conftest import signed_in_as

from reefpoint.flows.operations.models import DeskClock
from reefpoint.platform.access.models import User
from reefpoint.records.contracts.selectors import get_contract
from reefpoint.records.contracts.types import ContractState, Language

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(db: None, settings: Settings) -> Cast:
    """The cast, at the desk's time, with passwords and authenticator apps for who signs."""
    settings.REQUIRE_SECOND_FACTOR = False
    DeskClock.objects.create(at=AT)
    made = make_cast(password=PASSWORD)
    for actor, secret in zip((made.fang, made.officer), SECRETS, strict=True):
        TOTP.activate(User.objects.get(pk=actor.user_id), secret)
    return made


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer, page: Page, people: Cast) -> Iterator[Page]:
    """The client's own browser, in Chinese."""
    for made in watched_page(browser, live_server.url):
        made.set_viewport_size({"width": 390, "height": 844})
        made.context.set_default_timeout(30_000)
        enter(made, live_server.url, signed_in_as(people.fang))
        made.context.add_cookies([{"name": "django_language", "value": "zh-hans", "url": live_server.url}])
        yield made


def code(secret: str) -> str:
    """What an authenticator app shows at this moment."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_a_client_reads_acknowledges_and_signs_and_the_desk_signs_after(
    page: Page, phone: Page, live_server: LiveServer, people: Cast
) -> None:
    page.context.set_default_timeout(30_000)
    enter(page, live_server.url, signed_in_as(people.officer))
    contract_id = people.offer(language=Language.ZH)

    phone.goto("/portal/contracts/")
    phone.get_by_role("link", name="CT-").click()
    expect(phone.get_by_role("heading", name="关键事实")).to_be_visible()
    expect(phone.get_by_text("USD 4,000.00").first).to_be_visible()
    phone.get_by_role("button", name="确认已勾选的各项").click()
    expect(phone.get_by_text("须逐项勾选后方可签署。")).to_be_visible()
    for box in phone.get_by_role("checkbox").all():
        box.check()
    phone.get_by_role("button", name="确认已勾选的各项").click()
    phone.get_by_label("您的密码").fill(PASSWORD)
    phone.get_by_label("身份验证器代码").fill("000000")
    phone.get_by_role("button", name="签署合同").click()
    expect(phone.get_by_text("这不是当前的代码")).to_be_visible()
    phone.get_by_label("您的密码").fill(PASSWORD)
    phone.get_by_label("身份验证器代码").fill(code(SECRETS[0]))
    phone.get_by_role("button", name="签署合同").click()
    expect(phone.get_by_role("heading", name="您已签署")).to_be_visible()

    page.goto(f"/contracts/{contract_id}/")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("Code of your authenticator app").fill(code(SECRETS[1]))
    page.get_by_role("button", name="Sign for the desk").click()
    expect(page.get_by_text("Signed for the desk: the contract is in force.")).to_be_visible()
    assert get_contract(people.officer, contract_id, at=AT).state is ContractState.IN_FORCE

    with phone.expect_download() as downloaded:
        phone.reload()
        phone.get_by_role("link", name="下载已签署的合同").click()
    page.goto("/contracts/verify/")
    page.get_by_label("File").set_input_files(downloaded.value.path())
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Genuine: signed, unchanged, and on record here.")).to_be_visible()


def test_a_passkey_shown_just_before_stands_in_for_the_code(page: Page, live_server: LiveServer, people: Cast) -> None:
    page.context.set_default_timeout(30_000)
    contract_id = people.offer()
    people.acknowledge(contract_id)
    plug_in_authenticator(page)
    enter(page, live_server.url, signed_in_as(people.fang))
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/recovery-codes/**")

    page.goto(f"/portal/contracts/{contract_id}/")
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Sign the contract").click()
    expect(page.get_by_text("Type the code of your authenticator app.")).to_be_visible()
    page.get_by_role("link", name="Show a passkey instead").click()
    page.get_by_role("button", name="Use a security key").click()
    expect(page.get_by_text("Your passkey was seen just now: no code is needed.")).to_be_visible()
    page.get_by_label("Your password").fill("not the password")
    page.get_by_role("button", name="Sign the contract").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Sign the contract").click()
    expect(page.get_by_role("heading", name="You have signed")).to_be_visible()
    [signature] = get_contract(people.officer, contract_id, at=AT).signatures
    assert signature.authentication.methods == ("password", "passkey")
