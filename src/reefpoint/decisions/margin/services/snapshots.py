"""The end of day's margin snapshot: every account valued anew, from the records and not from the watch's memory."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.margin.models import MarginSnapshot
from reefpoint.decisions.margin.selectors.standing import measure_with_memory
from reefpoint.records.accounts.selectors import load_accounts


@transaction.atomic
def snapshot_margin(*, on: date, at: datetime) -> int:
    """Store each account's measure at the end of `on`, once. Returns how many were stored."""
    accounts = load_accounts()
    stored = MarginSnapshot.objects.bulk_create(
        [
            MarginSnapshot(
                account_id=standing.account_id,
                on=on,
                at=at,
                assets_minor=standing.assets_minor,
                debt_minor=standing.debt_minor,
                ratio_bp=standing.ratio_bp,
                band=standing.band.value,
            )
            for standing in measure_with_memory(accounts, at=at)
        ],
        ignore_conflicts=True,
    )
    return len(stored)
