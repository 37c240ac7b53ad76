"""Editing what contracts say: a template clause by clause, the disclosures one by one, proved as one types."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _now

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.texts import find_unsafe
from reefpoint.platform.publications.selectors import in_force, list_versions
from reefpoint.platform.publications.types import PublicationKind, PublicationView
from reefpoint.records.contracts.rules.disclosures import REQUIRED, find_disclosure_problems
from reefpoint.records.contracts.rules.fields import fields_for
from reefpoint.records.contracts.rules.templates import (
    CLAUSES_MAX,
    JURISDICTIONS,
    TEXT_CHARS_MAX,
    clause_list,
    diff_clauses,
    fields_of,
)
from reefpoint.records.contracts.selectors import (
    DISCLOSURES,
    DRAFT,
    TEMPLATES,
    TemplateRefused,
    list_problems,
    preview_template,
)
from reefpoint.records.contracts.types import Clause, ClauseChange, ClauseDiff, Language, TemplateProblem
from reefpoint.surfaces.console.contract_words import clause_name, problem_words
from reefpoint.surfaces.console.drafts import ask_second_person
from reefpoint.surfaces.console.views.publications import download_publication
from reefpoint.surfaces.web.contracts import language_of, pdf_answer
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said

LANGUAGES = ("en", "zh")


@dataclass
class Passage:
    """One clause or disclosure as typed; paragraphs are divided by an empty line."""

    id: str
    heading: dict[str, str]
    text: dict[str, str]

    def clause(self) -> Clause:
        """The same as the record of contracts has it."""
        return Clause(
            self.id,
            {one: self.heading[one.value] for one in Language},
            {one: tuple(_paragraphs(self.text[one.value], one.value)) for one in Language},
        )


@dataclass
class Texts:
    """All that an editor holds: title and notice (of a template alone) and the passages in order."""

    passages: list[Passage]
    head: dict[str, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wording:
    """One sort of text with its editor: how its content is taken apart, put together and proved."""

    name: str
    kinds: Mapping[str, PublicationKind]
    core_of: Callable[[str], tuple[str, ...]]
    take: Callable[[Mapping[str, Any]], Texts]
    make: Callable[[Texts, str], dict[str, Any]]
    prove: Callable[[Mapping[str, Any], str], list[TemplateProblem]]

    @property
    def is_template(self) -> bool:
        return self.name == "template"


def _paragraphs(text: str, language: str) -> list[str]:
    glue = "" if language == "zh" else " "
    return [glue.join(line.strip() for line in one.splitlines()) for one in re.split(r"\n\s*\n", text.strip()) if one]


def _take_template(content: Mapping[str, Any]) -> Texts:
    passages = [
        Passage(one["id"], dict(one["heading"]), {key: "\n\n".join(one["text"][key]) for key in LANGUAGES})
        for one in content["clauses"]
    ]
    return Texts(passages, {name: dict(content[name]) for name in ("title", "notice")})


def _make_template(texts: Texts, place: str) -> dict[str, Any]:
    clauses = [
        {"id": one.id, "heading": one.heading, "text": {key: _paragraphs(one.text[key], key) for key in LANGUAGES}}
        for one in texts.passages
    ]
    return {"jurisdiction": place[:2], **texts.head, "clauses": clauses}


def _take_disclosures(content: Mapping[str, Any]) -> Texts:
    return Texts([Passage(one["id"], dict(one["title"]), dict(one["text"])) for one in content["disclosures"]])


def _make_disclosures(texts: Texts, place: str) -> dict[str, Any]:
    items = [
        {
            "id": one.id,
            "title": one.heading,
            "text": {key: " ".join(_paragraphs(one.text[key], key)) for key in LANGUAGES},
        }
        for one in texts.passages
    ]
    return {"disclosures": items}


def _core_of(key: str) -> tuple[str, ...]:
    return tuple(rule.id for rule in clause_list(key))


TEMPLATE = Wording("template", TEMPLATES, _core_of, _take_template, _make_template, list_problems)
DISCLOSURE = Wording(
    "disclosures",
    DISCLOSURES,
    lambda place: REQUIRED,
    _take_disclosures,
    _make_disclosures,
    lambda content, place: find_disclosure_problems(content),
)


class NoSuchText(NotFound):
    """There are no contracts of this jurisdiction."""


@page("contracts.draft_template")
def edit_template(request: HttpRequest, actor: Actor, place: str) -> HttpResponse:
    """The next version of a jurisdiction's template."""
    return _edit(request, actor, TEMPLATE, place)


