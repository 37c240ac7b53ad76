"""Reads of the desk's figures."""

from datetime import date
from typing import Any

from reefpoint.decisions.margin.selectors.figures import CallCounts, calls_by_day
from reefpoint.flows.liquidation.selectors import SaleCounts, sales_by_day
from reefpoint.insight.performance.models import DeskDay
from reefpoint.insight.performance.types import DayFigures, PeriodFigures

_STORED = tuple(field.name for field in DeskDay._meta.concrete_fields)
_NO_CALLS = CallCounts(0, 0, 0, 0)
_NO_SALES = SaleCounts(0, 0, 0)


def list_days(since: date | None = None, until: date | None = None) -> list[DayFigures]:
    """Figures of the closed business days, oldest first, in a fixed number of queries."""
    days = DeskDay.objects.order_by("on")
    if since is not None:
        days = days.filter(on__gte=since)
    if until is not None:
        days = days.filter(on__lte=until)
    calls, sales = calls_by_day(), sales_by_day()
    return [
        _figures(row, calls.get(row["on"], _NO_CALLS), sales.get(row["on"], _NO_SALES)) for row in days.values(*_STORED)
    ]


def _figures(row: dict[str, Any], calls: CallCounts, sales: SaleCounts) -> DayFigures:
    return DayFigures(
        **row,
        calls_opened=calls.opened,
        calls_cured=calls.cured,
        calls_expired=calls.expired,
        calls_superseded=calls.superseded,
        liquidations_opened=sales.opened,
        liquidations_ended=sales.ended,
        sold_minor=sales.sold_minor,
    )


def get_period(since: date | None = None, until: date | None = None) -> PeriodFigures | None:
    """The figures of a run of days added up; None if no day of it is closed."""
    days = list_days(since, until)
    if not days:
        return None

    def total(name: str) -> int:
        return sum(getattr(day, name) for day in days)

    return PeriodFigures(
        days=len(days),
        first=days[0],
        last=days[-1],
        calls_opened=total("calls_opened"),
        calls_cured=total("calls_cured"),
        calls_expired=total("calls_expired"),
        calls_superseded=total("calls_superseded"),
        liquidations_opened=total("liquidations_opened"),
        liquidations_ended=total("liquidations_ended"),
        sold_minor=total("sold_minor"),
        interest_income_minor=total("interest_income_minor"),
        fee_income_minor=total("fee_income_minor"),
        funding_cost_minor=total("funding_cost_minor"),
    )
