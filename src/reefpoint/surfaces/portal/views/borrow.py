"""Borrowing: ask for credit, follow it, look at the price, accept it, go to sign, and follow the money."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.pricing.selectors.quotes import get_quote
from reefpoint.flows.lending.rules import CAN_ADD_COLLATERAL, CLIENT_CAN_WITHDRAW
from reefpoint.flows.lending.selectors.conditions import list_request_conditions
from reefpoint.flows.lending.selectors.renewals import list_own_loans
from reefpoint.flows.lending.selectors.requests import get_request, list_own_requests, list_steps
from reefpoint.flows.lending.services.offering import accept_offer, add_collateral, renew_offer
from reefpoint.flows.lending.services.requests import (
    AskMalformed,
    begin_request,
    change_request,
    submit_request,
    withdraw_request,
)
from reefpoint.flows.lending.types import CreditRequestView, CreditState, NextStep, Turn
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.selectors.overview import OfferedScheme, indicative_overview, list_offered_schemes
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.records.accounts.selectors.accounts import account_numbers
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.types import ClientStatus, ClientView
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.portal.views.loans import due_loans
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.application_words import refusal_words
from reefpoint.surfaces.web.credit_words import CLIENT_WORDS, END_WORDS, STEP_WORDS, Words
from reefpoint.surfaces.web.lots import LotsUnreadable, parse_lots

TOLD_STEPS = frozenset(
    {
        "submit",
        "approve",
        "decline",
        "offer",
        "accept_offer",
        "client_signed",
        "sign",
        "add_collateral",
        "begin_funding",
        "funding_failed",
        "fund",
        "withdraw",
        "lapse",
    }
)
"""The steps of which a client reads; what the desk does within is its own."""
TENOR_DAYS = 90
ROWS_SHOWN = 3


class NotAClientYet(NotFound):
    """Only accepted clients can borrow."""


def _own(actor: Actor) -> ClientView:
    found = find_own_client(actor)
    if found is None or found.status is not ClientStatus.ACTIVE:
        raise NotAClientYet(_("You can borrow once your application is accepted."))
    return found


def live_requests(actor: Actor) -> list[tuple[CreditRequestView, tuple[Words, Words], bool]]:
    """Each of one's own requests that is under way: what it waits for in words, and whether for the client."""
    return [
        (one, CLIENT_WORDS[one.next_step.value], one.turn is Turn.CLIENT)
        for one in list_own_requests(actor, at=desk_now())
        if one.next_step.value in CLIENT_WORDS
    ]


