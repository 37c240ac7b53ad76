"""Sale plans of many accounts: each sells the least market value that brings it back to its target ratio.

All proceeds repay debt. With assets A, debt D and target T, a sale of market value v that brings proceeds p closes
T*p - v of the gap T*D - A: a name helps only if T * (1 - cost) > 1. What is minimised is the market value sold, the
sum of v, over whole steps: a covering knapsack with one constraint an account. A step is the least that may be sold of
a position by itself: a lot, or the last lot with the odd rest, so that what is left of a name is nothing or a lot.

1. Names go in the contract's order of preference; within it, and without one, the cheapest first. Sold in fractions,
   cheapest first over all names, that is the optimum of the linear relaxation: no sale of less value reaches the
   target, whatever its order and its lots. It stands in each plan as its certificate, `bound_units`.
2. The name that reaches the target sells the fewest steps that do.
3. Exchange, among names of equal preference only: up to `EXCHANGE_STEPS_MAX` steps of one name against the fewest of
   another that close the same, the exchange that saves most first, until none saves.
4. Steps that can be spared are taken back, last in the order first, until no single one can.

The search estimates in float64 and decides in integers: gaps are whole numbers of 1e-8 (units times basis points),
costs round up and proceeds down to `grain_units`, as they will be booked. `_settle_rows` then works each plan out
again from its steps alone, and a plan that is not what it says is never returned.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from reefpoint.engine.bands import LINE_BP_MAX, RATIO_NO_DEBT, RATIO_UNKNOWN
from reefpoint.engine.book import Book, Marks, check_book
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    QUANTITY_MAX,
    BookError,
    Bools,
    Int8s,
    Int64s,
    check_column,
    check_range,
)
from reefpoint.engine.kernel import Kernel, P, R, kernel

EXCHANGE_STEPS_MAX = 3
"""Most steps of one name that an exchange gives up."""
EXCHANGES_MAX = 50
"""Most exchanges in one account."""
GAP_MAX = 2.0**62
"""Gaps (units times basis points) from which on an account is planned in unbounded integers."""
NO_CAP = 2**62
"""Shares left of a name whose volume is not shared."""
GRAIN_UNITS_MAX = BP * BP

ROW, NAME, PRICE, LOT, HELD, MOST, COST, RANK = range(8)
"""Columns of `lines`: row in the book, instrument, price, lot, shares held, most steps, cost in bp, preference."""
ASSETS, DEBT, CASH, GAP = range(4)
"""Rows of `before`: assets, what is owed, own cash applied, and the gap that is then left, in 1e-8."""


class PlanOutcome(StrEnum):
    """What a plan does. Its place in this list is its code in `SalePlans.outcome`."""

    UNKNOWN = "unknown"
    """A held name has no usable price, or the account is too large: it cannot be valued, so nothing is planned."""
    NOT_NEEDED = "not_needed"
    """The account holds its target; nothing is done."""
    CASH_CURES = "cash_cures"
    """The account's own cash repays enough; nothing is sold."""
    CURES = "cures"
    """The sales reach the target, and the plan less any one step would not."""
    FALLS_SHORT = "falls_short"
    """All that may be sold is sold; the ratio rises but stays under the target."""
    CANNOT_HELP = "cannot_help"
    """Selling does not raise the ratio (assets * (1 - cost) <= debt). All that may be sold is listed, to recover it."""
    NOTHING_TO_SELL = "nothing_to_sell"
    """The account needs a sale, and no position may be sold."""
    HOLDS_SHORTS = "holds_shorts"
    """The account is under its target and short of a name. Shorts end by purchases, which are not planned here."""


OUTCOMES = tuple(PlanOutcome)
UNKNOWN, NOT_NEEDED, CASH_CURES, CURES, FALLS_SHORT, CANNOT_HELP, NOTHING_TO_SELL, HOLDS_SHORTS = range(8)
TOO_LARGE = 8
"""Only inside: the gap does not fit an int64, so the account is planned in Python integers."""


