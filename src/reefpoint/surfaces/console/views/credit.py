"""Credit: decisions, one decision opened to its rows and terms, and what two people make of it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.credit.selectors import find_decisions, read_decision
from reefpoint.decisions.credit.services import (
    approve_decision,
    decline_decision,
    propose_decision,
    return_decision,
)
from reefpoint.decisions.credit.types import CreditOutcome, DecisionState, DecisionView
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import DECIDE_APPROVAL, holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.surfaces.console.templatetags.credit import OUTCOME_WORDS, STATE_WORDS
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.people import page, people_names
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
    context = {
        "decision": found,
        "names": people_names(),
        "on": current_book_day() or desk_now().date(),
        "may_approve": bool(level)
        and is_person
        and found.proposed_by != actor.ref
        and holds(actor.permissions, DECIDE_APPROVAL + level),
        "may_propose": holds(actor.permissions, "credit.decide") and not found.is_barred,
        "errors": errors or {},
        "given": request.POST,
    }
    return render(request, "console/decision.html", context, status=422 if errors else 200)
