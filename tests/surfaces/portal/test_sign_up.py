"""Signing up for the portal: only with an address that is one's own, and nothing is told of who has one already."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail
from django.core.cache import cache
from django.test import Client
from tests.surfaces.conftest import SignIn, person

from reefpoint.platform.access.models import User
from reefpoint.platform.access.services import actor_for
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry

FORM = {"name": "王芳", "email": "Fang@mail.test", "password1": "eine lange Zeile 7"}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fresh_counts() -> None:
    cache.clear()


def code_in(message: mail.EmailMessage) -> str:
    """The code of a mail, alone on its line."""
    found = re.search(r"^\s+(\S{4,12})$", str(message.body), re.MULTILINE)
    assert found is not None
    return found[1]


def test_somebody_signs_up_with_the_code_from_their_mail_and_is_a_client_and_nothing_else(client: Client) -> None:
    answer = client.post("/accounts/signup/", FORM)
    assert answer.headers["Location"] == "/accounts/confirm-email/"
    assert SESSION_KEY not in client.session
    answer = client.post("/accounts/confirm-email/", {"code": code_in(mail.outbox[0])})
    assert answer.headers["Location"] == "/portal/"
    user = User.objects.get(email="fang@mail.test")
    assert client.session[SESSION_KEY] == str(user.pk)
    assert user.name == "王芳"
    actor = actor_for(user)
    assert actor.permissions == {"portal.apply", "portal.borrow"}
    assert not actor.sees_all_clients
    assert Entry.objects.filter(action="access.sign_up", subject=f"user:{user.pk}").exists()


def test_without_the_code_there_is_no_way_in(client: Client) -> None:
    client.post("/accounts/signup/", FORM)
    assert "code" in client.post("/accounts/confirm-email/", {"code": "WRONG1"}).context["verify_form"].errors
    assert client.get("/portal/").headers["Location"].startswith("/accounts/login/")
    fresh = Client()
    fresh.post("/accounts/login/", {"login": "fang@mail.test", "password": FORM["password1"]})
    assert SESSION_KEY not in fresh.session


def test_an_address_that_is_taken_reads_the_same_and_its_owner_is_told(client: Client) -> None:
    officer = person(RoleName.RISK_OFFICER)
    taken = User.objects.get(pk=officer).email

    def seen(email: str) -> tuple[int, str, str]:
        browser = Client()
        answer = browser.post("/accounts/signup/", {**FORM, "email": email})
        shown = browser.get("/accounts/confirm-email/").content.decode()
        shown = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", shown).replace(email.lower(), "ADDRESS")
        return answer.status_code, answer.headers["Location"], shown

    assert seen(taken) == seen("new@mail.test")
    assert [message.to for message in mail.outbox] == [[taken], ["new@mail.test"]]
    assert "password/reset" in str(mail.outbox[0].body)
    assert actor_for(User.objects.get(pk=officer)).permissions >= {"margin.view"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"password1": "short"},
        {"password1": "123456789012"},
        {"email": "no address"},
        {"name": "A\u202eB"},
        {"name": "A\x00B"},
        {"name": "x" * 121},
        {"name": ""},
    ],
)
def test_i69_what_is_wrong_is_said_and_nobody_is_made(client: Client, wrong: dict[str, str]) -> None:
    answer = client.post("/accounts/signup/", {**FORM, **wrong})
    assert answer.status_code == 200
    assert next(iter(wrong)) in answer.context["form"].errors
    assert not User.objects.exists()
    assert mail.outbox == []


def test_signing_up_too_often_from_one_place_is_turned_away(client: Client) -> None:
    statuses = [Client().post("/accounts/signup/", {**FORM, "email": f"p{i}@mail.test"}).status_code for i in range(11)]
    assert statuses == [302] * 10 + [429]


def test_a_client_is_led_to_the_portal_and_kept_out_of_the_console(signed_in: SignIn) -> None:
    reader = signed_in(RoleName.CLIENT)
    assert reader.get("/").headers["Location"] == "/portal/"
    for address in ("/clients/", "/audit/", "/margin-accounts/", "/approvals/", "/keys/", "/api/v1/docs/"):
        answer = reader.get(address)
        assert answer.status_code == 403
        assert "Your own things are in the portal" in answer.content.decode()


def test_somebody_of_the_desk_is_told_that_the_portal_is_for_clients(signed_in: SignIn) -> None:
    answer = signed_in(RoleName.COMPLIANCE).get("/portal/")
    assert answer.status_code == 403
    assert "This page is for clients" in answer.content.decode()
