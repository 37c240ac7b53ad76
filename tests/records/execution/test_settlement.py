"""Two sessions after the trade its cash moves from broker to bank, once, in both worlds."""

from datetime import date, timedelta

import pytest
from tests.records.rails import AT, DAY, DESK, RailsDesk, place

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.execution.models import BrokerSettlement, Fill
from reefpoint.records.execution.services import mark_sent, settle_broker, submit_order
from reefpoint.records.execution.types import Side
from reefpoint.records.ledger.selectors import balance_minor, list_entries
from reefpoint.records.ledger.types import BANK_SETTLEMENT
from reefpoint.records.treasury.models import PaperBankEntry
from reefpoint.records.treasury.services import reconcile_bank, settlement_bank

MONDAY = date(2020, 3, 16)  # DAY is a Thursday


def trade(desk: RailsDesk, quantity: int, side: Side = Side.SELL) -> None:
    order_id = place(desk, quantity, side=side)
    mark_sent(order_id=order_id, at=AT)
    submit_order(order_id=order_id, at=AT)


def settle(on: date) -> int:
    return settle_broker(actor=DESK, on=on, at=AT + (on - DAY), bank=settlement_bank())


def test_a_thursdays_trades_settle_on_monday_at_bank_and_in_books(desk: RailsDesk) -> None:
    trade(desk, 300)
    assert settle(DAY) == settle(DAY + timedelta(days=1)) == 0
    assert settle(MONDAY) == 2_998_050
    assert balance_minor(BANK_SETTLEMENT) == 2_998_050
    (entry,) = list_entries(BANK_SETTLEMENT)
    assert (entry.source, entry.other_code) == ("BROKER-20200312", "broker:clearing")
    at_bank = PaperBankEntry.objects.get()
    assert (at_bank.reference, at_bank.amount_minor) == ("BROKER-20200312", 2_998_050)
    assert reconcile_bank(actor=DESK, on=MONDAY, at=AT + timedelta(days=4)).matched == 1


def test_i25_settling_again_pays_nothing_again(desk: RailsDesk) -> None:
    trade(desk, 300)
    settle(MONDAY)
    assert settle(MONDAY) == settle(MONDAY + timedelta(days=1)) == 0
    assert PaperBankEntry.objects.count() == BrokerSettlement.objects.count() == 1


def test_a_missed_day_is_caught_up(desk: RailsDesk) -> None:
    trade(desk, 300)
    assert settle(MONDAY + timedelta(days=2)) == 2_998_050


def test_net_purchases_are_paid_to_the_broker(desk: RailsDesk) -> None:
    trade(desk, 100, Side.BUY)
    trade(desk, 10)
    net = sum(Fill.objects.values_list("net_minor", flat=True))
    assert settle(MONDAY) == net < 0
    assert balance_minor(BANK_SETTLEMENT) == net == PaperBankEntry.objects.get().amount_minor


def test_only_operations_settle(desk: RailsDesk) -> None:
    trade(desk, 300)
    with pytest.raises(PermissionRefused):
        settle_broker(actor=Actor(ref="user:9", name="Outsider"), on=MONDAY, at=AT, bank=settlement_bank())
    assert not BrokerSettlement.objects.exists()
