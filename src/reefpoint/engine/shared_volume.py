"""One day's volume of each name, shared by all accounts that are to be sold.

What is minimised is the market value sold plus `COVER_WEIGHT` for each unit of cover left open (the deposits that would
still be needed): first as much cover as the volume allows, then the least sale. Two answers:

- the greedy: accounts one after the other, the lowest ratio first, each with the plan of `plan_sales` from what volume
  is left. It is there at once, and the answer whenever the second one fails or is no better.
- the linear programme over all accounts (HiGHS): its fractions are cut to whole steps, and the same loops plan what is
  then missing from the volume left. It moves accounts off a name that others need more.

The certificate does not trust the solver: with any prices >= 0 on volume the problem falls apart into accounts, each
with its optimum in closed form, and their sum less what the volume is worth at these prices is a lower bound (the
Lagrangian dual). The solver's prices make it tight; without them, prices of zero still make it true.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BP, BookError, Bools, Int64s, check_column, check_range
from reefpoint.engine.kernel import kernel
from reefpoint.engine.plans import NO_CAP, SalePlans, Sales
from reefpoint.engine.sale_steps import COST, CURES, GAP, HELD, LOT, MOST, NAME, PRICE, TOO_LARGE

COVER_WEIGHT = 50
"""What a unit of cover left open counts against a unit of value sold: to close one takes a sale of two or three at most
targets in use, so nothing is left open to sell less."""
SOLVER_SECONDS = 30.0
"""After so long the greedy stands."""
STEP_SLACK = 1e-7
"""Parts of a step by which the solver may miss a whole number."""
MONEY = 1e7
"""Units (1e-4) in one of the programme: thousands, so that its figures are near 1."""

Floats = npt.NDArray[np.float64]


class ShareMethod(StrEnum):
    """Which answer it is, or why the greedy stands."""

    NOTHING_BINDS = "nothing_binds"
    """No name's volume is passed by the accounts' own plans: each has the plan that it would have alone."""
    PROGRAMME = "programme"
    """The linear programme, in whole steps."""
    GREEDY_IS_BETTER = "greedy_is_better"
    """The programme was solved, and in whole steps it was no better."""
    ORDERED = "ordered"
    """The greedy: the contracts' order of preference leaves nothing to choose."""
    SOLVER_MISSING = "solver_missing"
    """The greedy: HiGHS cannot be loaded."""
    SOLVER_FAILED = "solver_failed"
    """The greedy: HiGHS stopped at an error, or its answer is none: not numbers, or more than a name's volume."""
    SOLVER_LATE = "solver_late"
    """The greedy: HiGHS took longer than it may."""


@dataclass(frozen=True, eq=False)
class SharedPlans:
    """Plans that keep every name's volume, and how good they are in all.

    - `plans`: as from `plan_sales`; what volume left open is `plans.deposit_still_needed_units` of each account
    - `left` int64[S]: shares of each name's volume that nobody takes
    - `cost_units`: value sold + `COVER_WEIGHT` * cover left open, over all accounts that need a sale
    - `greedy_cost_units`: the same of the greedy answer; `bound_units`: no answer within the volume costs less
    """

    plans: SalePlans
    method: ShareMethod
    left: Int64s
    cost_units: int
    greedy_cost_units: int
    bound_units: int


def share_volume(
    book: Book,
    marks: Marks,
    *,
    sellable: Int64s,
    cost_bp: Int64s,
    target_bp: int | Int64s,
    volume_cap: Int64s,
    preference: Int64s | None = None,
    grain_units: int = 100,
    seconds: float = SOLVER_SECONDS,
) -> SharedPlans:
    """Plan the sales of all accounts of a book within `volume_cap` int64[S], the shares that all may sell of each name.

    The other arguments and the errors are those of `plan_sales`; `sellable` is each account's own limit. Accounts of
    one ratio are served in the book's order, which the caller keeps stable. An order of preference is kept, and then
    the greedy is the answer. Equal inputs give equal plans, unless the solver is stopped by its `seconds`.
    """
    check_column("volume_cap", volume_cap, np.int64, (marks.instrument_count,))
    check_range("volume_cap", volume_cap, 0, NO_CAP)
    if not seconds > 0:
        raise BookError("seconds", None, f"is {seconds}, not above 0")

    def begin(is_exact: bool) -> Sales:
        return Sales(
            book,
            marks,
            sellable=sellable,
            cost_bp=cost_bp,
            target_bp=target_bp,
            preference=preference,
            grain_units=grain_units,
            is_exact=is_exact,
        )

    sales = begin(is_exact=False)
    is_exact = bool((sales.outcome == TOO_LARGE).any())
    alone = begin(is_exact) if is_exact else sales
    problem = _Problem(alone, marks, volume_cap)
    no_price = np.zeros(marks.instrument_count)
    taken = NO_CAP - _plan(alone, np.arange(book.account_count), np.full(marks.instrument_count, NO_CAP))
    if (taken <= volume_cap).all():
        plans = alone.settle()
        cost = problem.cost(plans)
        left = volume_cap - taken
        return SharedPlans(plans, ShareMethod.NOTHING_BINDS, left, cost, cost, problem.bound(no_price))
    greedy = begin(is_exact)
    left = _plan(greedy, problem.by_severity(), volume_cap)
    plans = greedy.settle()
    cost = problem.cost(plans)
    method, values, prices = _solve(problem, seconds) if preference is None else (ShareMethod.ORDERED, None, None)
    bound = max(problem.bound(no_price), 0 if prices is None else problem.bound(prices))
    if values is not None and prices is not None:
        better, better_left = _in_steps(begin(is_exact), problem, values, prices)
        if better is None:
            method = ShareMethod.SOLVER_FAILED
        elif (better_cost := problem.cost(better)) < cost:
            return SharedPlans(better, method, better_left, better_cost, cost, bound)
        else:
            method = ShareMethod.GREEDY_IS_BETTER
    return SharedPlans(plans, method, left, cost, cost, bound)


