"""Bank against books: planted breaks of every class are found, classed, aged and cleared; nothing is matched twice."""

import threading
from collections import Counter
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.records.rails import AT, DAY, DESK, NEXT_DAY, RailsDesk, make_rails_desk

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import SecondPersonNeeded, approve
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BreakClass, BreakSide
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.platform.basics.sealed_files import open_sealed_file, seal_file
from reefpoint.platform.events.services import dispatch_once
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import BANK_SETTLEMENT, SUSPENSE, Line, client_cash
from reefpoint.records.treasury.models import BankBreak, Match, PaperBankEntry, StatementLine
from reefpoint.records.treasury.selectors import (
    get_reconciliation,
    list_break_totals,
    list_breaks,
    verify_treasury,
)
from reefpoint.records.treasury.services import (
    ClearanceRefused,
    clear_approved_break,
    clear_break_by_journal,
    reconcile_bank,
    request_break_clearance,
    settlement_bank,
)
from reefpoint.records.treasury.services import reconciliation as rail
from reefpoint.records.treasury.types import BreakRow, ReconciliationResult

CASH = client_cash("M-000001")
TREASURER = Actor(
    ref="user:5", name="Treasurer", permissions=frozenset({"treasury.write_off", "approvals.request"}), user_id=5
)
SECOND = Actor(ref="user:6", name="Second", permissions=frozenset({"approvals.decide:treasury.write_off"}), user_id=6)


def at_bank(reference: str, amount: int, on: date = DAY) -> None:
    bank = settlement_bank()
    (bank.credit if amount > 0 else bank.debit)(reference=reference, amount_minor=abs(amount), on=on, text="PAYMENT")


def in_books(reference: str, amount: int, on: date = DAY, key: str = "") -> int:
    debit, credit = (BANK_SETTLEMENT, CASH) if amount > 0 else (CASH, BANK_SETTLEMENT)
    return post_journal(
        actor=DESK,
        kind="deposit" if amount > 0 else "withdrawal",
        lines=[Line(debit, credit, abs(amount))],
        effective_on=on,
        at=AT,
        key=key or f"{reference}:{amount}",
        source=reference,
    )


def on_both(reference: str, amount: int, on: date = DAY) -> None:
    at_bank(reference, amount, on)
    in_books(reference, amount, on)


def reconcile(on: date = DAY) -> ReconciliationResult:
    result = reconcile_bank(actor=DESK, on=on, at=AT + (on - DAY))
    assert result.matched + result.broken == result.lines
    assert result.unexplained_minor == 0
    assert verify_treasury() == []
    return result


def the_break(on: date = DAY) -> BreakRow:
    (found,) = list_breaks(on=on)
    return found


def test_a_day_on_which_bank_and_books_agree_matches_every_line(desk: RailsDesk) -> None:
    for number in range(20):
        on_both(f"DEP-{number}", 1_000 + number)
    on_both("OUT-1", -500)
    result = reconcile()
    assert (result.lines, result.matched, result.broken, result.open_breaks) == (21, 21, 0, 0)
    assert result.bank_minor == result.books_minor == sum(1_000 + number for number in range(20)) - 500
    assert get_reconciliation(DAY) == result


def test_a_day_without_movement_is_reconciled_too(desk: RailsDesk) -> None:
    assert reconcile().lines == 0


def test_i43_a_second_run_changes_nothing(desk: RailsDesk) -> None:
    on_both("DEP-1", 1_000)
    at_bank("GHOST", 77)
    first = reconcile()
    matches, breaks = Match.objects.count(), list_breaks(on=DAY)
    assert reconcile() == first
    assert (Match.objects.count(), list_breaks(on=DAY)) == (matches, breaks)


def test_i47_missing_in_books(desk: RailsDesk) -> None:
    at_bank("DEP-1", 1_000)
    result = reconcile()
    assert (result.lines, result.broken) == (1, 1)
    found = the_break()
    assert (found.kind, found.side, found.amount_minor) == (
        BreakClass.MISSING_IN_BOOKS,
        BreakSide.COUNTERPARTY,
        -1_000,
    )


