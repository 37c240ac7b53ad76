"""What every request and answer passes: what browsers may keep and use, and the second factor of staff."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation import gettext as _

from reefpoint.platform.access.selectors import needs_second_factor

PERMISSIONS_POLICY = (
    "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
    "microphone=(), midi=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"
)
OPEN_PREFIXES = ("/accounts/", "/static/", "/language/", "/theme/")
"""Where somebody without a second factor may go: to get one, or to leave."""

PROGRAM_PREFIX = "/api/"
"""Where programs call: they are told in their own form, not sent to a page."""


class AnswerHeadersMiddleware(MiddlewareMixin):
    """Tell browsers to keep no page and which of their features no page uses; an answer may say otherwise."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer with the headers on it."""
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class SecondFactorMiddleware(MiddlewareMixin):
    """Send staff who have no second factor to get one, before anything else (REEFPOINT_REQUIRE_SECOND_FACTOR)."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """The way to enrolment, or nothing if this person may go on."""
        if not settings.REQUIRE_SECOND_FACTOR or request.path.startswith(OPEN_PREFIXES):
            return None
        if not request.user.is_authenticated or not needs_second_factor(request.user):
            return None
        if request.path.startswith(PROGRAM_PREFIX):
            detail = "The desk requires a second factor. Add one on its pages first."
            return JsonResponse(
                {
                    "type": "about:blank",
                    "title": "Not permitted",
                    "status": 403,
                    "code": "second_factor",
                    "detail": detail,
                },
                status=403,
                content_type="application/problem+json",
            )
        messages.warning(request, _("Add a passkey or an authenticator app first: the desk requires a second factor."))
        return HttpResponseRedirect(reverse("mfa_index"))
