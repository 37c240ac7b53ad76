"""Requests for credit: the board by stage, the list, and the one page that holds the whole credit file."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.credit.selectors.decisions import get_decision
from reefpoint.decisions.kyc.selectors import get_kyc_standing
from reefpoint.decisions.pricing.selectors.quotes import get_quote
from reefpoint.decisions.scoring.selectors import get_score
from reefpoint.flows.lending.rules import CAN_ADD_COLLATERAL, fingerprint_of
from reefpoint.flows.lending.selectors.conditions import list_request_conditions
from reefpoint.flows.lending.selectors.renewals import get_maturing
from reefpoint.flows.lending.selectors.requests import find_requests, funding_facts, get_request, list_steps, load_board
from reefpoint.flows.lending.services.deciding import decide_request
from reefpoint.flows.lending.services.funding import request_funding, retry_funding
from reefpoint.flows.lending.services.offering import add_collateral, make_offer, renew_offer
from reefpoint.flows.lending.services.requests import withdraw_request
from reefpoint.flows.lending.types import CreditState, NextStep
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.contracts.selectors import list_amendments
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.treasury.selectors import list_payments_for, list_pools
from reefpoint.surfaces.web.credit_words import STAGE_WORDS
from reefpoint.surfaces.web.lots import LotsUnreadable, parse_lots
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table

REQUESTS = Table(
    key="credit_requests",
    columns=(
        Column("number", _("Request"), "code", link=lambda row: reverse("console:credit_file", args=[row.id])),
        Column("name", _("Client"), "custom", template="console/cells/lead_name.html", is_name=True),
        Column("scheme_code", _("Scheme"), "code"),
        Column("amount_minor", _("Amount"), "money"),
        Column("currency", _("Currency"), is_sortable=False, is_wide_only=True),
        Column("rate_bp", _("Rate"), "percent", is_sortable=False, is_wide_only=True),
        Column("state", _("Stage"), "custom", template="console/cells/stage.html"),
        Column("waits_since", _("In this stage since"), "instant"),
        Column("next_step", _("Next"), "custom", is_sortable=False, template="console/cells/next_step.html"),
    ),
    sort="waits_since",
    search=_("Name or number"),
    choices=(Choice("state", _("Stage"), tuple((state.value, STAGE_WORDS[state.value]) for state in CreditState)),),
    empty=_("Nobody has asked for credit yet"),
    empty_help=_("Accepted clients ask on the portal; staff can ask for them by call."),
    row_id=lambda row: f"credit-{row.id}",
)


@page("lending.view")
def pipeline(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Live requests by stage, those that wait longest first."""
    at = desk_now()
    stages = load_board(actor, at=at)
    return render(
        request, "console/pipeline.html", {"stages": stages, "count": sum(one.count for one in stages), "now": at}
    )


@page("lending.view")
def requests(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All requests in scope."""
    wanted = REQUESTS.read(request.GET)
    found = find_requests(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
        at=desk_now(),
    )
    return REQUESTS.answer(request, wanted, found, "console/credit_requests.html", {})


@page("lending.view")
def credit_file(request: HttpRequest, actor: Actor, request_id: int) -> HttpResponse:
    """One request with everything it rests on, and what can be done with it at the bottom."""
    at = desk_now()
    found = get_request(actor, request_id, at=at)
    on = get_clock().business_date or at.date()
    rights = actor.permissions
    pools = [pool for pool in list_pools() if pool.currency == found.currency]
    chosen = request.GET.get("pool", found.pool_code or (pools[0].code if pools else ""))
    facts = None
    if found.next_step is NextStep.REQUEST_FUNDING and "lending.fund" in rights and chosen:
        facts = funding_facts(actor, request_id, chosen)
    context = {
        "credit": found,
        "client": get_client(actor, found.client_id) if "clients.view" in rights else None,
        "kyc": get_kyc_standing(found.client_id) if "kyc.view" in rights else None,
        "score": get_score(found.score_id) if found.score_id and "scoring.view" in rights else None,
        "decision": get_decision(found.decision_id) if found.decision_id and "credit.view" in rights else None,
        "quote": get_quote(found.quote_id) if found.quote_id and "pricing.view" in rights else None,
        "account_number": account_numbers([found.account_id])[found.account_id] if found.account_id else "",
        "loan": get_maturing(actor, found.loan_id, on=on) if found.loan_id else None,
        "amendments": list_amendments(found.contract_id) if found.contract_id else [],
        "payments": list_payments_for(f"credit_request:{request_id}"),
        "conditions": list_request_conditions(actor, request_id, on=get_clock().business_date or at.date(), at=at),
        "may_waive": "credit.decide" in rights,
        "may_add": found.state in CAN_ADD_COLLATERAL and found.approval_id is None,
        "steps": list_steps(actor, request_id),
        "notices": list_notices(about=f"credit_request:{request_id}"),
        "pools": pools,
        "pool": chosen,
        "facts": facts,
        "shown": fingerprint_of(facts) if facts else "",
        "now": at,
    }
    return render(request, "console/credit_file.html", context)


@require_POST
@page("lending.view")
def work_on(request: HttpRequest, actor: Actor, request_id: int) -> HttpResponse:
    """Do the next step of a request: exactly what the form showed."""
    given, at = request.POST, desk_now()
    on = get_clock().business_date or at.date()
    match given.get("step"):
        case "decide":
            state = decide_request(actor=actor, request_id=request_id, on=on, at=at)
            messages.success(request, f"{_now('The policy has spoken')}: {STAGE_WORDS[state.value]}")
        case "offer":
            make_offer(actor=actor, request_id=request_id, on=on, at=at)
            messages.success(request, _now("Priced and offered. The client is told."))
        case "renew":
            renew_offer(actor=actor, request_id=request_id, on=on, at=at)
            messages.success(request, _now("Priced anew and offered. The client is told."))
        case "fund":
            request_funding(
                actor=actor,
                request_id=request_id,
                pool_code=given.get("pool", ""),
                shown=given.get("shown", ""),
                on=on,
                at=at,
            )
            messages.success(request, _now("A second person is asked. Money moves when they agree."))
        case "retry":
            retry_funding(actor=actor, request_id=request_id, on=on, at=at)
            messages.success(request, _now("It can be funded again. A second person is asked anew."))
        case "add":
            try:
                lots = parse_lots(given.get("more", ""))
            except LotsUnreadable as error:
                messages.error(request, str(error))
            else:
                add_collateral(actor=actor, request_id=request_id, lots=lots, on=on, at=at)
                messages.success(request, _now("The shares are added. An offer was priced anew."))
        case "withdraw":
            withdraw_request(actor=actor, request_id=request_id, reason=given.get("reason", ""), at=at)
            messages.success(request, _now("Withdrawn. The client is told."))
        case _:
            messages.error(request, _now("Nothing was done: choose what to do."))
    return redirect("console:credit_file", request_id=request_id)
