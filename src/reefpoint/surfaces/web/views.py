"""The reader's own choices, and the part of the frame that a live page refreshes."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.web.people import page

THEME_COOKIE = "reefpoint_theme"
THEMES = ("auto", "light", "dark")
YEAR_SECONDS = 365 * 24 * 3600


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember light, dark or the device's own theme, and go back to where the reader was."""
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = "/"
    response = HttpResponseRedirect(target)
    theme = request.POST.get("theme", "auto")
    if theme in THEMES:
        response.set_cookie(
            THEME_COOKIE, theme, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
        )
    return response


@page("operations.view")
def desk(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The top bar's glance at the desk, for a page that is live."""
    return render(request, "web/desk_bar.html", {"live": True})
