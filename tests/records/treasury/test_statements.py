"""Statements are whole, in turn and each once, or they are refused by the line that is wrong."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.records.rails import AT, DAY, DESK, NEXT_DAY, RailsDesk

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.sealed_files import FILE_BYTES_MAX, FileRefused, open_sealed_file, seal_file
from reefpoint.records.treasury.adapters.paper_bank import PaymentRefused
from reefpoint.records.treasury.models import Statement, StatementLine
from reefpoint.records.treasury.rules import read_statement
from reefpoint.records.treasury.services import pay_out, receive_statement, settlement_bank

HEADER = ["H", "BANK", "USD", "2020-03-12", "0", "1"]
LINES = [
    ["L", "1", "DEP-1", "1000", "2020-03-12", "PAYMENT"],
    ["L", "2", "DEP-2", "-300", "2020-03-11", "支付, with comma"],
]
CLOSING = ["C", "700"]

Rows = list[list[str]]


def sealed(*rows: list[str]) -> bytes:
    return seal_file(rows)


GOOD = sealed(HEADER, *LINES, CLOSING)


def receive(content: bytes) -> int:
    return receive_statement(actor=DESK, source="sftp", content=content, at=AT + timedelta(days=1))


def test_a_good_statement_reads_to_the_cent() -> None:
    statement = read_statement(GOOD)
    assert (statement.on, statement.opening_minor, statement.closing_minor) == (DAY, 0, 700)
    assert [(line.reference, line.amount_minor) for line in statement.lines] == [("DEP-1", 1000), ("DEP-2", -300)]
    assert statement.lines[1].text == "支付, with comma"


def test_a_statement_is_stored_with_its_bytes_and_the_same_file_twice_is_one(desk: RailsDesk) -> None:
    assert receive(GOOD) == receive(GOOD)
    stored = Statement.objects.get()
    assert bytes(stored.content) == GOOD
    assert stored.lines.count() == 2


@pytest.mark.parametrize(
    ("rows", "line", "word"),
    [
        ((HEADER, LINES[0], CLOSING), 3, "add up to 1000"),
        ((HEADER, LINES[1], CLOSING), 2, "expected sequence 1"),
        ((HEADER, LINES[0], LINES[0], CLOSING), 3, "expected sequence 2"),
        ((HEADER, *LINES), 3, "expected a line of kind C"),
        ((*LINES, CLOSING), 1, "expected a line of kind H"),
        ((HEADER, ["L", "1", "DEP-1", "10.00", "2020-03-12", ""], CLOSING), 2, "not a whole number"),
        ((HEADER, ["L", "1", "DEP-1", "０", "2020-03-12", ""], CLOSING), 2, "not a whole number"),
        ((HEADER, ["L", "1", "DEP-1", "9" * 16, "2020-03-12", ""], CLOSING), 2, "not a whole number"),
        ((HEADER, ["L", "1", "DEP-1", "0", "2020-03-12", ""], CLOSING), 2, "other than zero"),
        ((HEADER, ["L", "1", "", "700", "2020-03-12", ""], CLOSING), 2, "reference needs 1 to 160"),
        ((HEADER, ["L", "1", "X" * 161, "700", "2020-03-12", ""], CLOSING), 2, "reference needs 1 to 160"),
        ((HEADER, ["L", "1", "DEP-1", "700", "2999-03-12", ""], CLOSING), 2, "more than a year"),
        ((["H", "BANK", "DOLLAR", *HEADER[3:]], CLOSING), 1, "currency needs 1 to 3"),
        ((HEADER, ["L", "1", "DEP-1", "700", "12.03.2020", ""], CLOSING), 2, "not a date"),
        ((HEADER, ["L", "1", "DEP-1", "700", "20200312", ""], CLOSING), 2, "not a date"),
        ((HEADER, ["L", "1", "DEP-1", "700", "2020-03-12"], CLOSING), 2, "expected 5 fields"),
        ((HEADER, ["X", "1"], CLOSING), 2, "expected a line of kind L"),
        ((HEADER, ["C", "0"], ["C", "0"]), 2, "expected a line of kind L"),
        ((CLOSING,), 0, "at least a header"),
    ],
)
def test_what_does_not_add_up_is_refused_by_its_line(rows: tuple[list[str], ...], line: int, word: str) -> None:
    with pytest.raises(FileRefused, match=word) as refusal:
        read_statement(sealed(*rows))
    assert refusal.value.line == line


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda content: b"", "empty"),
        (lambda content: content[:-1], "middle of a line"),
        (lambda content: content[: content.index(b"L,2")], "cut off"),
        (lambda content: content[:-40], "middle of a line"),
        (lambda content: content.replace(b"1000", b"1001"), "was changed"),
        (lambda content: content.replace(b"T,4", b"T,5"), "counts 5 lines"),
        (lambda content: content + content, "counts 4 lines"),
        (lambda content: content + b"\n", "cut off"),
        (lambda content: b"\xef\xbb\xbf" + content, "was changed"),
        (lambda content: content.replace(b"\n", b"\r\n"), "was changed"),
        (lambda content: b"x" * (FILE_BYTES_MAX + 1), "at most"),
        (lambda content: b"\n" * 50, "cut off"),
    ],
)
def test_i69_a_truncated_or_tampered_file_is_refused(spoil: Callable[[bytes], bytes], word: str) -> None:
    with pytest.raises(FileRefused, match=word):
        read_statement(spoil(GOOD))


@given(st.binary(max_size=300))
def test_i69_any_bytes_are_read_or_refused(content: bytes) -> None:
    with pytest.raises(FileRefused):
        read_statement(content)


@given(st.data())
def test_one_flipped_byte_anywhere_is_refused(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(GOOD) - 1))
    flipped = bytearray(GOOD)
    flipped[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(FileRefused):
        read_statement(bytes(flipped))


PLAIN = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)


@given(st.lists(st.lists(PLAIN, min_size=1, max_size=4), max_size=6))
def test_what_was_sealed_opens_unchanged(rows: Rows) -> None:
    rows = [["K", *row] for row in rows]
    assert [[record.kind, *record.fields] for record in open_sealed_file(seal_file(rows))] == rows


def test_a_control_character_is_never_sealed() -> None:
    with pytest.raises(ValueError, match="control character"):
        seal_file([["L", "two\nlines"]])


def next_day(*, opening: str = "700", first: str = "3", on: str = "2020-03-13", bank: str = "BANK") -> bytes:
    return sealed(["H", bank, "USD", on, opening, first], ["C", opening])


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (next_day(opening="650"), "opens at 650, the one before closed at 700"),
        (next_day(first="4"), "lines 3 up to 4 are missing"),
        (next_day(first="1"), "are missing"),
        (next_day(on="2020-03-11"), "2020-03-12 was already received"),
        (next_day(on="2020-03-12"), "another statement of 2020-03-12"),
        (next_day(bank="OTHER"), "another account"),
        (next_day(on="2020-03-14"), "yet to come"),
    ],
)
def test_a_gap_a_stale_and_a_second_statement_are_refused_and_leave_nothing(
    desk: RailsDesk, content: bytes, word: str
) -> None:
    receive(GOOD)
    with pytest.raises(FileRefused, match=word) as refusal:
        receive(content)
    assert refusal.value.line == 1
    assert Statement.objects.count() == 1
    receive(next_day())


def test_the_first_statement_has_to_open_the_account(desk: RailsDesk) -> None:
    with pytest.raises(FileRefused, match="hand in the earlier ones first"):
        receive(next_day())


def test_only_treasury_and_operations_hand_in_statements(desk: RailsDesk) -> None:
    with pytest.raises(PermissionRefused):
        receive_statement(actor=Actor(ref="user:9", name="Outsider"), source="x", content=GOOD, at=AT)
    assert not Statement.objects.exists()


def test_a_received_line_can_be_neither_changed_nor_deleted(desk: RailsDesk) -> None:
    receive(GOOD)
    for change in (lambda: StatementLine.objects.update(amount_minor=1), lambda: Statement.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_the_paper_bank_reports_each_entry_once_and_repeats_itself_exactly(desk: RailsDesk) -> None:
    bank = settlement_bank()
    bank.credit(reference="DEP-1", amount_minor=500, on=DAY, text="PAYMENT")
    first = bank.statement(DAY)
    assert first is not None
    bank.credit(reference="LATE", amount_minor=70, on=DAY, text="PAYMENT")
    pay_out(reference="OUT-1", amount_minor=20, on=NEXT_DAY, text="Withdrawal")
    assert bank.statement(DAY) == first
    second = bank.statement(NEXT_DAY)
    assert second is not None
    assert [line.reference for line in read_statement(second).lines] == ["LATE", "OUT-1"]
    assert read_statement(second).closing_minor == 550
    receive(first)
    receive(second)


def test_i41_a_payment_is_booked_once_at_the_bank(desk: RailsDesk) -> None:
    bank = settlement_bank()
    for _ in range(2):
        bank.credit(reference="DEP-1", amount_minor=500, on=DAY, text="PAYMENT")
    content = bank.statement(DAY)
    assert content is not None
    assert read_statement(content).closing_minor == 500
    bank.credit(reference="DEP-2", amount_minor=500, on=DAY, text="李　明\u00a0\n" + "x" * 400)
    for reference in ("", "X" * 161, "two\nlines"):
        with pytest.raises(PaymentRefused):
            bank.credit(reference=reference, amount_minor=500, on=DAY, text="PAYMENT")
    shown = bank.statement(NEXT_DAY)
    assert shown is not None
    assert [line.text[:6] for line in read_statement(shown).lines] == ["李 明  x"]
    for amount in (501, 0, -500):
        with pytest.raises(PaymentRefused):
            bank.credit(reference="DEP-1", amount_minor=amount, on=DAY, text="PAYMENT")
