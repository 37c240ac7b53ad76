"""Editing a published content: its tables, cells as text, and the figures beside them, proved at every change."""

import copy
import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.collateral.selectors.house import HOUSE
from reefpoint.decisions.credit import selectors as credit
from reefpoint.decisions.credit.services.previews import POLICY_PREVIEW
from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.margin.selectors.house_preview import preview_house
from reefpoint.decisions.margin.services.collateral import draft_and_request
from reefpoint.decisions.pricing import selectors as pricing
from reefpoint.decisions.pricing.services.what_ifs import BOOK_WHAT_IF
from reefpoint.decisions.suitability.selectors import OFFERS
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables.reading import find_problems
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.platform.imports.rules import GUARD, guarded
from reefpoint.platform.publications.selectors import in_force, list_versions
from reefpoint.platform.publications.services import draft_and_ask
from reefpoint.platform.publications.types import PublicationKind
from reefpoint.platform.runs.selectors import get_run
from reefpoint.platform.runs.services import ask_run
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.surfaces.console.drafts import Ask, ask_second_person
from reefpoint.surfaces.console.figures import HOUSE_FIGURES, Figure
from reefpoint.surfaces.console.templatetags.credit import fact_word
from reefpoint.surfaces.web import sentences
from reefpoint.surfaces.web.people import page

ROWS_MAX = 400
CELL_CHARACTERS_MAX = 1_000
FILE_BYTES_MAX = 1_000_000
FIGURES = "figures"
"""The part of an editor that holds what stands beside the tables."""
_SALT = "console.tables"


@dataclass(frozen=True)
class Editable:
    """A kind of publication with tables in it. `preview` is the kind of run that says what a content would change.

    `look` says the same at once, as context of a template; `ask` drafts and asks in place of the ordinary way.
    """

    kind: PublicationKind
    title: str | Promise
    address: str
    tables: tuple[str, ...]
    back: str
    preview: str = ""
    look: Callable[[Mapping[str, Any], date, datetime], dict[str, Any]] | None = None
    figures: tuple[Figure, ...] = ()
    ask: Ask = draft_and_ask

    @property
    def has_look(self) -> bool:
        return self.look is not None

    @property
    def parts(self) -> tuple[str, ...]:
        return (*self.tables, FIGURES) if self.figures else self.tables


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


def _look_at_house(content: Mapping[str, Any], on: date, at: datetime) -> dict[str, Any]:
    return {"house_preview": preview_house(content, on, at=at)}


HOUSE_RULES = Editable(
    HOUSE,
    _("House rules on collateral"),
    "console:house_editor",
    ("haircuts", "suspension"),
    "console:house_rules",
    look=_look_at_house,
    figures=HOUSE_FIGURES,
    ask=draft_and_request,
)
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


@page("collateral.view")
def house_editor(request: HttpRequest, actor: Actor, table: str) -> HttpResponse:
    """A part of the house's rules on collateral."""
    return _edit(request, actor, HOUSE_RULES, table)


def _edit(request: HttpRequest, actor: Actor, editable: Editable, name: str) -> HttpResponse:
    if name not in editable.parts:
        raise Http404
    at = desk_now()
    on = current_book_day() or at.date()
    valid = in_force(editable.kind, on)
    chosen = request.POST.get("version") or request.GET.get("version", "")
    based_on = next((one for one in list_versions(editable.kind) if str(one.version) == chosen), valid)
    content = copy.deepcopy(dict(based_on.content))
    may_draft = holds(actor.permissions, editable.kind.right)
    step = request.POST.get("step", "check") if request.method == "POST" else ""
    errors: dict[str, str] = {}
    if request.method == "POST":
        require(actor, editable.kind.right)
        content = _carried(request, content)
        given_part = request.POST.get("part", name)
        if given_part in editable.tables:
            content[given_part] = _read_table(request, content[given_part], step)
            if step == "load":
                _load(request, content[given_part], errors)
        elif given_part in editable.parts:
            errors |= _read_figures(request, editable, content)
        name = given_part if errors and given_part in editable.parts else name
        if step == "save":
            return _download(content[name], f"{editable.kind.name}-{name}")
    proof = _prove(editable, content, name)
    if step == "publish" and not proof.problems and not errors:
        approval_id = ask_second_person(request, actor, editable.kind, content, at, errors, editable.ask)
        if approval_id is not None:
            messages.success(request, _now("Drafted. A second person decides whether it is published."))
            return redirect("console:approval", approval_id=approval_id)
    table = content.get(name, {}) if name in editable.tables else None
    context = {
        "editable": editable,
        "name": name,
        "based_on": based_on,
        "table": table,
        "lines": [] if table is None else _lines(table, proof),
        "figures": [
            (one, request.POST.get(one.name, "") if one.name in errors else one.show(content), errors.get(one.name, ""))
            for one in (editable.figures if table is None else ())
        ],
        "proof": proof,
        "errors": errors,
        "given": request.POST,
        "carried": signing.dumps(content, salt=_SALT, compress=True),
        "may_draft": may_draft,
        "is_changed": content != based_on.content,
        "on": on,
    }
    if step == "preview" and not proof.problems and not errors:
        if editable.preview:
            run_id = ask_run(actor=actor, kind=editable.preview, inputs={"content": content}, on=on, at=at)
            context["run"] = get_run(actor, run_id)
        if editable.look is not None:
            context |= editable.look(content, on, at)
    is_fragment = request.headers.get("HX-Request") == "true"
    template = "console/table_proof.html" if is_fragment else "console/table_editor.html"
    is_refused = bool(errors) or (step == "publish" and bool(proof.problems))
    return render(request, template, context, status=422 if is_refused and not is_fragment else 200)


