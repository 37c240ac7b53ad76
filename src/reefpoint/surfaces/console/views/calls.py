"""Margin calls: the list by deadline, and one call with its evidence."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.margin.selectors.pages import get_account_page, get_call, list_calls
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.notifications.selectors import list_notices
from reefpoint.surfaces.console.views.accounts import margin_chart
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table

CALLS = Table(
    key="calls",
    columns=(
        Column("number", _("Call"), "code", link=lambda row: reverse("console:call", args=[row.id])),
        Column(
            "account_number", _("Account"), "code", link=lambda row: reverse("console:account", args=[row.account_id])
        ),
        Column("client_name", _("Client"), "custom", template="console/cells/client_name.html", is_name=True),
        Column("cause", _("Cause"), "state"),
        Column("state", _("State"), "state"),
        Column("currency", _("Currency"), "code", is_sortable=False, is_wide_only=True),
        Column("amount_minor", _("Amount"), "money", is_summed=True),
        Column("ratio_bp", _("Ratio then"), "percent"),
        Column("ratio_now_bp", _("Ratio now"), "percent", is_sortable=False),
        Column("opened_at", _("Opened"), "instant", unit="UTC", is_wide_only=True),
        Column("deadline_at", _("Deadline"), "instant", unit="UTC"),
    ),
    sort="-deadline_at",
    search=_("Call, account or client"),
    choices=(
        Choice(
            "state",
            _("State"),
            (
                ("open", _("Open")),
                ("cured", _("Cured")),
                ("expired", _("Expired")),
                ("superseded", _("Superseded")),
            ),
        ),
        Choice("cause", _("Cause"), (("line", _("The call line")), ("maintenance", _("Maintenance of the names")))),
    ),
    empty=_("No margin call was ever opened"),
    empty_help=_(
        "A call opens when an account falls under its call line, or ends a day below the maintenance of its names; its "
        "deadline follows the trading calendar."
    ),
    row_id=lambda row: f"call-{row.id}",
)


@page("margin.view")
def calls(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All calls in scope, the latest deadline first."""
    wanted = CALLS.read(request.GET)
    found = list_calls(
        actor,
        text=wanted.text,
        state=wanted.chosen["state"],
        cause=wanted.chosen["cause"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {"table_live": "sse:margin", "live": live_for(actor, "margin")}
    return CALLS.answer(request, wanted, found, "console/calls.html", context)


@page("margin.view")
def call(request: HttpRequest, actor: Actor, call_id: int) -> HttpResponse:
    """One call: how much, until when, what cures it, and whether the client was told."""
    facts, row = get_call(actor, call_id)
    account = get_account_page(actor, facts.account_id, at=desk_now())
    context = {
        "call": facts,
        "row": row,
        "page": account,
        "chart": margin_chart(account),
        "notices": list_notices(about=f"call:{call_id}"),
        "live": live_for(actor, "margin"),
    }
    return render(request, "console/call.html", context)
