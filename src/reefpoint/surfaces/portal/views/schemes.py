"""What a client may be offered: schemes side by side, each played over past prices on one's own portfolio."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from reefpoint.decisions.suitability.selectors import judge_terms
from reefpoint.decisions.suitability.types import Verdict
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.accounts import account_ids_of_clients, load_accounts
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.records.parties.types import ClientView
from reefpoint.records.products.selectors import list_schemes
from reefpoint.records.products.types import VersionState, VersionView
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.web.limits import is_within
from reefpoint.surfaces.web.simulation_form import EXAMPLE, SimulationForm, read_simulation, uploaded_prices

PLAYS_PER_MINUTE = 20


@dataclass(frozen=True)
class Offer:
    """A version in force with what suitability says of it for this client."""

    version: VersionView
    verdict: Verdict

    @property
    def is_open(self) -> bool:
        """Whether it may be offered, now or once its warning is acknowledged."""
        return self.verdict.code in {"", "warning_not_acknowledged"}

    @property
    def name(self) -> str:
        return self.version.scheme_name

    @property
    def name_zh(self) -> str:
        return self.version.scheme_name_zh


@client_page
def schemes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The schemes that this person may be offered, side by side, and why others are not."""
    client = find_own_client(actor)
    offers = _offers(client, _today()) if client is not None else []
    is_open = [one for one in offers if one.is_open]
    context = {"client": client, "offers": is_open, "closed": [one for one in offers if not one.is_open]}
    return render(request, "portal/schemes.html", context)


@client_page
def simulate(request: HttpRequest, actor: Actor) -> HttpResponse:
    """One or two schemes played over past prices; the client's own shares stand in the form to begin with."""
    client = find_own_client(actor)
    offers = [one for one in _offers(client, _today()) if one.is_open] if client is not None else []
    asked = request.POST if request.method == "POST" else request.GET
    first = _chosen(offers, asked.get("version", "")) or next(iter(offers), None)
    other = _chosen(offers, asked.get("other", ""))
    given = {key: str(value) for key, value in asked.items()}
    own = _own_portfolio(client) if client is not None else ""
    begun = {**EXAMPLE, **({"portfolio": own} if own else {})}
    form = read_simulation(given if given.get("portfolio") else begun, uploaded_prices(request))
    _play(actor, form, [one for one in (first, other) if one is not None])
    if given.get("then") == "csv" and form.played and not form.errors:
        return form.export()
    context = {"client": client, "offers": offers, "first": first, "other": other, "form": form, "is_own": bool(own)}
    return render(request, "portal/scheme_simulation.html", context, status=422 if form.errors else 200)


def _today() -> date:
    return get_clock().business_date or desk_now().date()


def _offers(client: ClientView | None, on: date) -> list[Offer]:
    """Every scheme in force on a day, the best tier first, with the client's verdict."""
    if client is None:
        return []
    found = []
    for scheme in sorted(list_schemes(), key=lambda one: (one.tier, one.code)):
        in_force = [one for one in scheme.versions if one.state is VersionState.PUBLISHED and one.effective_from <= on]
        if in_force:
            version = max(in_force, key=lambda one: (one.effective_from, one.version))
            found.append(Offer(version, judge_terms(client.id, scheme.code, version.terms, on)))
    return found


def _chosen(offers: list[Offer], wanted: str) -> Offer | None:
    return next((one for one in offers if str(one.version.id) == wanted), None)


def _own_portfolio(client: ClientView) -> str:
    """The client's own shares over all accounts, one name a line; empty without any."""
    symbols = {one.id: one.symbol for one in list_instruments()}
    held: dict[str, int] = {}
    for account in load_accounts(account_ids_of_clients([client.id])):
        for holding in account.holdings:
            symbol = symbols[holding.instrument_id]
            held[symbol] = held.get(symbol, 0) + holding.quantity
    return "\n".join(f"{symbol} {quantity}" for symbol, quantity in sorted(held.items()) if quantity)


def _play(actor: Actor, form: SimulationForm, offers: list[Offer]) -> None:
    if not is_within(f"play:{actor.ref}", at_most=PLAYS_PER_MINUTE, seconds=60):
        form.errors["form"] = _("That was a lot in a short time. Try again in a minute.")
        return
    form.play([(one.version.scheme_code, f"v{one.version.version}", one.version.terms) for one in offers])