class _Problem:
    """The sales as columns of float64, one row a line in the order of sale: what the programme and its dual see.

    - `name` int64[P], `account` int64[P]; `most` value that may be sold (units), `gain` what a unit of it closes
    - `worth` float64[S]: value of each name's volume
    - `gap` float64[A]: cover to be closed (units), 0 where no sale is needed
    """

    def __init__(self, sales: Sales, marks: Marks, volume_cap: Int64s) -> None:
        lines = sales.lines
        self.sales, self.volume_cap, self.start = sales, volume_cap, sales.start
        self.is_needed: Bools = sales.outcome == CURES
        self.account = np.repeat(np.arange(len(sales.outcome)), np.diff(sales.start))
        self.name = lines[:, NAME].astype(np.int64)
        whole = (lines[:, MOST] + 1) * lines[:, LOT] > lines[:, HELD]
        shares = np.where(whole, lines[:, HELD], lines[:, MOST] * lines[:, LOT]) * (lines[:, MOST] > 0)
        self.price = lines[:, PRICE].astype(np.float64)
        self.worth = marks.price_units.astype(np.float64) * volume_cap
        self.most = shares.astype(np.float64) * self.price
        target = sales.target_bp.astype(np.float64)[self.account]
        self.gain = (target * (BP - lines[:, COST].astype(np.float64)) - BP * BP) / (BP * BP)
        self.most[~self.is_needed[self.account] | (self.gain <= 0)] = 0
        self.gap = np.where(self.is_needed, sales.before[GAP].astype(np.float64) / BP, 0.0)

    def by_severity(self) -> Int64s:
        """Accounts in the order in which they are served: the lowest ratio first."""
        assets, debt = self.sales.before[:2].astype(np.float64)
        return np.argsort(assets / np.maximum(debt, 1), kind="stable")

    def cost(self, plans: SalePlans) -> int:
        """Value sold + `COVER_WEIGHT` * cover left open."""
        needed = self.is_needed
        return int(plans.sold_units[needed].sum()) + COVER_WEIGHT * int(plans.deposit_still_needed_units[needed].sum())

    def bound(self, prices: Floats) -> int:
        """The Lagrangian dual at `prices` float64[S] >= 0 on a unit of a name's value; rounded down past its error."""
        rate = np.full(len(self.name), np.inf)
        np.divide(1 + prices[self.name], self.gain, out=rate, where=self.most > 0)
        order = np.lexsort((rate, self.account))
        in_parts = _cost_in_parts.run(
            len(order), self.start, order, rate, self.gain, self.most, self.gap, float(COVER_WEIGHT)
        )
        return max(0, int((in_parts - float(prices @ self.worth)) * (1 - 1e-9)))


@kernel
def _cost_in_parts(
    start: Int64s, order: Int64s, rate: Floats, gain: Floats, most: Floats, gap: Floats, weight: float
) -> float:
    """The least cost of closing each account's gap in fractions, at most `weight` a unit; summed over accounts."""
    total = 0.0
    for a in range(len(gap)):
        open_gap = gap[a]
        for k in range(start[a], start[a + 1]):
            j = order[k]
            if open_gap <= 0 or rate[j] >= weight:
                break
            closed = min(open_gap, most[j] * gain[j])
            total += closed * rate[j]
            open_gap -= closed
        total += weight * max(open_gap, 0.0)
    return total


def _plan(sales: Sales, rows: Int64s, volume: Int64s) -> Int64s:
    """Plan `rows` in order from `volume`; returns what is left of it."""
    left: Int64s = volume.astype(sales.steps.dtype)
    sales.plan(rows, left)
    return left.astype(np.int64)


