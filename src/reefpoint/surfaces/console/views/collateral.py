"""Collateral: what is accepted, each name's haircut opened to its parts, and what a change would do to the book."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.decorators.http import require_POST

from reefpoint.decisions.collateral.selectors.assessments import (
    assessments_of,
    explain_haircut,
    get_assessment,
    haircut_history,
    latest_names,
    list_assessments,
)
from reefpoint.decisions.collateral.selectors.caps import house_uses
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force, pending_steps
from reefpoint.decisions.collateral.selectors.house import (
    PUBLISH,
    accepts,
    is_eligible,
    lists_in_force,
    published_house,
    read_house,
    valuation_cuts,
)
from reefpoint.decisions.collateral.selectors.model import own_haircuts
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.decisions.collateral.services.releases import plan_release
from reefpoint.decisions.margin.selectors.collateral_effects import find_assessment_effect
from reefpoint.decisions.margin.services.collateral import StepTooFar, request_haircut_release
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market.selectors import get_instrument, list_instruments, list_listings
from reefpoint.surfaces.console.templatetags.collateral import BOARD_WORDS, PART_WORDS
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

REASON_CHARACTERS_MAX = 500


@dataclass(frozen=True)
class CollateralRow:
    """One name in the list. `haircut_bp` is the desk's in force, `assessed_bp` the latest assessment's.

    `next_bp` and `next_on` are the next step of a ramp; `own_bp` the least that any scheme version in use asks;
    `binding` the part of the latest assessment that asks for most.
    """

    instrument_id: int
    symbol: str
    name: str
    name_zh: str
    kind: str
    board: str
    standing: str
    own_bp: int | None
    haircut_bp: int | None
    assessed_bp: int | None
    binding: str
    next_bp: int | None
    next_on: date | None


NAMES = Table(
    key="collateral",
    columns=(
        Column(
            "symbol", _("Name"), "code", link=lambda row: reverse("console:collateral_name", args=[row.instrument_id])
        ),
        Column("name", _("Company"), "custom", template="console/cells/instrument_name.html", is_name=True),
        Column("board", pgettext_lazy("listing", "Board"), "custom", template="console/cells/collateral_board.html"),
        Column("standing", _("Eligible"), "custom", template="console/cells/collateral_standing.html"),
        Column("own_bp", _("Schemes ask"), "percent", is_wide_only=True),
        Column("haircut_bp", _("In force"), "percent"),
        Column("next_bp", _("Next step"), "percent"),
        Column("next_on", _("From"), "day"),
        Column("assessed_bp", _("Last assessed"), "percent"),
        Column("binding", _("Binding part"), "custom", template="console/cells/haircut_part.html"),
    ),
    sort="symbol",
    search=_("Symbol"),
    choices=(
        Choice(
            "standing",
            _("Eligible"),
            (("accepted", _("Eligible")), ("off", _("Not on the list")), ("suspended", _("Suspended"))),
        ),
        Choice("board", pgettext_lazy("listing", "Board"), tuple(BOARD_WORDS.items())),
        Choice("binding", _("Binding part"), tuple(PART_WORDS.items())),
    ),
    empty=_("No name is listed yet"),
    empty_help=_("Names appear here once operations have listed them."),
    row_id=lambda row: f"collateral-{row.instrument_id}",
)


def collateral_rows(on: date) -> list[CollateralRow]:
    """Every listed name as collateral on a day, in a fixed number of queries."""
    instruments, listings, lists = list_instruments(), list_listings(on), lists_in_force(on)
    in_force_bp, pending, latest = haircuts_in_force(on), pending_steps(on), latest_names()
    own = own_haircuts(instruments, on)
    rows = []
    for one in instruments:
        step = next(iter(pending.get(one.id, [])), None)
        found = latest.get(one.id)
        is_listed = not lists or accepts(lists, one.symbol, on)
        rows.append(
            CollateralRow(
                instrument_id=one.id,
                symbol=one.symbol,
                name=one.name,
                name_zh=one.name_zh,
                kind=listings[one.id].kind.value,
                board=listings[one.id].board.value,
                standing="suspended" if one.is_suspended else "accepted" if is_listed else "off",
                own_bp=min(own[one.id]) if one.id in own else None,
                haircut_bp=in_force_bp.get(one.id),
                assessed_bp=found.haircut_bp if found else None,
                binding=found.binding if found else "",
                next_bp=step.haircut_bp if step else None,
                next_on=step.effective_on if step else None,
            )
        )
    return rows


@page("collateral.view")
def collateral(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The list of names, with the latest assessments beside it."""
    on = desk_now().date()
    wanted = NAMES.read(request.GET)
    context = {
        "on": on,
        "assessments": list_assessments(limit=10),
        "names": people_names(),
        "may_assess": holds(actor.permissions, "collateral.assess"),
        "has_lists": bool(lists_in_force(on)),
        "is_house_shipped": published_house(on) is None,
    }
    return NAMES.answer(request, wanted, NAMES.find_in(collateral_rows(on), wanted), "console/collateral.html", context)


