"""Payments: told once, ended once, never paid twice, whatever the bank does and wherever the program is killed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from tests.records.rails import AT, DAY, DESK, NEXT_DAY, RailsDesk

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import SecondPersonNeeded, approve
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.sealed_files import file_hash
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.ledger.selectors import balance_minor
from reefpoint.records.ledger.services import close_book_day, open_book_day
from reefpoint.records.ledger.services.refusals import BooksClosed
from reefpoint.records.ledger.types import BANK_IN_TRANSIT, BANK_SETTLEMENT
from reefpoint.records.treasury.models import PaperBankEntry, Payment, PaymentAnswer
from reefpoint.records.treasury.selectors import count_payments_to_look_at, get_payment, verify_treasury
from reefpoint.records.treasury.services import (
    ConflictingPayment,
    NotResolvable,
    open_pool,
    reconcile_bank,
    request_payment,
    request_resolution,
    resend_payment,
    set_paper_manner,
    take_answer,
    work_payments,
)
from reefpoint.records.treasury.types import BankAnswer, PaperBehaviour, PaymentOutcome, PaymentState

LATER = AT + timedelta(hours=3)
MUCH_LATER = AT + timedelta(hours=6)
AMOUNT = 250_000_00
TREASURER = Actor("user:5", "Treasurer", frozenset({"treasury.pay", "approvals.request"}), user_id=5)
SECOND = Actor("user:6", "Second", frozenset({"approvals.decide:treasury.resolve_payment"}), user_id=6)


@pytest.fixture
def rail(desk: RailsDesk) -> RailsDesk:
    """A pool whose money is at the bank, and a book day."""
    open_book_day(actor=DESK, on=DAY, at=AT)
    open_pool(actor=DESK, code="MAIN", name="Main", currency="USD", committed_minor=10 * AMOUNT, cost_bp=200, at=AT)
    return desk


def ask(rail: RailsDesk, key: str = "loan-1", amount_minor: int = AMOUNT, at: datetime = AT) -> int:
    return request_payment(
        actor=TREASURER,
        key=key,
        subject="credit_request:1",
        pool_code="MAIN",
        account_id=rail.calm,
        amount_minor=amount_minor,
        text="Loan N-000001",
        on=DAY,
        at=at,
    )


def manner(behaviour: PaperBehaviour) -> None:
    set_paper_manner(actor=TREASURER, behaviour=behaviour, at=AT)


def deliver() -> None:
    while dispatch_once("worker"):
        pass


def moves(payment_id: int) -> list[str]:
    return [step.action for step in get_payment(payment_id).steps]


def paid_out() -> int:
    """What the bank has moved out of the pool's account, over all payments."""
    return -sum(amount for amount in PaperBankEntry.objects.values_list("amount_minor", flat=True) if amount < 0)


def test_a_payment_is_told_answered_and_booked_out_of_one_bank_account_and_into_the_other(rail: RailsDesk) -> None:
    payment_id = ask(rail)
    assert get_payment(payment_id).state is PaymentState.REQUESTED
    deliver()
    assert get_payment(payment_id).state is PaymentState.SENT
    assert work_payments(on=DAY, at=AT) == 1
    payment = get_payment(payment_id)
    assert (payment.state, payment.reference, payment.attempts) == (PaymentState.CONFIRMED, payment.reference, 1)
    assert (payment.from_account, payment.to_account) == ("POOL-MAIN", "CLIENT-MONEY")
    assert moves(payment_id) == ["request", "send", "confirmed"]
    assert paid_out() == AMOUNT
    assert (balance_minor(BANK_IN_TRANSIT), balance_minor(BANK_SETTLEMENT)) == (0, 0)
    result = reconcile_bank(actor=DESK, on=DAY, at=AT)
    assert (result.lines, result.matched, result.open_breaks, result.unexplained_minor) == (2, 2, 0, 0)
    assert verify_treasury() == []


