"""Today: what needs this person now, and the few figures of their work."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reefpoint.decisions.margin.selectors.pages import get_bands
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.console.today import todo_for
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.web.people import page


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
