"""Liquidation plans: sell the least that brings one account back to its target ratio, and prove how little it is.

All proceeds repay debt. With assets A, debt D, target T and a sale of market value v at cost c, the sale closes
v * (T * (1 - c) - 1) of the gap T*D - A: a name helps towards the target only if T * (1 - c) > 1, and selling can
raise the ratio at all only if A * (1 - c) > D. Without an order of preference the cheapest names therefore go first:
that fractional greedy plan is the optimum of the linear relaxation (a covering knapsack with one constraint), so its
value is a lower bound on every plan, and stands in each plan as its certificate (`bound_units`).

Sales are in lots. A holding is sold in steps of one lot, the last step taking the odd rest with it, so that what is
left of a name is nothing or at least a lot. Figures are exact Python integers; costs round up and proceeds down to
`grain_units` (100 for cents), as they will be booked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN
from reefpoint.engine.book import Book, Marks, check_book
from reefpoint.engine.columns import BP, QUANTITY_MAX, BookError, Int64s, check_column, check_range
from reefpoint.engine.cures import deposit_to_reach, sale_to_reach
from reefpoint.engine.kernel import kernel


class PlanOutcome(StrEnum):
    """What a plan does."""

    UNKNOWN = "unknown"
    """A held name has no usable price: the account cannot be valued, so nothing is planned."""
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


@dataclass(frozen=True)
class SaleLine:
    """Sell `quantity` shares of `instrument` (column of `Marks`); proceeds are value - cost, all in units."""

    instrument: int
    quantity: int
    value_units: int
    cost_units: int
    proceeds_units: int


@dataclass(frozen=True)
class SalePlan:
    """What to do with one account, with its figures before and after; money in units of 1e-4.

    - `lines` in the order of sale; `cash_applied_units` of the account's own cash repays first
    - `assets_*`, `debt_*`, `ratio_*`: before, and after cash and proceeds have repaid (`RATIO_NO_DEBT`: nothing owed)
    - `deposit_still_needed_units`: what would bring the rest to the target; 0 when the plan does
    - `deficit_units`: debt above all that is left
    - `bound_units`: no sale of less market value reaches the target, whatever its order and lots; None if none does
    """

    outcome: PlanOutcome
    lines: tuple[SaleLine, ...]
    cash_applied_units: int
    assets_before_units: int
    debt_before_units: int
    ratio_before_bp: int
    assets_after_units: int
    debt_after_units: int
    ratio_after_bp: int
    deposit_still_needed_units: int
    deficit_units: int
    bound_units: int | None

    @property
    def sold_units(self) -> int:
        """Market value sold."""
        return sum(line.value_units for line in self.lines)

    @property
    def proceeds_units(self) -> int:
        """What the sales bring after costs."""
        return sum(line.proceeds_units for line in self.lines)

    @property
    def reaches_target(self) -> bool:
        return self.outcome in {PlanOutcome.NOT_NEEDED, PlanOutcome.CASH_CURES, PlanOutcome.CURES}

    @property
    def over_bound_bp(self) -> int | None:
        """How much more is sold than the bound, in basis points of it, rounded up; None without a cure by sale."""
        if not self.bound_units:
            return None
        return -((self.bound_units - self.sold_units) * BP // self.bound_units)


class _Sale:
    """The sale being planned: how many steps of each position, and the exact state that they lead to.

    A step is the least that may be sold of a position by itself: a lot, or the last lot with the odd rest.
    """

    def __init__(
        self,
        account: Book,
        marks: Marks,
        sellable: Int64s,
        cost_bp: Int64s,
        *,
        cash_units: int,
        debt_units: int,
        target_bp: int,
        grain_units: int,
    ) -> None:
        names = account.instrument
        may_sell = np.where(marks.lends_nothing[names], 0, np.minimum(sellable, account.quantity))
        self.instrument: list[int] = names.tolist()
        self.price: list[int] = marks.price_units[names].tolist()
        self.lot: list[int] = marks.lot[names].tolist()
        self.held: list[int] = account.quantity.tolist()
        self.cap: list[int] = may_sell.tolist()
        self.cost_bp: list[int] = cost_bp.tolist()
        self.market = sum(q * p for q, p in zip(self.held, self.price, strict=True))
        self.cash, self.debt = cash_units, debt_units
        self.target_bp, self.grain = target_bp, grain_units
        self.steps = [0] * len(self.held)
        self.sold, self.proceeds = 0, 0

    def apply_cash(self) -> int:
        """Repay from own cash what the target needs, or all there is of it; returns the amount."""
        needed = sale_to_reach(self.market + self.cash, self.debt, self.target_bp, cost_bp=0)
        applied = min(self.cash // self.grain * self.grain, self.debt)
        if needed is not None:
            applied = min(applied, -(-needed // self.grain) * self.grain)
        self.cash -= applied
        self.debt -= applied
        return applied

    def steps_max(self, i: int) -> int:
        """Most steps of position i: lots that leave nothing or at least a lot, within the cap."""
        lots = max(self.held[i] // self.lot[i], 1)
        if self.cap[i] == self.held[i]:
            return lots if self.held[i] else 0
        return min(self.cap[i] // self.lot[i], lots - 1)

    def quantity(self, i: int, steps: int) -> int:
        """Shares in `steps` steps of position i: whole lots, the last one with the odd rest."""
        is_all = steps > 0 and steps >= self.held[i] // self.lot[i]
        return self.held[i] if is_all else steps * self.lot[i]

    def money(self, i: int, steps: int) -> tuple[int, int, int]:
        """Value, cost (up) and proceeds (down to the grain) of selling `steps` of position i."""
        value = self.quantity(i, steps) * self.price[i]
        cost = -(-value * self.cost_bp[i] // BP)
        return value, cost, (value - cost) // self.grain * self.grain

    def line(self, i: int) -> SaleLine:
        """What is planned of position i."""
        return SaleLine(self.instrument[i], self.quantity(i, self.steps[i]), *self.money(i, self.steps[i]))

    def put(self, i: int, steps: int) -> None:
        """Sell `steps` of position i instead of what was planned of it."""
        old_value, _, old_proceeds = self.money(i, self.steps[i])
        value, _, proceeds = self.money(i, steps)
        self.sold += value - old_value
        self.proceeds += proceeds - old_proceeds
        self.steps[i] = steps

    def after(self) -> tuple[int, int]:
        """Assets and debt when cash and proceeds have repaid what they can; what is over stays as cash."""
        repaid = min(self.debt, self.proceeds)
        return self.market - self.sold + self.cash + self.proceeds - repaid, self.debt - repaid

    def reaches(self) -> bool:
        assets, debt = self.after()
        return assets * BP >= self.target_bp * debt

    def reaches_with(self, i: int, steps: int) -> bool:
        kept = self.steps[i]
        self.put(i, steps)
        answer = self.reaches()
        self.put(i, kept)
        return answer

    def gain(self, i: int) -> int:
        """What a unit of value sold of position i closes of the gap, times 10^8."""
        return self.target_bp * (BP - self.cost_bp[i]) - BP * BP

    def close_with(self, i: int, most: int) -> None:
        """Sell the fewest steps of position i, at most `most` (which reaches the target), that still reach it."""
        low, high = 0, most
        while low < high:
            middle = (low + high) // 2
            if self.reaches_with(i, middle):
                high = middle
            else:
                low = middle + 1
        self.put(i, high)

    def trim(self, order: Sequence[int]) -> None:
        """Take back steps, last in the order first, until no single one can be spared."""
        is_changed = True
        while is_changed:
            is_changed = False
            for i in reversed(order):
                if self.steps[i] and self.reaches_with(i, self.steps[i] - 1):
                    self.close_with(i, self.steps[i] - 1)
                    is_changed = True


def plan_sale(
    account: Book,
    marks: Marks,
    *,
    sellable: Int64s,
    cost_bp: Int64s,
    target_bp: int,
    preference: Int64s | None = None,
    grain_units: int = 100,
) -> SalePlan:
    """Plan the least sale that brings a book of one account to `target_bp`.

    Columns are aligned with the account's positions, int64[P]: `sellable` the most shares that may be sold now (a
    volume cap; the holding itself caps too), `cost_bp` 0..10,000 all costs of a sale on its value (fees, slippage),
    `preference` lower numbers first (then cost, then instrument number). Without it the cheapest names go first.
    Stale and suspended names are never sold. Raises `BookError` for wrong columns or a target not above 10,000.

    The plan is verified here, in exact integers, before it is given: it reaches the target and less any one step would
    not, or it sells all that may be sold (also when only the rounding of proceeds, under a grain a line, keeps that
    from the target). Equal inputs give equal plans, whatever the order of the positions.
    """
    check_book(account, marks, marks.terms_count)
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
    for name, column, high in (("sellable", sellable, QUANTITY_MAX), ("cost_bp", cost_bp, BP)):
        check_column(name, column, np.int64, (account.position_count,))
        check_range(name, column, 0, high)
    if preference is not None:
        check_column("preference", preference, np.int64, (account.position_count,))
    for name, value, low in (("target_bp", target_bp, BP + 1), ("grain_units", grain_units, 1)):
        if value < low:
            raise BookError(name, None, f"is {value}, below {low}")
    debt = int(account.debt_units[0])
    if (marks.price_units[account.instrument[account.quantity > 0]] == 0).any():
        return _plan_nothing(PlanOutcome.UNKNOWN, 0, debt)
    sale = _Sale(
        account,
        marks,
        sellable,
        cost_bp,
        cash_units=int(account.cash_units[0]),
        debt_units=debt,
        target_bp=target_bp,
        grain_units=grain_units,
    )
    before = sale.after()
    if sale.reaches():
        return _plan_nothing(PlanOutcome.NOT_NEEDED, *before)
    applied = sale.apply_cash()
    rank = [0] * account.position_count if preference is None else preference.tolist()
    order = sorted(range(len(rank)), key=lambda i: (rank[i], sale.cost_bp[i], sale.instrument[i]))
    order = [i for i in order if sale.steps_max(i)]
    bound = None
    if sale.reaches():
        outcome = PlanOutcome.CASH_CURES
    elif not order:
        outcome = PlanOutcome.NOTHING_TO_SELL
    elif _reach_target(sale, [i for i in order if sale.gain(i) > 0], is_free=preference is None):
        outcome, bound = PlanOutcome.CURES, _least_sale(sale)
        assert bound <= sale.sold, "a plan under its own bound"
    else:
        outcome = _sell_all(sale, order)
    assets, debt = sale.after()
    return SalePlan(
        outcome=outcome,
        lines=tuple(sale.line(i) for i in order if sale.steps[i]),
        cash_applied_units=applied,
        assets_before_units=before[0],
        debt_before_units=before[1],
        ratio_before_bp=_ratio(*before),
        assets_after_units=assets,
        debt_after_units=debt,
        ratio_after_bp=_ratio(assets, debt),
        deposit_still_needed_units=deposit_to_reach(assets, debt, target_bp),
        deficit_units=max(0, debt - assets),
        bound_units=bound,
    )


def _reach_target(sale: _Sale, order: list[int], *, is_free: bool) -> bool:
    """Sell names in order until the target is reached, then spare what can be; False, and nothing sold, if it is not.

    `is_free`: without an order of preference, the last lots may come from a later name when that sells less.
    """
    for place, i in enumerate(order):
        sale.put(i, sale.steps_max(i))
        if not sale.reaches():
            continue
        sale.close_with(i, sale.steps[i])
        if is_free:
            _close_cheaper(sale, i, order[place + 1 :])
        sale.trim(order)
        assert sale.reaches(), "a cure that does not reach its target"
        return True
    for i in order:
        sale.put(i, 0)
    return False


def _close_cheaper(sale: _Sale, closing: int, later: list[int]) -> None:
    """Replace the closing step by steps of a later name, where that sells less value in all."""
    steps, best_sold, best = sale.steps[closing], sale.sold, None
    sale.put(closing, steps - 1)
    for j in later:
        if sale.reaches_with(j, sale.steps_max(j)):
            sale.close_with(j, sale.steps_max(j))
            if sale.sold < best_sold:
                best_sold, best = sale.sold, (j, sale.steps[j])
            sale.put(j, 0)
    if best is None:
        sale.put(closing, steps)
    else:
        sale.put(*best)


def _sell_all(sale: _Sale, order: list[int]) -> PlanOutcome:
    """Sell all that may be sold, and say whether it raises the ratio."""
    assets, debt = sale.after()
    for i in order:
        sale.put(i, sale.steps_max(i))
    assets_after, debt_after = sale.after()
    return PlanOutcome.FALLS_SHORT if assets_after * debt > assets * debt_after else PlanOutcome.CANNOT_HELP


def _least_sale(sale: _Sale) -> int:
    """The optimum of the linear relaxation: the least market value of any sale that reaches the target, rounded up."""
    gap: int = (sale.target_bp * sale.debt - (sale.market + sale.cash) * BP) * BP
    value = 0
    for i in sorted(range(len(sale.held)), key=lambda i: sale.cost_bp[i]):
        most, _, _ = sale.money(i, sale.steps_max(i))
        if most * sale.gain(i) >= gap:
            return value - (-gap // sale.gain(i))
        gap -= most * sale.gain(i)
        value += most
    raise AssertionError("no bound for a target that was reached")


def _plan_nothing(outcome: PlanOutcome, assets: int, debt: int) -> SalePlan:
    ratio = RATIO_UNKNOWN if outcome is PlanOutcome.UNKNOWN else _ratio(assets, debt)
    return SalePlan(outcome, (), 0, assets, debt, ratio, assets, debt, ratio, 0, 0, None)


def _ratio(assets: int, debt: int) -> int:
    return assets * BP // debt if debt else RATIO_NO_DEBT


@kernel
def _share(order: Int64s, instrument: Int64s, wanted: Int64s, lot: Int64s, left: Int64s, granted: Int64s) -> None:
    """Give each want, in order, what is left of its name's volume, in whole lots unless all of it fits."""
    for i in range(len(order)):
        want = order[i]
        name = instrument[want]
        give = wanted[want]
        if give > left[name]:
            give = left[name] // lot[name] * lot[name]
        granted[want] = give
        left[name] -= give