def test_i41_the_same_key_is_one_payment_and_another_amount_under_it_is_refused(rail: RailsDesk) -> None:
    assert ask(rail) == ask(rail)
    with pytest.raises(ConflictingPayment):
        ask(rail, amount_minor=AMOUNT + 1)
    assert Payment.objects.count() == 1


def test_an_answer_twice_is_one_effect(rail: RailsDesk) -> None:
    manner(PaperBehaviour.TWICE)
    payment_id = ask(rail)
    deliver()
    assert work_payments(on=DAY, at=AT) == 1
    assert work_payments(on=DAY, at=LATER) == 0
    assert moves(payment_id) == ["request", "send", "confirmed"]
    assert PaymentAnswer.objects.count() == 1
    assert verify_treasury() == []


def test_a_rejected_payment_moves_no_money(rail: RailsDesk) -> None:
    manner(PaperBehaviour.REJECT)
    payment_id = ask(rail)
    deliver()
    work_payments(on=DAY, at=AT)
    payment = get_payment(payment_id)
    assert (payment.state, payment.reason) == (PaymentState.REJECTED, "The receiving account is closed.")
    assert paid_out() == 0
    result = reconcile_bank(actor=DESK, on=DAY, at=AT)
    assert (result.lines, result.open_breaks) == (0, 0)
    assert verify_treasury() == []


def test_a_late_answer_after_the_time_out_is_booked_and_never_lost(rail: RailsDesk) -> None:
    manner(PaperBehaviour.LATE)
    payment_id = ask(rail)
    deliver()
    work_payments(on=DAY, at=AT)
    assert get_payment(payment_id).state is PaymentState.SENT
    work_payments(on=DAY, at=AT + timedelta(hours=1, minutes=59))
    assert get_payment(payment_id).state is PaymentState.SENT
    work_payments(on=DAY, at=LATER - timedelta(hours=1))
    assert get_payment(payment_id).state is PaymentState.CONFIRMED
    manner(PaperBehaviour.LATE)
    second = ask(rail, "loan-2")
    work_payments(on=DAY, at=AT)
    Payment.objects.filter(id=second).update(answer_by=AT)
    work_payments(on=DAY, at=AT + timedelta(minutes=1))
    assert get_payment(second).state is PaymentState.UNKNOWN
    assert count_payments_to_look_at()["unknown"] == 1
    assert work_payments(on=DAY, at=LATER) == 1
    assert moves(second) == ["request", "send", "no_answer", "confirmed"]
    assert verify_treasury() == []


def test_a_silent_bank_leaves_it_unknown_until_two_people_say_what_became_of_it(rail: RailsDesk) -> None:
    manner(PaperBehaviour.SILENT)
    payment_id = ask(rail)
    deliver()
    work_payments(on=DAY, at=LATER)
    assert get_payment(payment_id).state is PaymentState.UNKNOWN
    resend_payment(actor=TREASURER, payment_id=payment_id, at=LATER)
    assert paid_out() == AMOUNT
    approval_id = request_resolution(
        actor=TREASURER,
        payment_id=payment_id,
        outcome=PaymentOutcome.CONFIRMED,
        evidence="Statement of today",
        at=LATER,
    )
    shown = Approval.objects.get(id=approval_id).payload_hash
    itself = Actor("user:5", "Treasurer", SECOND.permissions, user_id=5)
    with pytest.raises(SecondPersonNeeded):
        approve(actor=itself, approval_id=approval_id, payload_hash=shown, at=LATER)
    approve(actor=SECOND, approval_id=approval_id, payload_hash=shown, at=LATER)
    deliver()
    payment = get_payment(payment_id)
    assert (payment.state, payment.reason, payment.approval_id) == (
        PaymentState.CONFIRMED,
        "Statement of today",
        approval_id,
    )
    assert reconcile_bank(actor=DESK, on=DAY, at=LATER).open_breaks == 0
    with pytest.raises(NotResolvable):
        resend_payment(actor=TREASURER, payment_id=payment_id, at=LATER)
    assert verify_treasury() == []


