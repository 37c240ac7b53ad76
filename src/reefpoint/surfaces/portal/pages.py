"""What every page of the portal has in common: who may see it, and how no is said to a client."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.surfaces.portal.devices import keep_device, note_device
from reefpoint.surfaces.web.application_words import refusal_words
from reefpoint.surfaces.web.people import actor_of, status_of

P = ParamSpec("P")
RIGHT = "portal.apply"


def client_page(
    view: Callable[Concatenate[HttpRequest, Actor, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Give a view its client: strangers are sent to sign in, people of the desk are told where they are."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        actor = actor_of(request)
        if actor is None:
            return redirect_to_login(request.get_full_path())
        if RIGHT not in actor.permissions:
            return render(request, "portal/not_a_client.html", status=403)
        try:
            note_device(request, actor)
            response = view(request, actor, *args, **kwargs)
        except Refusal as refusal:
            response = refused(request, refusal)
        keep_device(request, response)
        return response

    guarded.permission = RIGHT  # type: ignore[attr-defined]
    return guarded


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal as a page of the portal; what is not theirs reads like what never was."""
    status = status_of(refusal)
    return render(request, "portal/refused.html", {"words": refusal_words(refusal), "status": status}, status=status)
