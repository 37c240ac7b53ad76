"""The door without a browser: closed addresses, the second factor, headers, cookies, secrets at rest."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from cryptography.fernet import InvalidToken
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import system_actor

AT = datetime(2020, 3, 9, 13, 0, tzinfo=UTC)
PASSWORD = "copper kettle on a reef"
SECRET = "JBSWY3DPEHPK3PXP"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    cache.clear()


@pytest.fixture
def ada() -> User:
    """A risk officer with a password alone."""
    user_id = create_user(
        actor=system_actor("tests"),
        email="ada@reefpoint.test",
        name="Ada",
        password=PASSWORD,
        roles=[RoleName.RISK_OFFICER],
        at=AT,
    )
    return User.objects.get(pk=user_id)


def _enter(client: Client, password: str = PASSWORD, email: str = "ada@reefpoint.test", **extra: str) -> int:
    return client.post("/accounts/login/", {"login": email, "password": password}, **extra).status_code  # type: ignore[arg-type]


def _code() -> str:
    """What an authenticator app shows at this moment."""
    return format_hotp_value(hotp_value(SECRET, int(time.time()) // 30))


@pytest.mark.parametrize("address", ["email/", "confirm-email/abc/", "login/code/", "social/", "2fa/webauthn/signup/"])
def test_what_the_desk_does_not_use_has_no_address(client: Client, address: str) -> None:
    assert client.get(f"/accounts/{address}").status_code == 404


def test_staff_with_a_password_alone_get_nowhere_but_to_enrolment(
    ada: User, client: Client, settings: Settings
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    assert _enter(client) == 302
    for address in ("/", "/board/", "/no-such-page/"):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/2fa/")
    assert client.post("/").status_code == 302
    TOTP.activate(ada, SECRET)
    assert client.get("/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(ada: User, client: Client, settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    Authenticator.objects.create(user=ada, type=Authenticator.Type.RECOVERY_CODES, data={"seed": "x", "used_mask": 0})
    client.force_login(ada)
    assert client.get("/").status_code == 302


def test_the_last_factor_cannot_be_removed_while_one_is_required(ada: User, settings: Settings) -> None:
    only = TOTP.activate(ada, SECRET).instance
    adapter = get_adapter()
    settings.REQUIRE_SECOND_FACTOR = True
    assert not adapter.can_delete_authenticator(only)
    Authenticator.objects.create(user=ada, type=Authenticator.Type.WEBAUTHN, data={})
    assert adapter.can_delete_authenticator(only)
    settings.REQUIRE_SECOND_FACTOR = False
    assert adapter.can_delete_authenticator(only)


def test_a_secret_at_rest_is_unreadable_without_the_key_and_survives_its_rotation(
    ada: User, settings: Settings
) -> None:
    TOTP.activate(ada, SECRET)
    stored = Authenticator.objects.get().data["secret"]
    assert SECRET not in stored
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    with pytest.raises(InvalidToken):
        get_adapter().decrypt(stored)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert get_adapter().decrypt(stored) == SECRET


def test_the_passkey_domain_is_a_setting_whatever_host_a_request_claims(settings: Settings) -> None:
    settings.PASSKEY_DOMAIN = "desk.example"
    assert get_adapter().get_public_key_credential_rp_entity() == {"id": "desk.example", "name": "Reefpoint"}


def test_the_lock_is_for_one_address_from_one_place_and_others_still_enter(
    ada: User, client: Client, settings: Settings
) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    answers = [_enter(client, "wrong password", "ADA@reefpoint.test ") for _ in range(6)]
    assert answers[-1] == 429
    assert _enter(client) == 429
    assert _enter(Client(), REMOTE_ADDR="203.0.113.9") == 302
    entry = Entry.objects.filter(action="access.lock_out").earliest("id")
    assert (entry.subject, entry.inputs["email"]) == (f"user:{ada.pk}", "ada@reefpoint.test")


def test_a_forged_forwarding_header_does_not_move_the_lock(ada: User, client: Client) -> None:
    answers = [_enter(client, "wrong password", HTTP_X_FORWARDED_FOR=f"203.0.113.{turn}") for turn in range(6)]
    assert answers[-1] == 429


def test_wrong_codes_run_out_before_they_are_guessed(ada: User, client: Client) -> None:
    TOTP.activate(ada, SECRET)
    assert _enter(client) == 302
    for _ in range(10):
        answer = client.post("/accounts/2fa/authenticate/", {"code": "123456"})
        assert "Incorrect code" in answer.content.decode()
    answer = client.post("/accounts/2fa/authenticate/", {"code": _code()})
    assert "Too many" in answer.content.decode()
    assert SESSION_KEY not in client.session


def test_a_code_works_once(ada: User, client: Client) -> None:
    TOTP.activate(ada, SECRET)
    code = _code()
    for browser, signed_in in ((client, True), (Client(), False)):
        _enter(browser)
        browser.post("/accounts/2fa/authenticate/", {"code": code})
        assert (SESSION_KEY in browser.session) is signed_in


def test_an_unknown_address_and_a_wrong_password_read_the_same(ada: User, client: Client) -> None:
    def words(email: str) -> str:
        answer = client.post("/accounts/login/", {"login": email, "password": "wrong password"})
        return str(answer.context["form"].errors)

    assert words("ada@reefpoint.test") == words("eve@reefpoint.test")


def test_a_reset_link_goes_to_people_who_exist_and_the_page_reads_the_same(ada: User, client: Client) -> None:
    for email in ("ada@reefpoint.test", "eve@reefpoint.test"):
        assert client.post("/accounts/password/reset/", {"email": email}).headers["Location"].endswith("/done/")
    assert [message.to for message in mail.outbox] == [["ada@reefpoint.test"]]
    assert "/accounts/password/reset/key/" in str(mail.outbox[0].body)


def test_a_sign_in_is_logged_with_its_means_and_place(ada: User, client: Client) -> None:
    _enter(client)
    entry = Entry.objects.get(action="access.sign_in")
    assert (entry.actor, entry.inputs) == (f"user:{ada.pk}", {"address": "127.0.0.1", "means": ["password"]})


def test_a_sign_in_shows_a_person_their_own_language(ada: User, client: Client, settings: Settings) -> None:
    _enter(client)
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies
    client.post("/accounts/logout/")
    ada.language = "zh-hans"
    ada.save()
    _enter(client)
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"


def test_signing_out_takes_a_post_with_a_token(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    assert client.post("/accounts/logout/").status_code == 403
    assert client.post("/accounts/logout/everywhere/").status_code == 403
    assert client.get("/accounts/logout/everywhere/").status_code == 405


def test_every_answer_carries_the_policy(client: Client) -> None:
    for address in ("/accounts/login/", "/no-such-page/", "/accounts/2fa/webauthn/login/"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert "no-store" in headers["Cache-Control"]


def test_a_redirect_after_sign_in_never_leaves_the_desk(ada: User, client: Client) -> None:
    answer = client.post(
        "/accounts/login/", {"login": ada.email, "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {"HTTPS": False, "SESSION_COOKIE_NAME": "session", "REQUIRE_SECOND_FACTOR": True}),
        (
            {"REEFPOINT_HOSTS": "desk.example"},
            {"HTTPS": True, "SESSION_COOKIE_NAME": "__Host-session", "SESSION_COOKIE_SECURE": True,
             "CSRF_COOKIE_SECURE": True, "SECURE_SSL_REDIRECT": True, "PASSKEY_DOMAIN": "desk.example"},
        ),
        ({"REEFPOINT_REQUIRE_SECOND_FACTOR": "0"}, {"REQUIRE_SECOND_FACTOR": False}),
    ],
)  # fmt: skip
def test_settings_are_strict_unless_told_and_plain_http_is_for_this_machine_alone(
    environment: dict[str, str], expected: dict[str, object]
) -> None:
    read = f"[getattr(settings, name) for name in {list(expected)}]"
    asked = f"import json; from reefpoint.config import settings; print(json.dumps({read}))"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REEFPOINT_")}
    answer = subprocess.run(
        [sys.executable, "-c", asked], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout) == list(expected.values())