@require_POST
@page("collateral.assess")
def assess(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Assess every name as of today. Nothing is put in force by it."""
    at = desk_now()
    try:
        assessment_id = assess_names(actor=actor, on=at.date(), at=at)
    except Refusal as error:
        messages.error(request, said(error))
        return redirect("console:collateral")
    return redirect("console:assessment", assessment_id=assessment_id)


@page("collateral.view")
def name(request: HttpRequest, actor: Actor, instrument_id: int) -> HttpResponse:
    """One name: its haircut opened to its parts, the steps to come, and its history."""
    at = desk_now()
    on = at.date()
    instrument = get_instrument(instrument_id)
    explained = explain_haircut(instrument_id, on)
    assessed = assessments_of(instrument_id)
    opened = explained.name or (assessed[0][1] if assessed else None)
    house = published_house(on)
    context = {
        "instrument": instrument,
        "listing": list_listings(on)[instrument_id],
        "explained": explained,
        "opened": opened,
        "is_in_force": explained.name is not None,
        "assessed": assessed,
        "history": haircut_history(instrument_id),
        "own": sorted(set(own_haircuts([instrument], on).get(instrument_id, []))),
        "is_eligible": is_eligible(instrument_id, on),
        "cut_bp": valuation_cuts(on).get(instrument_id) if instrument.is_suspended else None,
        "uses": [use for use in house_uses(house.caps, on, at=at) if use.instrument_id == instrument_id]
        if house
        else [],
        "on": on,
        "names": people_names(),
    }
    return render(request, "console/collateral_name.html", context)


@page("collateral.view")
def assessment(request: HttpRequest, actor: Actor, assessment_id: int) -> HttpResponse:
    """An assessment: every name's parts, what putting it in force would do to the book, and asking for that."""
    return _assessment(request, actor, assessment_id, {})


def _assessment(request: HttpRequest, actor: Actor, assessment_id: int, errors: dict[str, str]) -> HttpResponse:
    at = desk_now()
    found = get_assessment(assessment_id)
    planned = {} if found.release else plan_release(assessment_id, at.date())
    now = haircuts_in_force(at.date())
    context = {
        "assessment": found,
        "rows": [(one, now.get(one.instrument_id), planned.get(one.instrument_id, ())) for one in found.names],
        "effect": None if found.release else find_assessment_effect(assessment_id, at=at),
        "may_publish": holds(actor.permissions, PUBLISH),
        "names": people_names(),
        "errors": errors,
        "given": request.POST,
    }
    return render(request, "console/assessment.html", context, status=422 if errors else 200)


@require_POST
@page(PUBLISH)
def request_release(request: HttpRequest, actor: Actor, assessment_id: int) -> HttpResponse:
    """Ask a second person to put an assessment in force."""
    at = desk_now()
    reason, override = (request.POST.get(key, "").strip()[:REASON_CHARACTERS_MAX] for key in ("reason", "override"))
    errors = {} if reason else {"reason": _now("Say what changes and why: the second person reads it.")}
    if not errors:
        try:
            approval_id = request_haircut_release(
                actor=actor,
                assessment_id=assessment_id,
                reason=reason,
                override_reason=override,
                on=at.date(),
                at=at,
            )
            messages.success(request, _now("Asked. A second person decides whether it comes in force."))
            return redirect("console:approval", approval_id=approval_id)
        except StepTooFar as error:
            errors["override"] = said(error)
        except Refusal as error:
            errors["reason"] = said(error)
    return _assessment(request, actor, assessment_id, errors)


def house_shown(publication_id: int | None) -> dict[str, Any]:
    """What the page of house rules draws of a version."""
    house = read_house(publication_id)
    return {"tables": [house.haircuts, house.suspension], "house": house}
