"""The end of day's margin snapshot: every account valued anew, from the records and not from the watch's memory."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
from django.db import transaction

from reefpoint.decisions.margin.models import MarginSnapshot
from reefpoint.decisions.margin.selectors.book import load_book
from reefpoint.engine.bands import step_bands
from reefpoint.engine.valuation import value_book
from reefpoint.platform.database.bulk import insert_columns

SNAPSHOT_COLUMNS = {
    "account_id": "bigint",
    "on": "date",
    "at": "timestamptz",
    "assets_minor": "bigint",
    "debt_minor": "bigint",
    "ratio_bp": "bigint",
    "band": "smallint",
}


@transaction.atomic
def snapshot_margin(*, on: date, at: datetime) -> int:
    """Store each account's measure at the end of `on`, once. Returns how many were stored."""
    loaded = load_book(at=at)
    book, sheet, by_id = loaded.book, loaded.sheet, np.argsort(loaded.record.account_id)
    valued = value_book(book, sheet.marks, sheet.lines, by_id)
    band = step_bands(valued.ratio_bp, book.terms[by_id], sheet.lines, loaded.band[by_id])
    return insert_columns(
        MarginSnapshot._meta.db_table,
        SNAPSHOT_COLUMNS,
        [
            (one.account_id, on, at, one.assets_minor, one.debt_minor, one.ratio_bp, one.band.value)
            for one in loaded.record.standings(by_id, replace(valued, band=band))
        ],
        ignore_on=("account_id", "on"),
    )
