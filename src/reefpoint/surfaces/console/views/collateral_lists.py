"""Lists of accepted names: every version, and the editor of the next one, row by row or from a file."""

import csv
import io
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reefpoint.decisions.collateral.selectors.house import LISTS, PUBLISH, compare_list_versions, read_lists
from reefpoint.decisions.collateral.types import Listed, ListMove
from reefpoint.decisions.margin.selectors.house_preview import preview_lists
from reefpoint.decisions.margin.services.collateral import draft_and_request
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.platform.imports.rules import GUARD, guarded
from reefpoint.platform.publications.selectors import in_force, list_versions
from reefpoint.platform.publications.services import NotPublishable
from reefpoint.records.market.selectors import list_instruments
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Column, Table

REASON_CHARACTERS_MAX = 500
ROWS_MAX = 200
"""Rows that the page edits; a longer list is changed by file."""
FILE_BYTES_MAX = 2_000_000
COLUMNS = ("symbol", "since", "until", "note")


MOVE_WORDS = {
    ListMove.CAME: pgettext_lazy("list", "Came"),
    ListMove.WENT: pgettext_lazy("list", "Went"),
    ListMove.CHANGED: pgettext_lazy("list", "Days or note changed"),
    ListMove.HAIRCUT: pgettext_lazy("list", "Haircut changed"),
}


