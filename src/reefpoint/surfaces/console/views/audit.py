"""The audit log: who did what, when and why."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.utils.timezone import make_aware
from django.utils.translation import gettext_lazy as _

from reefpoint.platform.access.selectors import list_audit
from reefpoint.platform.basics.actors import Actor
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.tables import EXPORT_ROWS_MAX, PAGE_ROWS, Column, Table

AUDIT = Table(
    key="audit",
    columns=(
        Column("id", _("No."), "quantity"),
        Column("at", _("Time"), "instant", unit="UTC"),
        Column("actor", _("By")),
        Column("action", _("Action"), "code"),
        Column("subject", _("Subject"), "code"),
        Column("reason", _("Reason"), "told"),
        Column("inputs", _("Inputs")),
    ),
    sort="-id",
    empty=_("Nothing is recorded yet"),
)
FILTERS = ("subject", "actor", "action")


@page("audit.view")
def audit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Entries newest first, narrowed by what the address says."""
    wanted = {key: request.GET[key].strip()[:120] for key in FILTERS if request.GET.get(key, "").strip()}
    since = _since(request.GET.get("since", ""))
    before = request.GET.get("before", "")
    before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    is_export = request.GET.get("format") == "csv"
    limit = EXPORT_ROWS_MAX if is_export else PAGE_ROWS + 1
    entries = list_audit(
        actor,
        subject=wanted.get("subject"),
        by=wanted.get("actor"),
        action=wanted.get("action"),
        since=since,
        before_id=None if is_export else before_id,
        limit=limit,
    )
    if is_export:
        return AUDIT.export(entries)
    context = {
        "entries": entries[:PAGE_ROWS],
        "oldest_id": entries[PAGE_ROWS - 1].id if len(entries) > PAGE_ROWS else None,
        "wanted": wanted,
        "since": request.GET.get("since", "") if since else "",
        "is_filtered": bool(wanted or since),
        "names": people_names(),
    }
    return render(request, "console/audit.html", context)


def _since(text: str) -> datetime | None:
    """The start of a day in UTC, from a date field; None for what is no date."""
    try:
        on = parse_date(text)
    except ValueError:
        return None
    return make_aware(datetime(on.year, on.month, on.day)) if on else None  # noqa: DTZ001 - made aware here
