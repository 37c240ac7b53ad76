"""Who is looking: the actor of a request, the right that a page asks for, and refusals as pages in words."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reefpoint.platform.access.selectors import list_people
from reefpoint.platform.access.services import PermissionRefused, actor_for, require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal

P = ParamSpec("P")
ActorView = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def actor_of(request: HttpRequest) -> Actor | None:
    """The signed-in person as an actor, read once a request; None for a stranger."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    actor: Actor | None = getattr(request, "reefpoint_actor", None)
    if actor is None:
        actor = actor_for(user)
        request.reefpoint_actor = actor  # type: ignore[attr-defined]
    return actor


def page(permission: str) -> Callable[[ActorView[P]], View[P]]:
    """Give a view its actor, once the person is signed in and holds `permission`.

    A stranger is sent to sign in; a refusal becomes a page in words. No answer of such a page may be cached.
    """

    def decorate(view: ActorView[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            actor = actor_of(request)
            if actor is None:
                return redirect_to_login(request.get_full_path())
            try:
                require(actor, permission)
                response = view(request, actor, *args, **kwargs)
            except Refusal as refusal:
                response = refusal_page(request, refusal)
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        guarded.permission = permission  # type: ignore[attr-defined]
        return guarded

    return decorate


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal: 403 without the right, 404 for what is not theirs to see, else 409."""
    if isinstance(refusal, PermissionRefused):
        return 403
    return 404 if refusal.code.endswith(NotFound.code) else 409


def refusal_page(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal as a page that says what was wrong: 403, 404 or 409."""
    status = status_of(refusal)
    template = {403: "403.html", 404: "404.html"}.get(status, "web/refused.html")
    return render(request, template, {"refusal": refusal}, status=status)


def people_names() -> dict[str, str]:
    """The names of people by the reference under which records hold them (`user:17`)."""
    return {f"user:{person.id}": person.name for person in list_people()}
