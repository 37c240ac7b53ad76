"""Whatever is traded on a day, in whatever order and however often it is repeated: broker and desk agree at its end."""

import random
from datetime import timedelta

import pytest
from tests.records.rails import AT, DAY, DESK, RailsDesk, place

from reefpoint.records.execution.models import Fill, Order
from reefpoint.records.execution.selectors import verify_execution
from reefpoint.records.execution.services import (
    cancel_order,
    end_session_orders,
    mark_fill_booked,
    mark_sent,
    reconcile_broker,
    settle_broker,
    submit_order,
)
from reefpoint.records.execution.types import Side
from reefpoint.records.ledger.selectors import balance_minor
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import BANK_SETTLEMENT, BROKER_CLEARING, SUSPENSE, Line
from reefpoint.records.treasury.services import reconcile_bank, settlement_bank


@pytest.mark.parametrize("seed", range(6))
def test_i04_a_day_of_any_orders_reconciles_and_settles(desk: RailsDesk, seed: int) -> None:
    chance = random.Random(seed)
    orders = [
        place(
            desk,
            chance.randint(1, 900),
            key=f"order-{number}",
            side=chance.choice(list(Side)),
            account_id=chance.choice([desk.calm, desk.hurt]),
            instrument_id=chance.choice([desk.aapl, desk.jpm, desk.xom]),
        )
        for number in range(25)
    ]
    for order_id in chance.sample(orders, 20):
        mark_sent(order_id=order_id, at=AT)
        for _ in range(chance.randint(0, 2)):
            submit_order(order_id=order_id, at=AT)
        if chance.random() < 0.2:
            cancel_order(actor=DESK, order_id=order_id, reason="changed their mind", at=AT)
    end_session_orders(on=DAY, at=AT)
    assert not Order.objects.filter(ended_at=None).exists()
    result = reconcile_broker(actor=DESK, on=DAY, books=book_all(), at=AT)
    assert (result.broken, result.open_breaks) == (0, 0)
    assert verify_execution() == []
    settles_on = DAY + timedelta(days=4)
    net = settle_broker(actor=DESK, on=settles_on, at=AT + timedelta(days=4), bank=settlement_bank())
    assert net == balance_minor(BANK_SETTLEMENT) == sum(Fill.objects.values_list("net_minor", flat=True))
    assert balance_minor(BROKER_CLEARING) == 0
    assert reconcile_bank(actor=DESK, on=settles_on, at=AT + timedelta(days=4)).open_breaks == 0


def book_all() -> dict[str, int]:
    """Book every fill against suspense; returns what the accounts then hold, had they held what the broker did."""
    held = {"AAPL": 10_000, "JPM": 10_000, "XOM": 10_000}
    for fill in Fill.objects.select_related("order__instrument").order_by("id"):
        debit, credit = (BROKER_CLEARING, SUSPENSE) if fill.net_minor > 0 else (SUSPENSE, BROKER_CLEARING)
        if fill.net_minor:
            post_journal(
                actor=DESK,
                kind="trade",
                lines=[Line(debit, credit, abs(fill.net_minor))],
                effective_on=DAY,
                at=AT,
                key=f"fill:{fill.id}",
            )
        held[fill.order.instrument.symbol] += fill.quantity if fill.order.side == Side.BUY else -fill.quantity
        mark_fill_booked(fill_id=fill.id, at=AT)
    return held
