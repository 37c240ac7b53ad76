"""Editing a published table: cells as text, proved at every change, and what the table would change."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.credit import selectors as credit
from reefpoint.decisions.credit.services.previews import POLICY_PREVIEW
from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.pricing import selectors as pricing
from reefpoint.decisions.pricing.services.what_ifs import BOOK_WHAT_IF
from reefpoint.decisions.suitability.selectors import OFFERS
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables import MalformedTable, find_problems
from reefpoint.platform.publications.selectors import in_force, list_versions
from reefpoint.platform.publications.services import NotPublishable, draft_publication, request_publication
from reefpoint.platform.publications.types import PublicationKind
from reefpoint.platform.runs.selectors import get_run
from reefpoint.platform.runs.services import ask_run
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.surfaces.console.templatetags.credit import fact_word
from reefpoint.surfaces.web.people import page

ROWS_MAX = 400
CELL_CHARACTERS_MAX = 1_000
REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True)
class Editable:
    """A kind of publication with tables in it. `preview` is the kind of run that says what a content would change."""

    kind: PublicationKind
    title: str | Promise
    address: str
    tables: tuple[str, ...]
    back: str
    preview: str = ""


@dataclass(frozen=True)
class Cell:
    """One field of the editor. `options` are (value, is chosen) of a closed list; none is free text."""

    name: str
    column: str
    value: str
    error: str = ""
    options: tuple[tuple[str, bool], ...] = ()

    @property
    def is_long(self) -> bool:
        return self.column in {"en", "zh"}


@dataclass(frozen=True)
class Line:
    """One row of the editor."""

    index: int
    id: Cell
    group: Cell | None
    when: tuple[Cell, ...]
    then: tuple[Cell, ...]
    error: str = ""


@dataclass
class Proof:
    """What is wrong with a table: sentences with the field they are about, and marks by row and column."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    marks: dict[tuple[str, str], str] = field(default_factory=dict)


POLICY = Editable(
    credit.POLICY,
    _("Credit policy"),
    "console:policy_table",
    ("checks", "shares", "caps", "conditions", "authority"),
    "console:policy",
    POLICY_PREVIEW.name,
)
GRID = Editable(pricing.GRID, _("Price grid"), "console:grid_table", ("grid",), "console:grid", BOOK_WHAT_IF.name)
RATINGS = Editable(RATING, _("Rating table"), "console:rating_editor", ("scorecard", "bands"), "console:rating_table")
OFFER_TABLES = Editable(OFFERS, _("Table of offers"), "console:offers_editor", ("classes", "offers"), "console:offers")


@page("credit.view")
def policy_table(request: HttpRequest, actor: Actor, table: str) -> HttpResponse:
    """A table of the credit policy."""
    return _edit(request, actor, POLICY, table)


@page("pricing.view")
def grid_table(request: HttpRequest, actor: Actor, table: str) -> HttpResponse:
    """The price grid."""
    return _edit(request, actor, GRID, table)


@page("kyc.view")
def rating_editor(request: HttpRequest, actor: Actor, table: str) -> HttpResponse:
    """A table of the rating of clients."""
    return _edit(request, actor, RATINGS, table)


@page("suitability.view")
def offers_editor(request: HttpRequest, actor: Actor, table: str) -> HttpResponse:
    """A table of what may be offered."""
    return _edit(request, actor, OFFER_TABLES, table)


