"""Margin accounts: the list, and one account in the order of its questions."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reefpoint.decisions.margin.selectors.pages import get_account_page, list_accounts
from reefpoint.decisions.margin.types import AccountPage, Band, CallState
from reefpoint.flows.liquidation.selectors import list_liquidations
from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.products.selectors import list_schemes
from reefpoint.surfaces.console.templatetags.console import name_of
from reefpoint.surfaces.console.timeline import timeline_of
from reefpoint.surfaces.console.views.actions import deeds_for
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table
from reefpoint.surfaces.web.templatetags.figures import BAND_WORDS, band_key, band_word

BAND_CHOICE = Choice(
    "band",
    _("Band"),
    tuple((str(band.value), BAND_WORDS[band_key(band)]) for band in sorted(Band, reverse=True)),
)

ACCOUNTS = Table(
    key="accounts",
    columns=(
        Column("number", _("Account"), "code", link=lambda row: reverse("console:account", args=[row.account_id])),
        Column("client_name", _("Client"), "custom", template="console/cells/client_name.html", is_name=True),
        Column("scheme_code", _("Scheme"), is_wide_only=True),
        Column("band", _("Band"), "band"),
        Column("ratio_bp", _("Ratio"), "percent"),
        Column("currency", _("Currency"), "code", is_sortable=False, is_wide_only=True),
        Column("debt_minor", _("Debt"), "money", is_summed=True),
        Column("market_minor", _("Securities"), "money", is_summed=True, is_wide_only=True),
        Column("cash_minor", _("Cash"), "money", is_summed=True, is_wide_only=True),
        Column("equity_minor", _("Equity"), "money", is_summed=True),
        Column("status", _("State"), "state", is_wide_only=True),
    ),
    sort="ratio_bp",
    search=_("Account or client"),
    choices=(
        BAND_CHOICE,
        Choice(
            "status",
            _("State"),
            (("active", _("Active")), ("frozen", _("Frozen")), ("closed", pgettext_lazy("account", "Closed"))),
        ),
    ),
    empty=_("No account is measured yet"),
    empty_help=_("Accounts appear here once they are opened and the monitor has valued them."),
    row_id=lambda row: f"account-{row.account_id}",
)


@page("account.view")
def accounts(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All measured accounts in scope, the worst first."""
    schemes = Choice("scheme", _("Scheme"), tuple((one.code, name_of(one)) for one in list_schemes()))
    table = replace(ACCOUNTS, choices=(*ACCOUNTS.choices, schemes))
    wanted = table.read(request.GET)
    found = list_accounts(
        actor,
        text=wanted.text,
        band=wanted.chosen["band"],
        status=wanted.chosen["status"],
        scheme=wanted.chosen["scheme"],
        order=wanted.order,
        offset=wanted.offset,
        limit=wanted.limit,
    )
    context = {"table_live": "sse:margin", "live": live_for(actor, "margin")}
    return table.answer(request, wanted, found, "console/accounts.html", context)


@page("account.view")
def account(request: HttpRequest, actor: Actor, account_id: int) -> HttpResponse:
    """Is it safe, how far to the next line, what moves it, what is owed, what happened, what can be done."""
    found = get_account_page(actor, account_id, at=desk_now())
    may_see_sales = "liquidation.view" in actor.permissions
    sales = list_liquidations(actor, account_id=account_id) if may_see_sales else []
    context = {
        "page": found,
        "chart": margin_chart(found),
        "timeline": timeline_of(found, sales),
        "deeds": deeds_for(actor),
        "live": live_for(actor, "margin", "prices"),
    }
    return render(request, "console/account.html", context)


def margin_chart(found: AccountPage) -> dict[str, object]:
    """The ratio at each day's end against the lines, with calls as marks."""
    terms = found.scheme.terms
    snapshots = found.snapshots
    by_day = {row.on: row.ratio_bp for row in snapshots}
    days = [row.on.isoformat() for row in snapshots]
    ratios = [row.ratio_bp for row in snapshots]
    if found.standing.ratio_bp is not None:
        days.append(_now("now"))
        ratios.append(found.standing.ratio_bp)
    return {
        "name": _now("Ratio"),
        "days": days,
        "ratios": ratios,
        "levels": [
            {"name": band_word(1), "bp": terms.warning_bp, "token": "warning", "dashed": False},
            {"name": band_word(2), "bp": terms.call_bp, "token": "call", "dashed": False},
            {"name": band_word(3), "bp": terms.close_out_bp, "token": "close-out", "dashed": False},
            {"name": _now("Cure"), "bp": terms.cure_bp, "token": "safe", "dashed": True},
        ],
        "marks": [
            {"day": day.isoformat(), "bp": by_day[day], "name": name, "token": token, "symbol": symbol}
            for call in found.calls
            for day, name, token, symbol in (
                (call.opened_on, _now("Call opened"), "call", "diamond"),
                (
                    call.closed_at.date() if call.closed_at else None,
                    _now("Call cured") if call.state is CallState.CURED else _now("Call expired"),
                    "safe" if call.state is CallState.CURED else "close-out",
                    "circle" if call.state is CallState.CURED else "rect",
                ),
            )
            if day is not None and by_day.get(day) is not None
        ],
    }
