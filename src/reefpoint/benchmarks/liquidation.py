"""Sale plans: `plan_sales` against HiGHS, which solves each account's integer program to its optimum.

The work is every account under the close-out line (at most 10,000), to be brought back to 150%: lots of 100, at most
1% of a name's daily volume an account, one name in 25 suspended, costs of 5 to 80 basis points by name. What is
minimised is the market value sold. HiGHS is given each account's covering knapsack, ready made: whole lots of each
name, what a lot closes of the gap, what it is worth. Cents are not rounded there, so its optimum is no more than the
true one, and the gap that is shown no less than the true gap.
"""

from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.benchmarks.books import LOT, UNITS, SyntheticBook, choose, draw_book, take_accounts, uniforms
from reefpoint.benchmarks.goals import ACCOUNTS
from reefpoint.benchmarks.peers import OURS, absent, is_installed
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Candidate, WrongAnswer, measure
from reefpoint.engine.bands import Band
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BP, Int64s
from reefpoint.engine.plans import SalePlans, most_shares, plan_sales
from reefpoint.engine.sale_steps import CURES
from reefpoint.engine.valuation import value_book

Float64s = npt.NDArray[np.float64]

PLANNED_MAX = 10_000
TARGET_BP = 15_000
SAMPLE = 400
"""Accounts that HiGHS solves for the gap; the first `TIMED` of them in every round too."""
TIMED = 25
SOLVE_S_MAX = 2.0
SEED = 3
SLACK = 1e-6
"""HiGHS is exact to about as much, relative to the value."""


@dataclass(frozen=True, eq=False)
class Work:
    """The accounts to plan, with what may be sold (int64[P] shares) at which cost (int64[P] bp)."""

    book: Book
    marks: Marks
    sellable: Int64s
    cost_bp: Int64s

    def plan(self) -> SalePlans:
        return plan_sales(self.book, self.marks, sellable=self.sellable, cost_bp=self.cost_bp, target_bp=TARGET_BP)


@dataclass(frozen=True, eq=False)
class Knapsack:
    """One account, in its currency: the least `value` @ lots with `closes` @ lots >= `gap`, 0 <= lots <= `most`."""

    value: Float64s
    closes: Float64s
    most: Float64s
    gap: float


