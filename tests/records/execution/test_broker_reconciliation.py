"""The broker's day against the books: trades, shares and cash."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.records.rails import AT, DAY, DESK, NEXT_DAY, RailsDesk, place, set_price

from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.services import PermissionRefused, SecondPersonNeeded, approve
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.breaks import BreakClass, BreakSide
from reefpoint.platform.basics.sealed_files import FileRefused, open_sealed_file, seal_file
from reefpoint.records.execution.adapters import desk_broker
from reefpoint.records.execution.models import BrokerBreak, BrokerFile, Fill, Order, PaperFill, PaperHolding
from reefpoint.records.execution.selectors import (
    get_broker_reconciliation,
    list_breaks,
    verify_execution,
)
from reefpoint.records.execution.services import (
    clear_approved_break,
    mark_fill_booked,
    mark_sent,
    reconcile_broker,
    request_break_clearance,
    submit_order,
)
from reefpoint.records.execution.services import reconciliation as rail
from reefpoint.records.execution.services.orders import _ticket
from reefpoint.records.execution.types import BreakRow, BrokerReconciliation, Side
from reefpoint.records.ledger.services import post_journal
from reefpoint.records.ledger.types import BROKER_CLEARING, Line, client_cash

HELD = {"AAPL": 10_000, "JPM": 10_000, "XOM": 10_000}
CASH = client_cash("M-000002")


def trade(desk: RailsDesk, quantity: int = 300, side: Side = Side.SELL) -> int:
    """A filled order; returns the fill's id."""
    order_id = place(desk, quantity, side=side)
    mark_sent(order_id=order_id, at=AT)
    return submit_order(order_id=order_id, at=AT).fill_ids[0]


def book(fill_id: int) -> None:
    """Book a sale as servicing would."""
    net = Fill.objects.get(id=fill_id).net_minor
    post_journal(
        actor=DESK,
        kind="trade",
        lines=[Line(BROKER_CLEARING, CASH, net)],
        effective_on=DAY,
        at=AT,
        key=f"fill:{fill_id}",
    )
    mark_fill_booked(fill_id=fill_id, at=AT)


def reconcile(books: dict[str, int], on: date = DAY, content: bytes | None = None) -> BrokerReconciliation:
    result = reconcile_broker(actor=DESK, on=on, books=books, at=AT + (on - DAY), content=content)
    assert result.matched + result.broken == result.lines
    return result


def the_break(on: date = DAY) -> BreakRow:
    (found,) = list_breaks(on=on)
    return found


def forged(change: Callable[[list[list[str]]], list[list[str]]], on: date = DAY) -> bytes:
    """The broker's file with some rows changed and sealed again."""
    content = desk_broker().end_of_day_file(on)
    assert content is not None
    return seal_file(change([[record.kind, *record.fields] for record in open_sealed_file(content)]))


def with_field(kind: str, index: int, value: str) -> Callable[[list[list[str]]], list[list[str]]]:
    def change(rows: list[list[str]]) -> list[list[str]]:
        return [[*row[:index], value, *row[index + 1 :]] if row[0] == kind else row for row in rows]

    return change


def test_a_day_on_which_broker_and_books_agree_matches_every_line(desk: RailsDesk) -> None:
    book(trade(desk))
    result = reconcile({**HELD, "AAPL": 9_700})
    assert (result.lines, result.matched, result.broken, result.open_breaks) == (5, 5, 0, 0)
    assert get_broker_reconciliation(DAY) == result
    assert reconcile({**HELD, "AAPL": 9_700}) == result
    assert verify_execution() == []


def test_i47_a_position_that_differs_is_found_and_clears_when_it_agrees(desk: RailsDesk) -> None:
    result = reconcile({**HELD, "JPM": 10_005})
    assert (result.broken, result.open_breaks) == (1, 1)
    found = the_break()
    assert (found.subject, found.kind, found.quantity) == ("position:JPM", BreakClass.POSITION_QUANTITY, 5)
    assert reconcile({**HELD, "JPM": 10_003}).open_breaks == 1
    assert (the_break().break_id, the_break().quantity) == (found.break_id, 3)
    assert the_break(NEXT_DAY + timedelta(days=3)).age_days == 2
    assert reconcile(HELD, NEXT_DAY).open_breaks == 0


