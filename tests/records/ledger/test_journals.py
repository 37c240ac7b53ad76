"""Posting journals: what goes in, what the balances say, what is refused."""

import time
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests.records.ledger.books import AT, DAY, DESK, deposit, post

from reefpoint.platform.audit.selectors import list_entries as list_audit_entries
from reefpoint.records.ledger.models import Journal
from reefpoint.records.ledger.selectors import (
    balance_as_of,
    balance_minor,
    balances,
    list_entries,
    list_trial_balance,
    verify_ledger,
)
from reefpoint.records.ledger.services import (
    AlreadyReversed,
    IdempotencyConflict,
    InsufficientBalance,
    UnknownLedgerAccount,
    open_ledger_account,
    open_ledger_accounts,
    post_journals,
    reverse_journal,
)
from reefpoint.records.ledger.types import AccountKind, JournalDraft, Line, client_accounts

pytestmark = pytest.mark.usefixtures("chart")


def sql(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_deposit_moves_both_balances() -> None:
    deposit("d1", 150_000)
    assert balances(["bank:settlement", "client_cash:M-1"]) == {"bank:settlement": 150_000, "client_cash:M-1": 150_000}
    assert verify_ledger() == []


def test_entries_read_from_each_side() -> None:
    deposit("d1", 500)
    post("w1", Line("client_cash:M-1", "bank:settlement", 200), kind="withdrawal")
    assert [(entry.kind, entry.change_minor, entry.other_code) for entry in list_entries("client_cash:M-1")] == [
        ("withdrawal", -200, "bank:settlement"),
        ("deposit", 500, "bank:settlement"),
    ]
    assert [entry.change_minor for entry in list_entries("bank:settlement", since_on=DAY, limit=None)] == [-200, 500]
    assert list_entries("bank:settlement", until_on=DAY - timedelta(days=1)) == []


def test_the_trial_balance_balances() -> None:
    deposit("d1", 500)
    post("w1", Line("client_cash:M-1", "bank:settlement", 200))
    rows = list_trial_balance()
    assert {row.code: row.balance_minor for row in rows} == {"bank:settlement": 300, "client_cash:M-1": 300}
    assert sum(row.debit_minor - row.credit_minor for row in rows) == 0


def test_i41_same_key_twice_is_one_effect() -> None:
    first = deposit("d1", 100)
    assert deposit("d1", 100) == first
    assert balance_minor("client_cash:M-1") == 100
    assert Journal.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"amount_minor": 101},
        {"amount_minor": 100, "account": "M-2"},
        {"amount_minor": 100, "on": DAY + timedelta(days=1)},
    ],
)
def test_i41_same_key_with_other_content_is_refused_and_leaves_nothing(other: dict[str, object]) -> None:
    deposit("d1", 100)
    with pytest.raises(IdempotencyConflict):
        deposit("d1", **other)  # type: ignore[arg-type] # the cases name the parameters
    assert balances(["client_cash:M-1", "client_cash:M-2"]) == {"client_cash:M-1": 100, "client_cash:M-2": 0}


def test_i41_a_batch_mixes_new_and_known_keys_and_keeps_the_order() -> None:
    known = deposit("b", 100)
    drafts = [
        JournalDraft(kind="deposit", key=key, lines=(Line("bank:settlement", "client_cash:M-1", 100),))
        for key in "cbac"
    ]
    ids = post_journals(actor=DESK, drafts=drafts, effective_on=DAY, at=AT)
    assert ids[1] == known
    assert ids[0] == ids[3]
    assert Journal.objects.get(id=ids[2]).key == "a"
    assert balance_minor("client_cash:M-1") == 300


def test_i41_a_batch_with_one_conflict_posts_nothing() -> None:
    deposit("b", 100)
    drafts = [
        JournalDraft(kind="deposit", key=key, lines=(Line("bank:settlement", "client_cash:M-1", amount),))
        for key, amount in (("a", 5), ("b", 7))
    ]
    with pytest.raises(IdempotencyConflict):
        post_journals(actor=DESK, drafts=drafts, effective_on=DAY, at=AT)
    assert balance_minor("client_cash:M-1") == 100


