"""Long work that was asked for: the list, one run with its progress and result, and its rows as CSV."""

from itertools import chain

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.runs.rules import csv_lines
from reefpoint.platform.runs.selectors import find_runs, get_run
from reefpoint.platform.runs.services import get_kind
from reefpoint.platform.runs.types import RunState
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.streams import csv_answer
from reefpoint.surfaces.web.tables import Choice, Column, Table
from reefpoint.surfaces.web.templatetags.figures import state_word

RUNS = Table(
    key="runs",
    columns=(
        Column("id", _("Run"), "code", link=lambda row: reverse("console:run", args=[row.id]), is_sortable=False),
        Column("kind", _("What"), "custom", template="console/cells/run_kind.html", is_sortable=False),
        Column("state", _("State"), "state", is_sortable=False),
        Column("rows_count", _("Rows"), "custom", template="console/cells/run_progress.html", is_sortable=False),
        Column("asked_at", _("Asked for"), "instant", is_sortable=False),
        Column("asked_by_name", _("By"), is_sortable=False, is_wide_only=True),
    ),
    sort="-id",
    choices=(Choice("state", _("State"), tuple((state.value, state_word(state.value)) for state in RunState)),),
    empty=_("No run was asked for yet"),
    empty_help=_("What a policy or a price grid would change is worked out as a run when there is much to look at."),
    row_id=lambda row: f"run-{row.id}",
)


@page("operations.view")
def runs(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Runs, the newest first."""
    wanted = RUNS.read(request.GET)
    found = find_runs(actor, state=wanted.chosen["state"], offset=wanted.offset, limit=wanted.limit)
    return RUNS.answer(request, wanted, found, "console/runs.html", {})


@page("operations.view")
def run(request: HttpRequest, actor: Actor, run_id: int) -> HttpResponse:
    """One run: how far it is, or what came of it."""
    return render(request, "console/run.html", {"run": get_run(actor, run_id)})


@page("operations.view")
def run_part(request: HttpRequest, actor: Actor, run_id: int) -> HttpResponse:
    """The part of a page that follows a run."""
    return render(request, "console/run_part.html", {"run": get_run(actor, run_id)})


@page("operations.view")
def run_rows(request: HttpRequest, actor: Actor, run_id: int) -> HttpResponse:
    """The rows of a run as CSV."""
    found = get_run(actor, run_id)
    lines = csv_lines(get_kind(found.kind).columns, found.rows)
    return csv_answer(chain(["\ufeff"], lines), f"run-{run_id}.csv")
