"""Sales in a play: planned and filled by the functions of the desk, as far as volume and limits go."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from reefpoint.decisions.margin.types import CallCause
from reefpoint.engine.book import build_book
from reefpoint.engine.liquidation import SalePlan, plan_sale
from reefpoint.flows.liquidation.rules import SALE_COST_BP, is_cured, sale_preference
from reefpoint.insight.simulation.rules.calls import repay, settle
from reefpoint.insight.simulation.rules.standing import Desk, Loan, ratio_of, standing_of
from reefpoint.insight.simulation.types import SimSale
from reefpoint.platform.basics.money import held_minor, owed_minor
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, Holding
from reefpoint.records.execution.rules import fill_amounts, fillable_quantity, session_capacity
from reefpoint.records.execution.types import Side
from reefpoint.records.market.types import LatestPrice


def carry_out_sale(desk: Desk, loan: Loan, number: int, on: date, *, is_known: bool) -> None:
    """Carry out a sale that was decided on an earlier session, as far as volume, suspensions and limits go."""
    prices = desk.course.price_units[number].tolist()
    if loan.selling is None or loan.selling_since is None or loan.selling_since >= on or not is_known:
        return
    if _ends_sale(desk, loan, prices, on):
        return
    plan = _plan(desk, loan, number)
    ratio_before = ratio_of(desk, loan, prices) or 0
    cause = loan.selling
    repay(desk, loan, held_minor(plan.cash_applied_units, desk.terms.currency))
    for line in plan.lines:
        one = desk.instruments[line.instrument]
        capacity = session_capacity(one.assumed_daily_volume, desk.broker.participation_bp)
        quantity = fillable_quantity(line.quantity, capacity, one.lot_size)
        if not quantity:
            continue
        mark = prices[line.instrument]
        fill = fill_amounts(Side.SELL, quantity, mark, desk.broker)
        cost_units = quantity * mark - (fill.gross_minor - fill.fee_minor) * desk.scale
        loan.held[line.instrument] -= quantity
        loan.cash += fill.gross_minor - fill.fee_minor
        loan.sale_cost_units += cost_units
        loan.has_sold = True
        repay(desk, loan, loan.cash)
        loan.sales.append(
            SimSale(
                on=on,
                cause=cause,
                symbol=one.symbol,
                quantity=quantity,
                price_units=fill.price_units,
                value_minor=held_minor(quantity * mark, desk.terms.currency),
                cost_minor=owed_minor(cost_units, desk.terms.currency),
                ratio_before_bp=ratio_before,
                ratio_after_bp=ratio_of(desk, loan, prices),
            )
        )
    _ends_sale(desk, loan, prices, on)


def _ends_sale(desk: Desk, loan: Loan, prices: Sequence[int], on: date) -> bool:
    """Whether the sale is over: the account holds what is wanted of it, or has nothing left to sell."""
    wanted_bp = loan.target_bp if loan.has_sold else desk.terms.cure_bp
    standing = standing_of(desk, loan, prices, is_known=True)
    waits_for_maintenance = loan.expired_for is CallCause.MAINTENANCE and not loan.has_sold
    if not standing.is_short_of_maintenance if waits_for_maintenance else is_cured(standing, wanted_bp):
        loan.selling = loan.selling_since = None
        settle(desk, loan, prices, on, is_known=True)
        return True
    if not any(loan.held):
        loan.selling = loan.selling_since = None
        loan.is_sold_out = True
        return True
    return False


def _plan(desk: Desk, loan: Loan, number: int) -> SalePlan:
    columns = [column for column, held in enumerate(loan.held) if held]
    names = [desk.instruments[column] for column in columns]
    capacity = [session_capacity(one.assumed_daily_volume, desk.broker.participation_bp) for one in names]
    account = _facts(desk, loan)
    ids = {one.id: column for column, one in enumerate(desk.instruments)}
    terms, prices = desk.terms, desk.course.price_units[number].tolist()
    return plan_sale(
        build_book(
            cash_units=[loan.cash * desk.scale],
            debt_units=[loan.debt * desk.scale],
            terms=[0],
            account=[0] * len(columns),
            instrument=columns,
            quantity=[loan.held[column] for column in columns],
        ),
        desk.marks(number),
        sellable=np.array(
            [min(cap, loan.held[column]) for cap, column in zip(capacity, columns, strict=True)], dtype=np.int64
        ),
        cost_bp=np.full(len(columns), SALE_COST_BP, dtype=np.int64),
        target_bp=loan.target_bp,
        preference=sale_preference(
            terms.liquidation_order, account, desk.instruments, _latest(desk, prices, ids), terms
        ),
        grain_units=desk.scale,
    )


def _facts(desk: Desk, loan: Loan) -> AccountFacts:
    return AccountFacts(
        id=0,
        number="",
        client_id=0,
        scheme_version_id=0,
        currency=desk.terms.currency,
        status=AccountStatus.ACTIVE,
        change_no=0,
        cash_minor=loan.cash,
        principal_minor=loan.principal,
        interest_minor=loan.interest,
        fees_minor=loan.fees,
        holdings=tuple(Holding(one.id, held) for one, held in zip(desk.instruments, loan.held, strict=True) if held),
    )


def _latest(desk: Desk, prices: Sequence[int], ids: Mapping[int, int]) -> dict[int, LatestPrice]:
    close = desk.calendar.close
    day = desk.calendar.days[0]
    return {
        one.id: LatestPrice(one.id, one.symbol, prices[ids[one.id]], close(day), day, 0, 0) for one in desk.instruments
    }