def test_i42_a_withdrawal_below_the_floor_is_refused_and_leaves_nothing() -> None:
    deposit("d1", 100)
    with pytest.raises(InsufficientBalance):
        post("w1", Line("client_cash:M-1", "bank:settlement", 101))
    assert balance_minor("client_cash:M-1") == 100
    post("w1", Line("client_cash:M-1", "bank:settlement", 100))


def test_a_floor_is_judged_over_the_whole_journal() -> None:
    post(
        "round",
        Line("client_cash:M-1", "income:fees", 5),
        Line("bank:settlement", "client_cash:M-1", 5),
    )
    assert balance_minor("client_cash:M-1") == 0


def test_an_unknown_code_is_refused_and_leaves_nothing() -> None:
    with pytest.raises(UnknownLedgerAccount):
        post("x", Line("bank:settlement", "client_cash:M-9", 1))
    assert not Journal.objects.exists()


def test_opening_the_same_account_twice_gives_the_same_id() -> None:
    first = open_ledger_account(code="x", kind=AccountKind.ASSET, currency="USD")
    assert open_ledger_account(code="x", kind=AccountKind.ASSET, currency="USD") == first
    with pytest.raises(IdempotencyConflict):
        open_ledger_account(code="x", kind=AccountKind.ASSET, currency="EUR")


def test_i40_two_currencies_cannot_meet_in_a_line() -> None:
    open_ledger_account(code="bank:eur", kind=AccountKind.ASSET, currency="EUR")
    with pytest.raises(IntegrityError):
        post("x", Line("bank:eur", "client_cash:M-1", 1))
    assert balance_minor("client_cash:M-1") == 0


JOURNAL = "INSERT INTO ledger_journal (kind, key, fingerprint, effective_on, posted_at, actor, memo, source) VALUES "
POSTING = (
    "INSERT INTO ledger_posting (journal_id, effective_on, debit_account_id, credit_account_id, currency, amount_minor)"
    " SELECT j.id, {on}, d.id, c.id, {currency}, {amount} FROM ledger_journal j, ledger_account d, ledger_account c"
    " WHERE j.key = 'raw' AND d.code = 'bank:settlement' AND c.code = {credit}"
)


def raw_posting(
    on: str = "j.effective_on", currency: str = "'USD'", amount: str = "1", credit: str = "'client_cash:M-1'"
) -> str:
    return POSTING.format(on=on, currency=currency, amount=amount, credit=credit)


def test_i40_raw_sql_moves_balances_too() -> None:
    with transaction.atomic():
        sql(JOURNAL + "('raw', 'raw', '', '2020-03-02', now(), 'me', '', '')")
        sql(raw_posting())
    assert balance_minor("client_cash:M-1") == 1
    assert verify_ledger() == []


@pytest.mark.parametrize(
    "posting",
    [
        raw_posting(amount="0"),
        raw_posting(amount="-5"),
        raw_posting(currency="'EUR'"),
        raw_posting(credit="'bank:settlement'"),
        raw_posting(on="'2020-03-03'"),
    ],
)
def test_i40_raw_sql_cannot_unbalance_a_journal(posting: str) -> None:
    sql(JOURNAL + "('raw', 'raw', '', '2020-03-02', now(), 'me', '', '')")
    with pytest.raises(IntegrityError):
        sql(posting)
    assert balance_minor("client_cash:M-1") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET amount_minor = 1",
        "DELETE FROM ledger_posting",
        "TRUNCATE ledger_posting",
        "UPDATE ledger_journal SET memo = 'x'",
        "DELETE FROM ledger_journal",
        "UPDATE ledger_account SET floor_minor = NULL",
        "DELETE FROM ledger_account",
        "UPDATE ledger_balance SET credit_minor = 1",
        "DELETE FROM ledger_balance",
        "TRUNCATE ledger_balance",
        "INSERT INTO ledger_balance (account_id, sign) VALUES (0, 1)",
    ],
)
def test_i40_what_is_posted_can_be_neither_changed_nor_deleted(statement: str) -> None:
    deposit("d1", 100)
    with pytest.raises(DatabaseError):
        sql(statement)
    assert verify_ledger() == []