def _edit(request: HttpRequest, actor: Actor, editable: Editable, name: str) -> HttpResponse:
    if name not in editable.tables:
        raise Http404
    at = desk_now()
    on = current_book_day() or at.date()
    valid = in_force(editable.kind, on)
    chosen = request.POST.get("version") or request.GET.get("version", "")
    based_on = next((one for one in list_versions(editable.kind) if str(one.version) == chosen), valid)
    content = copy.deepcopy(dict(based_on.content))
    may_draft = holds(actor.permissions, editable.kind.right)
    step = request.POST.get("step", "check") if request.method == "POST" else ""
    if request.method == "POST":
        require(actor, editable.kind.right)
        content[name] = _read_table(request, content[name], step)
    proof = _prove(editable, content, name)
    errors: dict[str, str] = {}
    if step == "publish" and not proof.problems:
        approval_id = _ask(request, actor, editable.kind, content, at, errors)
        if approval_id is not None:
            messages.success(request, _now("Drafted. A second person decides whether it is published."))
            return redirect("console:approval", approval_id=approval_id)
    context = {
        "editable": editable,
        "name": name,
        "based_on": based_on,
        "table": content[name],
        "lines": _lines(content[name], proof),
        "proof": proof,
        "errors": errors,
        "given": request.POST,
        "may_draft": may_draft,
        "is_changed": content[name]["rows"] != based_on.content[name]["rows"],
        "on": on,
    }
    if step == "preview" and not proof.problems and editable.preview:
        run_id = ask_run(actor=actor, kind=editable.preview, inputs={"content": content}, on=on, at=at)
        context["run"] = get_run(actor, run_id)
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "console/table_proof.html" if is_fragment else "console/table_editor.html"
    return render(request, template, context, status=422 if errors or (step == "publish" and proof.problems) else 200)


def _ask(
    request: HttpRequest,
    actor: Actor,
    kind: PublicationKind,
    content: Mapping[str, Any],
    at: datetime,
    errors: dict[str, str],
) -> int | None:
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:REASON_CHARACTERS_MAX]
    try:
        effective_from = date.fromisoformat(request.POST.get("effective_from", ""))
    except ValueError:
        errors["effective_from"] = _now("Say from which day it is in force.")
        return None
    if not reason:
        errors["reason"] = _now("Say what changes and why: the second person reads it.")
        return None
    try:
        draft_id = draft_publication(actor=actor, kind=kind, content=content, effective_from=effective_from, at=at)
        return request_publication(actor=actor, kind=kind, publication_id=draft_id, reason=reason, at=at)
    except NotPublishable as refusal:
        errors["effective_from"] = refusal.message
    return None


# From the form to a table and back


def _read_table(request: HttpRequest, table: Mapping[str, Any], step: str) -> dict[str, Any]:
    """The table as the form has it, after a row was added or taken away."""
    given = request.POST
    count = min(int(given["rows"]) if given.get("rows", "").isdecimal() and len(given["rows"]) < 5 else 0, ROWS_MAX)
    rows = [_read_row(given, index, table) for index in range(count)]
    action, _dash, place = step.partition("-")
    if place.isdecimal() and int(place) < len(rows):
        index = int(place)
        if action == "drop":
            rows.pop(index)
        if action == "add" and len(rows) < ROWS_MAX:
            taken = {row["id"] for row in rows}
            new_id = next(name for number in range(1, ROWS_MAX + 2) if (name := f"row_{number}") not in taken)
            rows.insert(index + 1, {**copy.deepcopy(rows[index]), "id": new_id})
    return {**table, "rows": rows}


def _read_row(given: Mapping[str, str], index: int, table: Mapping[str, Any]) -> dict[str, Any]:
    def text(name: str) -> str:
        return given.get(f"{name}-{index}", "").replace("\x00", "").strip()[:CELL_CHARACTERS_MAX]

    row: dict[str, Any] = {"id": text("id")}
    when = {column["name"]: text(f"w-{column['name']}") for column in table["inputs"]}
    if table["policy"] != "unique":
        row["group"] = text("group")
        when = {name: value for name, value in when.items() if value}
    row["when"] = when
    row["then"] = {column["name"]: _value(column, text(f"t-{column['name']}")) for column in table["outputs"]}
    return row


def _value(column: Mapping[str, Any], text: str) -> str | int | bool:
    if column["kind"] == "whole" and text.lstrip("-").isdecimal() and len(text) < 19:
        return int(text)
    if column["kind"] == "flag" and text in {"true", "false"}:
        return text == "true"
    return text


