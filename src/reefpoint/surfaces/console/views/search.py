"""Search over clients, accounts and names, from anywhere by `/`."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.owners import search_accounts
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.parties.selectors.clients import search_clients
from reefpoint.surfaces.web.people import page

TEXT_CHARACTERS_MAX = 100


@page("operations.view")
def search(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What matches, within the reader's rights and scope; a single match opens at once."""
    text = request.GET.get("q", "").strip()[:TEXT_CHARACTERS_MAX]
    needle = text.casefold()
    accounts = search_accounts(actor, text) if "account.view" in actor.permissions else []
    clients = search_clients(actor, text) if "clients.view" in actor.permissions else []
    instruments = [
        one
        for one in (list_instruments() if needle and "prices.view" in actor.permissions else [])
        if needle in one.symbol.casefold() or needle in one.name.casefold() or needle in one.name_zh
    ]
    match accounts, clients, instruments:
        case [account], [] | [_], [] if account.number.casefold() == needle or not clients:
            return redirect("console:account", account_id=account.account_id)
        case [], [client], []:
            return redirect("console:client", client_id=client.id)
        case [], [], [instrument]:
            return redirect("console:instrument", instrument_id=instrument.id)
    context = {"text": text, "accounts": accounts, "clients": clients, "instruments": instruments}
    return render(request, "console/search.html", context)