def share_volume(
    *, instrument: Int64s, wanted: Int64s, ratio_bp: Int64s, account: Int64s, lot: Int64s, volume_cap: Int64s
) -> Int64s:
    """Share each name's volume of the day among the sales that want it: int64[N] shares granted, at most as wanted.

    One row a want, int64[N]: `instrument` its column, `wanted` shares, `ratio_bp` of its account (the lowest is served
    first), `account` a stable key that breaks ties. Per instrument, int64[S]: `lot`, and `volume_cap` what may still be
    sold today over all accounts. What is not granted waits; raises `BookError` with the row of a bad value.
    """
    rows, names = (len(instrument),), (len(volume_cap),)
    for label, column, shape, low, high in (
        ("instrument", instrument, rows, 0, names[0] - 1),
        ("wanted", wanted, rows, 0, QUANTITY_MAX),
        ("ratio_bp", ratio_bp, rows, 0, RATIO_NO_DEBT),
        ("account", account, rows, 0, RATIO_NO_DEBT),
        ("lot", lot, names, 1, QUANTITY_MAX),
        ("volume_cap", volume_cap, names, 0, QUANTITY_MAX),
    ):
        check_column(label, column, np.int64, shape)
        check_range(label, column, low, high)
    granted = np.zeros(rows[0], dtype=np.int64)
    order = np.lexsort((instrument, account, ratio_bp))
    _share.run(rows[0], order, instrument, wanted, lot, volume_cap.copy(), granted)
    return granted
