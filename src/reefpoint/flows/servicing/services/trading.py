"""Purchases and sales for a client, and booking what the broker filled."""

from dataclasses import replace
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.collateral.selectors.caps import require_purchase
from reefpoint.decisions.credit.types import Act
from reefpoint.decisions.margin.selectors.standing import (
    current_price,
    get_price_coverage_bp,
    is_enforced,
    load_sheet,
    measure_on,
)
from reefpoint.decisions.monitoring.services.activities import device_code, note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind, Operator
from reefpoint.flows.servicing import rules
from reefpoint.flows.servicing.services.collateral import check_new_credit
from reefpoint.flows.servicing.services.conditions import check_conditions
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import held_minor, owed_minor
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.types import AccountFacts, AccountStatus, Holding, MovementKind
from reefpoint.records.execution.selectors import (
    find_order,
    get_fill,
    get_order,
    open_buy_quantities,
    open_sell_quantity,
)
from reefpoint.records.execution.services import orders as execution
from reefpoint.records.execution.types import FillFacts, OrderPurpose, OrderState, Side
from reefpoint.records.ledger.services import place_hold, post_journal, release_hold
from reefpoint.records.ledger.types import BROKER_CLEARING, Line, client_cash
from reefpoint.records.parties.selectors.clients import require_client, require_open_for_business

PURCHASE_BUFFER_BP = 500
"""Cash held for a purchase above its value at the last price, for the price to move until it is filled."""


class NotEnoughShares(Refusal):
    """A sale of more than the account holds and has not yet given out to sell."""

    code = "not_enough_shares"


@transaction.atomic
def place_client_order(
    *,
    actor: Actor,
    account_id: int,
    instrument_id: int,
    side: Side,
    quantity: int,
    key: str,
    session_on: date,
    at: datetime,
    operator: Operator | None = None,
) -> int:
    """Take a client's order after the pre-trade check. Returns the order's id; the same key is one order.

    `operator` says who gave it and on which device; without one the desk's own staff took it. Registered staff carry no
    device: whoever acts for many clients by office is not one hidden operator (typology 21).

    A purchase holds its cash and must leave the account over its initial line; a sale needs the shares.
    """
    require(actor, "servicing.trade")
    account = accounts.lock_account(account_id)
    require_client(actor, account.client_id)
    reserved_minor = 0
    if find_order(key) is None:
        require_open_for_business(account.client_id)
        reserved_minor = _check_order(account, instrument_id, side, quantity, session_on, at)
    order_id = execution.place_order(
        actor=actor,
        account_id=account_id,
        instrument_id=instrument_id,
        side=side,
        quantity=quantity,
        purpose=OrderPurpose.CLIENT,
        source=f"account:{account_id}",
        key=key,
        session_on=session_on,
        at=at,
    )
    if reserved_minor:
        place_hold(
            actor=actor,
            code=client_cash(account.number),
            amount_minor=reserved_minor,
            key=f"order:{order_id}",
            at=at,
            reason="purchase",
        )
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.ORDER,
                key=f"order:{order_id}",
                client_id=account.client_id,
                account_id=account_id,
                at=at,
                instrument_id=instrument_id,
                quantity=quantity,
                is_verified=int(operator is None or operator.may_instruct),
                device=device_code(operator.device) if operator else 0,
            )
        ]
    )
    return order_id


def _check_order(account: AccountFacts, instrument_id: int, side: Side, quantity: int, on: date, at: datetime) -> int:
    """Refuse an order that the account cannot carry; returns the cash to hold for it, minor units."""
    if quantity <= 0:
        raise execution.OrderRefused("An order needs a quantity of at least 1, not {quantity}.", quantity=quantity)
    if side is Side.BUY:
        return _check_purchase(account, instrument_id, quantity, on, at)
    _check_sale(account, instrument_id, quantity)
    return 0


def _check_purchase(account: AccountFacts, instrument_id: int, quantity: int, on: date, at: datetime) -> int:
    """Refuse a purchase that the account cannot carry; returns the cash to hold for it, minor units."""
    sheet = load_sheet([account.scheme_version_id], at=at)
    terms = sheet.terms[account.scheme_version_id]
    price = current_price(sheet.prices, instrument_id)
    units = sheet.home_price_units(price, account.currency)
    value = owed_minor(quantity * units, account.currency)
    cost = value + rules.share_minor(value, PURCHASE_BUFFER_BP)
    if not terms.accepts(price.symbol):
        raise rules.CreditRefused("{symbol} is not accepted collateral under this scheme.", symbol=price.symbol)
    if cost > account.cash_minor:
        raise rules.CreditRefused(
            "The account does not have the cash for this purchase and the reserve it needs.",
            cash_minor=account.cash_minor,
            needed_minor=cost,
        )
    bought = {holding.instrument_id: holding.quantity for holding in account.holdings}
    bought[instrument_id] = bought.get(instrument_id, 0) + quantity
    after = replace(
        account,
        cash_minor=account.cash_minor - cost,
        holdings=tuple(Holding(held, bought[held]) for held in sorted(bought)),
    )
    (after_standing,) = measure_on(sheet, [after])
    require_purchase(
        account_id=account.id,
        instrument_id=instrument_id,
        quantity=quantity,
        values_minor={
            held: held_minor(shares * sheet.prices[held].price_units, account.currency)
            for held, shares in bought.items()
            if held in sheet.prices
        },
        assets_minor=after_standing.assets_minor,
        scheme_version_id=account.scheme_version_id,
        at=at,
    )
    ordered = open_buy_quantities([account.id]).get((account.id, instrument_id), 0)
    rules.check_concentration(
        value_minor=held_minor((bought[instrument_id] + ordered) * units, account.currency),
        assets_minor=after_standing.assets_minor,
        cap_bp=terms.concentration_cap_bp,
        symbol=price.symbol,
    )
    if account.debt_minor:
        rules.check_credit(
            status=account.status,
            is_enforced=is_enforced(account.id),
            after=after_standing,
            required_bp=terms.initial_bp,
            coverage_bp=get_price_coverage_bp(sheet),
            what=Sentence("this purchase"),
            currency=account.currency,
        )
        check_new_credit(sheet, after, at=at)
    check_conditions(sheet, after, after_standing, act=Act.PURCHASE, on=on)
    return cost


