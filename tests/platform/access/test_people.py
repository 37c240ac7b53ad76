"""People: who exists, what their roles permit, and whose clients they see."""

from datetime import UTC, datetime

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth import SESSION_KEY
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Role, User
from reefpoint.platform.access.selectors import find_user_id, list_people, needs_second_factor
from reefpoint.platform.access.services import (
    EmailTaken,
    OwnAccess,
    PermissionRefused,
    ReasonNeeded,
    UnknownUser,
    WeakPassword,
    actor_for,
    create_user,
    end_sessions,
    ensure_roles,
    require,
    reset_second_factor,
    set_active,
    set_password,
    set_roles,
)
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor, system_actor

SYSTEM = system_actor("tests")
AT = datetime(2020, 3, 9, 13, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _user(*roles: RoleName, email: str = "ada@example.com") -> User:
    user_id = create_user(actor=SYSTEM, email=email, name="Ada", password="a long passphrase", roles=roles, at=AT)
    return User.objects.get(id=user_id)


def test_a_new_user_has_the_rights_of_their_roles() -> None:
    actor = actor_for(_user(RoleName.RISK_OFFICER))
    assert actor.ref.startswith("user:")
    assert "liquidation.approve" in actor.permissions
    assert "treasury.write_off" not in actor.permissions
    assert actor.sees_all_clients


def test_two_roles_together_hold_the_rights_of_both() -> None:
    actor = actor_for(_user(RoleName.TREASURY, RoleName.RISK_OFFICER))
    assert actor.permissions == rules.permissions_of([RoleName.TREASURY]) | rules.permissions_of(
        [RoleName.RISK_OFFICER]
    )


def test_i66_a_relationship_manager_sees_only_assigned_clients() -> None:
    assert not actor_for(_user(RoleName.RELATIONSHIP_MANAGER)).sees_all_clients


def test_a_deactivated_person_has_no_rights_at_all() -> None:
    user = _user(RoleName.RISK_OFFICER)
    user.is_active = False
    actor = actor_for(user)
    assert actor.permissions == frozenset()
    assert not actor.sees_all_clients


def test_the_same_address_in_another_case_is_refused_and_leaves_nothing() -> None:
    _user()
    with pytest.raises(EmailTaken):
        _user(email=" ADA@Example.com ")
    assert User.objects.count() == 1


def test_the_database_refuses_an_address_that_is_not_lower_case() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="Ada@example.com", name="Ada", joined_at=AT)


def test_only_who_manages_access_creates_users() -> None:
    with pytest.raises(PermissionRefused):
        create_user(
            actor=actor_for(_user(RoleName.RISK_OFFICER)),
            email="b@example.com",
            name="B",
            password=None,
            roles=[],
            at=AT,
        )
    assert User.objects.count() == 1


def test_passwords_are_kept_as_argon2() -> None:
    assert _user().password.startswith("argon2$argon2id$")


def test_roles_are_made_once() -> None:
    ensure_roles()
    ensure_roles()
    assert set(Role.objects.values_list("name", flat=True)) == {role.value for role in RoleName}


def test_require_refuses_by_name_and_lets_the_system_through() -> None:
    require(system_actor("watch"), "margin.view")
    require(Actor(ref="user:1", name="Ada", permissions=frozenset({"margin.view"})), "margin.view")
    with pytest.raises(PermissionRefused, match=r"margin\.view"):
        require(Actor(ref="user:2", name="Bo"), "margin.view")


def test_a_right_outside_the_table_is_a_programming_error_for_everybody() -> None:
    with pytest.raises(rules.UnknownPermission):
        require(system_actor("watch"), "margin.frobnicate")


def _administrator() -> Actor:
    return actor_for(_user(RoleName.ADMINISTRATOR, email="root@example.com"))


def _is_signed_in(client: Client) -> bool:
    return SESSION_KEY in client.session and client.get("/").status_code == 200


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _audited(user: User) -> list[str]:
    entries = Entry.objects.filter(subject=f"user:{user.pk}").exclude(action="access.sign_in").order_by("id")
    return list(entries.values_list("action", flat=True))


def test_a_weak_password_is_refused_in_words_and_leaves_nobody() -> None:
    with pytest.raises(WeakPassword, match="at least 12 characters"):
        create_user(actor=SYSTEM, email="b@example.com", name="B", password="secret", roles=[], at=AT)
    assert User.objects.count() == 0


def test_a_role_that_does_not_exist_is_refused_and_leaves_nobody() -> None:
    with pytest.raises(ValueError), transaction.atomic():
        create_user(actor=SYSTEM, email="b@example.com", name="B", password=None, roles=["emperor"], at=AT)
    assert User.objects.count() == 0


def test_the_address_counts_as_verified_so_that_a_second_factor_can_be_added() -> None:
    address = EmailAddress.objects.get(user=_user())
    assert (address.email, address.verified, address.primary) == ("ada@example.com", True, True)


