"""I64 for the books: what every sum misses, the chain sees."""

import time

import pytest
from django.db import connection, transaction
from tests.records.ledger.books import AT, DAY, DESK, deposit, open_chart, post

from reefpoint.records.ledger.selectors import balance_minor, verify_ledger
from reefpoint.records.ledger.services import close_book_day, open_book_day, seal_ledger, snapshot_balances
from reefpoint.records.ledger.types import Line

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]


@pytest.fixture(autouse=True)
def sealed_books() -> None:
    open_chart()
    deposit("d1", 1_000, account="M-1")
    deposit("d2", 1_000, account="M-2")
    left, deadline = 2, time.monotonic() + 30
    while (left := left - seal_ledger(at=AT)) > 0:
        assert time.monotonic() < deadline, "the horizon never passed"
        time.sleep(0.05)


def tamper(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            cursor.execute(statement)


def found() -> list[tuple[str, str]]:
    return [(finding.check, finding.message) for finding in verify_ledger()]


def test_untouched_books_have_no_finding() -> None:
    post("w1", Line("client_cash:M-1", "bank:settlement", 1))
    assert verify_ledger() == []


def test_i64_an_edit_with_balances_made_to_fit_is_found_by_the_chain_alone() -> None:
    """100 are moved from one client's deposit to another's: every total and every balance still agrees."""
    cash = "(SELECT id FROM ledger_account WHERE code = 'client_cash:{}')"
    tamper(
        f"UPDATE ledger_posting SET amount_minor = 900 WHERE credit_account_id = {cash.format('M-1')}",
        f"UPDATE ledger_posting SET amount_minor = 1100 WHERE credit_account_id = {cash.format('M-2')}",
        f"UPDATE ledger_balance SET credit_minor = 900 WHERE account_id = {cash.format('M-1')}",
        f"UPDATE ledger_balance SET credit_minor = 1100 WHERE account_id = {cash.format('M-2')}",
    )
    assert balance_minor("client_cash:M-2") == 1_100
    assert found() == [("ledger_journal.chain", "the row was changed after it was sealed")] * 2


def test_i64_a_posting_added_to_a_sealed_journal_is_found() -> None:
    tamper(
        "INSERT INTO ledger_posting (journal_id, effective_on, debit_account_id, credit_account_id, currency,"
        " amount_minor) SELECT journal_id, effective_on, debit_account_id, credit_account_id, currency, 1"
        " FROM ledger_posting ORDER BY id LIMIT 1"
    )
    assert [check for check, _ in found()] == ["ledger.balance", "ledger.balance", "ledger_journal.chain"]


def test_i64_a_removed_journal_is_found() -> None:
    tamper("DELETE FROM ledger_posting", "DELETE FROM ledger_journal WHERE key = 'd1'")
    assert ("ledger_journal.chain", "the row was removed after it was sealed") in found()


def test_a_changed_balance_is_named() -> None:
    tamper("UPDATE ledger_balance SET debit_minor = debit_minor + 1 WHERE credit_minor = 0 AND debit_minor > 0")
    (finding,) = verify_ledger()
    assert (finding.check, finding.subject) == ("ledger.balance", "bank:settlement")
    assert finding.message == "totals are 2001/0, postings add up to 2000/0"


def test_a_forged_hold_is_named() -> None:
    tamper("UPDATE ledger_balance SET held_minor = 5 WHERE credit_minor = 1000")
    assert [check for check, _ in found()] == ["ledger.held", "ledger.held"]


def test_a_changed_snapshot_is_named() -> None:
    open_book_day(actor=DESK, on=DAY, at=AT)
    close_book_day(actor=DESK, on=DAY, at=AT)
    assert snapshot_balances(DAY) == 3
    assert verify_ledger() == []
    tamper("UPDATE ledger_balance_snapshot SET debit_minor = debit_minor + 1 WHERE debit_minor > 0")
    (finding,) = verify_ledger()
    assert (finding.check, finding.subject) == ("ledger.snapshot", "bank:settlement")


def test_a_switched_off_trigger_is_named() -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ledger_posting DISABLE TRIGGER ledger_posting_balance")
        assert found() == [("database.guard", "the trigger ledger_posting_balance is missing or disabled")]
        transaction.set_rollback(True)
