"""Since when and until when names did not trade."""

from collections.abc import Collection
from datetime import date

from reefpoint.records.market.models import TradingHalt


def suspensions_between(
    instrument_ids: Collection[int], since: date, until: date
) -> dict[int, list[tuple[date, date | None]]]:
    """Each stretch without trading that touches the days from `since` to `until`, by instrument id.

    A stretch is its first day and the day on which trading went on, None while it has not. What was suspended before
    the desk kept this record has its last stretch alone.
    """
    stretches: dict[int, list[tuple[date, date | None]]] = {}
    rows = TradingHalt.objects.filter(instrument_id__in=list(instrument_ids), at__date__lte=until)
    for instrument_id, is_suspended, at in rows.order_by("instrument_id", "at", "id").values_list(
        "instrument_id", "is_suspended", "at"
    ):
        of_name = stretches.setdefault(instrument_id, [])
        if is_suspended:
            of_name.append((at.date(), None))
        elif of_name:
            of_name[-1] = (of_name[-1][0], at.date())
    return {
        instrument_id: kept
        for instrument_id, of_name in stretches.items()
        if (kept := [(begin, end) for begin, end in of_name if end is None or end > since])
    }
