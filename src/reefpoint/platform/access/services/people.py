"""People and their rights."""

from collections.abc import Collection, Mapping
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Role, User
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal


class PermissionRefused(Refusal):
    """The actor does not hold the right for this."""

    code = "permission_refused"


class EmailTaken(Refusal):
    """Somebody already signs in with this e-mail address."""

    code = "email_taken"


class WeakPassword(Refusal):
    """The password is too easy to guess."""

    code = "weak_password"


class UnknownUser(Refusal):
    """There is no such person."""

    code = "unknown_user"


class OwnAccess(Refusal):
    """Somebody tried to change what they themselves may do."""

    code = "own_access"


class ReasonNeeded(Refusal):
    """This must say why."""

    code = "reason_needed"


def require(actor: Actor, permission: str) -> None:
    """Raise `PermissionRefused` unless the actor holds `permission`; parts of the system hold every one."""
    if not rules.holds(actor.permissions, permission):
        raise PermissionRefused(
            "{name} may not do this: it needs the right {permission}. Ask an administrator.",
            permission=permission,
            name=actor.name,
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


def find_actor(email: str) -> Actor:
    """The actor for the person who signs in with this address. Raises `UnknownUser`."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        raise UnknownUser("Nobody signs in with this address.")
    return actor_for(user)


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
    language: str = "",
) -> int:
    """Let a person sign in, with these roles. Returns the user id.

    Without a password the person enters through a reset link; without a language they read their browser's. The
    address counts as verified: the administrator vouches for it. Raises `EmailTaken`, `WeakPassword`.
    """
    require(actor, "access.manage")
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise EmailTaken("{email} already belongs to somebody. Use another address.", email=address)
    user = User(email=address, name=name, language=language, joined_at=at)
    if password is not None:
        _check_password(password, user)
    user.set_password(password)
    user.save()
    EmailAddress.objects.create(user=user, email=address, primary=True, verified=True)
    names = _assign_roles(user, roles)
    _record(actor, user.pk, "access.create_user", at, inputs={"email": address, "roles": names})
    return user.pk


@transaction.atomic
def sign_up_client(*, actor: Actor, email: str, name: str, password: str, at: datetime, language: str = "") -> int:
    """Let somebody from outside use the portal, and nothing else. Returns the user id.

    The address is not verified by this: the sign-in library asks for that before it lets them in. Raises `EmailTaken`,
    `WeakPassword`.
    """
    require(actor, "access.manage")
    address = email.strip().lower()
    if User.objects.filter(email=address).exists():
        raise EmailTaken("This address already belongs to somebody. Use another address.")
    user = User(email=address, name=name, language=language, joined_at=at)
    _check_password(password, user)
    user.set_password(password)
    user.save()
    names = _assign_roles(user, [RoleName.CLIENT])
    _record(actor, user.pk, "access.sign_up", at, inputs={"roles": names})
    return user.pk


@transaction.atomic
def set_roles(*, actor: Actor, user_id: int, roles: Collection[RoleName | str], at: datetime, reason: str) -> None:
    """Give a person these roles and no others, from their next request on. Nobody changes their own."""
    require(actor, "access.manage")
    user = _lock(user_id)
    if actor.user_id == user_id:
        raise OwnAccess("Nobody changes their own roles: another administrator must.", user_id=user_id)
    before = sorted(user.roles.values_list("name", flat=True))
    names = _assign_roles(user, roles)
    _record(actor, user_id, "access.set_roles", at, reason, inputs={"before": before, "after": names})


@transaction.atomic
def set_active(*, actor: Actor, user_id: int, is_active: bool, at: datetime, reason: str) -> None:
    """Shut a person out, every session of theirs included, or let them in again. Nobody does it to themselves."""
    require(actor, "access.manage")
    user = _lock(user_id)
    if actor.user_id == user_id:
        raise OwnAccess("Nobody opens or closes their own access: another administrator must.", user_id=user_id)
    user.is_active = is_active
    user.sessions_epoch += 1
    user.save(update_fields=["is_active", "sessions_epoch"])
    _record(actor, user_id, "access.set_active", at, reason, inputs={"is_active": is_active})


@transaction.atomic
def set_password(*, actor: Actor, user_id: int, password: str, at: datetime, reason: str) -> None:
    """Replace a person's password, for whoever cannot receive a reset link; ends their sessions. `WeakPassword`."""
    require(actor, "access.manage")
    user = _lock(user_id)
    _check_password(password, user)
    user.set_password(password)
    user.sessions_epoch += 1
    user.save(update_fields=["password", "sessions_epoch"])
    _record(actor, user_id, "access.set_password", at, reason)


@transaction.atomic
def reset_second_factor(*, actor: Actor, user_id: int, at: datetime, reason: str) -> int:
    """Forget a person's authenticator app, passkeys and recovery codes, and end their sessions. Returns how many.

    For a lost device, after the person was recognised by other means; `reason` says how.
    """
    require(actor, "access.manage")
    if not reason.strip():
        raise ReasonNeeded("Say how you made sure that it is them: it goes into the audit log.")
    user = _lock(user_id)
    forgotten: int = Authenticator.objects.filter(user=user).delete()[0]
    user.sessions_epoch += 1
    user.save(update_fields=["sessions_epoch"])
    _record(actor, user_id, "access.reset_second_factor", at, reason, inputs={"forgotten": forgotten})
    return forgotten


@transaction.atomic
def end_sessions(*, actor: Actor, user_id: int, at: datetime, reason: str = "") -> None:
    """Sign a person out everywhere: themselves, or by an administrator."""
    if actor.user_id != user_id:
        require(actor, "access.manage")
    user = _lock(user_id)
    user.sessions_epoch += 1
    user.save(update_fields=["sessions_epoch"])
    _record(actor, user_id, "access.end_sessions", at, reason)


@transaction.atomic
def erase_person(*, actor: Actor, user_id: int, at: datetime) -> None:
    """Erase who a client's sign-in belonged to: nobody signs in with it again. Again, it changes nothing."""
    require(actor, "clients.erase")
    user = _lock(user_id)
    email = f"user-{user_id}@erased.invalid"
    if user.email == email:
        return
    user.email, user.name, user.is_active = email, "Erased", False
    user.set_unusable_password()
    user.sessions_epoch += 1
    user.save()
    EmailAddress.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    _record(actor, user_id, "access.erase_person", at)


def _lock(user_id: int) -> User:
    user = User.objects.select_for_update().filter(id=user_id).first()
    if user is None:
        raise UnknownUser("There is no such person.", user_id=user_id)
    return user


def _assign_roles(user: User, roles: Collection[RoleName | str]) -> list[str]:
    names = sorted({RoleName(role).value for role in roles})
    ensure_roles()
    user.roles.set(Role.objects.filter(name__in=names))
    return names


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as problem:
        raise WeakPassword("{problems}", problems=" ".join(problem.messages)) from problem


def _record(
    actor: Actor,
    user_id: int,
    action: str,
    at: datetime,
    reason: str = "",
    *,
    inputs: Mapping[str, object] | None = None,
) -> None:
    record(actor=actor, action=action, subject=f"user:{user_id}", reason=reason, inputs=inputs or {}, at=at)
