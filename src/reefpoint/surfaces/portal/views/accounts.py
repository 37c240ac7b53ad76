"""A client's own margin accounts: what is theirs, how far prices may fall, what it costs, what is asked."""

from dataclasses import dataclass, replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from reefpoint.decisions.margin.selectors.pages import get_own_account_page
from reefpoint.decisions.margin.types import AccountPage
from reefpoint.engine.bands import Band
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.flows.origination.selectors.overview import interest_minor
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.loans import rates_on
from reefpoint.records.accounts.selectors.owners import list_own_accounts
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.web.account_words import BAND_SENTENCES, LINE_OF


@dataclass(frozen=True)
class LoanCost:
    """One open loan with the rate of today and what it costs a day, rounded up; minor units and basis points."""

    number: str
    principal_minor: int
    rate_bp: int
    day_minor: int


def own_accounts(actor: Actor) -> list[AccountPage]:
    """The accounts of whoever is signed in, each as it stands on the prices of now."""
    at = desk_now()
    return [get_own_account_page(actor, one.account_id, at=at) for one in list_own_accounts(actor)]


@client_page
def account(request: HttpRequest, actor: Actor, account_id: int) -> HttpResponse:
    """One account, in plain words and one picture."""
    at = desk_now()
    page = get_own_account_page(actor, account_id, at=at)
    loans = _costs(page)
    standing = page.standing
    context = {
        "page": page,
        "sentence": BAND_SENTENCES[_told(page)],
        "own_minor": max(standing.equity_minor, 0),
        "lent_minor": min(standing.debt_minor, standing.assets_minor),
        "whole_minor": max(standing.assets_minor, 1),
        "lines": [(LINE_OF[one.band], one) for one in page.distances],
        "maintenance_fall_bp": _fall_before_call(page),
        "loans": loans,
        "day_minor": sum(one.day_minor for one in loans),
        "call": page.open_call,
        "past_calls": [one for one in page.calls if one is not page.open_call][:20],
        "at": at,
    }
    return render(request, "portal/account.html", context)


def _told(page: AccountPage) -> Band:
    """What the client is told: a sale that runs, or a call for what the names ask, counts before the ratio."""
    if page.is_enforced:
        return Band.CLOSE_OUT
    if page.open_call is not None and page.band in {Band.SAFE, Band.WARNING}:
        return Band.CALL
    return page.band


def _fall_before_call(page: AccountPage) -> int | None:
    """The fall at which the names ask for more of one's own money, where that comes before the call line."""
    fall_bp = page.maintenance.fall_bp
    call_bp = next((one.fall_bp for one in page.distances if one.band is Band.CALL), None)
    return fall_bp if fall_bp is not None and call_bp is not None and fall_bp < call_bp else None


def _costs(page: AccountPage) -> list[LoanCost]:
    on = get_clock().business_date or desk_now().date()
    open_loans = [loan for loan in page.loans if loan.principal_minor]
    changed = rates_on([loan.id for loan in open_loans], on)
    terms = page.scheme.terms
    costs = []
    for loan in open_loans:
        rate_bp = changed.get(loan.id, loan.rate_bp)
        day_minor = interest_minor(loan.principal_minor, replace(terms, rate_bp=rate_bp), 1)
        costs.append(LoanCost(loan.number, loan.principal_minor, rate_bp, day_minor))
    return costs
