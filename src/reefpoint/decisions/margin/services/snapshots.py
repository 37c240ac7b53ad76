"""The end of day's margin snapshot: every account valued anew, from the records and not from the watch's memory.

Whoever's equity is then below the maintenance of its names is called for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
from django.db import transaction

from reefpoint.decisions.margin.models import MarginSnapshot
from reefpoint.decisions.margin.selectors.book import load_book
from reefpoint.decisions.margin.services.calls import settle_standings
from reefpoint.decisions.margin.types import Standing
from reefpoint.engine.bands import step_bands
from reefpoint.engine.valuation import value_book
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.records.accounts import services as accounts

SNAPSHOT_COLUMNS = {
    "account_id": "bigint",
    "on": "date",
    "at": "timestamptz",
    "assets_minor": "bigint",
    "debt_minor": "bigint",
    "ratio_bp": "bigint",
    "band": "smallint",
}


@dataclass(frozen=True)
class SnapshotResult:
    """How many measures were stored, and how many accounts were called for maintenance."""

    stored: int
    called: int


@transaction.atomic
def snapshot_margin(*, actor: Actor, on: date, at: datetime) -> SnapshotResult:
    """Store each account's measure at the end of `on`, once, and call those that are short of maintenance."""
    loaded = load_book(at=at)
    book, record, sheet = loaded.book, loaded.record, loaded.sheet
    by_id = np.argsort(record.account_id)
    valued = value_book(book, sheet.marks, sheet.lines, by_id)
    band = step_bands(valued.ratio_bp, book.terms[by_id], sheet.lines, loaded.band[by_id])
    standings = record.standings(by_id, replace(valued, band=band))
    stored = insert_columns(
        MarginSnapshot._meta.db_table,
        SNAPSHOT_COLUMNS,
        [(one.account_id, on, at, one.assets_minor, one.debt_minor, one.ratio_bp, one.band.value) for one in standings],
        ignore_on=("account_id", "on"),
    )
    versions = record.scheme_version_id[by_id].tolist()
    is_called = record.is_called[by_id].tolist()
    short = [
        (standing, version)
        for standing, version, has_call in zip(standings, versions, is_called, strict=True)
        if standing.is_short_of_maintenance and not has_call
    ]
    return SnapshotResult(stored, _call_for_maintenance(actor, short, on, at) if short else 0)


def _call_for_maintenance(actor: Actor, short: Sequence[tuple[Standing, int]], on: date, at: datetime) -> int:
    """Call these accounts under their locks. The watch is told, as it has to look for their cure from now on."""
    account_ids = [standing.account_id for standing, _ in short]
    accounts.lock_accounts(account_ids)
    result = settle_standings(actor=actor, measured=short, on=on, at=at, is_day_end=True)
    if result.called:
        accounts.announce_changes(account_ids=list(result.called), cause="maintenance call", at=at)
    return result.opened
