"""Liquidation rules: its life, and what remains to do after each look at the account."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from reefpoint.decisions.margin.types import CallCause, Standing
from reefpoint.engine.cures import sale_target_bp
from reefpoint.flows.liquidation.types import LiquidationState
from reefpoint.platform.basics.money import ceil_div
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.market.types import InstrumentView, LatestPrice
from reefpoint.records.products.types import LiquidationOrder, SchemeTerms

State = LiquidationState

SALE_COST_BP = 30
"""What a plan assumes a sale to cost in slippage and fees, in basis points; a fill costs less as a rule."""

PAYING_TARGET_BP = 100_000
"""The ratio by which a sale that pays an amount is planned (`debt_that_asks_for`). Any above the cost would do."""

LIQUIDATION_STATES = StateTable(
    subject="liquidation",
    initial=State.PLANNED,
    moves={
        State.AWAITING_APPROVAL: frozenset({State.PLANNED, State.CANCELLED}),
        State.PLANNED: frozenset({State.SELLING, State.CANCELLED, State.EXHAUSTED}),
        State.SELLING: frozenset({State.COMPLETED, State.EXHAUSTED}),
        State.COMPLETED: frozenset(),
        State.CANCELLED: frozenset(),
        State.EXHAUSTED: frozenset(),
    },
)


def is_cured(standing: Standing, target_bp: int) -> bool:
    """Whether the account holds its target, so that nothing more may be sold. Never true of an unknown account."""
    return not standing.is_unknown and (standing.ratio_bp is None or standing.ratio_bp >= target_bp)


def target_of(terms: SchemeTerms, cause: CallCause, held: Sequence[tuple[int, int]], debt_units: int) -> int:
    """Until which ratio an account is sold: the contract's, or a higher one that a call for maintenance takes.

    `held` is value and maintenance of each position, `debt_units` what is owed once its cash has repaid.
    """
    if cause is CallCause.LINE:
        return terms.target_bp
    return max(terms.target_bp, sale_target_bp(held, debt_units, SALE_COST_BP))


def debt_that_asks_for(pay: int, *, cash: int, assets: int) -> int:
    """The debt of which a sale to `PAYING_TARGET_BP` pays exactly `pay` from cash and proceeds; all in one unit.

    Planned as a ratio, an amount has the planner's steps, order of sale and certificate. With s to be sold for what
    cash k does not pay, (assets - k - s) stay, so that T * (debt - pay) = assets - k - s: one step less and the ratio
    is not held, nor the amount paid. Rounded up: never too little is sold.
    """
    from_cash = min(cash, pay)
    sold = ceil_div((pay - from_cash) * 10_000, 10_000 - SALE_COST_BP)
    return pay + ceil_div(max(0, assets - from_cash - sold) * 10_000, PAYING_TARGET_BP)


def next_state(
    *, state: LiquidationState, is_cured: bool, holds_anything: bool, has_live_orders: bool
) -> LiquidationState:
    """Where a liquidation stands after a look at its account.

    While orders are out it waits for them. It ends when the account is cured, or has nothing left to sell.
    """
    if has_live_orders or (state is State.AWAITING_APPROVAL and not is_cured):
        return state
    if is_cured:
        return State.COMPLETED if state is State.SELLING else State.CANCELLED
    if not holds_anything:
        return State.EXHAUSTED
    return state


def sale_preference(
    order: LiquidationOrder,
    account: AccountFacts,
    instruments: Sequence[InstrumentView],
    prices: Mapping[int, LatestPrice],
    terms: SchemeTerms,
) -> npt.NDArray[np.int64]:
    """Which holding the contract sells first, lower numbers first, in the order of the account's holdings."""
    by_id = {instrument.id: instrument for instrument in instruments}
    if order is LiquidationOrder.LEAST_SALE:
        return np.zeros(len(account.holdings), dtype=np.int64)

    def urgency(instrument_id: int, quantity: int) -> int:
        instrument = by_id[instrument_id]
        price = prices[instrument_id].price_units if instrument_id in prices else 0
        if order is LiquidationOrder.MOST_LIQUID:
            return instrument.assumed_daily_volume * price
        if order is LiquidationOrder.LARGEST_POSITION:
            return quantity * price
        return terms.haircut_bp(instrument.symbol)

    urgencies = [urgency(holding.instrument_id, holding.quantity) for holding in account.holdings]
    ranked = sorted(set(urgencies), reverse=True)
    return np.array([ranked.index(one) for one in urgencies], dtype=np.int64)
