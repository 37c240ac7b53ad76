"""`reefpoint people`: the first administrator, and what an operator of the machine does in need."""

import getpass
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from typer.testing import CliRunner, Result

from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import needs_second_factor
from reefpoint.platform.access.services import WeakPassword
from reefpoint.platform.audit.models import Entry
from reefpoint.surfaces.cli import people

PASSWORD = "copper kettle on a reef"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(people, "open_desk", lambda: tmp_path)


def _run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(people.app, words, input=typed)


def _add_ada() -> User:
    said = _run("add", "Ada@example.com", "Ada", "--role", "administrator", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert said.exit_code == 0, said.output
    return User.objects.get()


def test_the_first_administrator_is_added_and_the_password_is_not_echoed() -> None:
    said = _run("add", "Ada@example.com", "Ada", "--role", "administrator", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert "Ada can sign in as ada@example.com (administrator)." in said.output
    assert PASSWORD not in said.output
    assert User.objects.get().check_password(PASSWORD)
    assert Entry.objects.get(action="access.create_user").actor == f"system:cli:{getpass.getuser()}"


def test_a_weak_password_is_refused_and_nobody_is_added() -> None:
    said = _run("add", "ada@example.com", "Ada", "--role", "administrator", typed="secret\nsecret\n")
    assert isinstance(said.exception, WeakPassword)
    assert User.objects.count() == 0


def test_a_role_that_does_not_exist_is_named() -> None:
    said = _run("add", "ada@example.com", "Ada", "--role", "emperor")
    assert (said.exit_code, "emperor" in said.output) == (2, True)


def test_a_lost_second_factor_is_reset_with_a_reason() -> None:
    user = _add_ada()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    assert _run("reset-second-factor", user.email).exit_code == 2
    said = _run("reset-second-factor", user.email, "--reason", "seen in person")
    assert "1 forgotten" in said.output
    assert needs_second_factor(user)
    assert Entry.objects.get(action="access.reset_second_factor").reason == "seen in person"


def test_roles_passwords_and_access_change_with_a_reason() -> None:
    user = _add_ada()
    _run("roles", user.email, "--role", "treasury", "--role", "operations", "--reason", "moved desks")
    assert sorted(role.name for role in user.roles.all()) == ["operations", "treasury"]
    _run("password", user.email, "--reason", "by phone", typed="another long phrase\nanother long phrase\n")
    _run("shut-out", user.email, "--reason", "left the firm")
    user.refresh_from_db()
    assert (user.check_password("another long phrase"), user.is_active) == (True, False)
    assert "shut" in _run("list").output
    _run("let-in", user.email, "--reason", "came back")
    user.refresh_from_db()
    assert user.is_active
    assert Entry.objects.exclude(reason="").count() == 4


def test_somebody_unknown_is_said_to_be_so() -> None:
    said = _run("shut-out", "eve@example.com", "--reason", "no reason")
    assert (said.exit_code, "Nobody signs in as eve@example.com" in said.output) == (1, True)
