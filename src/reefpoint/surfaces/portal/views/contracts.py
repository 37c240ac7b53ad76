"""A client's own contracts: the key facts first, each disclosure acknowledged, the whole text, the signature."""

import hashlib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from reefpoint.flows.lending.services.renewals import CannotRenew
from reefpoint.flows.lending.services.signing import sign_contract
from reefpoint.flows.operations.selectors.clock import desk_now, get_clock
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.contracts.selectors import get_contract, list_contracts, read_document
from reefpoint.records.contracts.services import acknowledge, open_file, withdraw_contract
from reefpoint.records.contracts.types import ContractState
from reefpoint.records.parties.selectors.clients import find_own_client
from reefpoint.surfaces.portal.pages import client_page
from reefpoint.surfaces.web.application_words import refusal_words
from reefpoint.surfaces.web.contracts import language_of, pdf_answer, root_answer
from reefpoint.surfaces.web.limits import address_of
from reefpoint.surfaces.web.renewal_words import CLIENT_BAR_WORDS
from reefpoint.surfaces.web.strong import prove, second_factors


@client_page
def contracts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """What was offered to this client, newest first."""
    own = find_own_client(actor)
    found = list_contracts(actor, own.id) if own is not None else []
    return render(request, "portal/contracts.html", {"contracts": found})


@client_page
def contract(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """One contract: what it costs and risks, what is still to be done, and all it says."""
    return _show(request, actor, contract_id)


def _show(
    request: HttpRequest, actor: Actor, contract_id: int, errors: dict[str, object] | None = None
) -> HttpResponse:
    at = desk_now()
    found = get_contract(actor, contract_id, at=at)
    missing = {one.id for one in found.missing_disclosures}
    context = {
        "contract": found,
        "document": read_document(actor, contract_id),
        "language": language_of(found.language),
        "disclosures": [
            (one.id, one.title[found.language], one.text[found.language], one.text_hash, one.id not in missing)
            for one in found.disclosures
        ],
        "is_open": found.state is ContractState.OFFERED,
        "factors": second_factors(request, reverse("portal:contract", args=[contract_id])),
        "errors": errors or {},
    }
    return render(request, "portal/contract.html", context, status=422 if errors else 200)


@require_POST
@client_page
def acknowledge_disclosures(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """Record each disclosure that was ticked, in the words in which it was shown."""
    at = desk_now()
    found = get_contract(actor, contract_id, at=at)
    for one in found.missing_disclosures:
        if shown := request.POST.get(f"d.{one.id}", ""):
            acknowledge(
                actor=actor,
                contract_id=contract_id,
                disclosure=one.id,
                text_hash=shown,
                at=at,
                address=address_of(request),
                session_hash=hashlib.sha256((request.session.session_key or "").encode()).hexdigest()[:32],
            )
    left = len(get_contract(actor, contract_id, at=at).missing_disclosures)
    if left:
        return _show(
            request, actor, contract_id, {"disclosures": _("Each of them must be ticked before you can sign.")}
        )
    messages.success(request, _("All is acknowledged. Read the contract, then sign it."))
    return redirect("portal:contract", contract_id=contract_id)


@require_POST
@client_page
def sign(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """Sign, after the password and a second factor."""
    get_contract(actor, contract_id, at=desk_now())
    authentication, errors = prove(request)
    if authentication is None:
        return _show(request, actor, contract_id, dict(errors))
    try:
        at = desk_now()
        sign_contract(
            actor=actor,
            contract_id=contract_id,
            authentication=authentication,
            on=get_clock().business_date or at.date(),
            at=at,
        )
    except CannotRenew as refusal:
        said = _("The loan cannot be renewed now. Nothing was signed.")
        bars = " ".join(str(CLIENT_BAR_WORDS[bar.value]) for bar in refusal.bars)
        return _show(request, actor, contract_id, {"sign": f"{said} {bars}"})
    except Refusal as refusal:
        return _show(request, actor, contract_id, {"sign": refusal_words(refusal)})
    messages.success(request, _("Signed. The desk signs next; then the contract is in force."))
    return redirect("portal:contract", contract_id=contract_id)


@require_POST
@client_page
def decline(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """Turn the offer down."""
    withdraw_contract(actor=actor, contract_id=contract_id, reason=request.POST.get("reason", ""), at=desk_now())
    messages.success(request, _("You have turned the offer down. Nothing is owed for it."))
    return redirect("portal:contracts")


@client_page
def paper(request: HttpRequest, actor: Actor, contract_id: int) -> HttpResponse:
    """The latest paper as PDF; that it was handed out is on record."""
    name, content = open_file(actor=actor, contract_id=contract_id, at=desk_now())
    return pdf_answer(name, content)


@client_page
def root(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The certificate that a reader of PDF needs to trust our signatures."""
    return root_answer()
