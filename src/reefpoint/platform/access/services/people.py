"""People and their rights."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Role, User
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal


class PermissionRefused(Refusal):
    """The actor does not hold the right for this."""

    code = "permission_refused"


class EmailTaken(Refusal):
    """Somebody already signs in with this e-mail address."""

    code = "email_taken"


def require(actor: Actor, permission: str) -> None:
    """Raise `PermissionRefused` unless the actor holds `permission`; parts of the system hold every one."""
    if not rules.holds(actor.permissions, permission):
        raise PermissionRefused(
            f"{actor.name} may not do this: it needs the right {permission}. Ask an administrator.",
            permission=permission,
        )


def actor_for(user: User) -> Actor:
    """The actor for a person, with the rights that their roles hold at this moment; none if deactivated."""
    roles = {RoleName(name) for name in user.roles.values_list("name", flat=True)} if user.is_active else set()
    return Actor(
        ref=f"user:{user.pk}",
        name=user.name,
        permissions=rules.permissions_of(roles),
        user_id=user.pk,
        sees_all_clients=rules.sees_all_clients(roles),
    )


def ensure_roles() -> None:
    """Have a row for every role the desk knows. Idempotent."""
    Role.objects.bulk_create([Role(name=role.value) for role in RoleName], ignore_conflicts=True)


@transaction.atomic
def create_user(
    *,
    actor: Actor,
    email: str,
    name: str,
    password: str | None,
    roles: Collection[RoleName | str],
    at: datetime,
    language: str = "en",
) -> int:
    """Let a person sign in, with these roles. Returns the user id.

    Without a password the person can enter only by a reset link. Raises `EmailTaken`.
    """
    require(actor, "access.manage")
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise EmailTaken(f"{address} already belongs to somebody. Use another address.", email=address)
    ensure_roles()
    user = User(email=address, name=name, language=language, joined_at=at)
    user.set_password(password)
    user.save()
    user.roles.set(Role.objects.filter(name__in=[RoleName(role).value for role in roles]))
    return user.pk
