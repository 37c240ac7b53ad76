"""Files of rows: handing one in, following it, and getting back what was not taken."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now

from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.imports.rules import FILE_BYTES_MAX, ROWS_MAX, FileRefused
from reefpoint.platform.imports.selectors import get_import, list_bad_rows, list_imports
from reefpoint.platform.imports.services import list_kinds, receive_file, stream_bad_rows
from reefpoint.surfaces.console.origination_words import row_problem_words
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.streams import csv_answer


@page("imports.view")
def imports(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The imports so far, and the form for a new file; a POST hands one in."""
    refusal: FileRefused | None = None
    if request.method == "POST":
        try:
            return _receive(request, actor)
        except FileRefused as problem:
            refusal = problem
    context = {
        "imports": list_imports(actor),
        "kinds": list_kinds(actor),
        "refusal": refusal,
        "rows_max": ROWS_MAX,
        "megabytes_max": FILE_BYTES_MAX // 1_000_000,
    }
    return render(request, "console/imports.html", context, status=422 if refusal else 200)


def _receive(request: HttpRequest, actor: Actor) -> HttpResponse:
    file = request.FILES.get("file")
    if file is None:
        raise FileRefused("empty", _now("Choose a file first."))
    at = desk_now()
    import_id, is_known = receive_file(
        actor=actor,
        kind=request.POST.get("kind", ""),
        file_name=file.name or "",
        pieces=file.chunks(),
        on=get_clock().business_date or at.date(),
        at=at,
    )
    if is_known:
        messages.info(request, _now("This file was handed in before. This is that import; nothing is done twice."))
    return redirect("console:import", import_id=import_id)


@page("imports.view")
def one_import(request: HttpRequest, actor: Actor, import_id: int) -> HttpResponse:
    """How far one import has come, and the first rows that were not taken."""
    context = {"one": get_import(actor, import_id), "bad_rows": list_bad_rows(actor, import_id)}
    return render(request, "console/import.html", context)


@page("imports.view")
def bad_rows(request: HttpRequest, actor: Actor, import_id: int) -> HttpResponse:
    """The rows that were not taken, as CSV with reasons; handing it out is logged."""
    lines = stream_bad_rows(actor, import_id, at=desk_now(), words=row_problem_words)
    return csv_answer(lines, f"import-{import_id}-bad-rows.csv")
