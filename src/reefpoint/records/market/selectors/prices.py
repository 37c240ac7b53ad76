"""Accepted prices: the latest of every name, those of a batch, and a name's history."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

import numpy as np
from django.db import connection

from reefpoint.engine.loading import read_columns
from reefpoint.platform.database.bulk import copy_out
from reefpoint.records.market import rules
from reefpoint.records.market.models import Instrument, Price
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.market.types import FeedHealth, LatestColumns, LatestPrice, Reference

_LATEST = """
SELECT i.id, i.symbol, i.venue, p.price_units, p.at, p."on", p.batch_id, p.id
FROM market_instrument i
CROSS JOIN LATERAL (
    SELECT price_units, at, "on", batch_id, id FROM market_price
    WHERE instrument_id = i.id AND recorded_at <= COALESCE(%s, 'infinity'::timestamptz)
    ORDER BY at DESC, id DESC LIMIT 1
) p
ORDER BY i.id
"""

_REFERENCES = """
SELECT wanted.instrument_id, wanted.at, p.price_units, p.at
FROM unnest(%s::bigint[], %s::timestamptz[]) AS wanted(instrument_id, at)
CROSS JOIN LATERAL (
    SELECT price_units, at FROM market_price
    WHERE instrument_id = wanted.instrument_id AND at <= wanted.at
    ORDER BY at DESC, id DESC LIMIT 1
) p
"""


def latest_prices(as_of: datetime | None = None) -> dict[int, LatestPrice]:
    """The newest accepted price of every instrument that has one, by instrument id, in one query.

    With `as_of`: as known at that instant, and stale if a session ended since without a newer price.
    Without: everything recorded, and stale against the newest session of which any name of the venue has a price.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LATEST, [as_of])
        rows = cursor.fetchall()
    newest_of_venue: dict[str, date] = {}
    for _, _, venue, _, _, on, _, _ in rows:
        newest_of_venue[venue] = max(on, newest_of_venue.get(venue, on))
    calendars = {venue: get_calendar(venue) for venue in newest_of_venue}
    expected = {
        venue: calendars[venue].last_closed(as_of) if as_of else newest for venue, newest in newest_of_venue.items()
    }
    return {
        instrument_id: LatestPrice(
            instrument_id=instrument_id,
            symbol=symbol,
            price_units=price_units,
            at=at,
            on=on,
            batch_id=batch_id,
            price_id=price_id,
            is_stale=rules.is_stale(calendars[venue].missed(on, expected[venue])),
        )
        for instrument_id, symbol, venue, price_units, at, on, batch_id, price_id in rows
    }


_LATEST_COLUMNS = """
SELECT i.id, coalesce(p.price_units, 0), coalesce(p."on" - %(epoch)s::date, 0),
       array_position(%(venues)s, i.venue::text), i.is_suspended::integer, i.lot_size
FROM market_instrument i
LEFT JOIN LATERAL (
    SELECT price_units, "on" FROM market_price
    WHERE instrument_id = i.id AND recorded_at <= %(as_of)s
    ORDER BY at DESC, id DESC LIMIT 1
) p ON true
ORDER BY i.id
"""
_FIELDS = {"instrument_id": 8, "price_units": 8, "on": 4, "venue": 4, "is_suspended": 4, "lot": 4}
_EPOCH = date(2000, 1, 1)


def latest_columns(as_of: datetime) -> LatestColumns:
    """What `latest_prices(as_of)` and `list_instruments` say of every instrument, without an object each."""
    venues = sorted(Instrument.objects.order_by().values_list("venue", flat=True).distinct())
    columns = read_columns(copy_out(_LATEST_COLUMNS, {"epoch": _EPOCH, "venues": venues, "as_of": as_of}), _FIELDS)
    is_stale = np.zeros(len(columns["on"]), dtype=np.bool_)
    for number, venue in enumerate(venues, start=1):
        calendar = get_calendar(venue)
        of_venue = (columns["venue"] == number) & (columns["price_units"] > 0)
        for day in np.unique(columns["on"][of_venue]).tolist():
            on = _EPOCH + timedelta(days=day)
            is_stale[of_venue & (columns["on"] == day)] = rules.is_stale(
                calendar.missed(on, calendar.last_closed(as_of))
            )
    return LatestColumns(
        instrument_id=columns["instrument_id"],
        price_units=columns["price_units"],
        is_stale=is_stale,
        is_suspended=columns["is_suspended"].astype(np.bool_),
        lot=columns["lot"],
    )