def _prove(editable: Editable, content: Mapping[str, Any], name: str) -> Proof:
    """What is wrong with this table, and with the content that it is part of."""
    found = list(find_problems(content[name]))
    if not found:
        try:
            editable.kind.check(content)
        except MalformedTable as error:
            found = [error]
    proof = Proof()
    places = {str(row.get("id", "")): index for index, row in enumerate(content[name]["rows"])}
    for problem in found:
        said = _say(problem)
        place = places.get(problem.row)
        proof.problems.append((said, "" if place is None else f"row-{place}"))
        if place is not None:
            proof.marks.setdefault((problem.row, problem.column), said)
        if problem.other in places:
            proof.marks.setdefault((problem.other, problem.column), said)
    return proof


def _say(error: MalformedTable) -> str:
    """A problem in the reader's language, the missing or doubled span named as it would be written in cells."""
    span = ", ".join(f"{fact_word(column)} {text}" for column, text in error.span)
    if error.span and error.other:
        return _now("Rows %(one)s and %(other)s both answer: %(span)s") % {
            "one": error.row,
            "other": error.other,
            "span": span,
        }
    if error.span:
        return _now("No row answers: %(span)s") % {"span": span}
    if error.why in PROBLEM_WORDS:
        said = str(PROBLEM_WORDS[error.why])
        for name, figure in error.figures.items():
            said = said.replace(f"{{{name}}}", fact_word(figure) if name in {"column", "input", "output"} else figure)
        return _now("Row %(row)s: %(said)s") % {"row": error.row, "said": said} if error.row else said
    return error.message


PROBLEM_WORDS = {
    "not_text": _("“{text}” is not text."),
    "beyond": _("{text} reaches beyond what “{column}” can hold."),
    "not_a_value": _("“{text}” is not a value of “{column}”."),
    "no_flag": _("“{text}” is neither true nor false."),
    "no_such_value": _("“{column}” has no value “{text}”."),
    "named_twice": _("{text} names a value twice."),
    "admits_nothing": _("{text} admits nothing."),
    "no_range": _("“{text}” is not a range of numbers, such as [0, 25) or >= 5."),
    "not_whole": _("{text} is not a whole number."),
    "no_number": _("“{text}” is not a number."),
    "no_row": _("The table has no row."),
    "id_twice": _("Two rows have this name."),
    "no_id": _("A row needs a name."),
    "no_group": _("The row needs a group."),
    "unused_input": _("No row rests on “{input}”."),
    "other_inputs": _("The rows of the group “{group}” rest on the same inputs, and this one does not on “{input}”."),
    "rests_on_nothing": _("It rests on nothing: write a condition."),
    "falls": _("“{output}” falls from row {other} as “{input}” gets higher, and must not."),
    "rises": _("“{output}” rises from row {other} as “{input}” gets higher, and must not."),
    "out_of_bounds": _("{text} does not lie between {low} and {high}."),
}
"""What is wrong with a table by its code; `{text}` and the like are put in after translation."""


def _lines(table: Mapping[str, Any], proof: Proof) -> list[Line]:
    is_grouped = table["policy"] != "unique"
    lines = []
    for index, row in enumerate(table["rows"]):
        row_id = str(row.get("id", ""))

        def mark(column: str, row_id: str = row_id) -> str:
            return proof.marks.get((row_id, column), "")

        lines.append(
            Line(
                index=index,
                id=Cell(f"id-{index}", "id", row_id),
                group=Cell(f"group-{index}", "group", str(row.get("group", ""))) if is_grouped else None,
                when=tuple(
                    Cell(f"w-{name}-{index}", name, str(row["when"].get(name, "")), mark(name))
                    for name in (column["name"] for column in table["inputs"])
                ),
                then=tuple(
                    Cell(
                        f"t-{column['name']}-{index}",
                        column["name"],
                        _shown(value := row["then"].get(column["name"], "")),
                        mark(column["name"]),
                        _options(column, _shown(value)),
                    )
                    for column in table["outputs"]
                ),
                error=mark(""),
            )
        )
    return lines


def _options(column: Mapping[str, Any], value: str) -> tuple[tuple[str, bool], ...]:
    choices = ("true", "false") if column["kind"] == "flag" else tuple(column.get("choices", ()))
    known = choices if not choices or value in choices else (value, *choices)
    return tuple((choice, choice == value) for choice in known)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
