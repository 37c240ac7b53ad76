"""Loans near their maturity: the list, and one loan with whether it can be renewed, its price and its renewals."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.pricing.selectors.quotes import get_quote
from reefpoint.flows.lending.rules import LIVE_DEFAULTS, LIVE_RENEWALS
from reefpoint.flows.lending.selectors.defaults import list_defaults
from reefpoint.flows.lending.selectors.renewals import (
    check_renewal,
    find_maturing,
    get_maturing,
    list_renewals,
)
from reefpoint.flows.lending.selectors.requests import find_contract_of
from reefpoint.flows.lending.services.defaults import SUBJECT_PREFIX, propose_default, withdraw_default
from reefpoint.flows.lending.services.renewals import CannotRenew, offer_renewal, withdraw_renewal
from reefpoint.flows.lending.types import MaturityStage, RenewalState
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.access.rules import holds
from reefpoint.platform.access.services import ReasonNeeded
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.records.accounts.selectors.loans import get_loan, list_extensions
from reefpoint.records.contracts.selectors import find_in_force, list_amendments
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.renewal_words import RENEWAL_WORDS
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

MATURITIES = Table(
    key="maturities",
    columns=(
        Column("number", _("Loan"), "code", link=lambda row: reverse("console:loan", args=[row.loan_id])),
        Column("client_name", _("Client"), "custom", template="console/cells/client_name.html", is_name=True),
        Column("account_number", _("Account"), "code", is_sortable=False, is_wide_only=True),
        Column("scheme_code", _("Scheme"), "code", is_sortable=False, is_wide_only=True),
        Column("principal_minor", _("Left"), "money"),
        Column("currency", _("Currency"), is_sortable=False, is_wide_only=True),
        Column("rate_bp", _("Rate"), "percent", is_wide_only=True),
        Column("matures_on", _("Matures"), "day"),
        Column("days_left", _("Days left"), "quantity", is_sortable=False),
        Column("stage", _("State"), "custom", is_sortable=False, template="console/cells/maturity.html"),
        Column("renewal", _("Renewal"), "custom", is_sortable=False, template="console/cells/renewal.html"),
    ),
    sort="matures_on",
    search=_("Loan, account or client"),
    choices=(
        Choice("when", _("When"), (("past", _("Past maturity")), ("soon", _("Within 7 days")), ("near", _("To come")))),
        Choice(
            "renewal",
            _("Renewal"),
            (("none", _("None under way")), *((state, RENEWAL_WORDS[state]) for state in LIVE_RENEWALS)),
        ),
    ),
    empty=_("No loan is near its maturity"),
    empty_help=_("Loans appear here thirty days before their maturity, and stay until they are repaid or renewed."),
    row_id=lambda row: f"loan-{row.loan_id}",
)


@page("lending.view")
def maturities(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Loans within a month of their maturity or past it, earliest first."""
    wanted = MATURITIES.read(request.GET)
    clock = get_clock()
    found = find_maturing(
        actor,
        on=clock.business_date or clock.at.date(),
        when=wanted.chosen["when"],
        renewal=wanted.chosen["renewal"],
        text=wanted.text,
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return MATURITIES.answer(request, wanted, found, "console/maturities.html", {})


@page("lending.view")
def loan(request: HttpRequest, actor: Actor, loan_id: int) -> HttpResponse:
    """One loan: when it is due, whether it can be renewed and why not, its renewals and what its client was told."""
    return _show(request, actor, loan_id)


def _show(request: HttpRequest, actor: Actor, loan_id: int, errors: dict[str, object] | None = None) -> HttpResponse:
    at = desk_now()
    on = get_clock().business_date or at.date()
    found = get_maturing(actor, loan_id, on=on)
    under_way = found.renewal if found.renewal and found.renewal.state in LIVE_RENEWALS else None
    is_asked = under_way is not None and under_way.state is RenewalState.ASKED
    live = None if is_asked else under_way
    contract_id = find_contract_of(get_loan(loan_id))
    contract = None if contract_id is None else find_in_force(contract_id)
    may_offer = holds(actor.permissions, "lending.offer")
    check = check_renewal(actor, loan_id, on=on, at=at)
    defaults = list_defaults(actor, loan_id)
    context = {
        "loan": found,
        "check": check,
        "offered": live,
        "quote": get_quote(live.quote_id) if live and live.quote_id and "pricing.view" in actor.permissions else None,
        "renewals": list_renewals(actor, loan_id),
        "extensions": list_extensions([loan_id]),
        "contract": contract,
        "amendments": list_amendments(contract.id) if contract else [],
        "notices": list_notices(about=f"loan:{loan_id}"),
        "names": people_names(),
        "may_offer": may_offer and live is None,
        "may_withdraw": may_offer and under_way is not None,
        "asked": under_way if is_asked else None,
        "may_countersign": holds(actor.permissions, "contracts.countersign"),
        "defaults": defaults,
        "open_default": found.default if found.default and found.default.state in LIVE_DEFAULTS else None,
        "default_notices": [
            notice
            for one in defaults
            if one.sale_from
            for notice in list_notices(about=f"{SUBJECT_PREFIX}{one.id}:{one.sale_from}")
        ],
        "may_default": holds(actor.permissions, "lending.default"),
        "is_late": found.stage is MaturityStage.LATE,
        "tenor": request.POST.get("tenor", str(under_way.tenor_days if under_way else check.tenor_days_max)),
        "errors": errors or {},
        "now": at,
    }
    return render(request, "console/loan.html", context, status=422 if errors else 200)


@require_POST
@page("lending.view")
def renew(request: HttpRequest, actor: Actor, loan_id: int) -> HttpResponse:
    """Offer a further term at the grid's price, or take a renewal back."""
    given, at = request.POST, desk_now()
    on = get_clock().business_date or at.date()
    try:
        if given.get("step") == "withdraw":
            withdraw_renewal(
                actor=actor, renewal_id=_number(given.get("renewal", "")), reason=given.get("reason", ""), at=at
            )
            messages.success(request, _now("Withdrawn. The client is told."))
        elif not (days := _number(given.get("tenor", ""))):
            return _show(request, actor, loan_id, {"tenor": _now("Write a number of days.")})
        else:
            offer_renewal(actor=actor, loan_id=loan_id, tenor_days=days, on=on, at=at)
            messages.success(request, _now("Priced and offered. The client is told."))
    except CannotRenew:
        return _show(request, actor, loan_id, {"form": _now("It cannot be renewed now: see what stands against it.")})
    except Refusal as refusal:
        field = "tenor" if refusal.facts.get("field") == "tenor" else "reason" if given.get("step") else "form"
        return _show(request, actor, loan_id, {field: said(refusal)})
    return redirect("console:loan", loan_id=loan_id)


@require_POST
@page("lending.view")
def default(request: HttpRequest, actor: Actor, loan_id: int) -> HttpResponse:
    """Ask a second person to let collateral be sold for a late loan, or take that back."""
    given, at = request.POST, desk_now()
    on = get_clock().business_date or at.date()
    reason = given.get("reason", "")
    try:
        if given.get("step") == "withdraw":
            withdraw_default(actor=actor, default_id=_number(given.get("default", "")), reason=reason, at=at)
            messages.success(request, _now("Taken back. A client who was told is told."))
        else:
            propose_default(actor=actor, loan_id=loan_id, reason=reason, on=on, at=at)
            messages.success(request, _now("A second person is asked. The client is told once they agree."))
    except ReasonNeeded as refusal:
        return _show(request, actor, loan_id, {"default_reason": said(refusal)})
    except Refusal as refusal:
        return _show(request, actor, loan_id, {"form": said(refusal)})
    return redirect("console:loan", loan_id=loan_id)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