def prices_of_batch(batch_id: int) -> list[LatestPrice]:
    """The accepted prices of a batch, oldest first.

    A late batch may bring prices older than those already known: apply one only if its `(at, price_id)` is greater.
    """
    rows = Price.objects.filter(batch_id=batch_id).select_related("instrument").order_by("at", "id")
    return [_view(row) for row in rows]


def price_history(instrument_id: int, since: date, until: date) -> list[LatestPrice]:
    """The last accepted price of each session from `since` to `until`, both inclusive, oldest first."""
    rows = (
        Price.objects.filter(instrument_id=instrument_id, on__gte=since, on__lte=until)
        .select_related("instrument")
        .order_by("on", "-at", "-id")
        .distinct("on")
    )
    return [_view(row) for row in rows]


def recent_closes(since: date, until: date) -> dict[int, list[int]]:
    """The last accepted price of each session from `since` to `until`, oldest first, by instrument; in one query."""
    rows = (
        Price.objects.filter(on__gte=since, on__lte=until)
        .order_by("instrument_id", "on", "-at", "-id")
        .distinct("instrument_id", "on")
        .values_list("instrument_id", "price_units")
    )
    closes: dict[int, list[int]] = {}
    for instrument_id, units in rows:
        closes.setdefault(instrument_id, []).append(units)
    return closes


def closes_on(days: Collection[date]) -> dict[tuple[int, date], int]:
    """The last accepted price of each of these sessions, by instrument id and session; in one query."""
    rows = (
        Price.objects.filter(on__in=set(days))
        .order_by("instrument_id", "on", "-at", "-id")
        .distinct("instrument_id", "on")
        .values_list("instrument_id", "on", "price_units")
    )
    return {(instrument_id, on): units for instrument_id, on, units in rows}


def closes_between(instrument_ids: Collection[int], since: date, until: date) -> list[tuple[int, date, int]]:
    """The last accepted price of each session from `since` to `until`, as (instrument id, session, units)."""
    rows = (
        Price.objects.filter(instrument_id__in=instrument_ids, on__gte=since, on__lte=until)
        .order_by("instrument_id", "on", "-at", "-id")
        .distinct("instrument_id", "on")
        .values_list("instrument_id", "on", "price_units")
    )
    return list(rows)


def get_feed_health() -> FeedHealth:
    """How well prices arrive, over every listed name; a suspended name counts as nothing else."""
    latest = latest_prices()
    instruments = Instrument.objects.values_list("id", "is_suspended")
    suspended = {key for key, is_suspended in instruments if is_suspended}
    traded = {key for key, _ in instruments} - suspended
    priced = [price for key, price in latest.items() if key in traded]
    return FeedHealth(
        fresh=sum(not price.is_stale for price in priced),
        stale=sum(price.is_stale for price in priced),
        suspended=len(suspended),
        missing=len(traded) - len(priced),
        oldest_on=min((price.on for price in priced), default=None),
        newest_at=max((price.at for price in latest.values()), default=None),
    )


def load_references(wanted: list[tuple[int, datetime]]) -> dict[tuple[int, datetime], Reference]:
    """For each instrument and instant, the newest accepted price at or before it; absent where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES, [[instrument for instrument, _ in wanted], [at for _, at in wanted]])
        return {
            (instrument_id, wanted_at): Reference(price_units, at)
            for instrument_id, wanted_at, price_units, at in cursor.fetchall()
        }


def _view(row: Price) -> LatestPrice:
    return LatestPrice(
        instrument_id=row.instrument_id,
        symbol=row.instrument.symbol,
        price_units=row.price_units,
        at=row.at,
        on=row.on,
        batch_id=row.batch_id,
        price_id=row.pk,
    )
