"""Prices: what every name is worth now and how old that is, and what waits for a second look."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from reefpoint.flows.operations.selectors.clock import desk_now
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.market.selectors import (
    get_batch,
    get_instrument,
    latest_prices,
    list_batches,
    list_held,
    list_instruments,
    price_history,
    recent_closes,
)
from reefpoint.records.market.services.prices import confirm_held_price, discard_held_price
from reefpoint.surfaces.console.views.approvals import REASON_CHARACTERS_MAX, live_for
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.tables import Choice, Column, Table

SPARK_DAYS = timedelta(days=60)
HISTORY_DAYS = timedelta(days=400)


@dataclass(frozen=True)
class PriceRow:
    """One name on the price list. `change_bp` is against the session before."""

    instrument_id: int
    symbol: str
    name: str
    name_zh: str
    sector: str
    price_units: int | None
    change_bp: int | None
    on: date | None
    at: datetime | None
    standing: str
    closes: list[int]


PRICES = Table(
    key="prices",
    columns=(
        Column("symbol", _("Name"), "code", link=lambda row: reverse("console:instrument", args=[row.instrument_id])),
        Column("name", _("Company"), "custom", template="console/cells/instrument_name.html", is_name=True),
        Column("sector", _("Sector"), is_wide_only=True),
        Column("price_units", _("Price"), "price", unit="USD"),
        Column("change_bp", _("Change"), "custom", template="console/cells/change.html"),
        Column("closes", _("60 days"), "custom", is_sortable=False, template="console/cells/closes.html"),
        Column("on", _("Session"), "day"),
        Column("standing", _("State"), "custom", template="console/cells/price_standing.html"),
    ),
    sort="symbol",
    search=_("Symbol or sector"),
    choices=(
        Choice(
            "standing",
            _("State"),
            (("fresh", _("Fresh")), ("stale", _("Stale")), ("suspended", _("Suspended")), ("missing", _("No price"))),
        ),
    ),
    empty=_("No instrument is listed yet"),
    empty_help=_("Instruments are listed by operations; prices come from a feed or a file."),
    row_id=lambda row: f"instrument-{row.instrument_id}",
)


def price_rows() -> list[PriceRow]:
    """Every listed name with its latest price, in a fixed number of queries."""
    latest = latest_prices()
    newest = max((price.on for price in latest.values()), default=None)
    closes = recent_closes(newest - SPARK_DAYS, newest) if newest else {}
    rows = []
    for instrument in list_instruments():
        price = latest.get(instrument.id)
        line = closes.get(instrument.id, [])
        standing = "missing" if price is None else "stale" if price.is_stale else "fresh"
        rows.append(
            PriceRow(
                instrument_id=instrument.id,
                symbol=instrument.symbol,
                name=instrument.name,
                name_zh=instrument.name_zh,
                sector=instrument.sector,
                price_units=price.price_units if price else None,
                change_bp=(line[-1] - line[-2]) * 10_000 // line[-2] if len(line) > 1 else None,
                on=price.on if price else None,
                at=price.at if price else None,
                standing="suspended" if instrument.is_suspended else standing,
                closes=line,
            )
        )
    return rows


@page("prices.view")
def prices(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The price list, with held prices above it."""
    wanted = PRICES.read(request.GET)
    context = {
        "held": list_held(),
        "batches": list_batches(limit=10),
        "may_decide": "prices.confirm" in actor.permissions,
        "table_live": "sse:prices",
        "live": live_for(actor, "prices"),
    }
    return PRICES.answer(request, wanted, PRICES.find_in(price_rows(), wanted), "console/prices.html", context)


@page("prices.view")
def instrument(request: HttpRequest, actor: Actor, instrument_id: int) -> HttpResponse:
    """One name: its price over time."""
    found = get_instrument(instrument_id)
    latest = latest_prices().get(instrument_id)
    history = price_history(instrument_id, latest.on - HISTORY_DAYS, latest.on) if latest else []
    chart = {
        "days": [price.on.isoformat() for price in history],
        "series": [
            {"name": found.symbol, "token": "accent", "values": [price.price_units / 10_000 for price in history]}
        ],
    }
    context = {"instrument": found, "latest": latest, "history": history[::-1], "chart": chart}
    return render(request, "console/instrument.html", context)


@page("prices.view")
def batch(request: HttpRequest, actor: Actor, batch_id: int) -> HttpResponse:
    """One delivery of prices, with every line that was not simply taken."""
    return render(request, "console/batch.html", {"batch": get_batch(batch_id)})


@require_POST
@page("prices.confirm")
def decide_held(request: HttpRequest, actor: Actor, held_id: int) -> HttpResponse:
    """Believe or discard a held price."""
    reason = request.POST.get("reason", "").strip()[:REASON_CHARACTERS_MAX]
    match request.POST.get("decision"):
        case _ if not reason:
            messages.error(request, _now("Nothing was decided: say why, for the record."))
        case "confirm":
            confirm_held_price(actor=actor, held_id=held_id, at=desk_now(), reason=reason)
            messages.success(request, pgettext("held price", "Confirmed: it counts from now on."))
        case "discard":
            discard_held_price(actor=actor, held_id=held_id, at=desk_now(), reason=reason)
            messages.success(request, pgettext("held price", "Discarded: it never counts."))
        case _:
            messages.error(request, _now("Nothing was decided: choose confirm or discard."))
    return redirect("console:prices")
