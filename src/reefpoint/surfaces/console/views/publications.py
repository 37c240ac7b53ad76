"""Published tables and questionnaires: every version as it reads, and asking a second person for the next one."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.collateral.selectors.house import HOUSE
from reefpoint.decisions.credit.selectors import POLICY as CREDIT_POLICY
from reefpoint.decisions.credit.selectors import read_policy as read_credit_policy
from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.kyc.selectors import read_table as read_rating
from reefpoint.decisions.margin.services.collateral import draft_and_request
from reefpoint.decisions.pricing.selectors import GRID as PRICE_GRID
from reefpoint.decisions.pricing.selectors import read_grid as read_price_grid
from reefpoint.decisions.suitability.selectors import OFFERS, QUESTIONNAIRE, read_offers, read_questionnaire
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import percent
from reefpoint.platform.basics.tables.table import DecisionTable
from reefpoint.platform.publications.selectors import in_force, list_versions
from reefpoint.platform.publications.services import draft_and_ask
from reefpoint.platform.publications.types import PublicationKind, PublicationView
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.surfaces.console.drafts import Ask, ask_second_person
from reefpoint.surfaces.console.figures import HOUSE_FIGURES
from reefpoint.surfaces.console.templatetags.credit import fact_word, table_title
from reefpoint.surfaces.console.views.collateral import house_shown
from reefpoint.surfaces.web.people import page, people_names

CONTENT_BYTES_MAX = 1_000_000
CHANGES_SHOWN_MAX = 200


@dataclass(frozen=True)
class Kept:
    """One kind of publication as its page shows it: `read` gives what the template draws."""

    kind: PublicationKind
    title: str | Promise
    help: str | Promise
    read: Callable[[PublicationView], dict[str, Any]]
    ask: Ask = draft_and_ask
    editor: str = ""
    titles: Mapping[tuple[str, ...], str | Promise] = field(default_factory=dict)
    """Words for places in the content that stand in no table."""


def _rating(version: PublicationView) -> dict[str, Any]:
    table = read_rating(version.id)
    return {"tables": [table.scorecard, table.bands], "rating": table}


def _questionnaire(version: PublicationView) -> dict[str, Any]:
    found = read_questionnaire(version.id)
    return {"tables": [found.tolerance], "questionnaire": found}


def _offers(version: PublicationView) -> dict[str, Any]:
    tables = read_offers(version.id)
    places: list[tuple[str, str, DecisionTable]] = [
        *((place, currency, table) for place, (currency, table) in tables.segment_tables.items()),
        *((place, currency, table) for place, (currency, _days, table) in tables.entry_tables.items()),
    ]
    return {"tables": [tables.classes, tables.offers], "offers": tables, "places": places}


KYC = {
    "rating": Kept(
        RATING,
        _("Rating table"),
        _("Points of each factor, the floors that some facts set, and how often each rating is reviewed."),
        _rating,
        editor="console:rating_editor",
    )
}
SUITABILITY = {
    "questionnaire": Kept(
        QUESTIONNAIRE,
        _("Risk questionnaire"),
        _("What clients are asked, in both languages, what answers score, and which class a score comes to."),
        _questionnaire,
    ),
    "offers": Kept(
        OFFERS,
        _("Table of offers"),
        _("Risk classes from a scheme's terms, what each segment and tolerance may be offered, and who may enter."),
        _offers,
        editor="console:offers_editor",
    ),
}


COLLATERAL = {
    "house": Kept(
        HOUSE,
        _("House rules on collateral"),
        _("The house's haircuts, what suspended names are worth, how a cut takes force, and caps."),
        lambda version: house_shown(version.id),
        draft_and_request,
        editor="console:house_editor",
        titles={one.path: one.title for one in HOUSE_FIGURES},
    )
}


def _policy(version: PublicationView) -> dict[str, Any]:
    found = read_credit_policy(version.id)
    names = ("checks", "shares", "caps", "conditions", "authority")
    return {"rule_tables": list(zip(names, found.tables, strict=True)), "policy": found}


def _grid(version: PublicationView) -> dict[str, Any]:
    found = read_price_grid(version.id)
    return {"rule_tables": [("grid", found.grid)], "price_grid": found}


POLICY = Kept(
    CREDIT_POLICY,
    _("Credit policy"),
    _("Checks, limits, conditions and who may approve what; the worst check decides and the least limit counts."),
    _policy,
    editor="console:policy_table",
)
GRID = Kept(
    PRICE_GRID,
    _("Price grid"),
    _("What each cause adds to the cost of the money, what counts where a fact is not known, and the bounds."),
    _grid,
    editor="console:grid_table",
)


class UnreadableContent(ValueError):
    """What was uploaded is not JSON that can be published."""


@page("kyc.view")
def rating_table(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The rating table, version by version."""
    return _show(request, actor, KYC["rating"])


