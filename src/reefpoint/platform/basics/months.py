"""Counting in months."""

import calendar
from datetime import date


def months_after(on: date, months: int) -> date:
    """The same day some months later, or the last of that month when it has no such day."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, calendar.monthrange(year, month + 1)[1]))