def test_i47_a_late_entry_is_timing_then_missing_at_the_bank(desk: RailsDesk) -> None:
    in_books("DEP-1", 1_000)
    reconcile()
    assert (the_break().kind, the_break().amount_minor) == (BreakClass.TIMING, 1_000)
    reconcile(NEXT_DAY)
    assert the_break(NEXT_DAY).kind is BreakClass.TIMING
    reconcile(date(2020, 3, 16))
    found = the_break(date(2020, 3, 16))
    assert (found.kind, found.opened_on, found.age_days) == (BreakClass.MISSING_AT_COUNTERPARTY, DAY, 2)


def test_what_was_in_transit_is_cleared_when_the_bank_shows_it(desk: RailsDesk) -> None:
    in_books("DEP-1", 1_000)
    reconcile()
    at_bank("DEP-1", 1_000, NEXT_DAY)
    result = reconcile(NEXT_DAY)
    assert (result.lines, result.matched, result.open_breaks) == (1, 1, 0)
    (cleared,) = list_breaks(on=NEXT_DAY, open_only=False)
    assert cleared.cleared_on == NEXT_DAY


def test_i47_a_small_difference_is_claimed_as_an_amount_break(desk: RailsDesk) -> None:
    at_bank("DEP-1", 995)
    in_books("DEP-1", 1_000)
    result = reconcile()
    assert (result.broken, the_break().kind, the_break().amount_minor) == (1, BreakClass.AMOUNT, 5)
    assert Match.objects.count() == 1
    reconcile(NEXT_DAY)
    assert the_break(NEXT_DAY).kind is BreakClass.AMOUNT


def test_i47_a_large_difference_is_one_amount_break_and_no_match(desk: RailsDesk) -> None:
    at_bank("DEP-1", 90_000)
    in_books("DEP-1", 100_000)
    reconcile()
    assert (the_break().kind, the_break().side, the_break().amount_minor) == (
        BreakClass.AMOUNT,
        BreakSide.BOTH,
        10_000,
    )
    assert not Match.objects.exists()


