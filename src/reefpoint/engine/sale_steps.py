"""The loops of sale plans: what a line closes step by step, and how steps are filled, exchanged and spared.

One account after the other, over its positions laid out as `lines` in the order of sale. `plans.py` says what is
planned and why. Gaps, and what closes them, are in 1e-8: units times basis points.
"""

import math

import numpy as np
import numpy.typing as npt

from reefpoint.engine.columns import AMOUNT_UNITS_MAX, BP, Int8s, Int64s
from reefpoint.engine.kernel import kernel

EXCHANGE_STEPS_MAX = 3
"""Most steps of one name that an exchange gives up."""
EXCHANGES_MAX = 50
"""Most exchanges in one account."""

ROW, NAME, PRICE, LOT, HELD, MOST, COST, RANK = range(8)
"""Columns of `lines`: row in the book, instrument, price, lot, shares held, most steps, cost in bp, preference."""
ASSETS, DEBT, CASH, GAP = range(4)
"""Rows of `before`: assets, what is owed, own cash applied, and the gap that is then left, in 1e-8."""

UNKNOWN, NOT_NEEDED, CASH_CURES, CURES, FALLS_SHORT, CANNOT_HELP, NOTHING_TO_SELL, HOLDS_SHORTS = range(8)
"""What a plan does: places in `plans.PlanOutcome`."""
TOO_LARGE = 8
"""Only inside: the gap does not fit an int64, so the account is planned in Python integers."""


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
def assess_rows(
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
def lay_out_rows(
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
def plan_rows(
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
def bound_rows(
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
def settle_rows(
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