def test_an_administrator_changes_roles_and_the_log_keeps_both_sides() -> None:
    user, administrator = _user(RoleName.TREASURY), _administrator()
    set_roles(actor=administrator, user_id=user.pk, roles=["risk_officer"], at=AT, reason="moved desks")
    assert actor_for(user).permissions == rules.permissions_of([RoleName.RISK_OFFICER])
    entry = Entry.objects.get(action="access.set_roles")
    assert (entry.actor, entry.reason) == (administrator.ref, "moved desks")
    assert entry.inputs == {"before": ["treasury"], "after": ["risk_officer"]}


def test_i63_nobody_changes_their_own_roles_or_access() -> None:
    administrator = _administrator()
    assert administrator.user_id
    with pytest.raises(OwnAccess):
        set_roles(actor=administrator, user_id=administrator.user_id, roles=["treasury"], at=AT, reason="")
    with pytest.raises(OwnAccess):
        set_active(actor=administrator, user_id=administrator.user_id, is_active=False, at=AT, reason="")
    assert [role.name for role in User.objects.get().roles.all()] == ["administrator"]


def test_a_person_who_is_shut_out_is_out_at_once(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    user = _user(RoleName.RISK_OFFICER)
    client = _signed_in(user)
    assert _is_signed_in(client)
    set_active(actor=_administrator(), user_id=user.pk, is_active=False, at=AT, reason="left the firm")
    assert not _is_signed_in(client)
    assert _audited(user) == ["access.create_user", "access.set_active"]


def test_a_person_ends_their_own_sessions_and_nobody_elses(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    ada, bo = _user(RoleName.RISK_OFFICER), _user(RoleName.TREASURY, email="bo@example.com")
    here, there = _signed_in(ada), _signed_in(bo)
    end_sessions(actor=actor_for(ada), user_id=ada.pk, at=AT)
    assert not _is_signed_in(here)
    assert _is_signed_in(there)
    with pytest.raises(PermissionRefused):
        end_sessions(actor=actor_for(ada), user_id=bo.pk, at=AT)
    assert _is_signed_in(there)


def test_a_new_password_set_by_an_administrator_ends_the_sessions(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    user = _user(RoleName.RISK_OFFICER)
    client = _signed_in(user)
    set_password(actor=_administrator(), user_id=user.pk, password="another long phrase", at=AT, reason="by phone")
    user.refresh_from_db()
    assert user.check_password("another long phrase")
    assert not _is_signed_in(client)
    assert _audited(user) == ["access.create_user", "access.set_password"]


def test_a_lost_device_is_forgotten_with_its_codes_and_sessions_and_the_log_says_why(settings: Settings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    user, other = _user(RoleName.RISK_OFFICER), _user(RoleName.TREASURY, email="bo@example.com")
    for owner in (user, other):
        TOTP.activate(owner, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    client = _signed_in(user)
    assert _is_signed_in(client)
    with pytest.raises(ReasonNeeded):
        reset_second_factor(actor=_administrator(), user_id=user.pk, at=AT, reason=" ")
    assert not needs_second_factor(user)

    forgotten = reset_second_factor(
        actor=system_actor("cli"), user_id=user.pk, at=AT, reason="seen in person, passport shown"
    )
    assert forgotten == 2
    assert needs_second_factor(user)
    assert not needs_second_factor(other)
    assert not _is_signed_in(client)
    entry = Entry.objects.get(action="access.reset_second_factor")
    assert (entry.subject, entry.reason) == (f"user:{user.pk}", "seen in person, passport shown")


def test_without_the_right_nobody_is_changed() -> None:
    user = _user(RoleName.TREASURY)
    officer = actor_for(_user(RoleName.RISK_OFFICER, email="bo@example.com"))
    with pytest.raises(PermissionRefused):
        reset_second_factor(actor=officer, user_id=user.pk, at=AT, reason="please")
    with pytest.raises(PermissionRefused):
        set_roles(actor=officer, user_id=user.pk, roles=[], at=AT, reason="")
    with pytest.raises(PermissionRefused):
        set_password(actor=officer, user_id=user.pk, password="another long phrase", at=AT, reason="")
    assert _audited(user) == ["access.create_user"]


def test_a_person_who_does_not_exist_is_a_refusal() -> None:
    with pytest.raises(UnknownUser):
        end_sessions(actor=SYSTEM, user_id=999, at=AT)


def test_the_list_of_people_tells_roles_and_second_factors() -> None:
    user = _user(RoleName.TREASURY, RoleName.RISK_OFFICER)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    _user(email="bo@example.com")
    ada, bo = list_people()
    assert (ada.email, set(ada.roles), ada.has_second_factor) == (
        "ada@example.com",
        {RoleName.RISK_OFFICER, RoleName.TREASURY},
        True,
    )
    assert (bo.roles, bo.has_second_factor, bo.last_seen_at) == ((), False, None)
    assert find_user_id("ADA@example.com ") == user.pk
    assert find_user_id("eve@example.com") is None
