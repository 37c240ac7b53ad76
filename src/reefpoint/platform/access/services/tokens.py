"""Keys for programs: issued by a signed-in person for themselves, ended by them or by an administrator."""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Token, User
from reefpoint.platform.access.services.people import actor_for, require
from reefpoint.platform.access.types import IssuedToken
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal

PREFIX = "rpt_"
HINT_LENGTH = 8


class TokenMalformed(Refusal):
    """A key that cannot be issued so."""

    code = "token_malformed"


class TokenNotFound(NotFound):
    """No such key, or not this person's."""

    code = "token_not_found"


@transaction.atomic
def issue_token(*, actor: Actor, name: str, rights: Collection[str] | None, days: int, at: datetime) -> IssuedToken:
    """Make a key for `days` days that acts for the actor, with all their rights a key can carry or only `rights`.

    Its text is in the answer and nowhere else. Raises `TokenMalformed`.
    """
    if actor.user_id is None:
        raise TokenMalformed("Only a person has keys.")
    User.objects.select_for_update().get(id=actor.user_id)
    carried = rules.token_rights(actor.permissions, None)
    if not name.strip():
        raise TokenMalformed("Give the key a name that says which program uses it.")
    if not 1 <= days <= rules.TOKEN_DAYS_MAX:
        raise TokenMalformed("A key lasts from 1 to {token_days_max} days.", token_days_max=rules.TOKEN_DAYS_MAX)
    if rights is not None and not carried.issuperset(rights):
        raise TokenMalformed("A key cannot carry a right that its person lacks, or one that needs the person.")
    if Token.objects.filter(user_id=actor.user_id, revoked_at=None, expires_at__gt=at).count() >= rules.TOKENS_MAX:
        raise TokenMalformed(
            "There are {tokens_max} keys in force already. End one first.", tokens_max=rules.TOKENS_MAX
        )
    text = PREFIX + secrets.token_urlsafe(32)
    token = Token.objects.create(
        user_id=actor.user_id,
        name=name.strip()[:80],
        digest=_digest(text),
        hint=text[:HINT_LENGTH],
        rights=None if rights is None else sorted(rights),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    inputs = {"name": token.name, "rights": token.rights, "expires_at": token.expires_at.isoformat()}
    record(actor=actor, action="access.issue_token", subject=f"token:{token.pk}", inputs=inputs, at=at)
    return IssuedToken(token.pk, text, token.expires_at)


@transaction.atomic
def revoke_token(*, actor: Actor, token_id: int, at: datetime) -> None:
    """End a key from this moment on: one's own, or as an administrator. Ending it twice changes nothing."""
    token = Token.objects.select_for_update().filter(id=token_id).first()
    if token is not None and token.user_id != actor.user_id:
        require(actor, "access.manage")
    if token is None:
        raise TokenNotFound("There is no such key.")
    if token.revoked_at is not None:
        return
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    record(actor=actor, action="access.revoke_token", subject=f"token:{token_id}", at=at)


def find_actor_for_token(text: str, at: datetime) -> Actor | None:
    """Who calls with this key, with the rights that person and key hold at this moment; None if it is not in force."""
    token = (
        Token.objects.select_related("user").filter(digest=_digest(text), revoked_at=None, expires_at__gt=at).first()
    )
    if token is None or not token.user.is_active:
        return None
    if token.last_used_on != at.date():
        Token.objects.filter(id=token.pk).update(last_used_on=at.date())
    person = actor_for(token.user)
    return replace(person, permissions=rules.token_rights(person.permissions, token.rights))


def _digest(text: str) -> str:
    """A plain hash is enough for 256 random bits: there is nothing to guess from."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
