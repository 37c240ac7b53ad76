"""The sale plan of one account, and why it sells what it sells: a book of one of `plans.plan_sales`."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BP, BookError, Int64s
from reefpoint.engine.plans import OUTCOMES, PlanOutcome, SalePlans, cannot_be_sold, most_shares, plan_sales


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
    """Plan the least sale that brings a book of one account to `target_bp`: arguments and errors as in `plan_sales`."""
    _check_one(account)
    plans = plan_sales(
        account,
        marks,
        sellable=sellable,
        cost_bp=cost_bp,
        target_bp=target_bp,
        preference=preference,
        grain_units=grain_units,
    )
    return plan_of(plans, account, 0)


def plan_of(plans: SalePlans, book: Book, row: int) -> SalePlan:
    """The plan of one account out of those of a book."""
    rows = plans.order[book.positions(row)]
    return SalePlan(
        outcome=OUTCOMES[plans.outcome[row]],
        lines=tuple(
            SaleLine(
                int(book.instrument[i]),
                int(plans.quantity[i]),
                int(plans.value_units[i]),
                int(plans.cost_units[i]),
                int(plans.proceeds_units[i]),
            )
            for i in rows[plans.quantity[rows] > 0]
        ),
        cash_applied_units=int(plans.cash_applied_units[row]),
        assets_before_units=int(plans.assets_before_units[row]),
        debt_before_units=int(plans.debt_before_units[row]),
        ratio_before_bp=int(plans.ratio_before_bp[row]),
        assets_after_units=int(plans.assets_after_units[row]),
        debt_after_units=int(plans.debt_after_units[row]),
        ratio_after_bp=int(plans.ratio_after_bp[row]),
        deposit_still_needed_units=int(plans.deposit_still_needed_units[row]),
        deficit_units=int(plans.deficit_units[row]),
        bound_units=int(plans.bound_units[row]) or None,
    )


class SaleReason(StrEnum):
    """Why a position is sold as far as it is."""

    ALL_THAT_MAY = "all_that_may"
    """All that may be sold of it is."""
    CLOSES = "closes"
    """It closes what is left of the gap, so a part of it is enough."""
    NOT_REACHED = "not_reached"
    """The names before it are enough, or others close the gap with less."""
    CANNOT_BE_SOLD = "cannot_be_sold"
    """The name is stale, suspended or locked at its limit down."""
    NO_LOT_FREE = "no_lot_free"
    """Not a lot of it may be sold now."""
    WOULD_NOT_HELP = "would_not_help"
    """Its sale costs so much that the gap would widen."""
    NO_SALE = "no_sale"
    """No sale is planned for the account."""


@dataclass(frozen=True)
class SaleTerm:
    """One position in the order of sale: `place` from 1, by preference, then cost, then instrument.

    - `gain_bp`: what 10,000 of value sold close of the gap, T * (1 - cost) - 1 rounded down; negative: it would widen
    - `most`, `quantity`: shares that may be sold, and that are; `closes_e8`: what they close of the gap, in 1e-8
    - `cheaper`: names that cost less and of which more might have been sold: passed over for the contract's order, or
      because their lots would have sold more in all
    """

    place: int
    instrument: int
    preference: int
    cost_bp: int
    gain_bp: int
    held: int
    most: int
    quantity: int
    value_units: int
    cost_units: int
    proceeds_units: int
    closes_e8: int
    reason: SaleReason
    cheaper: tuple[int, ...]


@dataclass(frozen=True)
class PlanExplanation:
    """A plan and its terms: it cures when the sum of `closes_e8` is at least `gap_e8`, the gap after own cash, in 1e-8.

    `sold_in_any_order_units`: the least that was found to cure without an order of preference, or the plan's own sale;
    None where nothing cures.
    """

    plan: SalePlan
    gap_e8: int
    terms: tuple[SaleTerm, ...]
    sold_in_any_order_units: int | None


def explain_plan(
    account: Book,
    marks: Marks,
    *,
    sellable: Int64s,
    cost_bp: Int64s,
    target_bp: int,
    preference: Int64s | None = None,
    grain_units: int = 100,
) -> PlanExplanation:
    """Explain the plan that `plan_sale` makes of the same arguments, position by position."""
    _check_one(account)
    rank = np.zeros(account.position_count, dtype=np.int64) if preference is None else preference
    plans = plan_sales(
        account,
        marks,
        sellable=sellable,
        cost_bp=cost_bp,
        target_bp=target_bp,
        preference=rank,
        grain_units=grain_units,
    )
    plan = plan_of(plans, account, 0)
    free = plan_sale(account, marks, sellable=sellable, cost_bp=cost_bp, target_bp=target_bp, grain_units=grain_units)
    blocked = cannot_be_sold(marks)
    most = most_shares(account, marks, sellable)
    order = sorted(range(account.position_count), key=lambda i: (rank[i], cost_bp[i], account.instrument[i]))
    terms = []
    for place, i in enumerate(order, start=1):
        name, quantity = int(account.instrument[i]), int(plans.quantity[i])
        gain_e8 = target_bp * (BP - int(cost_bp[i])) - BP * BP
        terms.append(
            SaleTerm(
                place=place,
                instrument=name,
                preference=int(rank[i]),
                cost_bp=int(cost_bp[i]),
                gain_bp=gain_e8 // BP,
                held=int(account.quantity[i]),
                most=int(most[i]),
                quantity=quantity,
                value_units=int(plans.value_units[i]),
                cost_units=int(plans.cost_units[i]),
                proceeds_units=int(plans.proceeds_units[i]),
                closes_e8=target_bp * int(plans.proceeds_units[i]) - BP * int(plans.value_units[i]),
                reason=_reason(plan, quantity, int(most[i]), is_blocked=bool(blocked[name]), gain_e8=gain_e8),
                cheaper=tuple(
                    int(account.instrument[k])
                    for k in order
                    if quantity and cost_bp[k] < cost_bp[i] and plans.quantity[k] < most[k]
                ),
            )
        )
    gap = target_bp * (plan.debt_before_units - plan.cash_applied_units)
    gap -= BP * (plan.assets_before_units - plan.cash_applied_units)
    cures = [one.sold_units for one in (free, plan) if one.outcome is PlanOutcome.CURES]
    return PlanExplanation(plan, max(0, gap), tuple(terms), min(cures, default=None))


def _reason(plan: SalePlan, quantity: int, most: int, *, is_blocked: bool, gain_e8: int) -> SaleReason:
    if not plan.lines and plan.outcome is not PlanOutcome.NOTHING_TO_SELL:
        return SaleReason.NO_SALE
    if is_blocked:
        return SaleReason.CANNOT_BE_SOLD
    if most == 0:
        return SaleReason.NO_LOT_FREE
    if quantity == most:
        return SaleReason.ALL_THAT_MAY
    if gain_e8 <= 0:
        return SaleReason.WOULD_NOT_HELP
    return SaleReason.CLOSES if quantity else SaleReason.NOT_REACHED


def _check_one(account: Book) -> None:
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