def draw_work(drawn: SyntheticBook) -> Work:
    """Every account under its close-out line, at most `PLANNED_MAX`, and the day's conditions."""
    valued = value_book(drawn.book, drawn.marks, drawn.lines)
    breached = np.flatnonzero(valued.band == Band.CLOSE_OUT)
    chosen = np.argsort(uniforms(SEED, "breached", len(breached)), kind="stable")[:PLANNED_MAX]
    book = take_accounts(drawn.book, np.sort(breached[chosen]))
    names = drawn.marks.instrument_count
    # A name's volume is 2% to 20% of what the whole desk holds, at the size of desk that the goals are for.
    held = np.bincount(drawn.book.instrument, weights=drawn.book.quantity, minlength=names)
    volume = held * (ACCOUNTS / drawn.book.account_count) * (0.02 + 0.18 * uniforms(SEED, "volume", names))
    cap = np.maximum(LOT, (volume * 0.01).astype(np.int64) // LOT * LOT)
    marks = replace(drawn.marks, is_suspended=choose(SEED, "suspended", names, {0: 0.96, 1: 0.04}).astype(np.bool_))
    cost = 5 + (75 * uniforms(SEED, "cost", names)).astype(np.int64)
    return Work(book, marks, np.minimum(book.quantity, cap[book.instrument]), cost[book.instrument])


def measure_liquidation(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Plan the breached accounts of a book of `accounts` accounts."""
    del machine  # no limit of the machine bounds this work
    work = draw_work(draw_book(accounts))
    plans = work.plan()
    cured = np.flatnonzero(plans.outcome == CURES)
    is_certified = (plans.bound_units > 0) & (plans.bound_units <= plans.sold_units)
    planned = work.book.account_count
    candidates = [Candidate("plan_sales, 1 thread", OURS, work.plan, lambda _: {}, measured_part=planned)]
    over_bound = _excess(plans.sold_units[cured], plans.bound_units[cured])
    facts = {
        "Accounts planned": f"{planned:,}, of which {len(cured) / planned:.1%} can be cured by a sale",
        "Sold above the bound that each plan carries": f"{over_bound:.4f}%",
    }
    gap = None
    if is_installed("HiGHS"):
        sample = cured[np.argsort(uniforms(SEED, "sample", len(cured)), kind="stable")[:SAMPLE]]
        knapsacks = draw_knapsacks(work, plans, sample)
        optimum = solve_all(knapsacks, is_whole=True)
        check_optimum(plans.sold_units[sample] / UNITS, optimum)
        check_bound(plans.bound_units[sample] / UNITS, solve_all(knapsacks, is_whole=False))
        gap = _excess(plans.sold_units[sample] / UNITS, optimum)
        equal = np.mean(plans.sold_units[sample] / UNITS <= optimum * (1 + SLACK))
        timed = knapsacks[:TIMED]
        for is_whole, what in ((False, "linear relaxation"), (True, "integer program")):
            name = f"HiGHS, {what} of each account"
            candidates.append(
                Candidate(
                    name,
                    "HiGHS",
                    partial(solve_all, timed, is_whole=is_whole),
                    lambda _: {},
                    measured_part=len(timed),
                )
            )
        facts["Against HiGHS's integer optimum"] = (
            f"{len(sample)} accounts; equal in {equal:.0%}, sold above it over all {gap:.4f}%; "
            "its linear optimum is the bound in every plan"
        )
    lines = measure(candidates, rounds=rounds)
    table = Table(
        "liquidation",
        "Sale plans",
        accounts,
        work.book.position_count,
        "one account",
        lines,
        facts=facts,
        absent=absent("HiGHS"),
    )
    milp = next(
        (table.ratio(line) for line in lines if line.candidate.endswith("integer program of each account")), None
    )
    return [
        table.with_figures(
            {
                "liquidation.account_us": lines[0].cpu_s * 1e6,
                "liquidation.milp": milp,
                "liquidation.gap_pct": gap,
                "liquidation.certified_pct": 100 * float(is_certified[cured].mean()),
            }
        )
    ]


def draw_knapsacks(work: Work, plans: SalePlans, rows: Int64s) -> list[Knapsack]:
    """The knapsack of each of these accounts, after the cash that its plan applies."""
    book, marks = work.book, work.marks
    price = marks.price_units[book.instrument]
    value = (LOT * price).astype(np.float64) / UNITS
    closes = value * (TARGET_BP * (BP - work.cost_bp) / BP - BP) / BP
    most = (most_shares(book, marks, work.sellable) // LOT).astype(np.float64)
    cash = plans.cash_applied_units
    gap = TARGET_BP * (plans.debt_before_units - cash) - BP * (plans.assets_before_units - cash)
    made = []
    for row in rows.tolist():
        held = book.positions(row)
        made.append(Knapsack(value[held], closes[held], most[held], int(gap[row]) / BP / UNITS))
    return made


def solve_all(knapsacks: list[Knapsack], *, is_whole: bool) -> Float64s:
    """The least value of each, by HiGHS on one thread; of one that it cannot prove in time, what it has proven."""
    highspy = import_module("highspy")
    solver = highspy.Highs()
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("time_limit", SOLVE_S_MAX),
        ("mip_rel_gap", 1e-9),
    ):
        solver.setOptionValue(option, value)
    return np.array([_solve(highspy, solver, knapsack, is_whole) for knapsack in knapsacks])


def _solve(highspy: Any, solver: Any, knapsack: Knapsack, is_whole: bool) -> float:
    count = len(knapsack.value)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, 1
    model.col_cost_, model.col_lower_, model.col_upper_ = knapsack.value, np.zeros(count), knapsack.most
    model.row_lower_, model.row_upper_ = np.array([knapsack.gap]), np.array([highspy.kHighsInf])
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_ = np.array([0, count], dtype=np.int32)
    model.a_matrix_.index_, model.a_matrix_.value_ = np.arange(count, dtype=np.int32), knapsack.closes
    if is_whole:
        model.integrality_ = [highspy.HighsVarType.kInteger] * count
    solver.clearModel()
    solver.passModel(model)
    solver.run()
    info = solver.getInfo()
    return float(info.mip_dual_bound if is_whole else info.objective_function_value)


def check_optimum(sold: Float64s, optimum: Float64s) -> None:
    """No plan may sell less than the optimum. Raises `WrongAnswer`."""
    if (sold < optimum * (1 - SLACK) - 1).any():
        row = int(np.argmax(optimum - sold))
        raise WrongAnswer(
            f"plan {row} of the sample sells {sold[row]:.2f}, less than HiGHS's optimum {optimum[row]:.2f}"
        )


def check_bound(bound: Float64s, relaxed: Float64s) -> None:
    """The bound of a plan is the linear optimum, apart from the cents that its costs and proceeds round away."""
    if not np.allclose(bound, relaxed, rtol=1e-4, atol=1.0):
        row = int(np.argmax(np.abs(bound - relaxed)))
        raise WrongAnswer(
            f"plan {row} of the sample is bound by {bound[row]:.2f}, HiGHS's linear optimum {relaxed[row]:.2f}"
        )


def _excess(sold: npt.NDArray[Any], least: npt.NDArray[Any]) -> float:
    """How much more is sold in all, in percent."""
    return float(sold.sum() / least.sum() - 1) * 100
