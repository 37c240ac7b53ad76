"""What clients paid in and took out, as recorded activities say."""

from collections.abc import Collection
from datetime import datetime

from reefpoint.decisions.monitoring.models import Activity
from reefpoint.decisions.monitoring.types import ActivityKind, CashFlow


def load_cash_flows(client_ids: Collection[int], *, since: datetime, until: datetime) -> list[CashFlow]:
    """Deposits and withdrawals of these clients after `since` and up to `until`, oldest first."""
    rows = Activity.objects.filter(
        client_id__in=client_ids,
        kind__in=[ActivityKind.DEPOSIT, ActivityKind.WITHDRAWAL],
        at__gt=since,
        at__lte=until,
    ).order_by("at", "id")
    return [
        CashFlow(*row) for row in rows.values_list("id", "client_id", "kind", "at", "amount_minor", "is_third_party")
    ]
