"""People: who exists, what their roles permit, and whose clients they see."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Role, User
from reefpoint.platform.access.services import (
    EmailTaken,
    PermissionRefused,
    actor_for,
    create_user,
    ensure_roles,
    require,
)
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor, system_actor

AT = datetime(2020, 3, 9, 13, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def _user(*roles: RoleName, email: str = "ada@example.com") -> User:
    user_id = create_user(
        actor=system_actor("tests"), email=email, name="Ada", password="a long passphrase", roles=roles, at=AT
    )
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
