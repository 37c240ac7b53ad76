"""Writing the day's figures."""

from datetime import date, timedelta

from django.db import transaction

from reefpoint.decisions.margin.selectors.figures import snapshot_totals
from reefpoint.insight.performance.models import DeskDay
from reefpoint.records.ledger.selectors import balances_as_of
from reefpoint.records.ledger.types import COST_FUNDING, INCOME_FEES, INCOME_INTEREST
from reefpoint.records.treasury.selectors import list_pools

_EARNINGS = (INCOME_INTEREST, INCOME_FEES, COST_FUNDING)


@transaction.atomic
def record_day(*, on: date) -> None:
    """Write the figures of a closed business day, once."""
    if DeskDay.objects.filter(on=on).exists():
        return
    totals = snapshot_totals(on)
    pools = list_pools()
    before = balances_as_of(_EARNINGS, on - timedelta(days=1))
    change = {code: balance - before[code] for code, balance in balances_as_of(_EARNINGS, on).items()}
    DeskDay.objects.create(
        on=on,
        accounts=totals.accounts,
        assets_minor=totals.assets_minor,
        debt_minor=totals.debt_minor,
        safe=totals.safe,
        warning=totals.warning,
        call=totals.call,
        close_out=totals.close_out,
        unknown=totals.unknown,
        interest_income_minor=change[INCOME_INTEREST],
        fee_income_minor=change[INCOME_FEES],
        funding_cost_minor=change[COST_FUNDING],
        deficit_accounts=totals.deficit_accounts,
        deficit_minor=totals.deficit_minor,
        pool_lent_minor=sum(pool.lent_minor for pool in pools),
        pool_committed_minor=sum(pool.committed_minor for pool in pools),
    )
