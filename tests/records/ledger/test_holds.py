"""Holds: money set aside, and ended once."""

from datetime import timedelta

import pytest
from tests.records.ledger.books import AT, DAY, DESK, deposit, post

from reefpoint.records.ledger.models import Journal
from reefpoint.records.ledger.selectors import available_minor, balance_minor, verify_ledger
from reefpoint.records.ledger.services import (
    CaptureTooLarge,
    HoldEnded,
    IdempotencyConflict,
    InsufficientBalance,
    UnknownLedgerAccount,
    capture_hold,
    place_hold,
    release_hold,
)
from reefpoint.records.ledger.types import Line

CASH = "client_cash:M-1"

pytestmark = pytest.mark.usefixtures("chart")


def hold(key: str, amount_minor: int, code: str = CASH) -> int:
    return place_hold(actor=DESK, code=code, amount_minor=amount_minor, key=key, at=AT, reason="withdrawal")


def capture(key: str, amount_minor: int) -> int:
    lines = [Line(CASH, "bank:settlement", amount_minor)]
    return capture_hold(actor=DESK, key=key, kind="withdrawal", lines=lines, effective_on=DAY, at=AT)


def test_i42_a_hold_lowers_what_is_available_and_not_the_balance() -> None:
    deposit("d1", 100)
    hold("h1", 60)
    assert (balance_minor(CASH), available_minor(CASH)) == (100, 40)
    with pytest.raises(InsufficientBalance):
        post("w1", Line(CASH, "bank:settlement", 41))
    with pytest.raises(InsufficientBalance):
        hold("h2", 41)
    assert (balance_minor(CASH), available_minor(CASH)) == (100, 40)
    assert verify_ledger() == []


def test_i41_the_same_hold_twice_is_one_hold() -> None:
    deposit("d1", 100)
    assert hold("h1", 60) == hold("h1", 60)
    assert available_minor(CASH) == 40
    with pytest.raises(IdempotencyConflict):
        hold("h1", 61)
    with pytest.raises(UnknownLedgerAccount):
        hold("h9", 1, code="client_cash:M-9")


def test_a_released_hold_gives_its_money_back_once() -> None:
    deposit("d1", 100)
    hold("h1", 60)
    release_hold(actor=DESK, key="h1", at=AT)
    release_hold(actor=DESK, key="h1", at=AT + timedelta(days=1))
    assert available_minor(CASH) == 100
    with pytest.raises(HoldEnded):
        capture("h1", 60)
    assert balance_minor(CASH) == 100
    assert verify_ledger() == []


def test_a_captured_hold_moves_its_money_once_and_frees_the_rest() -> None:
    deposit("d1", 100)
    hold("h1", 100)
    journal = capture("h1", 70)
    assert capture("h1", 70) == journal
    assert (balance_minor(CASH), available_minor(CASH)) == (30, 30)
    with pytest.raises(HoldEnded):
        release_hold(actor=DESK, key="h1", at=AT)
    assert verify_ledger() == []


def test_more_than_was_set_aside_is_not_captured() -> None:
    deposit("d1", 100)
    hold("h1", 60)
    with pytest.raises(CaptureTooLarge):
        capture("h1", 61)
    assert Journal.objects.count() == 1
    assert available_minor(CASH) == 40
