"""Signing in and out in a real Chromium: password, one-time code, passkey, lockout."""

import re
from datetime import UTC, datetime

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect
from pytest_django import Settings
from tests.surfaces.browser.conftest import plug_in_authenticator

from reefpoint.platform.access.services import create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import system_actor

AT = datetime(2020, 3, 9, 13, 0, tzinfo=UTC)
EMAIL = "ada@reefpoint.test"
PASSWORD = "copper kettle on a reef"
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada(settings: Settings) -> int:
    """A risk officer who has a password and no second factor, at a desk that does not require one."""
    settings.REQUIRE_SECOND_FACTOR = False
    return create_user(
        actor=system_actor("tests"),
        email=EMAIL,
        name="Ada Lovelace",
        password=PASSWORD,
        roles=[RoleName.RISK_OFFICER],
        at=AT,
    )


def enter(page: Page, password: str = PASSWORD) -> None:
    """Fill in the sign-in form and send it."""
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def confirm_password(page: Page) -> None:
    """Answer the question that comes before anything about one's own access can be changed."""
    expect(page.get_by_role("heading", name="Confirm Access")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()


def current_code(secret: str) -> str:
    """The code that an authenticator app shows at this moment."""
    return totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time())))


def sign_out(page: Page) -> None:
    """Leave by the person menu."""
    page.locator("details.person summary").click()
    page.get_by_role("button", name="Sign out").click()


def actions() -> list[str]:
    """What the audit log says happened, in order."""
    return list(Entry.objects.order_by("id").values_list("action", flat=True))


def test_a_password_lets_in_and_signing_out_closes_the_door(ada: int, page: Page) -> None:
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/$"))
    enter(page)
    expect(page.locator(".person-name")).to_have_text("Ada Lovelace")
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert actions() == ["access.create_user", "access.sign_in", "access.sign_out"]


def test_a_wrong_password_says_so_and_the_sixth_is_locked_out(ada: int, page: Page) -> None:
    enter(page, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("not correct")
    for _ in range(4):
        enter(page, "not the password")
    expect(page.get_by_role("heading", name="Too many wrong passwords")).to_be_visible()
    enter(page)
    expect(page.get_by_role("heading", name="Too many wrong passwords")).to_be_visible()
    assert "access.sign_in" not in actions()
    assert actions()[-1] == "access.lock_out"


def test_an_authenticator_app_is_added_and_asked_for_at_the_next_sign_in(ada: int, page: Page) -> None:
    enter(page)
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Activate").click()
    confirm_password(page)
    secret = page.get_by_label("Authenticator secret").input_value()
    page.get_by_label("Authenticator code").fill(current_code(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()
    page.get_by_label("I have saved my recovery codes").check()
    stored = Authenticator.objects.get(type=Authenticator.Type.TOTP).data["secret"]
    assert secret not in stored
    assert get_adapter().decrypt(stored) == secret

    sign_out(page)
    enter(page)
    expect(page.get_by_text("authenticator code")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("authenticator code")).to_be_visible()

    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign In").click()
    expect(page.get_by_role("alert")).to_contain_text("Incorrect code")
    Authenticator.objects.filter(type=Authenticator.Type.TOTP).update(last_used_at=None)
    page.get_by_label("Code").fill(current_code(secret))
    page.get_by_role("button", name="Sign In").click()
    expect(page.locator(".person-name")).to_have_text("Ada Lovelace")


def test_a_passkey_is_added_and_signs_in_without_a_password(ada: int, page: Page) -> None:
    plug_in_authenticator(page)
    enter(page)
    page.goto("/accounts/2fa/webauthn/add/")
    confirm_password(page)
    expect(page.get_by_label("Passwordless")).to_be_checked()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()
    page.get_by_label("I have saved my recovery codes").check()
    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator(".person-name")).to_have_text("Ada Lovelace")
    assert Entry.objects.filter(action="access.sign_in").order_by("id").last().inputs["means"] == ["webauthn"]


def test_staff_without_a_second_factor_are_sent_to_get_one(ada: int, page: Page, settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    enter(page)
    expect(page.get_by_role("heading", name="Two-Factor Authentication")).to_be_visible()
    expect(page.get_by_text("the desk requires a second factor")).to_be_visible()
    page.goto("/")
    expect(page).to_have_url(re.compile("/accounts/2fa/$"))


def test_signing_out_everywhere_ends_the_other_devices_too(ada: int, page: Page) -> None:
    enter(page)
    other = page.context.browser.new_context(base_url=page.url.rsplit("/", 1)[0], locale="en").new_page()
    enter(other)
    expect(other.locator(".person-name")).to_be_visible()
    page.goto("/accounts/2fa/")
    page.get_by_role("button", name="Sign out on every device").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    other.goto("/")
    expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    other.context.close()
    assert get_user_model().objects.get(pk=ada).sessions_epoch == 1


def test_chinese_readers_sign_in_in_chinese(ada: int, page: Page) -> None:
    page.goto("/accounts/login/")
    page.get_by_role("button", name="简体中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