@page("contracts.draft_template")
def edit_disclosures(request: HttpRequest, actor: Actor, place: str) -> HttpResponse:
    """The next version of a jurisdiction's disclosures."""
    return _edit(request, actor, DISCLOSURE, place)


@page("contracts.view")
def disclosures(request: HttpRequest, actor: Actor, place: str) -> HttpResponse:
    """What clients of a jurisdiction acknowledge before they sign, version by version, and what changed."""
    kind = _kind(DISCLOSURE, place)
    versions, valid = list_versions(kind), in_force(kind, desk_now().date())
    version, against = (_chosen(request, name, versions) for name in ("version", "against"))
    version = version or valid
    if request.GET.get("format") == "json":
        return download_publication(kind, version)
    shown = Language.ZH if request.GET.get("language", _reader()) == "zh" else Language.EN
    clauses = [one.clause() for one in _take_disclosures(version.content).passages]
    context = {
        "place": place,
        "places": JURISDICTIONS,
        "versions": versions,
        "version": version,
        "valid": valid,
        "against": against,
        "language": shown.value,
        "lang": language_of(shown),
        "languages": (("en", "English"), ("zh", "中文")),
        "clauses": [(one.id, one.heading[shown], one.paragraphs[shown], one.id in REQUIRED) for one in clauses],
        "diff": None if against is None else _diff(DISCLOSURE, against, clauses, shown),
        "same": ClauseChange.SAME,
        "names": people_names(),
        "may_draft": holds(actor.permissions, DRAFT),
    }
    return render(request, "console/disclosures.html", context)


def _kind(wording: Wording, place: str) -> PublicationKind:
    kind = wording.kinds.get(place)
    if kind is None:
        raise NoSuchText(_now("There are no contracts of this jurisdiction."))
    return kind


def _reader() -> str:
    return "zh" if (get_language() or "").startswith("zh") else "en"


def _chosen(request: HttpRequest, name: str, versions: list[PublicationView]) -> PublicationView | None:
    return next((one for one in versions if str(one.version) == request.GET.get(name, "")), None)


def _diff(wording: Wording, old: PublicationView, new: list[Clause], language: Language) -> list[ClauseDiff]:
    return diff_clauses([one.clause() for one in wording.take(old.content).passages], new, language)


def _edit(request: HttpRequest, actor: Actor, wording: Wording, place: str) -> HttpResponse:
    kind = _kind(wording, place)
    at = desk_now()
    valid = in_force(kind, at.date())
    based_on = _chosen(request, "version", list_versions(kind)) or valid
    step = request.POST.get("step", "check") if request.method == "POST" else ""
    texts = _read(request, wording, place, step) if step else wording.take(based_on.content)
    content = wording.make(texts, place)
    problems = [*wording.prove(content, place), *_unsafe(texts)]
    errors: dict[str, str] = {}
    if step.startswith("preview-") and wording.is_template and not problems:
        shown = Language.ZH if step == "preview-zh" else Language.EN
        try:
            return pdf_answer(
                f"template-{place}-{shown}.pdf", preview_template(actor, place, content, 0, shown, at.date())
            )
        except TemplateRefused as refused:
            errors["content"] = said(refused)
    if step == "publish" and not problems:
        approval_id = ask_second_person(request, actor, kind, content, at, errors)
        if approval_id is not None:
            messages.success(request, _now("Drafted. A second person decides whether it is published."))
            return redirect("console:approval", approval_id=approval_id)
    core, needed = wording.core_of(place), {rule.id: rule.fields for rule in clause_list(place)}
    held = {one.id for one in texts.passages}
    clauses = [one.clause() for one in texts.passages]
    context = {
        "wording": wording,
        "place": place,
        "based_on": based_on,
        "valid": valid,
        "head": [(name, key, texts.head[name][key]) for name in texts.head for key in LANGUAGES],
        "passages": [
            (
                index,
                one,
                [problem_words(problem) for problem in problems if problem.clause == one.id],
                one.id in core,
                sorted(needed.get(one.id, ()) if wording.is_template else ()),
            )
            for index, one in enumerate(texts.passages)
        ],
        "oob": ",".join(f"#p-{index}" for index in range(len(texts.passages))),
        "problems": [(problem_words(one), _anchor(one, texts)) for one in problems],
        "missing": [(name, clause_name(name)) for name in core if name not in held],
        "fields": sorted(fields_for(place)) if wording.is_template else (),
        "used": sorted({name for one in clauses for text in one.paragraphs.values() for name in fields_of(text)}),
        "diffs": [(key, language_of(key), _diff(wording, valid, clauses, key)) for key in Language]
        if step == "diff"
        else (),
        "same": ClauseChange.SAME,
        "errors": errors,
        "given": request.POST,
        "text_max": TEXT_CHARS_MAX,
    }
    is_refused = bool(errors) or (bool(problems) and step.partition("-")[0] in {"publish", "preview"})
    return render(request, "console/contract_texts.html", context, status=422 if is_refused else 200)