def test_i47_a_payment_shown_again_by_the_bank_is_a_duplicate(desk: RailsDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    on_both("DEP-1", 1_000)
    reconcile()
    forge_line(monkeypatch, "DEP-1", 1_000)
    result = reconcile(NEXT_DAY)
    assert (result.lines, result.broken) == (1, 1)
    assert (the_break(NEXT_DAY).kind, the_break(NEXT_DAY).side) == (BreakClass.DUPLICATE, BreakSide.COUNTERPARTY)


def test_i47_a_payment_booked_twice_is_a_duplicate_in_the_books(desk: RailsDesk) -> None:
    on_both("DEP-1", 1_000)
    in_books("DEP-1", 1_000, key="again")
    result = reconcile()
    assert (result.matched, result.broken, result.open_breaks) == (1, 0, 1)
    assert (the_break().kind, the_break().side, the_break().amount_minor) == (
        BreakClass.DUPLICATE,
        BreakSide.BOOKS,
        1_000,
    )


def test_i47_another_value_date_is_a_break_without_money(desk: RailsDesk) -> None:
    in_books("DEP-1", 1_000)
    reconcile()
    reconcile(NEXT_DAY)
    at_bank("DEP-1", 1_000, date(2020, 3, 16))
    result = reconcile(date(2020, 3, 16))
    assert (result.broken, result.open_breaks) == (1, 1)
    found = the_break(date(2020, 3, 16))
    assert (found.kind, found.side, found.amount_minor) == (BreakClass.VALUE_DATE, BreakSide.BOTH, 0)
    assert Match.objects.count() == 1


def test_i47_a_missing_statement_is_a_break_until_a_later_one_follows_on(
    desk: RailsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_both("DEP-1", 1_000)
    silence_bank(monkeypatch)
    result = reconcile()
    assert (result.lines, result.open_breaks) == (0, 2)
    assert Counter(found.kind for found in list_breaks(on=DAY)) == {BreakClass.STALE_FILE: 1, BreakClass.TIMING: 1}
    monkeypatch.undo()
    assert reconcile(NEXT_DAY).open_breaks == 0
    assert Match.objects.count() == 1


def test_an_unknown_reference_is_paired_by_amount_only_if_nothing_else_fits(desk: RailsDesk) -> None:
    at_bank("FREETEXT-1", 1_234)
    in_books("DEP-1", 1_234)
    at_bank("FREETEXT-2", 5_000)
    in_books("DEP-2", 5_000)
    in_books("DEP-3", 5_000)
    result = reconcile()
    assert (result.matched, result.broken) == (1, 1)
    assert Match.objects.get().method == "amount_and_window"
    kinds = Counter(found.kind for found in list_breaks(on=DAY))
    assert kinds == {BreakClass.MISSING_IN_BOOKS: 1, BreakClass.TIMING: 2}


def test_i47_nothing_is_matched_twice_even_by_the_database(desk: RailsDesk) -> None:
    on_both("DEP-1", 1_000)
    reconcile()
    match = Match.objects.get()
    other = StatementLine.objects.create(
        statement=match.line.statement, sequence=99, reference="X", amount_minor=1, value_on=DAY, text=""
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Match.objects.create(line=other, posting=match.posting, method="reference", on=DAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Match.objects.all().delete()


def test_breaks_age_by_business_days_and_are_counted_gross_and_net(desk: RailsDesk) -> None:
    at_bank("GHOST-1", 700)
    at_bank("GHOST-2", -300)
    reconcile()
    at_bank("GHOST-3", 40, date(2020, 3, 17))
    reconcile(date(2020, 3, 17))
    later = date(2020, 3, 18)  # over a weekend: 4 business days, and 1
    assert [(found.age_days, found.age_bucket) for found in list_breaks(on=later)] == [
        (4, "4-7"),
        (4, "4-7"),
        (1, "0-1"),
    ]
    assert [(t.age_bucket, t.count, t.gross_minor, t.net_minor) for t in list_break_totals(on=later)] == [
        ("0-1", 1, 40, -40),
        ("4-7", 2, 1_000, -400),
    ]
    assert list_breaks(on=DAY + timedelta(days=60))[0].age_bucket == ">30"


def test_a_break_about_money_is_cleared_by_a_journal_of_that_amount_alone(desk: RailsDesk) -> None:
    at_bank("DEP-1", 995)
    in_books("DEP-1", 1_000)
    reconcile()
    break_id = the_break().break_id
    wrong = correct(6, "wrong")
    with pytest.raises(ClearanceRefused):
        clear_break_by_journal(actor=TREASURER, break_id=break_id, journal_id=wrong, reason="charge", at=AT)
    with pytest.raises(ClearanceRefused):
        request_break_clearance(actor=TREASURER, break_id=break_id, reason="please", at=AT)
    right = correct(5, "right")
    clear_break_by_journal(actor=TREASURER, break_id=break_id, journal_id=right, reason="bank charge", at=AT)
    with pytest.raises(InvalidTransition):
        clear_break_by_journal(actor=TREASURER, break_id=break_id, journal_id=right, reason="again", at=AT)
    result = reconcile_bank(actor=DESK, on=NEXT_DAY, at=AT + timedelta(days=1))
    assert result.unexplained_minor == 0
    assert [found.amount_minor for found in list_breaks(on=NEXT_DAY)] == [-6]  # the wrong journal is now a break itself


def correct(amount: int, key: str) -> int:
    return post_journal(
        actor=DESK,
        kind="correction",
        lines=[Line(SUSPENSE, BANK_SETTLEMENT, amount)],
        effective_on=DAY,
        at=AT,
        key=key,
    )


def test_a_journal_clears_one_break_only(desk: RailsDesk) -> None:
    for reference in ("DEP-1", "DEP-2"):
        at_bank(reference, 995)
        in_books(reference, 1_000)
    reconcile()
    first, second = list_breaks(on=DAY)
    journal = correct(5, "charge")
    clear_break_by_journal(actor=TREASURER, break_id=first.break_id, journal_id=journal, reason="charge", at=AT)
    with pytest.raises(ClearanceRefused):
        clear_break_by_journal(actor=TREASURER, break_id=second.break_id, journal_id=journal, reason="charge", at=AT)


def test_posting_what_was_missing_clears_the_break_by_agreement(desk: RailsDesk) -> None:
    at_bank("DEP-1", 1_000)
    reconcile()
    in_books("DEP-1", 1_000, NEXT_DAY)
    assert reconcile(NEXT_DAY).open_breaks == 0


def test_i63_a_break_without_money_takes_a_second_person(desk: RailsDesk) -> None:
    test_i47_another_value_date_is_a_break_without_money(desk)
    break_id = the_break(date(2020, 3, 16)).break_id
    approval_id = request_break_clearance(actor=TREASURER, break_id=break_id, reason="no interest lost", at=AT)
    payload_hash = Approval.objects.get(id=approval_id).payload_hash
    both = Actor(ref="user:5", name="Treasurer", permissions=SECOND.permissions, user_id=5)
    with pytest.raises(SecondPersonNeeded):
        approve(actor=both, approval_id=approval_id, payload_hash=payload_hash, at=AT)
    approve(actor=SECOND, approval_id=approval_id, payload_hash=payload_hash, at=AT)
    for _ in range(2):
        clear_approved_break(approval_id=approval_id, at=AT)
    item = BankBreak.objects.get(id=break_id)
    assert (item.state, item.cleared_by, item.approval_id) == ("cleared", "user:6", approval_id)
    reconcile(date(2020, 3, 17))
    assert list_breaks(on=date(2020, 3, 17)) == []


def test_verify_names_an_entry_that_no_comparison_accounted_for(desk: RailsDesk) -> None:
    on_both("DEP-1", 1_000)
    reconcile()
    in_books("DEP-2", 50)  # slipped in behind the comparison: the books of the day were not closed
    (finding,) = verify_treasury()
    assert finding.check == "treasury.reconciliation"
    reconcile_bank(actor=DESK, on=DAY, at=AT)
    assert verify_treasury() == []


def test_a_large_day_takes_no_more_queries_than_a_small_one(desk: RailsDesk) -> None:
    def count(on: date, lines: int) -> int:
        for number in range(lines):
            on_both(f"DEP-{on}-{number}", 1_000 + number, on)
        at_bank(f"GHOST-{on}", 7, on)
        in_books(f"LATE-{on}", 8, on)
        with CaptureQueriesContext(connection) as queries:
            reconcile_bank(actor=DESK, on=on, at=AT + (on - DAY))
        return len(queries)

    reconcile()
    small = count(NEXT_DAY, 2)
    assert count(date(2020, 3, 16), 60) <= small + 2  # the day before left two breaks to look at again
    assert small < 50


@pytest.mark.django_db(transaction=True)
def test_i43_two_comparisons_of_a_day_at_once_are_one() -> None:
    make_rails_desk()
    on_both("DEP-1", 1_000)
    at_bank("GHOST", 7)
    raised: list[Exception] = []

    def run() -> None:
        try:
            reconcile_bank(actor=DESK, on=DAY, at=AT)
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    assert (Match.objects.count(), BankBreak.objects.count()) == (1, 1)
    assert verify_treasury() == []


def test_the_wiring_ends_a_break_once_it_is_approved(desk: RailsDesk) -> None:
    in_books("DEP-1", 1_000)
    reconcile()
    reconcile(NEXT_DAY)
    monday = date(2020, 3, 16)
    at_bank("DEP-1", 1_000, monday)
    reconcile(monday)
    approval_id = request_break_clearance(
        actor=TREASURER, break_id=the_break(monday).break_id, reason="no interest lost", at=AT
    )
    payload_hash = Approval.objects.get(id=approval_id).payload_hash
    approve(actor=SECOND, approval_id=approval_id, payload_hash=payload_hash, at=AT)
    dispatch_once("worker")
    assert list_breaks(on=monday) == []


def forge_line(monkeypatch: pytest.MonkeyPatch, reference: str, amount: int) -> None:
    """Let the bank's next statement show a line that its own books would not hold twice."""
    PaperBankEntry.objects.create(
        reference="forged", amount_minor=amount, booked_on=NEXT_DAY, value_on=NEXT_DAY, text=""
    )
    honest = settlement_bank()

    class Forger:
        def statement(self, on: date) -> bytes:
            rows = [[record.kind, *record.fields] for record in open_sealed_file(honest.statement(on) or b"")]
            return seal_file([[reference if field == "forged" else field for field in row] for row in rows])

    monkeypatch.setattr(rail, "settlement_bank", Forger)


def silence_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def statement(self, on: date) -> None:
            return None

    monkeypatch.setattr(rail, "settlement_bank", Silent)