@dataclass(frozen=True, eq=False)
class SalePlans:
    """What to do with each account; money in units of 1e-4. See `liquidation.SalePlan` for the same of one account.

    Of each position, int64[P], in the book's order: `quantity` to sell, `value_units`, `cost_units`, `proceeds_units`;
    `order` lists the rows of each account's positions in the order of sale, where a sale is planned.
    Of each account, [A]: `outcome` int8, the place in `PlanOutcome`; the others int64:

    - `cash_applied_units` of the account's own cash repays first; `sold_units` market value sold
    - `assets_*`, `debt_*`, `ratio_*`: before, and after cash and proceeds have repaid (`RATIO_NO_DEBT`: nothing owed);
      an unknown account has assets 0 and `RATIO_UNKNOWN`; a short counts with what is owed
    - `deposit_still_needed_units`: what would bring the rest to the target; 0 when the plan does
    - `deficit_units`: debt above all that is left
    - `bound_units`: no sale of less market value reaches the target, whatever its order and lots; 0 if none does
    """

    outcome: Int8s
    order: Int64s
    quantity: Int64s
    value_units: Int64s
    cost_units: Int64s
    proceeds_units: Int64s
    cash_applied_units: Int64s
    sold_units: Int64s
    assets_before_units: Int64s
    debt_before_units: Int64s
    ratio_before_bp: Int64s
    assets_after_units: Int64s
    debt_after_units: Int64s
    ratio_after_bp: Int64s
    deposit_still_needed_units: Int64s
    deficit_units: Int64s
    bound_units: Int64s


POSITION_COLUMNS = ("order", "quantity", "value_units", "cost_units", "proceeds_units")


@kernel
def _shares(lines: Int64s, j: int, steps: int) -> int:
    """Shares in `steps` steps of line j: whole lots, the last one with the odd rest."""
    if steps == 0:
        return 0
    if (steps + 1) * lines[j, LOT] > lines[j, HELD]:
        return lines[j, HELD]  # type: ignore[no-any-return]
    return steps * lines[j, LOT]  # type: ignore[no-any-return]


