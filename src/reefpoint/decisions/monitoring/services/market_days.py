"""What a session's close says of those who traded: activities of the market itself, noted once."""

from datetime import UTC, datetime, timedelta

from reefpoint.decisions.monitoring.models import Activity
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.records.market.selectors import get_calendar
from reefpoint.records.market.selectors.prices import closes_between
from reefpoint.records.market.types import VENUE

LATE = timedelta(minutes=10)
"""How long before the close a purchase is late."""
FALL_FROM_BP = 1_000
"""Falls of a day from this on are noted for those who sold."""
SESSIONS_AFTER_SALE = 3


def note_market_days(*, since: datetime, at: datetime) -> int:
    """Note the close of each name bought late, and falls after each sale, since then. Returns how many were new."""
    calendar = get_calendar(VENUE)
    wanted: dict[tuple[int, int, int], ActivityKind] = {}
    trades = Activity.objects.filter(kind__in=(ActivityKind.BUY, ActivityKind.SELL), at__gte=since, at__lte=at)
    days = list(calendar.days)
    number_of = {on: number for number, on in enumerate(days)}
    for kind, client_id, instrument_id, traded_at in trades.values_list("kind", "client_id", "instrument_id", "at"):
        number = number_of.get(traded_at.date())
        if number is None:
            continue
        if kind == ActivityKind.BUY:
            if timedelta(0) <= calendar.closes[days[number]] - traded_at <= LATE:
                wanted[client_id, instrument_id, number] = ActivityKind.SESSION_CLOSE
        else:
            for later in range(number, min(number + SESSIONS_AFTER_SALE + 1, len(days))):
                wanted.setdefault((client_id, instrument_id, later), ActivityKind.PRICE_FALL)
    if not wanted:
        return 0
    names = {instrument_id for _, instrument_id, _ in wanted}
    numbers = [number for *_, number in wanted]
    first, last = days[max(min(numbers) - 1, 0)], days[max(numbers)]
    closes = {(name, on): units for name, on, units in closes_between(names, first, last)}
    drafts = []
    for (client_id, instrument_id, number), kind in wanted.items():
        on = days[number]
        close, before = closes.get((instrument_id, on)), closes.get((instrument_id, days[number - 1]))
        closed_at = calendar.closes[on]
        if not close or not before or closed_at > at:
            continue
        move_bp = (close - before) * 10_000 // before
        if kind is ActivityKind.PRICE_FALL and move_bp > -FALL_FROM_BP:
            continue
        drafts.append(
            ActivityDraft(
                kind=kind,
                key=f"{kind.value}:{client_id}:{instrument_id}:{on}",
                client_id=client_id,
                at=closed_at.astimezone(UTC),
                instrument_id=instrument_id,
                price_units=close,
                move_bp=move_bp,
            )
        )
    return note_activities(drafts)
