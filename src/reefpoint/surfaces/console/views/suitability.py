"""Suitability of one client: what may be offered and why, the questionnaire, segments and proofs."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _now
from django.views.decorators.http import require_POST

from reefpoint.decisions.suitability.selectors import (
    OFFERS,
    find_questionnaire,
    list_assessments,
    list_entries,
    list_risk_classes,
    list_segments,
    list_verdicts,
    read_offers,
)
from reefpoint.decisions.suitability.services import (
    AnswersRefused,
    acknowledge_warning,
    assign_segment,
    record_answers,
    record_entry_facts,
)
from reefpoint.decisions.suitability.types import Segment, SegmentFacts
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.publications.selectors import in_force
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.people import page, people_names

COUNT_MAX = 1_000


class NotAFigure(Refusal):
    """A figure that cannot be read."""

    code = "not_a_figure"


@page("suitability.view")
def suitability(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """What may be offered to a client today, and all that this rests on."""
    on = current_book_day() or desk_now().date()
    tables = read_offers(in_force(OFFERS, on).id)
    context = {
        "client": get_client(actor, client_id),
        "verdicts": list_verdicts(actor, client_id, on),
        "assessments": list_assessments(actor, client_id),
        "segments": list_segments(actor, client_id),
        "entries": list_entries(actor, client_id),
        "segment_places": [(place, currency) for place, (currency, _table) in tables.segment_tables.items()],
        "entry_places": [(place, currency) for place, (currency, _days, _table) in tables.entry_tables.items()],
        "segment_choices": list(Segment),
        "may_assess": holds(actor.permissions, "suitability.assess"),
        "names": people_names(),
        "on": on,
    }
    return render(request, "console/suitability.html", context)


@page("suitability.view")
def offer_classes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The risk class of each scheme that can be signed, and the way to the published tables."""
    on = current_book_day() or desk_now().date()
    return render(request, "console/risk_classes.html", {"classes": list_risk_classes(on), "on": on})


@page("suitability.assess")
def answer(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """The questionnaire, put to a client by staff; a POST records the answers."""
    at = desk_now()
    client, shown = get_client(actor, client_id), find_questionnaire(at.date())
    problems: dict[str, str] = {}
    if request.method == "POST":
        given = {
            question.id: request.POST.get(question.id, "")
            for question in shown.questionnaire.questions
            if request.POST.get(question.id)
        }
        try:
            record_answers(actor=actor, client_id=client_id, answers=given, at=at, version=_version(request))
        except AnswersRefused as refused:
            problems = {problem.question: problem.code for problem in refused.problems}
        else:
            messages.success(request, _now("The answers are on record."))
            return redirect("console:suitability", client_id=client_id)
    questions = [
        (question, request.POST.get(question.id, ""), problems.get(question.id, ""))
        for question in shown.questionnaire.questions
    ]
    context = {"client": client, "shown": shown, "questions": questions, "problems": problems}
    return render(request, "console/questionnaire.html", context, status=422 if problems else 200)


def _version(request: HttpRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


@require_POST
@page("suitability.assess")
def record(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """Record a segment, a proof of entry conditions, or that a warning was acknowledged."""
    at, given = desk_now(), request.POST
    on = current_book_day() or at.date()
    evidence, place = given.get("evidence", "").replace("\x00", ""), given.get("jurisdiction", "")[:8]
    match given.get("step"):
        case "segment":
            said = given.get("segment", "")
            assign_segment(
                actor=actor,
                client_id=client_id,
                jurisdiction=place,
                segment=Segment(said) if said in set(Segment) else Segment.RETAIL,
                facts=SegmentFacts(
                    _money(given, "liquid_assets"),
                    _money(given, "annual_income"),
                    _money(given, "net_worth"),
                    _count(given, "trading_years"),
                ),
                evidence=evidence,
                on=on,
                at=at,
            )
            messages.success(request, _now("The segment is on record."))
        case "entry":
            record_entry_facts(
                actor=actor,
                client_id=client_id,
                jurisdiction=place,
                trading_months=_count(given, "trading_months"),
                average_assets_minor=_money(given, "average_assets"),
                evidence=evidence,
                on=on,
                at=at,
            )
            messages.success(request, _now("The proof is on record."))
        case "acknowledge":
            acknowledge_warning(
                actor=actor, client_id=client_id, scheme_code=given.get("scheme", "")[:24], on=on, at=at
            )
            messages.success(request, _now("The acknowledgement is on record."))
        case _:
            messages.error(request, _now("Nothing was recorded."))
    return redirect("console:suitability", client_id=client_id)


def _money(given: Mapping[str, str], name: str) -> int:
    """An amount that may be nothing at all, in minor units."""
    if given.get(name, "").strip() == "0":
        return 0
    try:
        return parse_money(given.get(name, ""))
    except AmountError:
        raise NotAFigure(
            _now("An amount cannot be read: type 500,000 or 500k or 50万. Nothing was recorded.")
        ) from None


def _count(given: Mapping[str, str], name: str) -> int:
    text = given.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 5 and int(text) <= COUNT_MAX):
        raise NotAFigure(_now("Say how long, as a whole number. Nothing was recorded."))
    return int(text)