@pytest.mark.django_db(transaction=True)
def test_i40_a_posting_cannot_join_a_journal_of_an_earlier_transaction() -> None:
    sql(JOURNAL + "('raw', 'raw', '', '2020-03-02', now(), 'me', '', '')")
    with pytest.raises(IntegrityError, match="enters with its journal"):
        sql(raw_posting())


def test_i46_a_reversal_restores_every_balance() -> None:
    deposit("d1", 1_000)
    before = {row.code: row.balance_minor for row in list_trial_balance()}
    journal = post("fee", Line("client_cash:M-1", "income:fees", 30), Line("fees_due:M-1", "income:fees", 5))
    reverse_journal(actor=DESK, journal_id=journal, reason="charged twice", effective_on=DAY, at=AT, key="undo")
    after = {row.code: row.balance_minor for row in list_trial_balance()}
    assert after == before | {"income:fees": 0, "fees_due:M-1": 0}
    assert [entry.reason for entry in list_audit_entries(subject=f"journal:{journal}")] == ["charged twice"]


def test_i46_reversing_twice_is_refused_and_the_same_key_is_the_same_reversal() -> None:
    journal = deposit("d1", 1_000)
    undo = reverse_journal(actor=DESK, journal_id=journal, reason="wrong", effective_on=DAY, at=AT, key="undo")
    again = reverse_journal(actor=DESK, journal_id=journal, reason="wrong", effective_on=DAY, at=AT, key="undo")
    assert again == undo
    with pytest.raises(AlreadyReversed):
        reverse_journal(actor=DESK, journal_id=journal, reason="wrong", effective_on=DAY, at=AT, key="undo2")
    with pytest.raises(AlreadyReversed):
        reverse_journal(actor=DESK, journal_id=undo, reason="wrong", effective_on=DAY, at=AT, key="undo3")
    assert balance_minor("client_cash:M-1") == 0
    assert len(list_audit_entries(action="ledger.reverse_journal")) == 1


def test_i46_a_reversal_that_would_break_a_floor_is_refused() -> None:
    journal = deposit("d1", 1_000)
    post("w1", Line("client_cash:M-1", "bank:settlement", 1))
    with pytest.raises(InsufficientBalance):
        reverse_journal(actor=DESK, journal_id=journal, reason="bounced", effective_on=DAY, at=AT, key="undo")


def test_balance_as_of_counts_by_effective_date() -> None:
    deposit("d1", 100, on=DAY)
    deposit("d2", 10, on=DAY + timedelta(days=2))
    assert [balance_as_of("client_cash:M-1", DAY + timedelta(days=n)) for n in (-1, 0, 1, 2)] == [0, 100, 100, 110]


def test_five_hundred_accruals_post_at_once() -> None:
    numbers = [f"A-{n}" for n in range(500)]
    open_ledger_accounts([spec for number in numbers for spec in client_accounts(number, "USD")])
    drafts = [
        JournalDraft(
            kind="accrual",
            key=f"accrual:{number}:{DAY}",
            lines=(Line(f"interest_due:{number}", "income:interest", 7),),
        )
        for number in numbers
    ]
    started = time.perf_counter()
    post_journals(actor=DESK, drafts=drafts, effective_on=DAY, at=AT)
    seconds = time.perf_counter() - started
    assert balance_minor("income:interest") == 3_500
    assert seconds < 2  # 0.05 s on an idle core