def _anchor(problem: TemplateProblem, texts: Texts) -> str:
    return next((f"passage-{index}" for index, one in enumerate(texts.passages) if one.id == problem.clause), "")


def _unsafe(texts: Texts) -> list[TemplateProblem]:
    """Passages with characters that nobody sees: such a text cannot be printed."""
    found = []
    for one in (*texts.passages, *(Passage(name, words, words) for name, words in texts.head.items())):
        words = "".join((*one.heading.values(), *one.text.values())).replace("\r", "").replace("\n", "")
        if find_unsafe(words):
            found.append(TemplateProblem(one.id, "unsafe", "It holds characters that cannot be seen."))
    return found


def _read(request: HttpRequest, wording: Wording, key: str, step: str) -> Texts:
    """The texts as the form has them, after a passage was added, moved or taken away."""
    given = request.POST

    def text(name: str) -> str:
        return given.get(name, "").replace("\x00", "").replace("\r\n", "\n").strip()[: 2 * TEXT_CHARS_MAX]

    count = int(given["passages"]) if given.get("passages", "").isdecimal() and len(given["passages"]) < 3 else 0
    passages = [
        Passage(
            text(f"id-{index}")[:40],
            {key: text(f"heading-{key}-{index}") for key in LANGUAGES},
            {key: text(f"text-{key}-{index}") for key in LANGUAGES},
        )
        for index in range(min(count, CLAUSES_MAX))
    ]
    head = {name: {key: text(f"{name}-{key}") for key in LANGUAGES} for name in ("title", "notice")}
    action, _dash, place = step.partition("-")
    if action == "core" and place in wording.core_of(key) and len(passages) < CLAUSES_MAX:
        passages.append(_empty(place, key))
    elif place.isdecimal() and int(place) < len(passages):
        _move(passages, action, int(place), key)
    return Texts(passages, head if wording.is_template else {})


def _move(passages: list[Passage], action: str, index: int, key: str) -> None:
    if action == "drop":
        passages.pop(index)
    elif action == "up" and index:
        passages.insert(index - 1, passages.pop(index))
    elif action == "down" and index + 1 < len(passages):
        passages.insert(index + 1, passages.pop(index))
    elif action == "add" and len(passages) < CLAUSES_MAX:
        taken = {one.id for one in passages}
        letters = "abcdefghijklmnopqrstuvwxyz"
        names = (f"clause_{first}{second}" for first in letters for second in letters)
        passages.insert(index + 1, _empty(next(name for name in names if name not in taken), key))


def _empty(name: str, key: str) -> Passage:
    rule = next((one for one in clause_list(key) if one.id == name), None)
    heading = {"en": rule.name, "zh": rule.name_zh} if rule else dict.fromkeys(LANGUAGES, "")
    return Passage(name, heading, dict.fromkeys(LANGUAGES, ""))
