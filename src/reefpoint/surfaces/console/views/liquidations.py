"""Forced sales: what runs, and one sale with its plans, orders and fills."""

from dataclasses import dataclass
from datetime import date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from reefpoint.decisions.margin.selectors.pages import get_account_page
from reefpoint.flows.liquidation.selectors import get_liquidation, list_liquidations, list_plans
from reefpoint.flows.liquidation.types import LiquidationFacts
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.owners import load_owners
from reefpoint.records.accounts.types import AccountOwner
from reefpoint.records.execution.selectors import list_fills, list_orders
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import EXPORT_ROWS_MAX, Choice, Column, Table

STATES = (
    ("awaiting_approval", _("Awaiting approval")),
    ("planned", _("Planned")),
    ("selling", _("Selling")),
    ("completed", _("Completed")),
    ("cancelled", _("Cancelled")),
    ("exhausted", _("Exhausted")),
)
CAUSES = (("call_expired", _("Call expired")), ("close_out", _("Close-out line")), ("default", _("Late loan")))


@dataclass(frozen=True)
class LiquidationRow:
    """One sale in the list, with whose it is."""

    id: int
    number: str
    account_id: int
    account_number: str
    client_name: str
    client_name_zh: str
    state: str
    cause: str
    target_bp: int | None
    opened_on: date
    opened_at: datetime
    closed_at: datetime | None


LIQUIDATIONS = Table(
    key="liquidations",
    columns=(
        Column("number", _("Sale"), "code", link=lambda row: reverse("console:liquidation", args=[row.id])),
        Column(
            "account_number", _("Account"), "code", link=lambda row: reverse("console:account", args=[row.account_id])
        ),
        Column("client_name", _("Client"), "custom", template="console/cells/client_name.html", is_name=True),
        Column("state", _("State"), "state"),
        Column("cause", _("Cause"), "custom", template="console/cells/sale_cause.html"),
        Column("target_bp", _("Sold until"), "percent"),
        Column("opened_at", _("Opened"), "instant", unit="UTC"),
        Column("closed_at", _("Ended"), "instant", unit="UTC"),
    ),
    sort="-opened_at",
    search=_("Sale or account"),
    choices=(Choice("state", _("State"), STATES), Choice("cause", _("Cause"), CAUSES)),
    empty=_("Nothing was ever sold by force"),
    empty_help=_(
        "A sale opens when a call runs out, an account falls under its close-out line, or a late loan is sold for."
    ),
    row_id=lambda row: f"liquidation-{row.id}",
)


def rows_of(found: list[LiquidationFacts]) -> list[LiquidationRow]:
    """Sales with their owners, in one more query."""
    owners = load_owners({one.account_id for one in found})
    return [_row(one, owners[one.account_id]) for one in found]


def _row(one: LiquidationFacts, owner: AccountOwner) -> LiquidationRow:
    return LiquidationRow(
        id=one.id,
        number=one.number,
        account_id=one.account_id,
        account_number=owner.number,
        client_name=owner.client_name,
        client_name_zh=owner.client_name_zh,
        state=one.state.value,
        cause=one.cause.value,
        target_bp=one.target_bp,
        opened_on=one.opened_on,
        opened_at=one.opened_at,
        closed_at=one.closed_at,
    )


@page("liquidation.view")
def liquidations(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All sales in scope, the latest first."""
    wanted = LIQUIDATIONS.read(request.GET)
    found = LIQUIDATIONS.find_in(rows_of(list_liquidations(actor, limit=EXPORT_ROWS_MAX)), wanted)
    context = {"table_live": "sse:sales", "live": live_for(actor, "sales")}
    return LIQUIDATIONS.answer(request, wanted, found, "console/liquidations.html", context)


@page("liquidation.view")
def liquidation(request: HttpRequest, actor: Actor, liquidation_id: int) -> HttpResponse:
    """One sale: why, the plan with its proof, what was ordered, what was filled, and what came of it."""
    found = get_liquidation(actor, liquidation_id)
    source = f"liquidation:{liquidation_id}"
    context = {
        "sale": found,
        "row": rows_of([found])[0],
        "plans": list_plans(liquidation_id),
        "orders": list_orders(source=source, limit=1_000),
        "fills": list_fills(source=source, limit=1_000),
        "page": get_account_page(actor, found.account_id, at=desk_now()),
        "live": live_for(actor, "sales", "margin"),
    }
    return render(request, "console/liquidation.html", context)
