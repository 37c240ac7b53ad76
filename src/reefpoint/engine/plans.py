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
costs round up and proceeds down to `grain_units`, as they will be booked. `settle_rows` then works each plan out
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
    BP,
    QUANTITY_MAX,
    Bools,
    Int8s,
    Int64s,
    check_column,
    check_range,
    check_whole,
    count_rows,
)
from reefpoint.engine.kernel import Kernel, P, R
from reefpoint.engine.sale_steps import (
    CANNOT_HELP,
    FALLS_SHORT,
    NOTHING_TO_SELL,
    TOO_LARGE,
    UNKNOWN,
    assess_rows,
    bound_rows,
    lay_out_rows,
    plan_rows,
    settle_rows,
)

GAP_MAX = 2.0**62
"""Gaps (units times basis points) from which on an account is planned in unbounded integers."""
NO_CAP = 2**62
"""Shares left of a name whose volume is not shared."""
GRAIN_UNITS_MAX = BP * BP


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
    """The account is under its target and short of a name: `buy_backs.plan_with_buy_backs` plans it."""


OUTCOMES = tuple(PlanOutcome)


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
        target_bp, preference = check_terms(book, sellable, cost_bp, target_bp, preference, grain_units)
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
            assess_rows,
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
        self._run(lay_out_rows, 10, self.start, self.outcome, names, *terms, self.order, self.lines)

    def _run(self, loop: Kernel[P, R], steps_a_position: int, *args: P.args, **kwargs: P.kwargs) -> R:
        if self._is_exact:
            return loop.py_func(*args, **kwargs)
        return loop.run(steps_a_position * len(self.steps) + len(self.outcome), *args, **kwargs)

    def plan(self, rows: Int64s, left: Int64s) -> None:
        """Plan accounts `rows` in this order, on top of `steps`; `left` int64[S] are the shares of each name to share.

        What is sold is taken from `left`.
        """
        self._run(
            plan_rows,
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
        self._run(bound_rows, 10, *state, np.empty(positions, dtype=np.int64), bound)
        wrong = self._run(settle_rows, 10, *state, self.grain_units, self.steps, sales, sums)
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


def check_terms(
    book: Book,
    sellable: Int64s,
    cost_bp: Int64s,
    target_bp: int | Int64s,
    preference: Int64s | None,
    grain_units: int,
) -> tuple[Int64s, Int64s]:
    """Refuse arguments of a plan that cannot be (see `plan_sales`); targets int64[A] and preference int64[P]."""
    accounts, positions = book.account_count, book.position_count
    if isinstance(target_bp, int):
        check_whole("target_bp", target_bp, BP + 1, LINE_BP_MAX)
        target_bp = np.full(accounts, target_bp, dtype=np.int64)
    check_whole("grain_units", grain_units, 1, GRAIN_UNITS_MAX)
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
    return target_bp, preference


def sellable_today(book: Book, *, volume_cap: Int64s, bought_today: Int64s, given_out: Int64s) -> Int64s:
    """Shares of each position that may be sold now, int64[P]: what is held, less what was bought today where shares
    settle the next day (T+1), less what is already given out to sell; at most the name's `volume_cap` int64[S].

    `bought_today` and `given_out` are int64[P] >= 0. The cap is each account's own here: `share_volume` shares it.
    """
    positions = (book.position_count,)
    for name, column in (("bought_today", bought_today), ("given_out", given_out)):
        check_column(name, column, np.int64, positions)
        check_range(name, column, 0, QUANTITY_MAX)
    check_range("instrument", book.instrument, 0, count_rows("volume_cap", volume_cap) - 1)
    check_column("volume_cap", volume_cap, np.int64, volume_cap.shape)
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


def cannot_be_bought(marks: Marks) -> Bools:
    """bool[S]: names that cannot be bought now: stale, suspended, or locked at the day's limit up, where none sells."""
    return marks.lends_nothing | (marks.price_units >= marks.limit_up_units)


def _ratio(assets: Int64s, debt: Int64s, is_known: Bools) -> Int64s:
    ratio = np.full(len(assets), RATIO_UNKNOWN)
    ratio[is_known] = RATIO_NO_DEBT
    owes = is_known & (debt > 0)
    ratio[owes] = assets[owes] * BP // debt[owes]
    return ratio


def _int64(column: Int64s) -> Int64s:
    return column.astype(np.int64, copy=False)