def _in_steps(sales: Sales, problem: _Problem, values: Floats, prices: Floats) -> tuple[SalePlans | None, Int64s]:
    """The programme's `values` float64[P] cut to whole steps, then planned on from the volume left.

    First come those whom the programme cures, and of them those that have nothing to sell but names whose volume is
    all taken; then the lowest ratio. None if the steps pass a name's volume, as a wrong answer of the solver would.
    """
    lines, name = sales.lines, problem.name
    step_value = problem.price * lines[:, LOT].astype(np.float64)
    steps = np.floor(values / np.where(step_value > 0, step_value, 1) + STEP_SLACK)
    whole = values >= problem.most * (1 - STEP_SLACK)
    most = lines[:, MOST].astype(np.int64)
    last = (most + 1) * lines[:, LOT] > lines[:, HELD]
    steps = np.where(whole, most, np.minimum(steps, most - last)).astype(np.int64)
    steps[problem.most == 0] = 0
    shares = np.where(whole & last, lines[:, HELD], steps * lines[:, LOT]).astype(np.int64)
    shares[steps <= 0] = 0
    sales.steps[:] = np.maximum(steps, 0)
    left = problem.volume_cap - np.bincount(name, shares, len(problem.volume_cap)).astype(np.int64)
    if (left < 0).any():
        return None, left
    closed = np.bincount(problem.account, values * problem.gain, len(problem.gap))
    is_open = closed < problem.gap * (1 - 1e-6)
    is_free = (values < problem.most * (1 - STEP_SLACK)) & (prices[name] == 0)
    has_choice = np.bincount(problem.account, is_free, len(problem.gap)) > 0
    order = problem.by_severity()
    left = _plan(sales, order[np.lexsort((has_choice[order], is_open[order]))], left)
    return sales.settle(), left


def _solve(problem: _Problem, seconds: float) -> tuple[ShareMethod, Floats | None, Floats | None]:
    """Solve the linear programme: value of each line float64[P], price of a unit of each name's volume float64[S].

    A column for each line that may be sold and one for each account's open cover; a row for each account that needs a
    sale and one for each name whose volume may bind. No values and the reason where there is no answer; a solver that
    is late may still have prices.
    """
    try:
        import highspy  # noqa: PLC0415 - a quarter of a second that few processes need
    except ImportError:
        return ShareMethod.SOLVER_MISSING, None, None
    used = np.flatnonzero(problem.most > 0)
    accounts = np.flatnonzero(problem.is_needed)
    name, most = problem.name[used], problem.most[used] / MONEY
    volume = problem.worth / MONEY
    binding = np.flatnonzero(np.bincount(name, most, len(volume)) > volume)
    row_of_account = np.full(len(problem.gap), -1)
    row_of_account[accounts] = np.arange(len(accounts))
    row_of_name = np.full(len(volume), -1)
    row_of_name[binding] = len(accounts) + np.arange(len(binding))
    may_bind = row_of_name[name] >= 0
    entries = np.concatenate([1 + may_bind, np.ones(len(accounts), dtype=np.int64)])
    start = np.concatenate([[0], np.cumsum(entries)])
    index = np.empty(start[-1], dtype=np.int32)
    value = np.ones(start[-1])
    first = start[: len(used)]
    index[first] = row_of_account[problem.account[used]]
    value[first] = problem.gain[used]
    index[first[may_bind] + 1] = row_of_name[name[may_bind]]
    index[start[len(used) : -1]] = np.arange(len(accounts))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(entries), len(accounts) + len(binding)
    model.col_cost_ = np.concatenate([np.ones(len(used)), np.full(len(accounts), float(COVER_WEIGHT))])
    model.col_lower_ = np.zeros(len(entries))
    model.col_upper_ = np.concatenate([most, np.full(len(accounts), np.inf)])
    model.row_lower_ = np.concatenate([problem.gap[accounts] / MONEY, np.full(len(binding), -np.inf)])
    model.row_upper_ = np.concatenate([np.full(len(accounts), np.inf), volume[binding]])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = start.astype(np.int32), index, value
    method, columns, duals = _run_solver(highspy, model, seconds)
    values, prices = np.zeros(len(problem.most)), np.zeros(len(volume))
    if len(duals):
        prices[binding] = np.maximum(0, -duals[len(accounts) :])
    if method is ShareMethod.PROGRAMME:
        values[used] = np.clip(columns[: len(used)], 0, most) * MONEY
    if not (np.isfinite(values).all() and np.isfinite(prices).all()):
        return ShareMethod.SOLVER_FAILED, None, None
    return method, values if method is ShareMethod.PROGRAMME else None, prices


def _run_solver(highspy: Any, model: Any, seconds: float) -> tuple[ShareMethod, Floats, Floats]:
    """Values of the columns, duals of the rows and whether they are an answer. One thread: the same answer each time.

    The simplex without presolve takes half the time of the default where 600 of 5,000 names bind, and a tenth of the
    interior point's; where nearly all bind it is on a par with that.
    """
    solver = highspy.Highs()
    settings = {"output_flag": False, "threads": 1, "time_limit": seconds, "solver": "simplex", "presolve": "off"}
    for option, setting in settings.items():
        solver.setOptionValue(option, setting)
    solver.passModel(model)
    solver.run()
    status, solution = solver.getModelStatus(), solver.getSolution()
    duals = np.array(solution.row_dual)
    if status == highspy.HighsModelStatus.kTimeLimit:
        return ShareMethod.SOLVER_LATE, np.empty(0), duals
    if status != highspy.HighsModelStatus.kOptimal:
        return ShareMethod.SOLVER_FAILED, np.empty(0), np.empty(0)
    return ShareMethod.PROGRAMME, np.array(solution.col_value), duals
