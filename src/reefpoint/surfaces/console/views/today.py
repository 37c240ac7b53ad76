"""Today: what needs this person now."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.web.people import page


@page("operations.view")
def today(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The first page of every role."""
    return render(request, "console/today.html")