@kernel
def _closes(lines: Int64s, j: int, steps: int, target: int, grain: int) -> int:
    """What `steps` steps of line j close of the gap, in 1e-8: costs up, proceeds down to the grain."""
    value = _shares(lines, j, steps) * lines[j, PRICE]
    cost = (value * lines[j, COST] + BP - 1) // BP
    return target * ((value - cost) // grain * grain) - BP * value  # type: ignore[no-any-return]


@kernel
def _most_now(lines: Int64s, j: int, steps: int, left: Int64s) -> int:
    """Most steps of line j when `steps` of it are planned and `left` shares of its name are over."""
    room = left[lines[j, NAME]] + _shares(lines, j, steps)
    most = lines[j, MOST]
    if _shares(lines, j, most) <= room:
        return most  # type: ignore[no-any-return]
    return min(room // lines[j, LOT], most - 1)  # type: ignore[no-any-return]


@kernel
def _least_steps(lines: Int64s, j: int, low: int, high: int, wanted: int, target: int, grain: int) -> int:
    """The fewest steps of line j, low..high, that close `wanted`, given that `high` do: an estimate, then halving."""
    gain = float(target * (BP - lines[j, COST]) - BP * BP) / BP * float(lines[j, LOT]) * float(lines[j, PRICE])
    guess = max(low, min(high, int(float(wanted) / gain)))
    if _closes(lines, j, guess, target, grain) >= wanted:
        high = guess
    else:
        low = guess + 1
        if low < high and _closes(lines, j, low, target, grain) >= wanted:
            high = low
    while low < high:
        middle = (low + high) // 2
        if _closes(lines, j, middle, target, grain) >= wanted:
            high = middle
        else:
            low = middle + 1
    return high


@kernel
def _fill(lines: Int64s, first: int, end: int, gap: int, target: int, grain: int, steps: Int64s, left: Int64s) -> int:
    """Sell lines first..end in order, on top of what `steps` has, until the gap is closed; returns what is left of it.

    Names whose sale would widen the gap are passed over. If the gap stays open, all that may be sold is.
    """
    for j in range(first, end):
        gap -= _closes(lines, j, steps[j], target, grain)
    for j in range(first, end):
        if gap <= 0:
            return gap
        most = _most_now(lines, j, steps[j], left)
        if most == steps[j] or target * (BP - lines[j, COST]) <= BP * BP:
            continue
        planned = _closes(lines, j, steps[j], target, grain)
        closed = _closes(lines, j, most, target, grain) - planned
        if closed >= gap:
            most = _least_steps(lines, j, steps[j] + 1, most, planned + gap, target, grain)
            closed = _closes(lines, j, most, target, grain) - planned
        left[lines[j, NAME]] -= _shares(lines, j, most) - _shares(lines, j, steps[j])
        steps[j] = most
        gap -= closed
    if gap <= 0:
        return gap
    for j in range(first, end):
        most = _most_now(lines, j, steps[j], left)
        left[lines[j, NAME]] -= _shares(lines, j, most) - _shares(lines, j, steps[j])
        steps[j] = most
    return gap


@kernel
def _find_exchange(
    lines: Int64s,
    first: int,
    end: int,
    slack: int,
    target: int,
    grain: int,
    steps: Int64s,
    scratch: npt.NDArray[np.float64],
) -> tuple[int, int, int, int, int]:
    """The exchange that saves most: line and steps to give up, line (or -1) and steps to sell instead, slack after it.

    Slack -1 when none saves. The estimate looks at each pair; what it favours is decided in integers.
    """
    saved, best = 0, (-1, 0, -1, 0, -1)
    for i in range(first, end):
        value = _shares(lines, i, steps[i]) * lines[i, PRICE]
        planned = _closes(lines, i, steps[i], target, grain)
        for less in range(1, min(EXCHANGE_STEPS_MAX, steps[i]) + 1):
            freed = value - _shares(lines, i, steps[i] - less) * lines[i, PRICE]
            opened = planned - _closes(lines, i, steps[i] - less, target, grain) - slack
            if freed <= saved:
                continue
            if opened <= 0:
                saved, best = freed, (i, less, -1, 0, -opened)
                continue
            gap, limit = float(opened), float(freed - saved)
            for k in range(end - first):
                part = gap * scratch[1, k]
                if part > scratch[2, k] or part * scratch[0, k] >= limit or part == 0.0 or k == i - first:
                    continue
                j, more = first + k, math.ceil(part)
                if more * scratch[0, k] >= limit:
                    continue
                before = _closes(lines, j, steps[j], target, grain)
                if _closes(lines, j, steps[j] + more, target, grain) - before < opened:
                    more += 1
                    if more > scratch[2, k]:
                        continue
                closed = _closes(lines, j, steps[j] + more, target, grain) - before
                added = (_shares(lines, j, steps[j] + more) - _shares(lines, j, steps[j])) * lines[j, PRICE]
                if closed >= opened and freed - added > saved:
                    saved, best = freed - added, (i, less, j, more, closed - opened)
                    limit = float(freed - saved)
    return best


@kernel
def _exchange(
    lines: Int64s,
    first: int,
    end: int,
    slack: int,
    target: int,
    grain: int,
    steps: Int64s,
    left: Int64s,
    scratch: npt.NDArray[np.float64],
) -> int:
    """Exchange steps among lines first..end, of equal preference, while that sells less; returns the slack then left.

    `scratch` float64[3, longest account]: value of a step, 1 / what it closes, and steps that may still be sold.
    """
    for j in range(first, end):
        step = float(lines[j, LOT]) * float(lines[j, PRICE])
        gain = step * (float(target * (BP - lines[j, COST]) - BP * BP) / BP)
        scratch[0, j - first] = step
        scratch[1, j - first] = 1.0 / gain if gain > 0 else 0.0
        scratch[2, j - first] = float(_most_now(lines, j, steps[j], left) - steps[j])
    for _ in range(EXCHANGES_MAX):
        out, less, into, more, slack_then = _find_exchange(lines, first, end, slack, target, grain, steps, scratch)
        if slack_then < 0:
            break
        slack = slack_then
        for j, change in ((out, -less), (into, more)):
            if j >= 0:
                left[lines[j, NAME]] -= _shares(lines, j, steps[j] + change) - _shares(lines, j, steps[j])
                steps[j] += change
                scratch[2, j - first] -= change
    return slack


@kernel
def _spare(
    lines: Int64s, first: int, end: int, slack: int, target: int, grain: int, steps: Int64s, left: Int64s
) -> int:
    """Take back steps, last in the order first, until no single one can be spared; returns the slack that is left."""
    is_changed = True
    while is_changed:
        is_changed = False
        for j in range(end - 1, first - 1, -1):
            if steps[j] == 0:
                continue
            planned = _closes(lines, j, steps[j], target, grain)
            if planned - _closes(lines, j, steps[j] - 1, target, grain) > slack:
                continue
            fewer = _least_steps(lines, j, 0, steps[j] - 1, planned - slack, target, grain)
            slack -= planned - _closes(lines, j, fewer, target, grain)
            left[lines[j, NAME]] += _shares(lines, j, steps[j]) - _shares(lines, j, fewer)
            steps[j] = fewer
            is_changed = True
    return slack


@kernel
def _value(first: int, end: int, quantity: Int64s, price: Int64s, cash: int, debt: int) -> tuple[int, int, float, bool]:
    """Assets, what is owed with the shorts, the larger of both in float64 or -1 if unknown, and if there is a short."""
    assets, owed = cash, debt
    rough, short, is_short = float(cash), 0.0, False
    for i in range(first, end):
        worth = float(quantity[i]) * float(price[i])
        if quantity[i] > 0:
            rough += worth
        elif quantity[i] < 0:
            short -= worth
            is_short = True
        else:
            continue
        if price[i] == 0 or rough + short > AMOUNT_UNITS_MAX:
            return 0, debt, -1.0, is_short
        if quantity[i] > 0:
            assets += quantity[i] * price[i]
        else:
            owed -= quantity[i] * price[i]
    return assets, owed, max(rough, float(debt) + short), is_short


@kernel
def _assess_rows(
    start: Int64s,
    quantity: Int64s,
    price: Int64s,
    cash: Int64s,
    debt: Int64s,
    target: Int64s,
    grain: int,
    gap_max: float,
    before: Int64s,
    outcome: Int8s,
) -> None:
    """Value each account, let its own cash repay, and find the gap that is left: `before`[4, A] and `outcome`[A].

    An account that needs a sale is marked CURES until it is planned; one whose gap may pass `gap_max`, TOO_LARGE.
    """
    for a in range(len(cash)):
        assets, owed, rough, is_short = _value(start[a], start[a + 1], quantity, price, cash[a], debt[a])
        before[ASSETS, a], before[DEBT, a], before[CASH, a], before[GAP, a] = assets, owed, 0, 0
        if rough < 0:
            outcome[a] = UNKNOWN
            continue
        if float(target[a]) * rough >= gap_max:
            outcome[a] = TOO_LARGE
            continue
        gap = target[a] * owed - BP * assets
        if gap <= 0:
            outcome[a] = NOT_NEEDED
        elif is_short:
            outcome[a] = HOLDS_SHORTS
        else:
            needed = (gap + target[a] - BP - 1) // (target[a] - BP)
            applied = min(min(cash[a], debt[a]) // grain * grain, (needed + grain - 1) // grain * grain)
            before[CASH, a] = applied
            before[GAP, a] = gap - (target[a] - BP) * applied
            outcome[a] = CASH_CURES if before[GAP, a] <= 0 else CURES


@kernel
def _lay_out_rows(
    start: Int64s,
    outcome: Int8s,
    instrument: Int64s,
    quantity: Int64s,
    price: Int64s,
    lot: Int64s,
    may_sell: Int64s,
    cost: Int64s,
    rank: Int64s,
    order: Int64s,
    lines: Int64s,
) -> None:
    """Lay the positions of each account that needs a sale out in the order of sale: preference, cost, instrument."""
    for a in range(len(outcome)):
        if outcome[a] != CURES:
            continue
        first = start[a]
        for i in range(first, start[a + 1]):
            j = i
            while j > first:
                other = order[j - 1]
                if rank[other] < rank[i]:
                    break
                if rank[other] == rank[i]:
                    if cost[other] < cost[i]:
                        break
                    if cost[other] == cost[i] and instrument[other] < instrument[i]:
                        break
                order[j] = other
                j -= 1
            order[j] = i
        for j in range(first, start[a + 1]):
            i = order[j]
            lines[j, ROW] = i
            lines[j, NAME] = instrument[i]
            lines[j, PRICE] = price[i]
            lines[j, LOT] = lot[i]
            lines[j, HELD] = quantity[i]
            lines[j, MOST] = max(may_sell[i] // lot[i], min(may_sell[i], 1))
            lines[j, COST] = cost[i]
            lines[j, RANK] = rank[i]


@kernel
def _plan_rows(
    rows: Int64s,
    start: Int64s,
    outcome: Int8s,
    before: Int64s,
    lines: Int64s,
    target: Int64s,
    grain: int,
    steps: Int64s,
    left: Int64s,
    scratch: npt.NDArray[np.float64],
) -> None:
    """Plan accounts `rows` that need a sale, one after the other, on top of `steps` and from the shares `left`."""
    for r in range(len(rows)):
        a = rows[r]
        if outcome[a] != CURES:
            continue
        first, end = start[a], start[a + 1]
        gap = _fill(lines, first, end, before[GAP, a], target[a], grain, steps, left)
        if gap > 0:
            outcome[a] = FALLS_SHORT
            continue
        last = first
        for j in range(first, end):
            if steps[j] > 0:
                last = j
        low, high = last, last + 1
        while low > first and lines[low - 1, RANK] == lines[last, RANK]:
            low -= 1
        while high < end and lines[high, RANK] == lines[last, RANK]:
            high += 1
        slack = -gap
        if high - low > 1:
            slack = _exchange(lines, low, high, slack, target[a], grain, steps, left, scratch)
        _spare(lines, first, end, slack, target[a], grain, steps, left)


@kernel
def _bound_rows(
    start: Int64s, outcome: Int8s, before: Int64s, lines: Int64s, target: Int64s, order: Int64s, bound: Int64s
) -> None:
    """The optimum of the linear relaxation of each account that is cured, rounded up: cheapest names first, in parts.

    Values times gains pass an int64, so the gap in 1e-12 is carried in two parts, `gap` * 10,000 + `rest`.
    """
    for a in range(len(outcome)):
        if outcome[a] != CURES:
            continue
        first = start[a]
        for j in range(first, start[a + 1]):
            k = j
            while k > first and lines[order[k - 1], COST] > lines[j, COST]:
                order[k] = order[k - 1]
                k -= 1
            order[k] = j
        gap, rest = before[GAP, a], 0
        for k in range(first, start[a + 1]):
            j = order[k]
            gain = target[a] * (BP - lines[j, COST]) - BP * BP
            value = _shares(lines, j, lines[j, MOST]) * lines[j, PRICE]
            parts = value * (gain % BP)
            closed, closed_rest = value * (gain // BP) + parts // BP, parts % BP
            if closed > gap or (closed == gap and closed_rest >= rest):
                bound[a] += gap // gain * BP + (gap % gain * BP + rest + gain - 1) // gain
                break
            bound[a] += value
            gap -= closed
            rest -= closed_rest
            if rest < 0:
                gap, rest = gap - 1, rest + BP


@kernel
def _settle_rows(
    start: Int64s,
    outcome: Int8s,
    before: Int64s,
    lines: Int64s,
    target: Int64s,
    grain: int,
    steps: Int64s,
    sales: Int64s,
    sums: Int64s,
) -> int:
    """Work every plan out from its steps alone: `sales`[4, P] in the book's order, `sums`[2, A] of value and proceeds.

    Returns the first account whose plan is not what it says, or -1: one that does not reach its target though it says
    so, would without some step, or sells more than it may.
    """
    for a in range(len(outcome)):
        if outcome[a] != CURES and outcome[a] != FALLS_SHORT:
            continue
        closed = 0
        for j in range(start[a], start[a + 1]):
            if steps[j] < 0 or steps[j] > lines[j, MOST]:
                return a
            shares = _shares(lines, j, steps[j])
            value = shares * lines[j, PRICE]
            cost = (value * lines[j, COST] + BP - 1) // BP
            proceeds = (value - cost) // grain * grain
            i = lines[j, ROW]
            sales[0, i], sales[1, i], sales[2, i], sales[3, i] = shares, value, cost, proceeds
            sums[0, a] += value
            sums[1, a] += proceeds
            closed += target[a] * proceeds - BP * value
        slack = closed - before[GAP, a]
        if (slack >= 0) != (outcome[a] == CURES):
            return a
        if slack < 0:
            continue
        for j in range(start[a], start[a + 1]):
            if steps[j] > 0:
                last = _closes(lines, j, steps[j], target[a], grain)
                if last - _closes(lines, j, steps[j] - 1, target[a], grain) <= slack:
                    return a
    return -1


class Sales:
    """Sales being planned: the accounts laid out in the order of sale, and the steps planned of each line.

    The working state of `plan_sales` and `share_volume`. Arguments as there, checked here; `is_exact` plans in Python
    integers (the same loops, interpreted), for accounts whose gaps do not fit an int64.
    """

    def __init__(
        self,
        book: Book,
        marks: Marks,
        *,
        sellable: Int64s,
        cost_bp: Int64s,
        target_bp: int | Int64s,
        preference: Int64s | None = None,
        grain_units: int = 100,
        is_exact: bool = False,
    ) -> None:
        check_book(book, marks, marks.terms_count)
        accounts, positions = book.account_count, book.position_count
        if isinstance(target_bp, int):
            _check_number("target_bp", target_bp, BP + 1, LINE_BP_MAX)
            target_bp = np.full(accounts, target_bp, dtype=np.int64)
        _check_number("grain_units", grain_units, 1, GRAIN_UNITS_MAX)
        if preference is None:
            preference = np.zeros(positions, dtype=np.int64)
        for name, column, rows, low, high in (
            ("sellable", sellable, positions, 0, QUANTITY_MAX),
            ("cost_bp", cost_bp, positions, 0, BP),
            ("preference", preference, positions, -NO_CAP, NO_CAP),
            ("target_bp", target_bp, accounts, BP + 1, LINE_BP_MAX),
        ):
            check_column(name, column, np.int64, (rows,))
            check_range(name, column, low, high)
        whole = np.dtype(object if is_exact else np.int64)
        self._is_exact = is_exact
        self.book, self.grain_units = book, grain_units
        self.start = book.start.astype(np.int64)
        self.target_bp = target_bp.astype(whole)
        self.outcome = np.empty(accounts, dtype=np.int8)
        self.before = np.zeros((4, accounts), dtype=whole)
        self.lines = np.zeros((positions, 8), dtype=whole)
        self.steps = np.zeros(positions, dtype=whole)
        self.order = np.arange(positions)
        names = book.instrument.astype(np.int64)
        held = book.quantity.astype(whole)
        price = marks.price_units[names].astype(whole)
        money = book.cash_units.astype(whole), book.debt_units.astype(whole)
        self._run(
            _assess_rows,
            1,
            self.start,
            held,
            price,
            *money,
            self.target_bp,
            grain_units,
            math.inf if is_exact else GAP_MAX,
            self.before,
            self.outcome,
        )
        may_sell = most_shares(book, marks, sellable).astype(whole)
        lot = marks.lot[names].astype(whole)
        terms = held, price, lot, may_sell, cost_bp.astype(whole), preference.astype(whole)
        self._run(_lay_out_rows, 10, self.start, self.outcome, names, *terms, self.order, self.lines)

    def _run(self, loop: Kernel[P, R], steps_a_position: int, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._is_exact:
            return loop.py_func(*args, **kwargs)
        return loop.run(steps_a_position * len(self.steps) + len(self.outcome), *args, **kwargs)

    def plan(self, rows: Int64s, left: Int64s) -> None:
        """Plan accounts `rows` in this order, on top of `steps`; `left` int64[S] are the shares of each name to share.

        What is sold is taken from `left`.
        """
        self._run(
            _plan_rows,
            20,
            rows,
            self.start,
            self.outcome,
            self.before,
            self.lines,
            self.target_bp,
            self.grain_units,
            self.steps,
            left,
            np.empty((3, int(np.diff(self.start).max(initial=0)))),
        )

    def settle(self) -> SalePlans:
        """The plans as columns, each worked out again from its steps and checked against its bound."""
        accounts, positions = len(self.outcome), len(self.steps)
        whole: npt.DTypeLike = self.steps.dtype
        sales: Int64s = np.zeros((4, positions), dtype=whole)
        sums: Int64s = np.zeros((2, accounts), dtype=whole)
        bound: Int64s = np.zeros(accounts, dtype=whole)
        state = self.start, self.outcome, self.before, self.lines, self.target_bp
        self._run(_bound_rows, 10, *state, np.empty(positions, dtype=np.int64), bound)
        wrong = self._run(_settle_rows, 10, *state, self.grain_units, self.steps, sales, sums)
        if wrong >= 0:  # not an assert: this must hold where Python is told to skip those
            raise AssertionError(f"the plan of account {wrong} is not what it says")
        outcome, (sold, proceeds) = self.outcome.copy(), sums
        assert (bound <= sold).all(), "a plan under its own bound"
        assets, debt, cash, _ = self.before
        for a in np.flatnonzero(outcome == FALLS_SHORT).tolist():
            if not sold[a]:
                outcome[a] = NOTHING_TO_SELL
            elif int(proceeds[a]) * int(assets[a] - cash[a]) <= int(sold[a]) * int(debt[a] - cash[a]):
                outcome[a] = CANNOT_HELP
        repaid = np.minimum(debt - cash, proceeds)
        assets_after, debt_after = assets - cash - sold + proceeds - repaid, debt - cash - repaid
        needed = np.maximum(0, -((assets_after * BP - self.target_bp * debt_after) // BP))
        is_known = outcome != UNKNOWN
        return SalePlans(
            outcome=outcome,
            order=self.order,
            quantity=_int64(sales[0]),
            value_units=_int64(sales[1]),
            cost_units=_int64(sales[2]),
            proceeds_units=_int64(sales[3]),
            cash_applied_units=_int64(cash),
            sold_units=_int64(sold),
            assets_before_units=_int64(assets),
            debt_before_units=_int64(debt),
            ratio_before_bp=_ratio(assets, debt, is_known),
            assets_after_units=_int64(assets_after),
            debt_after_units=_int64(debt_after),
            ratio_after_bp=_ratio(assets_after, debt_after, is_known),
            deposit_still_needed_units=_int64(np.where(is_known, needed, 0)),
            deficit_units=_int64(np.where(is_known, np.maximum(0, debt_after - assets_after), 0)),
            bound_units=_int64(bound),
        )


def plan_sales(
    book: Book,
    marks: Marks,
    *,
    sellable: Int64s,
    cost_bp: Int64s,
    target_bp: int | Int64s,
    preference: Int64s | None = None,
    grain_units: int = 100,
) -> SalePlans:
    """Plan the least sale that brings each account of a book to its target.

    What is sold least is market value: the client keeps as much as can be kept. Costs count as they must: what they
    take does not repay, so the dearer name needs more sold. Own cash repays first; all proceeds repay debt.

    Columns are aligned with the positions of the book, int64[P]: `sellable` the most shares that may be sold now (see
    `sellable_today`; the holding itself caps too), `cost_bp` 0..10,000 all costs of a sale on its value (fees,
    slippage), `preference` lower numbers first (then cost, then instrument number). `target_bp` is one target for all
    or int64[A]. Stale and suspended names and names locked at their limit down are never sold. Raises `BookError` for
    a wrong column or a target not above 10,000.

    Pass the accounts that are to be sold, not the whole book: some 200 bytes a position are in use meanwhile.
    Equal accounts get equal plans, whatever the order of accounts and positions and whoever else is in the book.
    """
    sales = Sales(
        book,
        marks,
        sellable=sellable,
        cost_bp=cost_bp,
        target_bp=target_bp,
        preference=preference,
        grain_units=grain_units,
    )
    sales.plan(np.arange(book.account_count), np.full(marks.instrument_count, NO_CAP))
    plans = sales.settle()
    for row in np.flatnonzero(plans.outcome == TOO_LARGE).tolist():
        held = book.positions(row)
        alone = Sales(
            book.account(row),
            marks,
            sellable=sellable[held],
            cost_bp=cost_bp[held],
            target_bp=int(sales.target_bp[row]),
            preference=None if preference is None else preference[held],
            grain_units=grain_units,
            is_exact=True,
        )
        alone.plan(np.arange(1), np.full(marks.instrument_count, NO_CAP, dtype=object))
        _put(plans, row, held, alone.settle())
    return plans


def _put(plans: SalePlans, row: int, held: slice, plan: SalePlans) -> None:
    """Write the plan of a book of one over that of account `row`, whose positions are `held`."""
    plan.order[:] += held.start
    for name, column in vars(plan).items():
        where = held if name in POSITION_COLUMNS else slice(row, row + 1)
        getattr(plans, name)[where] = column


def sellable_today(book: Book, *, volume_cap: Int64s, bought_today: Int64s, given_out: Int64s) -> Int64s:
    """Shares of each position that may be sold now, int64[P]: what is held, less what was bought today where shares
    settle the next day (T+1), less what is already given out to sell; at most the name's `volume_cap` int64[S].

    `bought_today` and `given_out` are int64[P] >= 0. The cap is each account's own here: `share_volume` shares it.
    """
    positions = (book.position_count,)
    for name, column in (("bought_today", bought_today), ("given_out", given_out)):
        check_column(name, column, np.int64, positions)
        check_range(name, column, 0, QUANTITY_MAX)
    check_range("volume_cap", volume_cap, 0, NO_CAP)
    free: Int64s = np.clip(book.quantity - bought_today - given_out, 0, volume_cap[book.instrument])
    return free


def most_shares(book: Book, marks: Marks, sellable: Int64s) -> Int64s:
    """Shares of each position that may be sold in whole steps, int64[P]: all of it, or lots that leave at least one."""
    held, lot = book.quantity.astype(np.int64), marks.lot[book.instrument]
    cap = np.where(cannot_be_sold(marks)[book.instrument] | (held < 0), 0, np.minimum(sellable, held))
    return np.where(cap == held, held, np.minimum(cap // lot, np.maximum(held // lot, 1) - 1) * lot)


def cannot_be_sold(marks: Marks) -> Bools:
    """bool[S]: names that cannot be sold now: stale, suspended, or locked at the day's limit down, where none buys."""
    return marks.lends_nothing | (marks.price_units <= marks.limit_down_units)


def _check_number(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise BookError(name, None, f"is {value}, " + (f"below {low}" if value < low else f"above {high}"))


def _ratio(assets: Int64s, debt: Int64s, is_known: Bools) -> Int64s:
    ratio = np.full(len(assets), RATIO_UNKNOWN)
    ratio[is_known] = RATIO_NO_DEBT
    owes = is_known & (debt > 0)
    ratio[owes] = assets[owes] * BP // debt[owes]
    return ratio


def _int64(column: Int64s) -> Int64s:
    return column.astype(np.int64, copy=False)
