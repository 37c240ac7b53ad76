"""The board: the whole book as bands, what is worst in it and what is running."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from reefpoint.decisions.margin.selectors.pages import get_board
from reefpoint.decisions.margin.selectors.standing import get_coverage_now
from reefpoint.decisions.margin.types import Band, Board
from reefpoint.flows.liquidation.selectors import list_liquidations
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.market.selectors import get_feed_health, list_held
from reefpoint.surfaces.console.views.approvals import live_for
from reefpoint.surfaces.console.views.liquidations import rows_of
from reefpoint.surfaces.web.people import page
from reefpoint.surfaces.web.templatetags.figures import band_key, band_word

STACK = (Band.CLOSE_OUT, Band.CALL, Band.WARNING, Band.SAFE)


@page("margin.view")
def board(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The book now; a live page asks for it again when margin states were written."""
    found = get_board(actor)
    may_see_sales = "liquidation.view" in actor.permissions
    may_see_prices = "prices.view" in actor.permissions
    context = {
        "board": found,
        "chart": histogram_chart(found),
        "sales": rows_of(list_liquidations(actor, live_only=True)) if may_see_sales else None,
        "held": list_held() if may_see_prices else (),
        "feed": get_feed_health() if may_see_prices else None,
        "coverage": get_coverage_now() if may_see_prices else None,
        "live": live_for(actor, "margin", "prices", "sales"),
    }
    return render(request, "console/board.html", context)


def histogram_chart(found: Board) -> dict[str, object]:
    """The distribution of ratios, stacked by band."""
    return {
        "labels": [
            f"{bucket.from_bp // 100}–{bucket.to_bp // 100}%" if bucket.to_bp else f"≥{bucket.from_bp // 100}%"
            for bucket in found.histogram
        ],
        "series": [
            {
                "name": band_word(band),
                "token": band_key(band).replace("_", "-"),
                "counts": [dict(bucket.by_band).get(band, 0) for bucket in found.histogram],
            }
            for band in STACK
        ],
        "axis": _("accounts"),
    }
