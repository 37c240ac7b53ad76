"""Business days: how each ended, step by step, and its figures."""

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from reefpoint.flows.operations.selectors.day_runs import find_day_run, list_day_runs
from reefpoint.insight.performance.selectors import list_days
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.web.people import page

DAYS_SHOWN = 250


@page("operations.view")
def day_runs(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The days, newest first, with the figures of those that are closed."""
    runs = list_day_runs(limit=DAYS_SHOWN)
    figures = list_days() if "performance.view" in actor.permissions else []
    by_day = {day.on: day for day in figures}
    chart = {
        "fromZero": True,
        "days": [day.on.isoformat() for day in figures],
        "series": [
            {"name": _("Debt"), "token": "text", "values": [day.debt_minor / 100 for day in figures]},
            {"name": _("Assets"), "token": "accent", "values": [day.assets_minor / 100 for day in figures]},
        ],
    }
    context = {
        "days": [(run, by_day.get(run.on)) for run in runs],
        "chart": chart if figures else None,
        "live": live_for(actor, "day"),
    }
    return render(request, "console/day_runs.html", context)


@page("operations.view")
def day_run(request: HttpRequest, actor: Actor, on: date) -> HttpResponse:
    """One day's end: what each step did and how long it took."""
    run = find_day_run(on)
    if run is None:
        raise NotFound(_("No day run of this date is on record."))
    may_see = "performance.view" in actor.permissions
    figures = next(iter(list_days(on, on)), None) if may_see else None
    context = {"run": run, "figures": figures, "live": live_for(actor, "day")}
    return render(request, "console/day_run.html", context)
