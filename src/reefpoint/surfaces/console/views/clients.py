"""Clients in the reader's scope."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.margin.selectors.pages import list_accounts
from reefpoint.decisions.relations.selectors import find_related
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.selectors import find_clients, get_client
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table

KIND_WORDS = (("individual", _("Person")), ("institution", _("Institution")))

CLIENTS = Table(
    key="clients",
    columns=(
        Column("number", _("Client"), "code", link=lambda row: reverse("console:client", args=[row.id])),
        Column("name", _("Name"), is_name=True),
        Column("name_zh", _("Chinese name"), is_sortable=False),
        Column("kind", _("Kind"), "custom", template="console/cells/client_kind.html"),
        Column("email", _("E-mail"), is_sortable=False, is_wide_only=True),
        Column("opened_on", _("Since"), "day", is_wide_only=True),
        Column("status", _("State"), "state"),
    ),
    sort="number",
    search=_("Number, name or e-mail"),
    choices=(
        Choice("kind", _("Kind"), KIND_WORDS),
        Choice("status", _("State"), (("active", _("Active")), ("blocked", _("Blocked")))),
    ),
    empty=_("No client is registered, or none is assigned to you"),
    empty_help=_("Clients appear here once operations or a relationship manager has registered them."),
    row_id=lambda row: f"client-{row.id}",
)


@page("clients.view")
def clients(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All clients in scope."""
    wanted = CLIENTS.read(request.GET)
    found = find_clients(
        actor,
        text=wanted.text,
        kind=wanted.chosen["kind"],
        status=wanted.chosen["status"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    return CLIENTS.answer(request, wanted, found, "console/clients.html", {})


@page("clients.view")
def client(request: HttpRequest, actor: Actor, client_id: int) -> HttpResponse:
    """One client, with the accounts."""
    found = get_client(actor, client_id)
    accounts = list_accounts(actor, client_id=client_id) if "account.view" in actor.permissions else None
    context = {
        "client": found,
        "accounts": accounts,
        "sees_related": "relations.view" in actor.permissions,
        "related": find_related(actor, client_id) if "relations.view" in actor.permissions else None,
    }
    return render(request, "console/client.html", context)
