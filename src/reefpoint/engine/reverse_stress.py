"""Reverse stress: how far prices must go in a direction before the desk loses more than it can bear.

The loss is the total shortfall, over accounts the sum of max(0, owed - assets). The way is cut into basis points and a
grid of it is one stress run; the first grid step over the limit and the one before it bound the next, finer grid: three
runs find the step among 10,000.

On a book without shorts along a direction in which no name rises the loss never falls from one step to the next, so
the step found is the smallest there is. Otherwise the loss may rise and fall: then it is the smallest of the grid's
first crossing, a narrower one between two grid steps may have been missed, and `is_smallest` is False.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BP, Int32s, Int64s, check_whole
from reefpoint.engine.scenarios import along
from reefpoint.engine.stress import TOTAL_MAX, StressResult, stress_book

GRID_STEPS = 63
"""With both ends 64 points, one tile of scenarios."""


@dataclass(frozen=True, eq=False)
class ReverseStress:
    """Where the loss first exceeds the limit. Amounts in units of 1e-4.

    - `step_bp`: basis points of the whole way, 0..10,000; None when even the whole way does not do it
    - `loss_units` at that step, or at the end of the way; `loss_before_units` one basis point before it, 0 at step 0,
      and the same as `loss_units` without a step
    - `accounts` int32[N], `shortfall_units` int64[N]: who makes up the loss, the largest part first
    - `is_smallest`: no smaller step exceeds the limit; see the module
    """

    step_bp: int | None
    loss_units: int
    loss_before_units: int
    accounts: Int32s
    shortfall_units: Int64s
    is_smallest: bool


def reverse_stress(
    book: Book, marks: Marks, lines: Lines, direction_e8: Int64s, *, limit_units: int, threads: int = 1
) -> ReverseStress:
    """The smallest step along `direction_e8` (as in `scenarios.along`) at which the total shortfall exceeds the limit.

    Raises `BookError` for a negative limit, and as `along` and `stress_book` do.
    """

    def losses(steps: Int64s) -> Int64s:
        scenarios = along(marks.price_units, direction_e8, steps.tolist())
        return stress_book(book, marks, lines, scenarios, threads=threads).shortfall_units

    crossing = first_step_over(losses, limit_units)
    scenarios = along(marks.price_units, direction_e8, [crossing.last_bp])
    rows, shortfall = who_is_short(stress_book(book, marks, lines, scenarios, threads=threads))
    return crossing.made_up_by(rows, shortfall, is_smallest=never_gains(book, direction_e8))


@dataclass(frozen=True)
class Crossing:
    """Where losses first pass a limit: `step_bp` or None, the losses there and one step before, the last step seen."""

    step_bp: int | None
    last_bp: int
    loss_units: int
    loss_before_units: int

    def made_up_by(self, rows: Int64s, shortfall: Int64s, *, is_smallest: bool) -> ReverseStress:
        """The answer, with the accounts `rows` that are short at the last step, the largest part first."""
        order = np.argsort(-shortfall, kind="stable")
        return ReverseStress(
            step_bp=self.step_bp,
            loss_units=self.loss_units,
            loss_before_units=self.loss_before_units,
            accounts=rows[order].astype(np.int32),
            shortfall_units=shortfall[order],
            is_smallest=is_smallest,
        )


def first_step_over(losses: Callable[[Int64s], Int64s], limit_units: int, whole_way_bp: int = BP) -> Crossing:
    """The first of the steps 0..`whole_way_bp` whose loss exceeds the limit, by a grid that is refined; see the module.

    `losses` tells the loss at each of the steps that it is given. Raises `BookError` for a negative limit.
    """
    check_whole("limit_units", limit_units, 0, TOTAL_MAX)
    low, high = 0, whole_way_bp
    loss_low = loss_high = 0
    found = False
    while not found or high - low > 1:
        steps = np.unique(np.linspace(low, high, GRID_STEPS + 1).astype(np.int64))
        loss = losses(steps)
        over = np.flatnonzero(loss > limit_units)
        if not len(over):
            return Crossing(None, whole_way_bp, int(loss[-1]), int(loss[-1]))
        found, at = True, int(over[0])
        high, loss_high = int(steps[at]), int(loss[at])
        if at == 0:
            break
        low, loss_low = int(steps[at - 1]), int(loss[at - 1])
    return Crossing(high, high, loss_high, loss_low)


def who_is_short(last: StressResult) -> tuple[Int64s, Int64s]:
    """The accounts that owe more than they have under the one scenario of a run, and how much."""
    shortfall = np.nan_to_num(last.expected_shortfall_units).astype(np.int64)  # the mean over one scenario: exact
    rows = np.flatnonzero(shortfall)
    return rows, shortfall[rows]


def never_gains(book: Book, way: Int64s) -> bool:
    """Whether no account can gain along a way of the names, int64[S]: none is short of a name, and no name rises."""
    return book.long_only_count == book.account_count and bool((way <= 0).all())