def test_i47_a_name_that_only_one_side_holds_is_a_position_break(desk: RailsDesk) -> None:
    result = reconcile({"AAPL": 10_000, "JPM": 10_000, "TSLA": 4})
    assert (result.lines, result.broken, result.open_breaks) == (4, 1, 2)
    assert {(found.subject, found.quantity) for found in list_breaks(on=DAY)} == {
        ("position:TSLA", 4),
        ("position:XOM", -10_000),
    }


def test_what_unbooked_fills_explain_is_timing(desk: RailsDesk) -> None:
    fill_id = trade(desk)
    reconcile(HELD)
    assert [(found.subject, found.kind) for found in list_breaks(on=DAY)] == [
        ("position:AAPL", BreakClass.TIMING),
        ("cash", BreakClass.TIMING),
    ]
    book(fill_id)
    assert reconcile({**HELD, "AAPL": 9_700}).open_breaks == 0


def test_i47_a_trade_that_the_books_do_not_have_is_missing_until_it_is_recorded(desk: RailsDesk) -> None:
    order_id = place(desk, 300)
    mark_sent(order_id=order_id, at=AT)
    desk_broker().submit(_ticket(Order.objects.select_related("instrument").get(id=order_id)), at=AT)
    reconcile(HELD)
    kinds = {found.subject.partition(":")[0]: found.kind for found in list_breaks(on=DAY)}
    assert kinds == {
        "fill": BreakClass.MISSING_IN_BOOKS,
        "position": BreakClass.POSITION_QUANTITY,
        "cash": BreakClass.AMOUNT,
    }
    book(submit_order(order_id=order_id, at=AT).fill_ids[0])
    assert reconcile({**HELD, "AAPL": 9_700}, NEXT_DAY).open_breaks == 0


def test_i47_a_trade_that_the_broker_does_not_show_is_missing_there(desk: RailsDesk) -> None:
    book(trade(desk))
    content = forged(lambda rows: with_field("C", 2, "0")(with_field("C", 4, "0")([r for r in rows if r[0] != "F"])))
    reconcile({**HELD, "AAPL": 9_700}, content=content)
    found = {item.subject.partition(":")[0]: item for item in list_breaks(on=DAY)}
    assert (found["fill"].kind, found["fill"].side) == (BreakClass.MISSING_AT_COUNTERPARTY, BreakSide.BOOKS)
    assert found["cash"].amount_minor == 2_998_050


def test_i47_another_price_is_an_amount_break(desk: RailsDesk) -> None:
    book(trade(desk))
    reconcile({**HELD, "AAPL": 9_700}, content=forged(with_field("F", 7, "999501")))
    assert (the_break().kind, the_break().side) == (BreakClass.AMOUNT, BreakSide.BOTH)


def test_i47_a_trade_shown_twice_is_a_duplicate(desk: RailsDesk) -> None:
    book(trade(desk))

    def twice(rows: list[list[str]]) -> list[list[str]]:
        again = ["F", "2", *rows[1][2:]]
        return with_field("C", 2, "5996100")(with_field("C", 4, "5996100")([*rows[:2], again, *rows[2:]]))

    result = reconcile({**HELD, "AAPL": 9_700}, content=forged(twice))
    found = {item.subject.partition(":")[0]: item.kind for item in list_breaks(on=DAY)}
    assert found == {"fill": BreakClass.DUPLICATE, "cash": BreakClass.AMOUNT}
    assert (result.lines, result.broken) == (6, 3)


