"""Credit: decisions, one decision opened to its rows and terms, and what two people make of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.credit.selectors import find_decisions, list_decision_standings, read_decision
from reefpoint.decisions.credit.services import (
    approve_decision,
    decline_decision,
    propose_decision,
    request_waiver,
    return_decision,
)
from reefpoint.decisions.credit.types import CreditAsk, CreditOutcome, DecisionState, DecisionView
from reefpoint.flows.lending.services.deciding import decide_ask
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.flows.origination.selectors.overview import OfferedScheme, list_offered_schemes
from reefpoint.platform.access.rules import DECIDE_APPROVAL, holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.parties.selectors.clients import search_clients
from reefpoint.surfaces.console.templatetags.credit import OUTCOME_WORDS, STATE_WORDS
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.lots import LotsUnreadable, parse_lots
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

REASON_CHARACTERS_MAX = 500

DECISIONS = Table(
    key="credit-decisions",
    columns=(
        Column("id", _("Decision"), "code", link=lambda row: reverse("console:decision", args=[row.id])),
        Column("client_number", _("Client"), "code"),
        Column("client_name", _("Name"), "custom", template="console/cells/client_name.html", is_sortable=False),
        Column("scheme_code", _("Scheme"), "code", is_sortable=False, is_wide_only=True),
        Column("outcome", _("Policy says"), "custom", template="console/cells/credit_outcome.html", is_sortable=False),
        Column("state", _("State"), "custom", template="console/cells/credit_state.html"),
        Column("grade", _("Grade")),
        Column("asked_minor", _("Asked for"), "money", is_wide_only=True),
        Column("limit_minor", _("Limit"), "money"),
        Column("decided_on", _("Decided"), "day"),
    ),
    sort="-id",
    search=_("Number, name or scheme"),
    choices=(
        Choice(
            "state",
            _("State"),
            (*((state.value, STATE_WORDS[state.value]) for state in DecisionState), ("override", _("Overrides"))),
        ),
        Choice("outcome", _("Policy says"), tuple((one.value, OUTCOME_WORDS[one.value]) for one in CreditOutcome)),
    ),
    empty=_("No credit decisions yet"),
    empty_help=_("They appear here once a client has asked for a limit and it was decided."),
    row_id=lambda row: f"decision-{row.id}",
)


@page("credit.view")
def decisions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Credit decisions, newest first."""
    wanted = DECISIONS.read(request.GET)
    found = find_decisions(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        outcome=wanted.chosen["outcome"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return DECISIONS.answer(request, wanted, found, "console/decisions.html", {})


@page("credit.decide")
def new_decision(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Decide an ask of a client without a request on the portal: scheme, limit and what would be pledged."""
    at = desk_now()
    on = current_book_day() or at.date()
    schemes = list_offered_schemes(on)
    errors: dict[str, str] = {}
    given = request.POST if request.method == "POST" else request.GET
    if request.method == "POST":
        made = _decide(actor, request, schemes, errors)
        if made is not None:
            messages.success(request, _now("The policy has spoken."))
            return redirect("console:decision", decision_id=made.id)
    context = {"schemes": schemes, "errors": errors, "given": given}
    return render(request, "console/new_decision.html", context, status=422 if errors else 200)


def _decide(
    actor: Actor, request: HttpRequest, schemes: list[OfferedScheme], errors: dict[str, str]
) -> DecisionView | None:
    given, at = request.POST, desk_now()
    number = given.get("client", "").replace("\x00", "").strip().upper()
    client = next((one for one in search_clients(actor, number) if one.number == number), None)
    scheme = next((one for one in schemes if one.code == given.get("scheme")), None)
    limit_minor, lots = 0, list[tuple[int, int]]()
    if client is None or not number:
        errors["client"] = _now(
            "There is no such client, or it is not yours to see. Write the number, such as C-000001."
        )
    if scheme is None:
        errors["scheme"] = _now("Choose a scheme.")
    try:
        limit_minor = parse_money(given.get("limit", ""))
    except AmountError:
        errors["limit"] = _now("Write an amount, such as 250,000 or 250k.")
    try:
        lots = parse_lots(given.get("shares", ""))
    except LotsUnreadable as error:
        errors["shares"] = str(error)
    if errors or client is None or scheme is None:
        return None
    ask = CreditAsk(scheme.code, limit_minor, scheme.currency, tuple(lots))
    try:
        return decide_ask(actor=actor, client_id=client.id, ask=ask, on=current_book_day() or at.date(), at=at)
    except Refusal as refusal:
        errors["limit"] = said(refusal)
    return None


@require_POST
@page("credit.decide")
def waive(request: HttpRequest, actor: Actor, condition_id: int) -> HttpResponse:
    """Ask a second person to let a condition go."""
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[: REASON_CHARACTERS_MAX + 1]
    approval_id = request_waiver(actor=actor, condition_id=condition_id, reason=reason, at=desk_now())
    messages.success(request, _now("Asked for. A second person with the authority for the limit decides."))
    return redirect("console:approval", approval_id=approval_id)


@page("credit.view")
def decision(request: HttpRequest, actor: Actor, decision_id: int) -> HttpResponse:
    """One decision: what went in, which rows answered, how the limit came about, and what people made of it."""
    return _show(request, actor, read_decision(actor, decision_id))


@require_POST
@page("credit.view")
def act(request: HttpRequest, actor: Actor, decision_id: int) -> HttpResponse:
    """Propose a limit, approve or return what is proposed, or decline."""
    found = read_decision(actor, decision_id)
    at = desk_now()
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[: REASON_CHARACTERS_MAX + 1]
    match request.POST.get("step"):
        case "approve":
            approve_decision(actor=actor, decision_id=decision_id, reason=reason, at=at)
            messages.success(request, _now("Approved. The limit is in force until the decision expires."))
        case "return":
            return_decision(actor=actor, decision_id=decision_id, reason=reason, at=at)
            messages.success(request, _now("Returned to whoever proposed it."))
        case "decline":
            decline_decision(actor=actor, decision_id=decision_id, reason=reason, at=at)
            messages.success(request, _now("Declined."))
        case "propose":
            try:
                limit_minor = parse_money(request.POST.get("limit", ""))
            except AmountError:
                return _show(request, actor, found, {"limit": _now("Write an amount, such as 250,000 or 250k.")})
            propose_decision(actor=actor, decision_id=decision_id, limit_minor=limit_minor, reason=reason, at=at)
            messages.success(request, _now("Proposed. A second person with the authority decides."))
    return redirect("console:decision", decision_id=decision_id)


def _show(
    request: HttpRequest, actor: Actor, found: DecisionView, errors: dict[str, str] | None = None
) -> HttpResponse:
    level = {"officer": "credit.approve", "senior": "credit.approve_large"}.get(str(found.needs_authority), "")
    is_person = actor.user_id is not None
    at = desk_now()
    on = current_book_day() or at.date()
    context = {
        "decision": found,
        "conditions": list_decision_standings(actor, found.id, on=on, at=at),
        "may_waive": found.state is DecisionState.APPROVED and holds(actor.permissions, "credit.decide"),
        "names": people_names(),
        "on": on,
        "may_approve": bool(level)
        and is_person
        and found.proposed_by != actor.ref
        and holds(actor.permissions, DECIDE_APPROVAL + level),
        "may_propose": holds(actor.permissions, "credit.decide") and not found.is_barred,
        "errors": errors or {},
        "given": request.POST,
    }
    return render(request, "console/decision.html", context, status=422 if errors else 200)
