"""Reconciliation breaks: what kinds there are, and how old one is."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from reefpoint.platform.basics.states import StateTable


class BreakClass(StrEnum):
    """Why the books and the other side's file differ."""

    TIMING = "timing"
    MISSING_IN_BOOKS = "missing_in_books"
    MISSING_AT_COUNTERPARTY = "missing_at_counterparty"
    AMOUNT = "amount"
    DUPLICATE = "duplicate"
    VALUE_DATE = "value_date"
    POSITION_QUANTITY = "position_quantity"
    STALE_FILE = "stale_file"


class BreakSide(StrEnum):
    """On whose side the unexplained thing stands."""

    BOOKS = "books"
    COUNTERPARTY = "counterparty"
    BOTH = "both"


class BreakState(StrEnum):
    OPEN = "open"
    CLEARED = "cleared"


BREAK_STATES = StateTable(
    "break", BreakState.OPEN, {BreakState.OPEN: frozenset({BreakState.CLEARED}), BreakState.CLEARED: frozenset()}
)

TIMING_DAYS_MAX = 1
"""Business days for which an entry that the other side does not show yet counts as in transit."""

AGE_BUCKETS: tuple[tuple[int, str], ...] = ((1, "0-1"), (3, "2-3"), (7, "4-7"), (30, "8-30"))
"""Upper end in business days, and label; older is `>30`."""


def business_days_old(sessions: Sequence[date], opened_on: date, on: date) -> int:
    """Sessions after `opened_on` up to and including `on`; `sessions` ascending and covering that span."""
    return max(0, bisect_right(sessions, on) - bisect_right(sessions, opened_on))


def age_bucket(business_days: int) -> str:
    """The label under which a break of this age is counted."""
    return next((label for upper, label in AGE_BUCKETS if business_days <= upper), ">30")
