"""Simple daily interest, exact to the last millionth of a minor unit whatever the way a period is cut.

interest = principal * rate / 10,000 * days / year_days (CN: days / 360 or 365 by contract; HK: 365). It is kept in
micro = 1e-6 of a minor unit, with the remainder of the division (`carry`, in 1/year_days of a micro) handed to the next
day: the sum over a period is the same for any cut of it. It is posted in whole minor units as the growth of
ceil(accrued), so what has been posted is never less than what is due and never a minor unit more.
"""

import numpy as np

from reefpoint.engine.columns import BP, Int64s, check_column, check_range, count_rows

MICRO = 1_000_000
"""Micro units in one minor unit."""
PRINCIPAL_MINOR_MAX = 2**43
"""Largest principal (88 billion in the major unit for cents): at up to 100% over 366 days, int64 holds every step."""
DAYS_MAX = 366
MICRO_MAX = 2**63 - MICRO


def accrue(
    principal_minor: Int64s, rate_bp: Int64s, days: Int64s, year_days: Int64s, carry: Int64s
) -> tuple[Int64s, Int64s]:
    """Interest of each loan over `days`, in micro, and the carry for the next call; all columns int64[N].

    `rate_bp` 0..10,000 a year, `days` 0..366, `year_days` 360 or 365, `carry` 0..year_days-1 (0 for the first day).
    Raises `BookError` with the row of a value out of range.
    """
    shape = (count_rows("principal_minor", principal_minor),)
    for name, column, high in (
        ("principal_minor", principal_minor, PRINCIPAL_MINOR_MAX),
        ("rate_bp", rate_bp, BP),
        ("days", days, DAYS_MAX),
        ("year_days", year_days, DAYS_MAX),
        ("carry", carry, DAYS_MAX - 1),
    ):
        check_column(name, column, np.int64, shape)
        check_range(name, column, 360 if name == "year_days" else 0, high)
    check_range("carry below year_days", year_days - carry, 1, DAYS_MAX)
    daily, rest = np.divmod(principal_minor * rate_bp * (MICRO // BP), year_days)
    extra, left = np.divmod(rest * days + carry, year_days)
    return daily * days + extra, left


def posted_minor(before_micro: Int64s, after_micro: Int64s) -> Int64s:
    """Minor units to post when the accrued total of a loan goes from `before_micro` to `after_micro` (int64[N])."""
    shape = (count_rows("before_micro", before_micro),)
    for name, column in (("before_micro", before_micro), ("after_micro", after_micro)):
        check_column(name, column, np.int64, shape)
        check_range(name, column, 0, MICRO_MAX)
    return (after_micro + MICRO - 1) // MICRO - (before_micro + MICRO - 1) // MICRO
