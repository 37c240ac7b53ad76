"""The end of day's margin snapshot: every account valued anew, from the records and not from the watch's memory."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.margin.models import MarginSnapshot
from reefpoint.decisions.margin.selectors.standing import measure_with_memory
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.records.accounts.selectors import load_accounts

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
    accounts = load_accounts()
    return insert_columns(
        MarginSnapshot._meta.db_table,
        SNAPSHOT_COLUMNS,
        [
            (one.account_id, on, at, one.assets_minor, one.debt_minor, one.ratio_bp, one.band.value)
            for one in measure_with_memory(accounts, at=at)
        ],
        ignore_on=("account_id", "on"),
    )
