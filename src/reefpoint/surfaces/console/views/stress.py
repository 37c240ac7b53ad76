"""Stress of the book: scenarios, reverse stress, sensitivities and gap loss, each asked for as a run."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.collateral.selectors.assumptions import NotEnoughHistory, RunRefused
from reefpoint.decisions.margin.selectors.currencies import CODES
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.insight.collateral.selectors import explain_account_gap
from reefpoint.insight.collateral.services import GAP
from reefpoint.insight.stress.rules import ScenarioRefused, read_falls, read_scenarios, usual_scenarios
from reefpoint.insight.stress.selectors.accounts import explain_account_stress
from reefpoint.insight.stress.services import REVERSE, SENSITIVITIES, STRESS
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.runs.services import ask_run
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.sentences import said

ROWS_CHARACTERS_MAX = 20_000
TARGET_CHARACTERS_MAX = 80
GAP_WHOLES = {"days": (1, 60), "grace_days": (0, 59), "seed": (0, 2**31)}
"""What may be asked of a gap loss, as by REST."""
PATHS = (1_000, 2_000, 10_000, 100_000)
KINDS = {"scenarios": STRESS, "reverse": REVERSE, "sensitivities": SENSITIVITIES, "gap": GAP}


@page("margin.view")
def stress(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What is asked, and on a post the run that answers it."""
    errors: dict[str, str | Promise] = {}
    if request.method == "POST":
        kind = KINDS.get(request.POST.get("question", ""), STRESS)
        inputs, errors = _read(kind.name, request.POST)
        if not errors:
            require(actor, kind.right)
            at = desk_now()
            run_id = ask_run(actor=actor, kind=kind.name, inputs=inputs, on=current_book_day() or at.date(), at=at)
            return redirect("console:run", run_id)
    given = request.POST or {
        "history": "on",
        "gaps": "on",
        "falls": "10, 20, 30, 40",
        "market": "10, 20, 30",
        "fx": "10",
    }
    sectors = sorted({one.sector for one in list_instruments()})
    shown = {"given": given, "errors": errors, "currencies": CODES, "sectors": sectors, "paths": PATHS}
    return render(request, "console/stress.html", shown, status=422 if errors else 200)


@page("margin.view")
def account_stress(request: HttpRequest, actor: Actor, account_id: int) -> HttpResponse:
    """One account under the usual scenarios, why the worst is what it is, and on demand its loss in a forced sale."""
    at = desk_now()
    context: dict[str, Any] = {"told": explain_account_stress(actor, account_id, usual_scenarios(), at=at)}
    if "gap" in request.GET:
        try:
            context["gap"] = explain_account_gap(actor, account_id, at=at, paths=PATHS[1])
        except (NotEnoughHistory, RunRefused) as refusal:
            context["gap_problem"] = said(refusal)
    return render(request, "console/account_stress.html", context)


def _read(kind: str, given: QueryDict) -> tuple[dict[str, Any], dict[str, str | Promise]]:
    """The inputs of a run, and by field what is wrong with them."""
    inputs: dict[str, Any] = {"currency": given.get("currency") or None}
    errors: dict[str, str | Promise] = {}
    if kind == STRESS.name:
        for field, name in (("falls", "falls_bp"), ("market", "market_falls_bp"), ("fx", "currency_falls_bp")):
            try:
                inputs[name] = list(read_falls(given.get(field, "")))
            except ScenarioRefused as refusal:
                errors[field] = said(refusal)
        inputs |= {"with_history": "history" in given, "with_gaps": "gaps" in given}
        own = given.get("own", "").strip()[:ROWS_CHARACTERS_MAX]
        try:
            rows = read_scenarios(own.splitlines()) if own else ()
            inputs["rows"] = [[row.scenario, row.target, row.shock_pct] for row in rows]
        except ScenarioRefused as refusal:
            errors["own"] = said(refusal)
    elif kind == REVERSE.name:
        try:
            cents = parse_money(given.get("limit", ""))
            inputs["limit_minor"] = cents * 10 ** MINOR_DIGITS.get(inputs["currency"] or "", 2) // 100
        except AmountError:
            errors["limit"] = _("An amount is needed: 500,000 or 500k or 50万.")
        inputs["falling"] = given.get("falling", "").strip()[:TARGET_CHARACTERS_MAX] or None
    elif kind == GAP.name:
        paths = given.get("paths", "")
        inputs["paths"] = int(paths) if paths in {str(one) for one in PATHS} else PATHS[0]
        for field, (least, most) in GAP_WHOLES.items():
            word = given.get(field, "").strip()
            if word.isascii() and word.isdigit() and least <= int(word[:20]) <= most:
                inputs[field] = int(word)
            else:
                bounds = {"least": least, "most": most}
                errors[field] = _("A whole number from %(least)s to %(most)s is needed.") % bounds
        if not errors and inputs["grace_days"] >= inputs["days"]:
            errors["grace_days"] = _("No day would be left to sell on.")
    return inputs, errors
