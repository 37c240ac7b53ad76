"""Proof, just before a signature, of who signs: the password, and an authenticator code or a fresh passkey."""

import hashlib
import time

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.base.internal.flows import check_rate_limit, post_authentication
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.records.contracts.rules import AUTHENTICATION_SECONDS_MAX
from reefpoint.records.contracts.types import Authentication
from reefpoint.surfaces.web.limits import address_of

Words = str | Promise


def second_factors(request: HttpRequest, back: str) -> dict[str, object]:
    """What this person can show beside the password: an authenticator code, a passkey, one shown just now.

    `back` is the page to which showing a passkey leads: the form's own address may take nothing but its sending.
    """
    held = set(Authenticator.objects.filter(user_id=request.user.pk).values_list("type", flat=True))
    return {
        "code": Authenticator.Type.TOTP in held,
        "passkey": Authenticator.Type.WEBAUTHN in held,
        "fresh_passkey": _has_fresh_passkey(request),
        "back": back,
    }


def prove(request: HttpRequest) -> tuple[Authentication | None, dict[str, Words]]:
    """The proof from a form's `password` and `code`, or what is wrong by field. Wrong tries count towards the lockout.

    A passkey that was shown in this session in the last minutes stands in for the code.
    """
    errors: dict[str, Words] = {}
    password, code = request.POST.get("password", ""), request.POST.get("code", "").strip()
    if not password:
        errors["password"] = _("Type your password.")
    factor = "passkey" if _has_fresh_passkey(request) else "totp"
    if factor == "totp" and not code:
        errors["code"] = _("Type the code of your authenticator app.")
    if errors:
        return None, errors
    try:
        if not get_adapter(request).reauthenticate(request.user, password):
            return None, {"password": _("This is not your password.")}
        if factor == "totp" and not _is_code(request, code):
            return None, {"code": _("This is not the current code. Wait for the next one, then try again.")}
    except ValidationError as refused:
        return None, {"code": " ".join(refused.messages)}
    reauthenticate_by_password(request)
    key = (request.session.session_key or "").encode()
    return Authentication(
        methods=("password", factor),
        at=desk_now(),
        address=address_of(request),
        session_hash=hashlib.sha256(key).hexdigest()[:32],
    ), {}


def _is_code(request: HttpRequest, code: str) -> bool:
    clear = check_rate_limit(request.user)
    for one in Authenticator.objects.filter(user_id=request.user.pk, type=Authenticator.Type.TOTP):
        if one.wrap().validate_code(code):
            clear()
            post_authentication(request, one, reauthenticated=True)
            return True
    return False


def _has_fresh_passkey(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return any(
        one.get("type") == Authenticator.Type.WEBAUTHN
        and one.get("reauthenticated")
        and 0 <= time.time() - one["at"] < AUTHENTICATION_SECONDS_MAX
        for one in records
    )