def _check_sale(account: AccountFacts, instrument_id: int, quantity: int) -> None:
    held = {holding.instrument_id: holding.quantity for holding in account.holdings}
    free = held.get(instrument_id, 0) - open_sell_quantity(account.id, instrument_id)
    if quantity > free:
        raise NotEnoughShares("The account does not have that many shares free to sell.", free=free)


@transaction.atomic
def release_client_order(*, actor: Actor, order_id: int, at: datetime) -> None:
    """Let a client's order go to the broker, after looking at the account again under its lock."""
    order = get_order(order_id)
    account = accounts.lock_account(order.account_id)
    if order.state is not OrderState.NEW:
        return
    refusal = _reason_to_stop(order.side, account)
    if refusal:
        execution.cancel_order(actor=actor, order_id=order_id, reason=refusal, at=at)
    else:
        execution.mark_sent(order_id=order_id, at=at)


def _reason_to_stop(side: Side, account: AccountFacts) -> str:
    if side is Side.BUY and account.status is not AccountStatus.ACTIVE:
        return f"the account is {account.status.value}"
    if side is Side.BUY and is_enforced(account.id):
        return "collateral of the account is being sold"
    return ""


@transaction.atomic
def book_fill(*, actor: Actor, fill_id: int, at: datetime) -> FillFacts:
    """Move what one fill bought or sold: shares and money, under the account's lock, once."""
    fill = get_fill(fill_id)
    account = accounts.lock_account(fill.account_id)
    if fill.is_booked:
        return fill
    cash = client_cash(account.number)
    if fill.side is Side.BUY:
        release_hold(actor=actor, key=f"order:{fill.order_id}", at=at)
        lines = [Line(cash, BROKER_CLEARING, fill.gross_minor)]
    else:
        lines = [Line(BROKER_CLEARING, cash, fill.gross_minor)]
    if fill.fee_minor:
        lines.append(Line(cash, BROKER_CLEARING, fill.fee_minor))
    accounts.move_security(
        account_id=account.id,
        instrument_id=fill.instrument_id,
        quantity=fill.quantity if fill.side is Side.BUY else -fill.quantity,
        kind=MovementKind.PURCHASE if fill.side is Side.BUY else MovementKind.SALE,
        key=f"fill:{fill.broker_fill_id}",
        source=f"order:{fill.order_id}",
        on=fill.traded_on,
        at=at,
    )
    post_journal(
        actor=actor,
        kind=f"trade {fill.side.value}",
        lines=lines,
        effective_on=fill.traded_on,
        at=at,
        key=f"fill:{fill.broker_fill_id}",
        source=fill.broker_fill_id,
    )
    execution.mark_fill_booked(fill_id=fill_id, at=at)
    record(
        actor=actor,
        action="servicing.book_fill",
        subject=f"account:{account.id}",
        inputs={
            "fill": fill.broker_fill_id,
            "side": fill.side,
            "quantity": fill.quantity,
            "price_units": fill.price_units,
            "gross_minor": fill.gross_minor,
            "fee_minor": fill.fee_minor,
        },
        at=at,
    )
    accounts.announce_change(account_id=account.id, cause=f"fill {fill.side.value}", at=at)
    if fill.purpose is OrderPurpose.CLIENT:
        note_activities([_trade(fill, account)])
    return fill


def _trade(fill: FillFacts, account: AccountFacts) -> ActivityDraft:
    held = {holding.instrument_id: holding.quantity for holding in account.holdings}
    return ActivityDraft(
        kind=ActivityKind.BUY if fill.side is Side.BUY else ActivityKind.SELL,
        key=f"fill:{fill.broker_fill_id}",
        client_id=account.client_id,
        account_id=account.id,
        at=fill.at,
        amount_minor=fill.gross_minor,
        instrument_id=fill.instrument_id,
        quantity=fill.quantity,
        price_units=fill.price_units,
        position_before=held.get(fill.instrument_id, 0),
    )


@transaction.atomic
def end_client_order(*, actor: Actor, order_id: int, at: datetime) -> None:
    """Give back what was held for an order that is over."""
    order = get_order(order_id)
    if order.side is Side.BUY and order.purpose is OrderPurpose.CLIENT:
        accounts.hold_lock(order.account_id)
        release_hold(actor=actor, key=f"order:{order_id}", at=at)
