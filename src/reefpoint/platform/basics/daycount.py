"""Day counts: how many days of interest lie between two dates, over which year.

The first day counts and the last does not, so that adjoining periods neither overlap nor leave a gap.
Sources: ISDA 2006 definitions, section 4.16 (Actual/360, Actual/365 (Fixed), 30/360).
"""

from datetime import date
from enum import StrEnum


class DayCount(StrEnum):
    """How days and the year's length are counted in a contract."""

    ACT_360 = "ACT/360"
    ACT_365F = "ACT/365F"
    THIRTY_360 = "30/360"


def year_days(basis: DayCount) -> int:
    """Days in the year of this basis: the denominator of a daily rate."""
    return 365 if basis is DayCount.ACT_365F else 360


def interest_days(basis: DayCount, start: date, end: date) -> int:
    """Days of interest from `start` (counted) to `end` (not counted). Raises `ValueError` if end is before start."""
    if end < start:
        raise ValueError(f"{end} is before {start}")
    if basis is not DayCount.THIRTY_360:
        return (end - start).days
    start_day = min(start.day, 30)
    end_day = 30 if end.day == 31 and start_day == 30 else end.day
    return (end.year - start.year) * 360 + (end.month - start.month) * 30 + end_day - start_day
