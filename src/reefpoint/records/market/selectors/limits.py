"""What a venue lets nobody do in a session: sell below its limit, or sell what was bought in the same session."""

from collections.abc import Iterable
from datetime import date

from reefpoint.records.market import rules
from reefpoint.records.market.models import Price
from reefpoint.records.market.selectors.instruments import list_listings
from reefpoint.records.market.types import InstrumentView


def limits_down(instruments: Iterable[InstrumentView], on: date) -> dict[int, int]:
    """The lowest price (1e-4) that each name may trade at in a session, by instrument id, where its venue limits the
    day's move and a close before `on` is known. What is on record of the listing counts before the venue's general
    rule. Two queries, or none where no venue limits it.
    """
    limits = limits_bp(instruments, on)
    if not limits:
        return {}
    closes = (
        Price.objects.filter(instrument_id__in=list(limits), on__lt=on)
        .order_by("instrument_id", "-on", "-at", "-id")
        .distinct("instrument_id")
        .values_list("instrument_id", "price_units")
    )
    return {
        instrument_id: rules.limit_down_units(units, limit_bp)
        for instrument_id, units in closes
        if (limit_bp := limits[instrument_id]) is not None
    }


def limits_bp(instruments: Iterable[InstrumentView], on: date) -> dict[int, int | None]:
    """How far each name whose venue limits a day's move may move on a day, by instrument id; None for one without."""
    by_venue = {one.id: rules.day_limit_bp(one.venue, one.symbol) for one in instruments}
    limited = [instrument_id for instrument_id, limit_bp in by_venue.items() if limit_bp is not None]
    if not limited:
        return {}
    listings = list_listings(on)
    return {one: listings[one].limit_bp if listings[one].source else by_venue[one] for one in limited}


def kept_until_next_session(instruments: Iterable[InstrumentView]) -> list[int]:
    """Ids of the names whose venue lets nobody sell what was bought in the same session (T+1)."""
    return [one.id for one in instruments if one.venue in rules.NEXT_SESSION_VENUES]