def test_what_the_bank_says_against_two_people_is_kept_and_shown_and_moves_nothing(rail: RailsDesk) -> None:
    manner(PaperBehaviour.SILENT)
    payment_id = ask(rail)
    deliver()
    work_payments(on=DAY, at=LATER)
    approval_id = request_resolution(
        actor=TREASURER, payment_id=payment_id, outcome=PaymentOutcome.REJECTED, evidence="By phone", at=LATER
    )
    shown = Approval.objects.get(id=approval_id).payload_hash
    approve(actor=SECOND, approval_id=approval_id, payload_hash=shown, at=LATER)
    deliver()
    assert get_payment(payment_id).state is PaymentState.REJECTED
    answer = BankAnswer(get_payment(payment_id).reference, PaymentOutcome.CONFIRMED, AMOUNT, "PB1")
    assert take_answer(answer=answer, source="bank", on=DAY, at=MUCH_LATER)
    payment = get_payment(payment_id)
    assert (payment.state, payment.is_contradicted) == (PaymentState.REJECTED, True)
    assert count_payments_to_look_at()["contradicted"] == 1
    assert verify_treasury() == []


def test_an_answer_about_another_amount_ends_nothing(rail: RailsDesk) -> None:
    payment_id = ask(rail)
    deliver()
    answer = BankAnswer(get_payment(payment_id).reference, PaymentOutcome.CONFIRMED, AMOUNT - 1, "PB1")
    take_answer(answer=answer, source="bank", on=DAY, at=AT)
    payment = get_payment(payment_id)
    assert (payment.state, payment.is_contradicted) == (PaymentState.SENT, True)


