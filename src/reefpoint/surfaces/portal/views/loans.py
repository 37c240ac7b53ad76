"""A client's own loan: what is due, when and how it is paid, and whether it can be renewed, accepted and signed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.pricing.selectors.quotes import get_quote
from reefpoint.flows.lending.rules import LIVE_RENEWALS
from reefpoint.flows.lending.selectors.renewals import check_renewal, get_maturing, list_own_loans
from reefpoint.flows.lending.services.renewals import CannotRenew, accept_renewal, ask_renewal, decline_renewal
from reefpoint.flows.lending.types import MaturingLoan, MaturityStage, RenewalState
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.web.application_words import refusal_words
from reefpoint.surfaces.web.renewal_words import (
    CLIENT_BAR_WORDS,
    CLIENT_DEFAULT_WORDS,
    CLIENT_RENEWAL_WORDS,
    CLIENT_STAGE_WORDS,
)


def due_loans(actor: Actor) -> list[MaturingLoan]:
    """The client's loans that are near their maturity, past it, or being renewed: what a page reminds of."""
    clock = get_clock()
    loans = list_own_loans(actor, on=clock.business_date or clock.at.date())
    return [
        one
        for one in loans
        if one.stage is not MaturityStage.RUNNING or (one.renewal and one.renewal.state in LIVE_RENEWALS)
    ]


@client_page
def loan(request: HttpRequest, actor: Actor, loan_id: int) -> HttpResponse:
    """One loan: what is to be repaid, and its renewal."""
    return _show(request, actor, loan_id)


def _show(
    request: HttpRequest, actor: Actor, loan_id: int, refused: object = "", bars: tuple[str, ...] = ()
) -> HttpResponse:
    at = desk_now()
    on = get_clock().business_date or at.date()
    found = get_maturing(actor, loan_id, on=on)
    renewal = found.renewal
    is_live = renewal is not None and renewal.state in LIVE_RENEWALS
    check = check_renewal(actor, loan_id, on=on, at=at)
    context = {
        "loan": found,
        "check": check,
        "renewal": renewal,
        "is_live": is_live,
        "sentence": CLIENT_STAGE_WORDS[found.stage.value],
        "renewal_sentence": CLIENT_RENEWAL_WORDS[renewal.state.value] if renewal else None,
        "quote": get_quote(renewal.quote_id)
        if renewal and renewal.quote_id and renewal.state is RenewalState.OFFERED
        else None,
        "is_over": renewal is not None
        and renewal.state is not RenewalState.SIGNED
        and renewal.valid_until is not None
        and at > renewal.valid_until,
        "tenor": request.POST.get("tenor", str(check.tenor_days_max)),
        "bars": [CLIENT_BAR_WORDS[bar] for bar in (bars or tuple(one.value for one in check.bars))],
        "due_minor": found.principal_minor + check.unpaid_minor,
        "short_minor": max(found.principal_minor + check.unpaid_minor - check.cash_minor, 0),
        "refused": refused,
        "default": found.default,
        "default_sentence": CLIENT_DEFAULT_WORDS.get(found.default.state.value) if found.default else None,
    }
    return render(request, "portal/loan.html", context, status=409 if refused else 200)


@require_POST
@client_page
def renew(request: HttpRequest, actor: Actor, loan_id: int) -> HttpResponse:
    """Ask for a further term, accept exactly what was shown, or turn it down."""
    given, at = request.POST, desk_now()
    on = get_clock().business_date or at.date()
    renewal_id = _number(given.get("renewal", ""))
    try:
        if given.get("step") == "decline":
            decline_renewal(actor=actor, renewal_id=renewal_id, at=at)
            messages.success(request, _("Turned down. The loan is repaid on its last day."))
            return redirect("portal:loan", loan_id=loan_id)
        if given.get("step") == "ask":
            ask_renewal(actor=actor, loan_id=loan_id, tenor_days=_number(given.get("tenor", "")), on=on, at=at)
            messages.success(request, _("We have your request. You find our answer here."))
            return redirect("portal:loan", loan_id=loan_id)
        contract_id = accept_renewal(
            actor=actor,
            renewal_id=renewal_id,
            quote_id=_number(given.get("quote", "")),
            rate_bp=_number(given.get("rate", "")),
            on=on,
            at=at,
        )
    except CannotRenew as refusal:
        words = _("The loan cannot be renewed now. Nothing was accepted.")
        return _show(request, actor, loan_id, words, tuple(bar.value for bar in refusal.bars))
    except Refusal as refusal:
        return _show(request, actor, loan_id, refusal_words(refusal))
    messages.success(request, _("Accepted. The agreement is ready to read and sign."))
    return redirect("portal:contract", contract_id=contract_id)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
