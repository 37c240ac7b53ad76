"""Today: what needs this person now, and the few figures of their work."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from reefpoint.decisions.margin.selectors.pages import get_bands
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.console.today import todo_for
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.web.people import actor_of, page


def door(request: HttpRequest) -> HttpResponse:
    """The first page: Today for people of the desk, the portal for its clients."""
    actor = actor_of(request)
    if actor is not None and "portal.apply" in actor.permissions and "operations.view" not in actor.permissions:
        return redirect("portal:home")
    return today(request)


@page("operations.view")
def today(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The first page of every role."""
    context = {
        "todo": todo_for(actor),
        "now": desk_now(),
        "bands": get_bands(actor) if "margin.view" in actor.permissions else (),
        "live": live_for(actor, "margin", "sales", "prices", "approvals", "day"),
    }
    return render(request, "console/today.html", context)