def test_an_instruction_cannot_be_changed_or_deleted(rail: RailsDesk) -> None:
    payment = Payment.objects.get(id=ask(rail))
    for change in (
        lambda: Payment.objects.filter(id=payment.pk).update(amount_minor=1),
        lambda: Payment.objects.filter(id=payment.pk).update(to_account="MINE"),
        lambda: payment.steps.update(action="send"),
        payment.steps.all().delete,
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


# Killed anywhere


class Killed(BaseException):
    """The process is gone; what was not committed is gone with it."""


@contextmanager
def killed_at(statement: int) -> Iterator[list[int]]:
    """End the process before its n-th writing statement; yields how many there were."""
    seen = [0]

    def look(execute: Callable[..., object], sql: object, params: object, many: bool, context: object) -> object:
        words = sql if isinstance(sql, str) else sql.as_string(connection.connection)  # type: ignore[attr-defined] # psycopg's own
        if words.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE", "WITH")):
            seen[0] += 1
            if seen[0] == statement:
                raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield seen


@pytest.mark.parametrize("behaviour", [PaperBehaviour.CONFIRM, PaperBehaviour.REJECT])
def test_i25_killed_at_any_persist_point_nothing_is_lost_and_nothing_paid_twice(
    rail: RailsDesk, behaviour: PaperBehaviour
) -> None:
    manner(behaviour)
    ended = {PaperBehaviour.CONFIRM: "confirmed", PaperBehaviour.REJECT: "rejected"}[behaviour]
    point, payments = 0, 0
    while True:
        point += 1
        key = f"loan-{point}"
        try:
            with killed_at(point) as seen:
                with transaction.atomic():
                    ask(rail, key)
                deliver()
                work_payments(on=DAY, at=AT)
        except Killed:
            pass
        is_through = seen[0] < point
        ask(rail, key)
        deliver()
        work_payments(on=DAY, at=AT)
        payments += 1
        assert get_payment(Payment.objects.get(key=key).pk).state.value == ended
        assert paid_out() == (payments * AMOUNT if ended == "confirmed" else 0)
        if is_through:
            break
    assert point > 10
    assert verify_treasury() == []


# By files


@pytest.fixture
def by_file(rail: RailsDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(settings, "PAYMENT_BANK", f"file:{tmp_path}")
    (tmp_path / "inbox").mkdir()
    return tmp_path


def sealed(text: str) -> bytes:
    body = text.encode()
    return body + f"T,{text.count(chr(10))},{file_hash(body)}\n".encode()


def test_an_instruction_goes_out_as_a_file_and_the_status_file_ends_it(rail: RailsDesk, by_file: Path) -> None:
    payment_id = ask(rail)
    deliver()
    reference = get_payment(payment_id).reference
    instruction = (by_file / "outbox" / f"{reference}.pay").read_bytes()
    line = f"I,{reference},25000000,USD,POOL-MAIN,CLIENT-MONEY,2020-03-12,Loan N-000001\n"
    assert instruction == sealed(line)
    assert work_payments(on=DAY, at=AT) == 0
    answer = sealed(f"S,{reference},confirmed,25000000,BANK-77,\n")
    (by_file / "inbox" / "a.status").write_bytes(answer)
    (by_file / "inbox" / "b.status").write_bytes(answer)
    assert work_payments(on=DAY, at=AT) == 1
    assert get_payment(payment_id).bank_reference == "BANK-77"
    assert sorted(path.name for path in (by_file / "done").iterdir()) == ["a.status", "b.status"]
    assert list((by_file / "inbox").iterdir()) == []
    assert verify_treasury() == []


def test_a_cut_off_or_hostile_status_file_is_refused_whole_and_put_aside_with_the_reason(
    rail: RailsDesk, by_file: Path, tmp_path: Path
) -> None:
    payment_id = ask(rail)
    deliver()
    reference = get_payment(payment_id).reference
    good = f"S,{reference},confirmed,25000000,BANK-77,\n"
    secret = by_file / "secret"
    secret.write_bytes(sealed(good))
    inbox = by_file / "inbox"
    hostile = {
        "cut.status": sealed(good)[:-20],
        "changed.status": sealed(good).replace(b"25000000", b"25000001"),
        "unknown.status": sealed(good + "S,P-999999,confirmed,1,BANK-78,\n"),
        "word.status": sealed(f"S,{reference},paid,25000000,BANK-77,\n"),
        "long.status": sealed(f"S,{reference},confirmed,{'9' * 30},BANK-77,\n"),
        "empty.status": b"",
        "bytes.status": b"\x00\xff\xfe" * 1000,
    }
    for name, content in hostile.items():
        (inbox / name).write_bytes(content)
    (inbox / "link.status").symlink_to(secret)
    os.mkfifo(inbox / "pipe.status")
    (inbox / "..status.part").write_bytes(sealed(good))
    assert work_payments(on=DAY, at=AT) == 0
    assert get_payment(payment_id).state is PaymentState.SENT
    assert not PaymentAnswer.objects.exists()
    refused = {path.name for path in (by_file / "refused").iterdir()}
    assert refused == {
        f"{name}{ending}" for name in (*hostile, "link.status", "pipe.status") for ending in ("", ".reason")
    }
    assert (
        "cut off" in (by_file / "refused" / "cut.status.reason").read_text()
        or "middle of a line" in (by_file / "refused" / "cut.status.reason").read_text()
    )
    assert (by_file / "refused" / "unknown.status.reason").read_text() == "No payment has the reference P-999999.\n"
    assert [path.name for path in inbox.iterdir()] == ["..status.part"]


def test_a_status_file_read_before_the_books_of_a_new_day_are_open_waits(rail: RailsDesk, by_file: Path) -> None:
    payment_id = ask(rail)
    deliver()
    reference = get_payment(payment_id).reference
    (by_file / "inbox" / "a.status").write_bytes(sealed(f"S,{reference},confirmed,25000000,BANK-77,\n"))
    close_book_day(actor=DESK, on=DAY, at=AT)
    with pytest.raises(BooksClosed):
        work_payments(on=DAY, at=AT)
    assert (by_file / "inbox" / "a.status").exists()
    assert get_payment(payment_id).state is PaymentState.SENT
    open_book_day(actor=DESK, on=NEXT_DAY, at=AT)
    assert work_payments(on=NEXT_DAY, at=AT) == 1
    assert get_payment(payment_id).state is PaymentState.CONFIRMED
