"""Prices: quotes, one quote with its build-up, a calculator, and new rates for loans."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from reefpoint.decisions.pricing.rules import GRADES, SEGMENTS
from reefpoint.decisions.pricing.selectors import find_quotes, list_proposals, read_quote
from reefpoint.decisions.pricing.services import (
    NothingToReprice,
    RatesRefused,
    cancel_proposal,
    quote,
    request_exception,
    request_rates,
    work_out,
)
from reefpoint.decisions.pricing.types import Portfolio
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.access.rules import holds
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.accounts.selectors.accounts import get_account
from reefpoint.records.accounts.selectors.owners import search_accounts
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.products.selectors import list_schemes
from reefpoint.records.products.types import VersionState, VersionView
from reefpoint.surfaces.console.templatetags.console import name_of
from reefpoint.surfaces.web.amounts import AmountError, parse_money
from reefpoint.surfaces.web.people import page, people_names
from reefpoint.surfaces.web.sentences import said
from reefpoint.surfaces.web.tables import Choice, Column, Table

QUOTES = Table(
    key="quotes",
    columns=(
        Column("id", _("Quote"), "code", link=lambda row: reverse("console:quote", args=[row.id])),
        Column("client_number", _("Client"), "code"),
        Column("client_name", _("Name"), "custom", template="console/cells/client_name.html", is_sortable=False),
        Column("scheme_code", _("Scheme"), "code"),
        Column("amount_minor", _("Amount"), "money"),
        Column("rate_bp", _("Rate"), "percent"),
        Column("exception", _("Exception"), "custom", template="console/cells/exception_state.html", is_sortable=False),
        Column("quoted_at", _("Told"), "instant", is_wide_only=True),
        Column("valid_until", _("Valid until"), "instant"),
    ),
    sort="-id",
    search=_("Number, name or scheme"),
    choices=(
        Choice(
            "state",
            _("State"),
            (("valid", _("Valid")), ("expired", _("Expired")), ("exception", _("With an exception"))),
        ),
    ),
    empty=_("No quotes yet"),
    empty_help=_("Work out a price in the calculator and tell it to a client."),
    row_id=lambda row: f"quote-{row.id}",
)


@page("pricing.view")
def quotes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every quote in scope, the newest first unless asked otherwise."""
    schemes = Choice("scheme", _("Scheme"), tuple((one.code, name_of(one)) for one in list_schemes()))
    table = replace(QUOTES, choices=(*QUOTES.choices, schemes))
    wanted = table.read(request.GET)
    found = find_quotes(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        scheme=wanted.chosen["scheme"],
        at=desk_now(),
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return table.answer(request, wanted, found, "console/quotes.html", {})


@page("pricing.view")
def one_quote(request: HttpRequest, actor: Actor, quote_id: int) -> HttpResponse:
    """A quote with the parts of its rate, and asking for another price."""
    found = read_quote(actor, quote_id)
    errors: dict[str, str] = {}
    at = desk_now()
    if request.method == "POST":
        rate_bp = _basis_points(request.POST.get("rate", ""))
        if rate_bp is None:
            errors["rate"] = _now("Write a rate in percent, such as 6.25.")
        else:
            try:
                approval_id = request_exception(
                    actor=actor,
                    quote_id=quote_id,
                    rate_bp=rate_bp,
                    reason=request.POST.get("reason", "").replace("\x00", "")[:501],
                    at=at,
                )
                messages.success(request, _now("Asked for. A second person decides."))
                return redirect("console:approval", approval_id=approval_id)
            except Refusal as refusal:
                errors["rate"] = said(refusal)
    context = {
        "quote": found,
        "is_valid": at <= found.valid_until,
        "may_ask": holds(actor.permissions, "pricing.quote"),
        "names": people_names(),
        "errors": errors,
        "given": request.POST,
    }
    return render(request, "console/quote.html", context, status=422 if errors else 200)


def _basis_points(text: str) -> int | None:
    whole, _dot, part = text.strip().removesuffix("%").strip().partition(".")
    if not whole.isdecimal() or len(whole) > 3 or len(part) > 2 or (part and not part.isdecimal()):
        return None
    return int(whole) * 100 + int(part.ljust(2, "0") if part else 0)


@page("pricing.view")
def calculator(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What a quote would say; told to the client on a button."""
    at = desk_now()
    on = current_book_day() or at.date()
    given = request.POST if request.method == "POST" else request.GET
    versions = _offered()
    errors: dict[str, str] = {}
    context: dict[str, Any] = {
        "versions": versions,
        "grades": GRADES,
        "segments": SEGMENTS,
        "given": given,
        "errors": errors,
        "may_quote": holds(actor.permissions, "pricing.quote"),
    }
    if given.get("amount") or request.method == "POST":
        wanted = _wanted(actor, given, versions, errors)
        if wanted is not None:
            try:
                if request.method == "POST":
                    return _tell(request, actor, wanted, errors)
                client_id = wanted.pop("client_id")
                priced, inputs = work_out(actor=actor, on=on, at=at, **wanted)
                context |= {"priced": priced, "inputs": inputs, "client_id": client_id}
                context["yearly_minor"] = -(-wanted["amount_minor"] * priced.rate_bp // 10_000)
            except Refusal as refusal:
                errors["amount"] = said(refusal)
    if request.headers.get("HX-Request") == "true":
        return render(request, "console/price_result.html", context)
    return render(request, "console/calculator.html", context, status=422 if errors else 200)


def _offered() -> list[VersionView]:
    found = []
    for scheme in list_schemes():
        published = [version for version in scheme.versions if version.state is VersionState.PUBLISHED]
        found += published[:1]
    return found


def _wanted(actor: Actor, given: Any, versions: list[VersionView], errors: dict[str, str]) -> dict[str, Any] | None:
    """What the form asks for; None with `errors` by field."""
    version = next((one for one in versions if str(one.id) == given.get("scheme")), versions[0] if versions else None)
    if version is None:
        errors["scheme"] = _now("No scheme is published.")
        return None
    try:
        amount_minor = parse_money(given.get("amount", ""))
    except AmountError:
        errors["amount"] = _now("Write an amount, such as 250,000 or 250k.")
        return None
    days = given.get("tenor", "") or str(version.terms.tenor_days)
    if not days.isdecimal() or len(days) > 5:
        errors["tenor"] = _now("Write a number of days.")
        return None
    client_id: int | None = None
    portfolio: Portfolio = ()
    if number := given.get("account", "").strip():
        account = next((one for one in search_accounts(actor, number) if one.number == number.upper()), None)
        if account is None:
            errors["account"] = _now("There is no such account, or it is not yours to see.")
            return None
        client_id = account.client_id
        portfolio = tuple((one.instrument_id, one.quantity) for one in get_account(account.account_id).holdings)
    return {
        "client_id": client_id,
        "scheme_version_id": version.id,
        "amount_minor": amount_minor,
        "tenor_days": int(days),
        "grade": given.get("grade") if given.get("grade") in GRADES else None,
        "segment": given.get("segment") if given.get("segment") in SEGMENTS else None,
        "portfolio": portfolio,
    }


def _tell(request: HttpRequest, actor: Actor, wanted: dict[str, Any], errors: dict[str, str]) -> HttpResponse:
    at = desk_now()
    if wanted["client_id"] is None:
        raise Refusal(_now("Name an account of the client to whom the price is told."))
    told = quote(
        actor=actor,
        on=current_book_day() or at.date(),
        at=at,
        key=request.POST.get("key", "").replace("\x00", "")[:100],
        **wanted,
    )
    messages.success(request, _now("Told. The price holds until the time on this page."))
    return redirect("console:quote", quote_id=told.id)


@page("pricing.view")
def rate_changes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """New rates for loans: told, in force, taken back; and asking for more."""
    return _rate_changes(request, actor)


def _rate_changes(request: HttpRequest, actor: Actor, problem: Refusal | None = None) -> HttpResponse:
    context = {
        "proposals": list_proposals(actor),
        "may_reprice": holds(actor.permissions, "pricing.reprice"),
        "problem": said(problem.sentence) if problem else "",
        "reason": request.POST.get("reason", "")[:500],
    }
    return render(request, "console/rate_changes.html", context, status=422 if problem else 200)


@require_POST
@page("pricing.reprice")
def reprice(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask a second person for new rates of every loan whose terms allow it."""
    at = desk_now()
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:500]
    try:
        approval_id = request_rates(actor=actor, on=current_book_day() or at.date(), at=at, reason=reason)
    except (RatesRefused, NothingToReprice) as problem:
        return _rate_changes(request, actor, problem)
    messages.success(request, _now("Asked for. A second person decides; nobody is told before."))
    return redirect("console:approval", approval_id=approval_id)


@require_POST
@page("pricing.reprice")
def cancel_rate(request: HttpRequest, actor: Actor, proposal_id: int) -> HttpResponse:
    """Take a new rate back before its day; the client is told that the old one stays."""
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:500]
    cancel_proposal(actor=actor, proposal_id=proposal_id, reason=reason, at=desk_now())
    messages.success(request, _now("Taken back. The client is told that the rate stays as it is."))
    return redirect("console:rate_changes")
