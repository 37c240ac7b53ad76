"""Counts and totals of margin decisions on one business day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection
from django.db.models import Count, F, Q, Sum

from reefpoint.decisions.margin.models import MarginCall, MarginSnapshot, MarginState
from reefpoint.decisions.margin.types import Band, CallState


@dataclass(frozen=True)
class BookTotals:
    """The book at the end of a day: accounts by band, totals, and accounts whose debt exceeds all they have."""

    accounts: int
    assets_minor: int
    debt_minor: int
    safe: int
    warning: int
    call: int
    close_out: int
    unknown: int
    deficit_accounts: int
    deficit_minor: int


@dataclass(frozen=True)
class CallCounts:
    """Calls that were opened, cured, expired and superseded on a day."""

    opened: int
    cured: int
    expired: int
    superseded: int


def snapshot_totals(on: date) -> BookTotals:
    """The day's snapshot added up, in one query."""
    under_water = Q(debt_minor__gt=F("assets_minor"))
    of_day = MarginSnapshot.objects.filter(on=on)
    bands = {band.name.lower(): Count("id", filter=Q(band=band.value)) for band in Band}
    row = of_day.aggregate(
        **bands,
        accounts=Count("id"),
        deficit_accounts=Count("id", filter=under_water),
        deficit_minor=Sum(F("debt_minor") - F("assets_minor"), filter=under_water, default=0),
        total_assets=Sum("assets_minor", default=0),
        total_debt=Sum("debt_minor", default=0),
    )
    return BookTotals(assets_minor=row.pop("total_assets"), debt_minor=row.pop("total_debt"), **row)


def calls_by_day() -> dict[date, CallCounts]:
    """What happened to calls on each business day, in two queries."""
    opened = dict(MarginCall.objects.values_list("opened_on").annotate(Count("id")).order_by("opened_on"))
    closed = MarginCall.objects.filter(closed_at__isnull=False).values_list("closed_at__date", "state")
    ended = {(on, state): count for on, state, count in closed.annotate(Count("id")).order_by("closed_at__date")}
    return {
        on: CallCounts(
            opened=opened.get(on, 0),
            cured=ended.get((on, CallState.CURED), 0),
            expired=ended.get((on, CallState.EXPIRED), 0),
            superseded=ended.get((on, CallState.SUPERSEDED), 0),
        )
        for on in opened.keys() | {on for on, _ in ended}
    }


def load_band_times(account_ids: Collection[int], *, worse_than: Band) -> dict[int, datetime]:
    """Since when each of these accounts that stand in a worse band has stood in its band; one query."""
    rows = MarginState.objects.filter(account_id__in=account_ids, band__gt=worse_than)
    return dict(rows.values_list("account_id", "band_since"))


_DEBT_DAYS = """
SELECT asked.key, min(m."on"), min(m."on") FILTER (WHERE m.debt_minor > m.assets_minor)
  FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::date[]) AS asked (key, account_id, after, until)
  JOIN margin_marginsnapshot m
    ON m.account_id = asked.account_id AND m."on" > asked.after AND m."on" <= asked.until
 WHERE m.debt_minor > 0 AND m.band <> %s
 GROUP BY asked.key
"""


def find_debt_days(
    asked: Sequence[tuple[int, int, date, date]],
) -> dict[int, tuple[date, date | None]]:
    """On which day first something was owed, and on which first more than all assets, in one query.

    Each is asked as (key, account id, after, until); keys that share accounts or days are answered together. Days on
    which an account could not be valued say nothing.
    """
    if not asked:
        return {}
    keys, account_ids, after, until = (list(column) for column in zip(*asked, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_DEBT_DAYS, [keys, account_ids, after, until, Band.UNKNOWN.value])
        return {key: (owed_on, deficit_on) for key, owed_on, deficit_on in cursor.fetchall()}