def _carried(request: HttpRequest, content: dict[str, Any]) -> dict[str, Any]:
    """The parts that another page of this editor has read, as it signed them; the version itself without any."""
    try:
        carried: dict[str, Any] = signing.loads(request.POST.get("carried", ""), salt=_SALT)
    except signing.BadSignature:
        return content
    return carried if carried.keys() == content.keys() else content


def _read_figures(request: HttpRequest, editable: Editable, content: dict[str, Any]) -> dict[str, str]:
    """Put the figures of the form into the content; returns what is wrong by field."""
    errors = {}
    for one in editable.figures:
        text = request.POST.get(one.name, "").replace("\x00", "").strip()
        try:
            one.put(content, one.read(text))
        except ValueError:
            errors[one.name] = _now("This must be %(bounds)s.") % {"bounds": one.bounds}
    return errors


def _download(table: Mapping[str, Any], name: str) -> HttpResponse:
    """The rows as CSV, as `_load` reads them."""
    text = io.StringIO()
    writer = csv.writer(text)
    header = _header(table)
    writer.writerow(header)
    for row in table["rows"]:
        cells = {"id": row["id"], "group": row.get("group", "")}
        cells |= {f"when {key}": value for key, value in row["when"].items()}
        cells |= {f"then {key}": _shown(value) for key, value in row["then"].items()}
        writer.writerow([guarded(str(cells.get(column, ""))) for column in header])
    response = HttpResponse("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _header(table: Mapping[str, Any]) -> list[str]:
    return [
        "id",
        *(["group"] if table["policy"] != "unique" else []),
        *(f"when {column['name']}" for column in table["inputs"]),
        *(f"then {column['name']}" for column in table["outputs"]),
    ]


def _load(request: HttpRequest, table: dict[str, Any], errors: dict[str, str]) -> None:
    """Replace the rows by those of the file that came with the form."""
    upload = request.FILES.get("file")
    if upload is None or (upload.size or 0) > FILE_BYTES_MAX:
        errors["file"] = _now("Choose a CSV file of at most one megabyte.")
        return
    try:
        rows = list(csv.DictReader(io.StringIO(upload.read().decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        errors["file"] = _now("This is not a CSV file in UTF-8.")
        return
    header = _header(table)
    if not rows or set(rows[0]) != set(header) or len(rows) > ROWS_MAX:
        errors["file"] = _now("The file has at most %(count)s rows under the header %(header)s.") % {
            "count": ROWS_MAX,
            "header": ", ".join(header),
        }
        return
    given: dict[str, str] = {}
    for index, row in enumerate(rows):
        cells = {key: (value or "").removeprefix(GUARD) for key, value in row.items()}
        given |= {f"id-{index}": cells["id"], f"group-{index}": cells.get("group", "")}
        given |= {f"w-{one['name']}-{index}": cells[f"when {one['name']}"] for one in table["inputs"]}
        given |= {f"t-{one['name']}-{index}": cells[f"then {one['name']}"] for one in table["outputs"]}
    table["rows"] = [_read_row(given, index, table) for index in range(len(rows))]


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
    found = list(find_problems(content[name])) if name in editable.tables else []
    if not found:
        try:
            editable.kind.check(content)
        except MalformedTable as error:
            found = [error]
    proof = Proof()
    rows = content[name]["rows"] if name in editable.tables else ()
    places = {str(row.get("id", "")): index for index, row in enumerate(rows)}
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
    return sentences.said(error)


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