def test_i47_a_missing_file_is_a_break_until_the_next_one(desk: RailsDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        def end_of_day_file(self, on: date) -> None:
            return None

    monkeypatch.setattr(rail, "desk_broker", Silent)
    assert reconcile(HELD).lines == 0
    assert (the_break().kind, the_break().subject) == (BreakClass.STALE_FILE, f"file:{DAY}")
    monkeypatch.undo()
    assert reconcile(HELD, NEXT_DAY).open_breaks == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (with_field("H", 2, "2020-03-11"), "is of 2020-03-11"),
        (with_field("F", 1, "2"), "expected trade 1"),
        (with_field("F", 6, "-300"), "positive quantity"),
        (with_field("F", 6, "3e2"), "not a whole number"),
        (with_field("F", 5, "short"), "neither buy nor sell"),
        (with_field("F", 2, "X" * 141), "fill needs 1 to 140"),
        (with_field("P", 1, "X" * 25), "symbol needs 1 to 24"),
        (with_field("F", 8, "1"), "do not add up"),
        (with_field("P", 2, "0"), "held twice, or not at all"),
        (with_field("P", 1, "AAPL"), "held twice"),
        (with_field("C", 4, "1"), "do not add up to 1"),
        (with_field("C", 1, "7"), "do not add up"),
        (lambda rows: rows[:-1], "expected a line of kind C"),
        (lambda rows: rows[1:], "expected a line of kind H"),
        (lambda rows: [*rows[:1], *rows[2:3], rows[1], *rows[3:]], "expected a line of kind P"),
    ],
)
def test_a_file_that_does_not_add_up_is_refused_by_its_line_and_leaves_nothing(
    desk: RailsDesk, change: Callable[[list[list[str]]], list[list[str]]], word: str
) -> None:
    trade(desk)
    with pytest.raises(FileRefused, match=word) as refusal:
        reconcile({**HELD, "AAPL": 9_700}, content=forged(change))
    assert refusal.value.line >= 1
    assert not BrokerFile.objects.exists()
    assert not BrokerBreak.objects.exists()


def test_a_gap_an_older_file_and_a_second_file_of_a_day_are_refused(desk: RailsDesk) -> None:
    trade(desk)
    with pytest.raises(FileRefused, match="a file is missing"):
        reconcile(HELD, NEXT_DAY)
    reconcile(HELD)
    reconcile(HELD, NEXT_DAY)
    with pytest.raises(FileRefused, match="already reconciled"):
        reconcile(HELD)
    set_price(desk.aapl, 900_000, NEXT_DAY)
    with pytest.raises(FileRefused, match="another file"):
        reconcile(HELD, NEXT_DAY, forged(with_field("P", 2, "9999"), NEXT_DAY))


def test_i63_a_break_is_cleared_by_hand_only_with_a_second_person(desk: RailsDesk) -> None:
    maker = Actor("user:5", "Operator", frozenset({"execution.reconcile", "approvals.request"}), 5)
    decide = frozenset({"approvals.decide:execution.write_off"})
    reconcile({**HELD, "JPM": 10_005})
    break_id = the_break().break_id
    approval_id = request_break_clearance(actor=maker, break_id=break_id, reason="custodian letter", at=AT)
    payload_hash = Approval.objects.get(id=approval_id).payload_hash
    with pytest.raises(SecondPersonNeeded):
        approve(actor=Actor("user:5", "Operator", decide, 5), approval_id=approval_id, payload_hash=payload_hash, at=AT)
    approve(actor=Actor("user:6", "Second", decide, 6), approval_id=approval_id, payload_hash=payload_hash, at=AT)
    for _ in range(2):
        clear_approved_break(approval_id=approval_id, at=AT)
    item = BrokerBreak.objects.get(id=break_id)
    assert (item.state, item.cleared_by, item.approval_id) == ("cleared", "user:6", approval_id)


def test_only_operations_reconcile(desk: RailsDesk) -> None:
    with pytest.raises(PermissionRefused):
        reconcile_broker(actor=Actor(ref="user:9", name="Outsider"), on=DAY, books=HELD, at=AT)


def test_verify_names_what_a_session_left_behind(desk: RailsDesk) -> None:
    book(trade(desk))
    reconcile({**HELD, "AAPL": 9_700})
    trade(desk, 5)
    place(desk, 7)
    PaperHolding.objects.filter(symbol="JPM").update(quantity=1)
    PaperFill.objects.filter(quantity=300).update(price_units=1)
    assert [finding.check for finding in verify_execution()] == [
        "execution.booking",
        "execution.broker_holding",
        "execution.fill",
        "execution.order",
    ]
