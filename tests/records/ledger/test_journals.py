"""Posting journals: what goes in, what the balances say, what is refused."""

from datetime import UTC, date, datetime

import pytest

from reefpoint.platform.basics.actors import system_actor
from reefpoint.records.ledger.selectors import balances
from reefpoint.records.ledger.services import (
    IdempotencyConflict,
    InsufficientBalance,
    open_ledger_account,
    open_ledger_accounts,
    post_journal,
)
from reefpoint.records.ledger.types import AccountKind, Line, client_accounts, desk_accounts

DESK = system_actor("tests")
DAY = date(2020, 3, 2)
AT = datetime(2020, 3, 2, 15, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


@pytest.fixture
def chart() -> None:
    open_ledger_accounts([*desk_accounts("USD"), *client_accounts("M-1", "USD")])


def post(key: str, *lines: Line, kind: str = "deposit", on: date = DAY) -> int:
    return post_journal(actor=DESK, kind=kind, lines=lines, effective_on=on, at=AT, key=key)


def test_a_deposit_moves_both_balances(chart: None) -> None:
    post("d1", Line("bank:settlement", "client_cash:M-1", 150_000))
    assert balances(["bank:settlement", "client_cash:M-1"]) == {
        "bank:settlement": 150_000,
        "client_cash:M-1": 150_000,
    }


def test_i41_same_key_twice_is_one_effect(chart: None) -> None:
    first = post("d1", Line("bank:settlement", "client_cash:M-1", 100))
    assert post("d1", Line("bank:settlement", "client_cash:M-1", 100)) == first
    assert balances(["client_cash:M-1"]) == {"client_cash:M-1": 100}
    with pytest.raises(IdempotencyConflict):
        post("d1", Line("bank:settlement", "client_cash:M-1", 101))


def test_i42_a_withdrawal_below_the_floor_is_refused_and_leaves_nothing(chart: None) -> None:
    post("d1", Line("bank:settlement", "client_cash:M-1", 100))
    with pytest.raises(InsufficientBalance):
        post("w1", Line("client_cash:M-1", "bank:settlement", 101))
    assert balances(["client_cash:M-1"]) == {"client_cash:M-1": 100}
    post("w1", Line("client_cash:M-1", "bank:settlement", 100))


def test_opening_the_same_account_twice_gives_the_same_id() -> None:
    first = open_ledger_account(code="x", kind=AccountKind.ASSET, currency="USD")
    assert open_ledger_account(code="x", kind=AccountKind.ASSET, currency="USD") == first
    with pytest.raises(IdempotencyConflict):
        open_ledger_account(code="x", kind=AccountKind.ASSET, currency="EUR")