@client_page
def borrow(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One's own requests, and the form to ask; a POST keeps the ask and shows what it would cost and risk."""
    own, at = _own(actor), desk_now()
    on = get_clock().business_date or at.date()
    schemes = list_offered_schemes(on)
    code = request.POST.get("scheme") or request.GET.get("scheme", "")
    scheme = next((one for one in schemes if one.code == code), schemes[0] if schemes else None)
    errors: dict[str, object] = {}
    if request.method == "POST" and scheme is not None and "choose" not in request.POST:
        request_id, errors = _keep(request, actor, own, scheme)
        if request_id is not None:
            return redirect("portal:borrowing", request_id=request_id)
    context = {
        "requests": list_own_requests(actor, at=at),
        "loans": list_own_loans(actor, on=on),
        "due_loans": due_loans(actor),
        "schemes": schemes,
        "scheme": scheme,
        "rows": _rows(request, scheme),
        "amount": request.POST.get("amount", ""),
        "tenor": request.POST.get("tenor", str(TENOR_DAYS)),
        "errors": errors,
        "sentences": {state: words[0] for state, words in END_WORDS.items()},
    }
    return render(request, "portal/borrow.html", context, status=422 if errors else 200)


def _rows(request: HttpRequest, scheme: OfferedScheme | None) -> list[tuple[str, str, str]]:
    """(symbol, name, shares typed) for each name the scheme takes."""
    if scheme is None:
        return []
    names = {one.symbol: one for one in list_instruments()}
    is_chinese = request.LANGUAGE_CODE.startswith("zh")
    return [
        (
            symbol,
            (names[symbol].name_zh if is_chinese else "") or names[symbol].name,
            request.POST.get(f"shares.{symbol}", "")[:12],
        )
        for symbol in scheme.symbols
        if symbol in names
    ]


def _keep(
    request: HttpRequest, actor: Actor, own: ClientView, scheme: OfferedScheme
) -> tuple[int | None, dict[str, object]]:
    """Write the ask of a form down; what is wrong by field in words."""
    errors: dict[str, object] = {}
    at = desk_now()
    on = get_clock().business_date or at.date()
    amount_minor = tenor_days = 0
    try:
        amount_minor = parse_money(request.POST.get("amount", ""))
    except AmountError:
        errors["amount"] = _("Write an amount above zero, such as 50,000.")
    tenor = request.POST.get("tenor", "").strip()
    if tenor.isascii() and tenor.isdigit() and len(tenor) < 6:
        tenor_days = int(tenor)
    else:
        errors["tenor"] = _("Write a number of days.")
    ids = {one.symbol: one.id for one in list_instruments()}
    lots: list[tuple[int, int]] = []
    for symbol in scheme.symbols:
        typed = request.POST.get(f"shares.{symbol}", "").replace(",", "").strip()
        if typed and not (typed.isascii() and typed.isdigit() and len(typed) < 12):
            errors["holdings"] = _("Write whole numbers of shares.")
        elif typed and int(typed):
            lots.append((ids[symbol], int(typed)))
    if errors:
        return None, errors
    try:
        return begin_request(
            actor=actor,
            client_id=own.id,
            scheme_code=scheme.code,
            amount_minor=amount_minor,
            tenor_days=tenor_days,
            lots=lots,
            on=on,
            at=at,
        ), {}
    except AskMalformed as refusal:
        return None, {refusal.field: refusal_words(refusal)}
    except Refusal as refusal:
        return None, {"form": refusal_words(refusal)}


@client_page
def borrowing(request: HttpRequest, actor: Actor, request_id: int) -> HttpResponse:
    """One request: where it stands, what it costs, what is to be done."""
    _own(actor)
    return _show(request, actor, request_id)


def _show(request: HttpRequest, actor: Actor, request_id: int, refused: object = "") -> HttpResponse:
    at = desk_now()
    on = get_clock().business_date or at.date()
    found = get_request(actor, request_id, at=at)
    overview = None
    why_none: object = ""
    if found.state is CreditState.DRAFT:
        try:
            overview = indicative_overview(
                scheme_code=found.scheme_code,
                loan_minor=found.amount_minor,
                holdings={lot.symbol: lot.quantity for lot in found.lots},
                on=on,
                at=at,
            )
        except Refusal as refusal:
            why_none = refusal_words(refusal)
    steps = [step for step in list_steps(actor, request_id) if step.action in TOLD_STEPS]
    context = {
        "credit": found,
        "sentence": CLIENT_WORDS.get(found.next_step.value) or END_WORDS.get(found.state.value, ("", "")),
        "quote": get_quote(found.quote_id) if found.quote_id and found.state is CreditState.OFFERED else None,
        "overview": overview,
        "why_none": why_none,
        "conditions": list_request_conditions(actor, request_id, on=on, at=at),
        "may_add": found.state in CAN_ADD_COLLATERAL
        and found.approval_id is None
        and found.next_step.value != "countersign",
        "moves": [(step.at, STEP_WORDS.get(step.action, step.action)) for step in reversed(steps)],
        "account_number": account_numbers([found.account_id])[found.account_id] if found.account_id else "",
        "may_withdraw": found.state in CLIENT_CAN_WITHDRAW,
        "may_accept": found.next_step is NextStep.ACCEPT_OFFER,
        "may_renew": found.next_step is NextStep.RENEW_QUOTE or bool(refused and found.state is CreditState.OFFERED),
        "refused": refused,
        "now": at,
    }
    return render(request, "portal/borrowing.html", context, status=409 if refused else 200)


@require_POST
@client_page
def go_on(request: HttpRequest, actor: Actor, request_id: int) -> HttpResponse:
    """Do one's next step of a request: exactly what the form showed."""
    _own(actor)
    given, at = request.POST, desk_now()
    on = get_clock().business_date or at.date()
    found = get_request(actor, request_id, at=at)
    try:
        match given.get("step"):
            case "submit":
                submit_request(actor=actor, request_id=request_id, on=on, at=at)
                messages.success(request, _("Handed in. You will hear from us."))
            case "accept":
                contract_id = accept_offer(
                    actor=actor,
                    request_id=request_id,
                    quote_id=_number(given.get("quote", "")),
                    rate_bp=_number(given.get("rate", "")),
                    on=on,
                    at=at,
                )
                messages.success(request, _("Accepted. Your contract is ready to read and sign."))
                return redirect("portal:contract", contract_id=contract_id)
            case "renew":
                renew_offer(actor=actor, request_id=request_id, on=on, at=at)
                messages.success(request, _("Here is a new price."))
            case "add":
                add_collateral(actor=actor, request_id=request_id, lots=parse_lots(given.get("more", "")), on=on, at=at)
                messages.success(request, _("The shares are added. If you had an offer, its price is worked out anew."))
            case "withdraw":
                withdraw_request(actor=actor, request_id=request_id, reason="", at=at)
                messages.success(request, _("Taken back. Nothing is owed."))
            case "change" if found.state is CreditState.DRAFT:
                change_request(
                    actor=actor,
                    request_id=request_id,
                    amount_minor=parse_money(given.get("amount", "")),
                    tenor_days=_number(given.get("tenor", "")),
                    lots=[(lot.instrument_id, lot.quantity) for lot in found.lots],
                    on=on,
                    at=at,
                )
                messages.success(request, _("Changed."))
    except LotsUnreadable as error:
        return _show(request, actor, request_id, str(error))
    except AmountError:
        return _show(request, actor, request_id, _("Write an amount above zero, such as 50,000."))
    except Refusal as refusal:
        return _show(request, actor, request_id, refusal_words(refusal))
    return redirect("portal:borrowing", request_id=request_id)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
