"""Sign-ins, lockouts and changes of passwords and second factors, written to the audit log.

The libraries tell of these by Django signals alone; this is the one place that listens to any. A wrong password is
counted by axes; only the lockout that follows is audited, so that nobody can fill the log from outside.
"""

from functools import partial

from allauth.account.authentication import get_authentication_records
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.utils import timezone

from reefpoint.platform.access.adapters.sign_in import client_address
from reefpoint.platform.access.models import User
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor

OWN_ACTIONS = (
    (user_logged_in, "access.sign_in"),
    (user_logged_out, "access.sign_out"),
    (password_changed, "access.change_own_password"),
    (password_set, "access.set_own_password"),
    (password_reset, "access.reset_own_password"),
    (authenticator_added, "access.add_factor"),
    (authenticator_removed, "access.remove_factor"),
    (authenticator_reset, "access.renew_recovery_codes"),
)


def listen() -> None:
    """Start writing; called once, when the program starts."""
    for signal, action in OWN_ACTIONS:
        signal.connect(partial(_write_own, action), weak=False, dispatch_uid=action)
    user_locked_out.connect(_write_lockout, dispatch_uid="access.lock_out")


def _write_own(
    action: str, *, user: User | None, request: HttpRequest, authenticator: Authenticator | None = None, **_: object
) -> None:
    if user is None:  # a sign-out of nobody
        return
    inputs: dict[str, object] = {"address": client_address(request)}
    if action == "access.sign_in":
        inputs["means"] = [
            str(means.get("type", means["method"])) for means in get_authentication_records(request, user)
        ]
    if authenticator is not None:
        inputs["factor"] = str(authenticator.type)
    actor = Actor(ref=f"user:{user.pk}", name=user.name, user_id=user.pk)
    record(actor=actor, action=action, subject=actor.ref, inputs=inputs, at=timezone.now())


def _write_lockout(*, request: HttpRequest, username: str, **_: object) -> None:
    user_id = User.objects.filter(email=username).values_list("id", flat=True).first()
    record(
        actor=system_actor("sign-in"),
        action="access.lock_out",
        subject=f"user:{user_id}" if user_id else "user:unknown",
        inputs={"address": client_address(request), "email": username[:254]},
        at=timezone.now(),
    )
