"""Stored activities as columns, for the rules: no Python object a row."""

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

import numpy as np
from django.db import connection

from reefpoint.decisions.monitoring.rules.columns import DAY_SECONDS, Activities, Market, place
from reefpoint.decisions.monitoring.types import KINDS
from reefpoint.engine.columns import Int64s
from reefpoint.engine.loading import read_columns
from reefpoint.platform.database.bulk import copy_out
from reefpoint.records.market.selectors import get_calendar, list_instruments
from reefpoint.records.market.selectors.prices import closes_between
from reefpoint.records.market.types import VENUE

HISTORY_DAYS = 400
"""How far back a fact may look: its longest window is a year."""
_EPOCH = date(1970, 1, 1)
_ROWS = """
SELECT id, array_position(%(kinds)s, kind::text) - 1, client_id, account_id, extract(epoch FROM at)::bigint,
       amount_minor, counterparty, score_bp, is_verified, is_third_party,
       CASE WHEN country = '' THEN 0 ELSE ascii(country) * 256 + ascii(substr(country, 2)) END,
       instrument_id, quantity, price_units, position_before, move_bp, device,
       CASE WHEN reference = '' THEN 0 ELSE hashtextextended(reference, 0) END,
       declared_liquid_minor, declared_income_minor, declared_worth_minor
  FROM monitoring_activity
 WHERE at > %(since)s AND at <= %(until)s AND (%(all)s OR client_id = ANY(%(clients)s))
"""
_FIELDS = {
    "id": 8,
    "kind": 4,
    "client": 8,
    "account": 8,
    "at": 8,
    "amount": 8,
    "counterparty": 8,
    "score": 4,
    "verified": 2,
    "third": 2,
    "country": 4,
    "instrument": 8,
    "quantity": 8,
    "price": 8,
    "held": 8,
    "move": 4,
    "device": 8,
    "reference": 8,
    "liquid": 8,
    "income": 8,
    "worth": 8,
}
_RELATED = """
WITH fresh AS (
    SELECT counterparty, device FROM monitoring_activity WHERE client_id = ANY(%(clients)s) AND at > %(since)s
)
SELECT DISTINCT client_id FROM monitoring_activity
 WHERE at > %(since)s AND (
       (counterparty <> 0 AND counterparty IN (SELECT counterparty FROM fresh WHERE counterparty <> 0))
       OR (device <> 0 AND device IN (SELECT device FROM fresh WHERE device <> 0)))
"""


def load_activities(
    *, since: datetime, until: datetime, groups: Mapping[int, int], client_ids: Collection[int] | None = None
) -> Activities:
    """Activities after `since` and up to `until`, of some clients or all, with what the market said then."""
    params = {
        "kinds": [kind.value for kind in KINDS],
        "since": since,
        "until": until,
        "all": client_ids is None,
        "clients": list(client_ids or ()),
    }
    stored = read_columns(copy_out(_ROWS, params), _FIELDS)
    return place(stored, market=load_market(stored["instrument"], stored["at"]), groups=groups)


def load_market(instrument: Int64s, at: Int64s) -> Market:
    """Sessions, closes and volumes around these rows."""
    calendar = get_calendar(VENUE)
    days = [(on - _EPOCH).days for on in calendar.days]
    ends = [int(calendar.closes[on].timestamp()) for on in calendar.days]
    names = np.unique(instrument[instrument != 0]).tolist()
    closes: list[tuple[int, date, int]] = []
    if names:
        first, last = (datetime.fromtimestamp(int(edge), UTC).date() for edge in (at.min(), at.max()))
        closes = closes_between(names, first - timedelta(days=10), last)
    return Market(
        session_days=np.array(days, dtype=np.int64),
        session_ends=np.array(ends, dtype=np.int64),
        close_instrument=np.array([row[0] for row in closes], dtype=np.int64),
        close_day=np.array([(row[1] - _EPOCH).days for row in closes], dtype=np.int64),
        close_units=np.array([row[2] for row in closes], dtype=np.int64),
        volumes={one.id: one.assumed_daily_volume for one in list_instruments()} if names else {},
    )


def load_related(client_ids: Collection[int], since: datetime) -> set[int]:
    """Clients who paid with, were paid to, or used what these clients did, since then."""
    with connection.cursor() as cursor:
        cursor.execute(_RELATED, {"clients": list(client_ids), "since": since})
        return {client_id for (client_id,) in cursor.fetchall()}


def seconds(at: datetime) -> int:
    """An instant as rows have it."""
    return int(at.timestamp())


def day_number(on: date) -> int:
    """A date as rows have it."""
    return (on - _EPOCH).days


def is_between(rows: Activities, since: date, until: date | None) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Rows on the days from `since`, and before `until` if it is given."""
    after = rows.at >= day_number(since) * DAY_SECONDS
    return after if until is None else after & (rows.at < day_number(until) * DAY_SECONDS)
