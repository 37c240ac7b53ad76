"""Carrying a liquidation out: plan for a session, orders, a last look before each send, fills, the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.margin.rules import PRICE_COVERAGE_MIN_BP, answers_call, is_covered
from reefpoint.decisions.margin.selectors.calls import call_cause
from reefpoint.decisions.margin.selectors.standing import (
    Sheet,
    get_price_coverage_bp,
    load_sheet,
    measure,
    measure_on,
    ratio_or_none,
)
from reefpoint.decisions.margin.types import CallCause, Standing
from reefpoint.engine.bands import RATIO_NO_DEBT, Band
from reefpoint.engine.columns import BP
from reefpoint.engine.cures import ratio_bp
from reefpoint.engine.liquidation import PlanExplanation, SalePlan
from reefpoint.engine.plans import PlanOutcome
from reefpoint.flows.liquidation import rules
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.rules import SALE_COST_BP
from reefpoint.flows.liquidation.selectors.planning import (
    SessionShare,
    explain_account_plan,
    load_for_sale,
    plan_account,
    share_session,
    why_not_sold,
)
from reefpoint.flows.liquidation.services.opening import finish, move
from reefpoint.flows.liquidation.types import LiquidationState, SaleAim
from reefpoint.flows.servicing.services.credit import settle_debt
from reefpoint.flows.servicing.services.trading import book_fill
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.money import ceil_div, held_minor, owed_minor, percent, price_units_per_minor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.accounts.selectors.loans import get_loan
from reefpoint.records.accounts.types import AccountFacts, Holding
from reefpoint.records.execution.selectors import (
    get_fill,
    get_order,
    list_fills,
    list_live_orders,
)
from reefpoint.records.execution.services import orders as execution
from reefpoint.records.execution.types import OrderPurpose, OrderState, Side
from reefpoint.records.ledger.selectors import available_minor
from reefpoint.records.ledger.types import client_cash
from reefpoint.records.products.selectors import get_terms


@dataclass(frozen=True)
class SessionResult:
    """What a session's start did: liquidations looked at, orders placed, liquidations ended without a sale.

    `is_held`: nothing was planned, as too little of the book has a current price.
    """

    looked_at: int
    orders: int
    ended: int
    is_held: bool = False


def run_liquidation_session(*, actor: Actor, on: date, at: datetime) -> SessionResult:
    """Make the session's plans for all liquidations that were opened before it, the worst account first.

    Whoever is sold for a call or a line comes first; those that are sold for a late loan share what volume is left,
    unless they are under their close-out line by now.

    Each plan is made anew from the session's own prices (I29), in a transaction of its own. What the desk sells of
    one name over all accounts stays within the participation cap of its volume, which the accounts share first
    (`share_session`); the rest waits (I20). Running it again, after a kill or by mistake, plans only what has no plan
    for this session yet.

    After an outage nothing is sold until current prices cover enough of the book (I25): the session is held, which
    stands in the audit log, and can be run again when prices are back.
    """
    require(actor, "liquidation.start")
    due = Liquidation.objects.filter(
        state__in=(LiquidationState.PLANNED, LiquidationState.SELLING), opened_on__lt=on
    ).exclude(plans__session_on=on)
    by_account = {row.account_id: row for row in due}
    facts = load_accounts(by_account.keys())
    sheet = load_sheet({account.scheme_version_id for account in facts}, at=at)
    if facts and not is_covered(get_price_coverage_bp(sheet)):
        _hold_session(actor, on, get_price_coverage_bp(sheet), at)
        return SessionResult(len(facts), 0, 0, is_held=True)
    measured = measure_on(sheet, facts)
    ranked = sorted(measured, key=lambda standing: (standing.ratio_bp or 0, standing.account_id))
    by_id = {account.id: account for account in facts}
    orders = ended = 0
    aims = {
        standing.account_id: aim_of(by_account[standing.account_id], by_id[standing.account_id], standing)
        for standing in ranked
    }
    for is_for_loan in (False, True):
        group = [
            by_id[standing.account_id]
            for standing in ranked
            if (aims[standing.account_id].pay_minor is not None) is is_for_loan
        ]
        if not group:
            continue
        share = share_session(group, sheet, {account.id: aims[account.id] for account in group}, on)
        for account in group:
            placed, is_over = plan_liquidation(
                actor=actor, liquidation_id=by_account[account.id].pk, on=on, at=at, share=share
            )
            orders += placed
            ended += is_over
    return SessionResult(len(ranked), orders, ended)


def aim_of(liquidation: Liquidation, account: AccountFacts, standing: Standing) -> SaleAim:
    """What is still to be reached: the target ratio, or the late loan with the interest and fees due now.

    Whoever falls under the close-out line while a late loan is sold for is sold to the target ratio, like anybody.
    """
    if liquidation.loan_id is None:
        assert liquidation.target_bp is not None, "whoever is not sold for a loan is sold to a ratio"
        return SaleAim(liquidation.target_bp)
    if standing.band is Band.CLOSE_OUT:
        return SaleAim(get_terms(account.scheme_version_id).target_bp)
    principal_minor = get_loan(liquidation.loan_id).principal_minor
    owed_now = principal_minor + account.interest_minor + account.fees_minor
    return SaleAim(pay_minor=owed_now if principal_minor else 0)


def _hold_session(actor: Actor, on: date, coverage_bp: int, at: datetime) -> None:
    record(
        actor=actor,
        action="liquidation.hold_session",
        subject=f"session:{on}",
        reason=str(
            Sentence("only {coverage} of what the desk holds has a current price", {"coverage": percent(coverage_bp)})
        ),
        inputs={"coverage_bp": coverage_bp, "required_coverage_bp": PRICE_COVERAGE_MIN_BP},
        at=at,
    )


@transaction.atomic
def plan_liquidation(
    *, actor: Actor, liquidation_id: int, on: date, at: datetime, share: SessionShare
) -> tuple[int, bool]:
    """Plan one liquidation for a session and place its orders, leaving to the accounts behind it what `share` gives
    them. Returns (orders placed, whether it ended).
    """
    liquidation = _lock(liquidation_id)
    account = accounts.lock_account(liquidation.account_id)
    if liquidation.plans.filter(session_on=on).exists():
        return 0, False
    if review(actor=actor, liquidation=liquidation, account=account, at=at):
        return 0, True
    sheet = load_sheet([account.scheme_version_id], at=at)
    place = share.order.index(account.id)
    for_sale = load_for_sale([account.id], sheet, on).less(share.reserved_after(place))
    aim = aim_of(liquidation, account, measure_on(sheet, [account])[0])
    explained, free = explain_account_plan(account, sheet, for_sale, aim)
    plan = explained.plan
    if aim.pay_minor is not None:
        explained, plan = _as_paid(explained, account, aim.pay_minor)
    proof = _proof(explained, free, sheet, account.currency) | {
        "served": place + 1,
        "sales": len(share.order),
        "method": share.method.value,
    }
    _store_plan(liquidation, account, sheet, plan, proof, on, at)
    if plan.outcome is PlanOutcome.UNKNOWN:
        record(
            actor=actor,
            action="liquidation.hold",
            subject=f"liquidation:{liquidation.id}",
            reason=str(Sentence("the account cannot be valued")),
            at=at,
        )
        return 0, False
    if plan.lines and liquidation.state == LiquidationState.PLANNED:
        move(actor=actor, liquidation=liquidation, state=LiquidationState.SELLING, reason=plan.outcome.value, at=at)
    for line in plan.lines:
        instrument = sheet.instruments[line.instrument]
        execution.place_order(
            actor=actor,
            account_id=account.id,
            instrument_id=instrument.id,
            side=Side.SELL,
            quantity=line.quantity,
            purpose=OrderPurpose.LIQUIDATION,
            source=source_of(liquidation.id),
            key=f"{liquidation.number}:{on:%y%m%d}:{instrument.symbol}",
            session_on=on,
            at=at,
        )
    is_over = _apply_cash(actor, liquidation, account, plan, on, at)
    return len(plan.lines), is_over


def _repay(
    actor: Actor, liquidation: Liquidation, account: AccountFacts, amount_minor: int, key: str, on: date, at: datetime
) -> None:
    """Let money of a sale repay: all debt where it is sold to a ratio, else the late loan with what is due alone.

    What a lot brings above that stays the client's cash.
    """
    principal_minor = None
    if liquidation.loan_id is not None:
        aim = aim_of(liquidation, account, measure(account, at=at))
        if aim.pay_minor is not None:
            principal_minor = get_loan(liquidation.loan_id).principal_minor
            amount_minor = min(amount_minor, aim.pay_minor)
    settle_debt(
        actor=actor,
        account=account,
        amount_minor=amount_minor,
        key=key,
        on=on,
        at=at,
        principal_minor=principal_minor,
        first_loan=liquidation.loan_id,
    )


def _as_paid(explained: PlanExplanation, account: AccountFacts, pay_minor: int) -> tuple[PlanExplanation, SalePlan]:
    """A plan that pays an amount, in terms of that amount and of the account's own debt, assets and ratio.

    What a sale closes is what it brings; a sale that is not enough still pays something.
    """
    planned, scale = explained.plan, price_units_per_minor(account.currency)
    debt, assets, cash = account.debt_minor * scale, planned.assets_before_units, planned.cash_applied_units
    repaid = min(pay_minor * scale - cash, planned.proceeds_units)
    assets_after, debt_after = (
        assets - cash - planned.sold_units + planned.proceeds_units - repaid,
        debt - cash - repaid,
    )
    is_known = planned.outcome is not PlanOutcome.UNKNOWN
    plan = replace(
        planned,
        outcome=PlanOutcome.FALLS_SHORT if planned.outcome is PlanOutcome.CANNOT_HELP else planned.outcome,
        debt_before_units=debt,
        ratio_before_bp=_ratio_bp(assets, debt) if is_known else planned.ratio_before_bp,
        assets_after_units=assets_after,
        debt_after_units=debt_after,
        ratio_after_bp=_ratio_bp(assets_after, debt_after) if is_known else planned.ratio_after_bp,
        deposit_still_needed_units=pay_minor * scale - cash - repaid,
        deficit_units=max(0, debt_after - assets_after),
    )
    terms = tuple(
        replace(term, gain_bp=BP - term.cost_bp, closes_e8=term.proceeds_units * BP) for term in explained.terms
    )
    return replace(explained, plan=plan, gap_e8=(pay_minor * scale - cash) * BP, terms=terms), plan


def _ratio_bp(assets_units: int, debt_units: int) -> int:
    found = ratio_bp(assets_units, debt_units)
    return RATIO_NO_DEBT if found is None else found


def _proof(explained: PlanExplanation, free: Mapping[int, int], sheet: Sheet, currency: str) -> dict[str, object]:
    """A plan's certificate and terms as they are kept with it (`types.PlanProof`)."""
    plan, in_any_order = explained.plan, explained.sold_in_any_order_units
    return {
        "gap_minor": owed_minor(ceil_div(explained.gap_e8, BP), currency),
        "bound_minor": None if plan.bound_units is None else owed_minor(plan.bound_units, currency),
        "in_any_order_minor": None if in_any_order is None else held_minor(in_any_order, currency),
        "terms": [
            {
                "place": term.place,
                "instrument_id": sheet.instruments[term.instrument].id,
                "symbol": sheet.instruments[term.instrument].symbol,
                "preference": term.preference,
                "cost_bp": term.cost_bp,
                "gain_bp": term.gain_bp,
                "held": term.held,
                "free": free[sheet.instruments[term.instrument].id],
                "most": term.most,
                "quantity": term.quantity,
                "closes_minor": held_minor(term.closes_e8 // BP, currency),
                "reason": term.reason.value,
                "cheaper": [sheet.instruments[column].symbol for column in term.cheaper],
            }
            for term in explained.terms
        ],
    }


def source_of(liquidation_id: int) -> str:
    """How orders name the liquidation that they belong to."""
    return f"liquidation:{liquidation_id}"


def _apply_cash(
    actor: Actor, liquidation: Liquidation, account: AccountFacts, plan: SalePlan, on: date, at: datetime
) -> bool:
    """Let the account's own cash repay first; returns whether that ended the liquidation."""
    applied = held_minor(plan.cash_applied_units, account.currency)
    if not applied:
        return False
    _repay(actor, liquidation, account, applied, f"{liquidation.number}:{on:%y%m%d}:cash", on, at)
    return review(actor=actor, liquidation=liquidation, account=accounts.lock_account(account.id), at=at)


def _lock(liquidation_id: int) -> Liquidation:
    """The account's lock first, then the liquidation's row, everywhere in this order."""
    account_id = Liquidation.objects.values_list("account_id", flat=True).get(id=liquidation_id)
    accounts.hold_lock(account_id)
    return Liquidation.objects.select_for_update().get(id=liquidation_id)


def _store_plan(
    liquidation: Liquidation,
    account: AccountFacts,
    sheet: Sheet,
    plan: SalePlan,
    proof: Mapping[str, object],
    on: date,
    at: datetime,
) -> None:
    currency = account.currency
    LiquidationPlan.objects.create(
        liquidation=liquidation,
        session_on=on,
        made_at=at,
        outcome=plan.outcome.value,
        lines=[
            {
                "instrument_id": sheet.instruments[line.instrument].id,
                "symbol": sheet.instruments[line.instrument].symbol,
                "quantity": line.quantity,
                "price_units": int(sheet.marks.price_units[line.instrument]),
                "value_minor": held_minor(line.value_units, currency),
                "cost_minor": owed_minor(line.cost_units, currency),
            }
            for line in plan.lines
        ],
        assets_before_minor=held_minor(plan.assets_before_units, currency),
        debt_before_minor=owed_minor(plan.debt_before_units, currency),
        ratio_before_bp=ratio_or_none(plan.ratio_before_bp),
        sold_minor=held_minor(plan.sold_units, currency),
        assets_after_minor=held_minor(plan.assets_after_units, currency),
        debt_after_minor=owed_minor(plan.debt_after_units, currency),
        ratio_after_bp=ratio_or_none(plan.ratio_after_bp),
        over_bound_bp=plan.over_bound_bp,
        proof=proof,
    )


@transaction.atomic
def release_liquidation_order(*, actor: Actor, order_id: int, at: datetime) -> None:
    """The last look before a send, under the account's lock (I01, I03).

    A credit or a fill since the plan makes the order smaller or needless: it is cut or cancelled, never sent too big.
    Orders already out, and fills not yet booked, count as if they were sold at the last price. A name that has become
    stale or suspended since, or has reached its limit down, is not sold, nor are shares that were bought today where
    the venue keeps them until the next session: the order is cancelled or cut, and the next session plans anew.
    """
    order = get_order(order_id)
    liquidation = _lock(int(order.source.removeprefix("liquidation:")))
    account = accounts.lock_account(order.account_id)
    order = get_order(order_id)
    if order.state is not OrderState.NEW:
        return
    sheet = load_sheet([account.scheme_version_id], at=at)
    live = list_live_orders(order.source)
    unsent = {one.instrument_id: one.quantity for one in live if one.state is OrderState.NEW}
    out = Counter({one.instrument_id: one.open_quantity for one in live if one.state is not OrderState.NEW})
    for fill in list_fills(source=order.source, unbooked_only=True):
        out[fill.instrument_id] += fill.quantity
    left = _as_if_filled(account, sheet, out)
    for_sale = load_for_sale([account.id], sheet, order.session_on)
    free = {
        one.instrument_id: one.quantity - for_sale.kept.get((account.id, one.instrument_id), 0) for one in left.holdings
    }
    may_sell = {one: min(quantity, free.get(one, 0)) for one, quantity in unsent.items()}
    aim = aim_of(liquidation, left, measure_on(sheet, [left])[0])
    plan = plan_account(left, sheet, may_sell, aim, for_sale.limit_down)
    column = sheet.column_of(order.instrument_id, account.currency)
    needed = next((line.quantity for line in plan.lines if line.instrument == column), 0)
    blocked = why_not_sold(sheet, column, for_sale.limit_down)
    if not blocked and may_sell[order.instrument_id] <= 0:
        blocked = "it was bought in this session and may not be sold before the next"
    if reason := _reason_to_cancel(plan, needed, get_price_coverage_bp(sheet), blocked):
        execution.cancel_order(actor=actor, order_id=order_id, reason=reason, at=at)
        return
    if needed < order.quantity:
        execution.reduce_order(
            actor=actor, order_id=order_id, quantity=needed, reason=str(Sentence("less is needed")), at=at
        )
    execution.mark_sent(order_id=order_id, at=at)


def _reason_to_cancel(plan: SalePlan, needed: int, coverage_bp: int, blocked: str) -> str:
    if plan.outcome is PlanOutcome.UNKNOWN:
        return "the account cannot be valued"
    if not is_covered(coverage_bp):
        return f"only {percent(coverage_bp)} of what the desk holds has a current price"
    return "" if needed else blocked or "no longer needed"


def _as_if_filled(account: AccountFacts, sheet: Sheet, out: Mapping[int, int]) -> AccountFacts:
    """The account with what is out of its hands, by instrument, sold at the last price, costs off."""
    held = {holding.instrument_id: holding.quantity for holding in account.holdings}
    gained = 0
    for instrument_id, quantity in out.items():
        held[instrument_id] -= quantity
        value = quantity * int(sheet.marks.price_units[sheet.column_of(instrument_id, account.currency)])
        gained += held_minor(value * (10_000 - SALE_COST_BP) // 10_000, account.currency)
    return replace(
        account,
        cash_minor=account.cash_minor + gained,
        holdings=tuple(Holding(instrument_id, quantity) for instrument_id, quantity in held.items() if quantity),
    )


@transaction.atomic
def book_liquidation_fill(*, actor: Actor, fill_id: int, at: datetime) -> None:
    """Book a forced sale's fill, let its proceeds repay, and look whether the liquidation is over."""
    fill = get_fill(fill_id)
    liquidation = _lock(int(get_order(fill.order_id).source.removeprefix("liquidation:")))
    book_fill(actor=actor, fill_id=fill_id, at=at)
    account = accounts.lock_account(fill.account_id)
    free_minor = min(available_minor(client_cash(account.number)), account.debt_minor)
    _repay(actor, liquidation, account, free_minor, f"fill:{fill.broker_fill_id}", fill.traded_on, at)
    review(actor=actor, liquidation=liquidation, account=accounts.lock_account(account.id), at=at)


@transaction.atomic
def follow_order_end(*, actor: Actor, order_id: int, at: datetime) -> None:
    """An order of a liquidation is over, filled or not: look at the whole again."""
    order = get_order(order_id)
    liquidation = _lock(int(order.source.removeprefix("liquidation:")))
    review(actor=actor, liquidation=liquidation, account=accounts.lock_account(order.account_id), at=at)


def review(*, actor: Actor, liquidation: Liquidation, account: AccountFacts, at: datetime) -> bool:
    """Look at a locked account and end its liquidation if it is time. Returns whether it is over."""
    state = LiquidationState(liquidation.state)
    if rules.LIQUIDATION_STATES.is_final(state):
        return True
    standing = measure(account, at=at)
    is_cured, why = _look(liquidation, account, standing)
    source = source_of(liquidation.id)
    after = rules.next_state(
        state=state,
        is_cured=is_cured,
        holds_anything=bool(account.holdings),
        has_live_orders=bool(list_live_orders(source) or list_fills(source=source, unbooked_only=True)),
    )
    if after is state:
        return False
    finish(actor=actor, liquidation=liquidation, state=after, reason=why, at=at)
    return True


def _look(liquidation: Liquidation, account: AccountFacts, standing: Standing) -> tuple[bool, str]:
    """Whether the account is cured, or the loan that it is sold for is paid, and why it counts as that or not.

    Once something was sold it takes the target. Before, it takes what the account was called for.
    """
    if liquidation.loan_id is not None:
        loan = get_loan(liquidation.loan_id)
        told = {"loan": loan.number}
        owed, paid = Sentence("{loan} is still owed", told), Sentence("{loan} is paid", told)
        is_safe = standing.band is not Band.CLOSE_OUT
        return not loan.principal_minor and is_safe, str(owed if loan.principal_minor else paid)
    if liquidation.state != LiquidationState.SELLING and liquidation.call_id is not None:
        cause = call_cause(liquidation.call_id)
        if cause is CallCause.MAINTENANCE:
            is_cured = not standing.is_unknown and answers_call(standing, cause, 0)
            met, sold = Sentence("equity meets the maintenance of the names"), Sentence("nothing is left to sell")
            return is_cured, str(met if is_cured else sold)
    is_selling = liquidation.state == LiquidationState.SELLING
    target_bp = liquidation.target_bp if is_selling else get_terms(account.scheme_version_id).cure_bp
    assert target_bp is not None, "whoever is not sold for a loan is sold to a ratio"
    return rules.is_cured(standing, target_bp), _why(standing, target_bp)


def _why(standing: Standing, target_bp: int) -> str:
    told = {"ratio": percent(standing.ratio_bp or 0), "target": percent(target_bp)}
    if standing.ratio_bp is None:
        return str(Sentence("nothing is owed, target {target}", told))
    return str(Sentence("ratio {ratio}, target {target}", told))