@dataclass
class ListForm:
    """The names of one tier as typed, and what is wrong by field: `symbol-3`, `since-3`, `file`, ..."""

    tier: str
    rows: list[dict[str, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def lines(self) -> list[tuple[int, list[tuple[str, str, str, str]]]]:
        """Each row with its cells: column, field, text, what is wrong."""
        return [
            (
                index,
                [
                    (column, f"{column}-{index}", row[column], self.errors.get(f"{column}-{index}", ""))
                    for column in COLUMNS
                ],
            )
            for index, row in enumerate(self.rows)
        ]

    @property
    def is_long(self) -> bool:
        return len(self.rows) > ROWS_MAX

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every problem with the field that it stands beside."""
        return [(problem, name) for name, problem in self.errors.items()]


@page("collateral.view")
def lists(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The lists of accepted names, version by version, and the editor of the next one."""
    at = desk_now()
    on = at.date()
    versions, valid = list_versions(LISTS), in_force(LISTS, on)
    chosen = request.GET.get("version", "")
    version = next((one for one in versions if str(one.version) == chosen), valid)
    shown = read_lists(version.id) if version.state == "published" else ()
    step = request.POST.get("step", "check") if request.method == "POST" else ""
    context: dict[str, Any] = {}
    if step:
        require(actor, PUBLISH)
        form = _read(request, step)
        if step == "save":
            return _download(form)
        content = _content(form, on)
        _prove(form, content)
        if step == "publish" and not form.errors:
            approval_id = _ask(request, actor, form, content, at)
            if approval_id is not None:
                messages.success(request, _now("Drafted. A second person decides whether it is published."))
                return redirect("console:approval", approval_id=approval_id)
        if step == "preview" and not form.errors:
            context["house_preview"] = preview_lists(content, on, at=at)
    else:
        tier = request.GET.get("tier", "")
        edited = next((one for one in shown if one.tier == tier), None)
        form = ListForm(tier, [_row(one) for one in (edited.names if edited else ())] or [dict.fromkeys(COLUMNS, "")])
    context |= {
        "versions": versions,
        "version": version,
        "valid": valid,
        "shown": [(one.tier, [(line, line.holds(on)) for line in one.names]) for one in shown],
        "form": form,
        "is_proved": bool(step),
        "symbols": [one.symbol for one in list_instruments()],
        "may_draft": holds(actor.permissions, PUBLISH),
        "given": request.POST,
        "names": people_names(),
        "on": on,
    }
    status = 422 if form.errors and step in {"publish", "load"} else 200
    return render(request, "console/collateral_lists.html", context, status=status)


@dataclass(frozen=True)
class DifferenceRow:
    """A name that two versions treat differently, as the table prints it."""

    symbol: str
    tier: str
    move: str
    before: str
    after: str
    haircut_before_bp: int | None
    haircut_after_bp: int | None


DIFFERENCES = Table(
    key="list-differences",
    columns=(
        Column("symbol", _("Name"), "code"),
        Column("tier", _("Tier")),
        Column("move", _("What changed")),
        Column("before", pgettext_lazy("change", "Before")),
        Column("after", pgettext_lazy("change", "After")),
        Column("haircut_before_bp", _("Haircut before"), "percent"),
        Column("haircut_after_bp", _("Haircut after"), "percent"),
    ),
    sort="symbol",
    search=_("Symbol or tier"),
    empty=_("Nothing differs"),
    empty_help=_("Both versions accept the same names from the same days, under the same haircuts."),
    row_id=lambda row: f"difference-{row.tier}-{row.symbol}",
)


@page("collateral.view")
def compare(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Two published versions of the lists beside each other: which names came, went or changed."""
    versions = [one for one in list_versions(LISTS) if one.state == "published"]
    numbers = [one.version for one in versions]
    after = _number(request.GET.get("after", ""), numbers, max(numbers))
    earlier = [number for number in numbers if number < after] or [after]
    before = _number(request.GET.get("before", ""), numbers, max(earlier))
    rows = [
        DifferenceRow(
            one.symbol,
            one.tier or _now("The whole desk"),
            str(MOVE_WORDS[one.move]),
            _days(one.before),
            _days(one.after),
            one.haircut_before_bp,
            one.haircut_after_bp,
        )
        for one in compare_list_versions(before, after)
    ]
    wanted = DIFFERENCES.read(request.GET)
    context = {
        "versions": versions,
        "before": before,
        "after": after,
        "kept": [("before", before), ("after", after)],
    }
    return DIFFERENCES.answer(
        request, wanted, DIFFERENCES.find_in(rows, wanted), "console/collateral_lists_compare.html", context
    )


def _number(text: str, known: list[int], otherwise: int) -> int:
    return next((one for one in known if str(one) == text), otherwise)


def _days(lines: tuple[Listed, ...]) -> str:
    """The days of a name on a list, with its notes."""
    return "; ".join(
        f"{one.since} – {one.until or ''}".rstrip() + (f" · {one.note}" if one.note else "") for one in lines
    )


def _row(one: Listed) -> dict[str, str]:
    until = one.until.isoformat() if one.until else ""
    return {"symbol": one.symbol, "since": one.since.isoformat(), "until": until, "note": one.note}


def _read(request: HttpRequest, step: str) -> ListForm:
    given = request.POST
    form = ListForm(given.get("tier", "").strip()[:20])
    count = int(given["rows"]) if given.get("rows", "").isdecimal() and len(given["rows"]) < 4 else 0
    form.rows = [
        {column: given.get(f"{column}-{index}", "").strip()[:200] for column in COLUMNS}
        for index in range(min(count, ROWS_MAX))
    ]
    action, _dash, place = step.partition("-")
    if place.isdecimal() and int(place) < len(form.rows):
        if action == "drop":
            form.rows.pop(int(place))
        elif action == "add" and len(form.rows) < ROWS_MAX:
            form.rows.insert(int(place) + 1, {**dict.fromkeys(COLUMNS, ""), "since": form.rows[int(place)]["since"]})
    if (upload := request.FILES.get("file")) is not None and step != "check":
        _load(form, upload.read(FILE_BYTES_MAX + 1))
    elif step == "load":
        form.errors["file"] = _now("Choose a CSV file of at most two megabytes.")
    form.rows = form.rows or [dict.fromkeys(COLUMNS, "")]
    return form


def _load(form: ListForm, content: bytes) -> None:
    """Replace the rows by those of a file with the header symbol,since,until,note."""
    if len(content) > FILE_BYTES_MAX:
        form.errors["file"] = _now("Choose a CSV file of at most two megabytes.")
        return
    try:
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        form.errors["file"] = _now("This is not a CSV file in UTF-8.")
        return
    if not rows or not {"symbol", "since"} <= set(rows[0]):
        form.errors["file"] = _now("The file has a line for each name, under the header symbol,since,until,note.")
        return
    form.rows = [
        {column: (row.get(column) or "").removeprefix(GUARD).strip()[:200] for column in COLUMNS} for row in rows
    ]


def _download(form: ListForm) -> HttpResponse:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([guarded(row[column]) for column in COLUMNS] for row in form.rows if row["symbol"])
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="accepted-names-{form.tier or "desk"}.csv"'
    return response


def _content(form: ListForm, on: date) -> dict[str, Any]:
    """The lists as they would be published; what is wrong with a row is put beside its fields."""
    known = {one.symbol for one in list_instruments()}
    names = []
    for index, row in enumerate(form.rows):
        if not any((row["symbol"], row["until"], row["note"])):
            continue
        if row["symbol"] not in known:
            form.errors[f"symbol-{index}"] = _now("No name %(symbol)s is listed.") % {"symbol": row["symbol"][:20]}
        if find_unsafe(row["note"]):
            form.errors[f"note-{index}"] = _now("It holds characters that cannot be kept.")
        for column in ("since", "until"):
            if (column == "since" or row[column]) and not _is_day(row[column]):
                form.errors[f"{column}-{index}"] = _now("This is not a date.")
        if row["until"] and row["until"] < row["since"]:
            form.errors.setdefault(f"until-{index}", _now("It ends before it begins."))
        names.append({**row, "until": row["until"] or None})
    others = [one for one in in_force(LISTS, on).content["lists"] if one["tier"] != form.tier]
    return {"lists": sorted([*others, {"tier": form.tier, "names": names}], key=lambda one: str(one["tier"]))}


def _prove(form: ListForm, content: dict[str, Any]) -> None:
    """Name the rows of a symbol that is listed twice on one day, or whatever else the lists' own check finds."""
    if form.errors:
        return
    try:
        LISTS.check(content)
    except MalformedTable as error:
        symbol = error.cell.rpartition(", ")[2]
        places = [index for index, row in enumerate(form.rows) if row["symbol"] == symbol]
        if len(places) > 1:
            form.errors[f"symbol-{places[-1]}"] = _now("It is listed twice on the same day.")
        else:
            form.errors["tier"] = said(error)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2020-01-01")


def _ask(request: HttpRequest, actor: Actor, form: ListForm, content: dict[str, Any], at: datetime) -> int | None:
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    if not reason or find_unsafe(reason.replace("\r", "").replace("\n", "")):
        form.errors["reason"] = _now("Say what changes and why: the second person reads it.")
    if not _is_day(request.POST.get("effective_from", "")):
        form.errors["effective_from"] = _now("Say from which day it is in force.")
    if form.errors:
        return None
    effective_from = date.fromisoformat(request.POST["effective_from"])
    try:
        return draft_and_request(
            actor=actor, kind=LISTS, content=content, effective_from=effective_from, reason=reason, at=at
        )
    except NotPublishable as error:
        form.errors["effective_from"] = error.message
    return None