@page("suitability.view")
def questionnaire(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The questionnaire, version by version."""
    return _show(request, actor, SUITABILITY["questionnaire"])


@page("suitability.view")
def offers(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The table of offers, version by version."""
    return _show(request, actor, SUITABILITY["offers"])


@page("collateral.view")
def house_rules(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The house's rules on collateral, version by version."""
    return _show(request, actor, COLLATERAL["house"])


@page("credit.view")
def policy(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The credit policy, version by version."""
    return _show(request, actor, POLICY)


@page("pricing.view")
def grid(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The price grid, version by version."""
    return _show(request, actor, GRID)


def _show(request: HttpRequest, actor: Actor, kept: Kept) -> HttpResponse:
    at = desk_now()
    on = current_book_day() or at.date()
    errors: dict[str, str] = {}
    if request.method == "POST":
        require(actor, kept.kind.right)
        approval_id = ask_publication(request, actor, kept.kind, at, errors, kept.ask)
        if approval_id is not None:
            messages.success(request, _now("Drafted. A second person decides whether it is published."))
            return redirect("console:approval", approval_id=approval_id)
    versions, valid = list_versions(kept.kind), in_force(kept.kind, on)
    chosen = request.GET.get("version", "")
    version = next((one for one in versions if str(one.version) == chosen), valid)
    if request.GET.get("format") == "json":
        return download_publication(kept.kind, version)
    context = {
        "kept": kept,
        "editor": kept.editor,
        "changes": _changes(kept, versions, version, request.GET.get("against", "")),
        "against": request.GET.get("against", ""),
        "versions": versions,
        "version": version,
        "valid": valid,
        "names": people_names(),
        "may_draft": holds(actor.permissions, kept.kind.right),
        "errors": errors,
        "given": request.POST,
        "on": on,
        **(kept.read(version) if version.state == "published" else {"draft": version.content}),
    }
    return render(request, "console/publication.html", context, status=422 if errors else 200)


def _changes(
    kept: Kept, versions: list[PublicationView], version: PublicationView, against: str
) -> list[tuple[str, str, str]]:
    """What a version changed against another, by default the one before it: the place in words, old value, new one."""
    other = against if against.isdecimal() else str(version.version - 1)
    before = next((one for one in versions if str(one.version) == other), None)
    if before is None:
        return []
    found = _differences((), before.content, version.content)
    return [(_place(kept, path), _brief(path, old), _brief(path, new)) for path, old, new in found][:CHANGES_SHOWN_MAX]


def _differences(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(one, dict) for one in [*old, *new]):
        old, new = ({_row_name(one, at): one for at, one in enumerate(rows)} for rows in (old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences((*path, str(key)), old.get(key, ""), new.get(key, ""))
    elif old != new:
        yield path, old, new


def _row_name(row: dict[str, Any], at: int) -> str:
    """What a row of a list goes by: its id, its name and first day, its tier; else its place."""
    if "symbol" in row:
        return f"{row['symbol']}, {row.get('since')}"
    if "tier" in row:
        return str(row["tier"]) or _now("The whole desk")
    return str(row.get("id", at + 1))


def _place(kept: Kept, path: tuple[str, ...]) -> str:
    """Where something stands, in the words of the editor."""
    if path in kept.titles:
        return str(kept.titles[path])
    return " · ".join(
        str(fact_word(table_title(key))) for key in path if key not in {"rows", "when", "then", "lists", "names"}
    )


def _brief(path: tuple[str, ...], value: object) -> str:
    if value in ("", None):
        return "–"
    if isinstance(value, int) and not isinstance(value, bool) and path[-1].endswith("_bp"):
        return percent(value)
    if isinstance(value, dict) and {"when", "then"} <= value.keys():
        when = ", ".join(f"{fact_word(key)} {text}" for key, text in value["when"].items() if text not in {"", "-"})
        return f"{when} → {', '.join(str(one) for one in value['then'].values())}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def ask_publication(
    request: HttpRequest,
    actor: Actor,
    kind: PublicationKind,
    at: datetime,
    errors: dict[str, str],
    ask: Ask = draft_and_ask,
) -> int | None:
    """Draft what was uploaded and ask for its publication; None with `errors` by field when it cannot be."""
    uploaded = request.FILES.get("content")
    content: dict[str, Any] | None = None
    try:
        if uploaded is None or (uploaded.size or 0) > CONTENT_BYTES_MAX:
            raise UnreadableContent(_now("Choose a JSON file of at most one megabyte."))
        content = _read(uploaded.read())
    except UnreadableContent as error:
        errors["content"] = str(error)
    return ask_second_person(request, actor, kind, content, at, errors, ask)


def _read(content: bytes) -> dict[str, Any]:
    def refuse(text: str) -> NoReturn:
        raise UnreadableContent(_now("%(number)s is not exact: write it as text.") % {"number": text[:20]})

    try:
        read = json.loads(content.decode(), parse_float=refuse, parse_constant=refuse)
    except UnreadableContent:
        raise
    except (ValueError, RecursionError):
        raise UnreadableContent(_now("The file is not JSON.")) from None
    if not _is_storable(read):
        raise UnreadableContent(_now("The file has characters that cannot be kept."))
    if not isinstance(read, dict):
        raise UnreadableContent(_now("The file must hold one JSON object."))
    return read


def _is_storable(read: object) -> bool:
    """Whether the database can hold these texts: no NUL, no half of a pair of surrogates."""
    try:
        return b"\\u0000" not in json.dumps(read, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False


def download_publication(kind: PublicationKind, version: PublicationView) -> HttpResponse:
    """A version's content as a JSON file, to be changed and uploaded again."""
    response = JsonResponse(dict(version.content), json_dumps_params={"ensure_ascii": False, "indent": 1})
    response.headers["Content-Disposition"] = f'attachment; filename="{kind.name}-{version.version}.json"'
    return response
