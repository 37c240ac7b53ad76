"""Book days: the period lock and the balances kept at each close."""

import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.records.ledger.books import AT, DAY, DESK, deposit, open_chart

from reefpoint.records.ledger.models import BalanceSnapshot
from reefpoint.records.ledger.selectors import balance_as_of, balance_minor, current_book_day, verify_ledger
from reefpoint.records.ledger.services import (
    BookDayRefused,
    BooksClosed,
    close_book_day,
    open_book_day,
    snapshot_balances,
)

NEXT = DAY + timedelta(days=1)
CASH = "client_cash:M-1"


def open_day(on: date = DAY) -> None:
    open_book_day(actor=DESK, on=on, at=AT)


def close_day(on: date = DAY) -> None:
    close_book_day(actor=DESK, on=on, at=AT)


@pytest.mark.usefixtures("chart")
def test_days_open_one_at_a_time_in_order_and_close_once() -> None:
    assert current_book_day() is None
    open_day()
    open_day()
    assert current_book_day() == DAY
    with pytest.raises(BookDayRefused, match="still open"):
        open_day(NEXT)
    close_day()
    close_day()
    assert current_book_day() is None
    with pytest.raises(BookDayRefused, match="later day"):
        open_day()
    with pytest.raises(BookDayRefused, match="never opened"):
        close_day(NEXT)
    open_day(NEXT)
    assert current_book_day() == NEXT


@pytest.mark.usefixtures("chart")
def test_nothing_takes_effect_in_a_closed_day_but_a_retry_still_gets_its_answer() -> None:
    open_day()
    journal = deposit("d1", 100)
    close_day()
    with pytest.raises(BooksClosed):
        deposit("d2", 100)
    with pytest.raises(BooksClosed):
        deposit("d3", 100, on=DAY - timedelta(days=30))
    assert deposit("d1", 100) == journal
    deposit("d2", 100, on=NEXT)
    assert balance_minor(CASH) == 200


@pytest.mark.usefixtures("chart")
def test_a_closed_day_is_not_reopened_by_raw_sql() -> None:
    open_day()
    close_day()
    for statement in ("UPDATE ledger_book_day SET closed_at = NULL", "DELETE FROM ledger_book_day"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.usefixtures("chart")
def test_i42_balances_as_of_a_date_are_the_same_with_and_without_snapshots() -> None:
    days = [DAY + timedelta(days=n) for n in range(5)]
    for n, on in enumerate(days):
        open_day(on)
        deposit(f"d{n}", 10**n, on=on)
        close_day(on)
    expected = [1, 11, 111, 1_111, 11_111]
    assert [balance_as_of(CASH, on) for on in days] == expected
    for on in (days[1], days[2], days[4]):
        snapshot_balances(on)
    assert snapshot_balances(days[4]) == 0
    assert [balance_as_of(CASH, on) for on in days] == expected
    assert BalanceSnapshot.objects.count() == 6
    assert verify_ledger() == []


@pytest.mark.usefixtures("chart")
def test_an_open_day_has_no_snapshot() -> None:
    open_day()
    with pytest.raises(AssertionError):
        snapshot_balances(DAY)


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(60)
def test_closing_waits_for_a_journal_under_way_and_later_ones_are_refused() -> None:
    open_chart()
    open_day()
    closed = threading.Event()

    def close_in_thread() -> None:
        close_day()
        closed.set()
        connection.close()

    closer = threading.Thread(target=close_in_thread)
    with transaction.atomic():
        deposit("under way", 100)
        closer.start()
        assert not closed.wait(0.3)
    closer.join()
    assert closed.is_set()
    with pytest.raises(BooksClosed):
        deposit("late", 100)
    assert balance_as_of(CASH, DAY) == 100
