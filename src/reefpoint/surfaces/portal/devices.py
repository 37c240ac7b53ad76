"""The browser a client uses, known by a random number that the portal put there, and by nothing else.

No trait of the browser or the machine is read: a cleared cookie is a new device.
"""

import re
import secrets

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from reefpoint.decisions.monitoring.services.sign_ins import note_sign_in
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor

DEVICE_COOKIE = "reefpoint_device"
YEAR_SECONDS = 365 * 24 * 3600
NOTED = "device_noted"
"""In the session: this sign-in was noted."""
_NUMBER = re.compile(r"[0-9a-f]{64}")


def device_of(request: HttpRequest) -> str:
    """The number of this browser, a new one if it has none of ours; the same for the whole request."""
    found: str = getattr(request, "reefpoint_device", "") or request.COOKIES.get(DEVICE_COOKIE, "")
    if not _NUMBER.fullmatch(found):
        found = secrets.token_hex(32)
    request.reefpoint_device = found  # type: ignore[attr-defined]
    return found


def note_device(request: HttpRequest, actor: Actor) -> None:
    """Note the sign-in, once a session, as soon as there is a client to note it of."""
    if NOTED not in request.session and note_sign_in(actor=actor, device=device_of(request), at=desk_now()):
        request.session[NOTED] = True


def keep_device(request: HttpRequest, response: HttpResponse) -> None:
    """Put the number into a browser that has none; only the portal's own pages are sent it."""
    if request.COOKIES.get(DEVICE_COOKIE) != device_of(request):
        response.set_cookie(
            DEVICE_COOKIE,
            device_of(request),
            max_age=YEAR_SECONDS,
            path=reverse("portal:home"),
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
