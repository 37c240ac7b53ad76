"""A desk with more accounts than one transaction writes: what cannot wait goes first, and everybody has a turn."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.desk import HALF_DAY, MONDAY, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.decisions.margin.models import MarginCall, MarginState
from reefpoint.decisions.margin.selectors.book import OnRecord, load_book, load_marks
from reefpoint.decisions.margin.selectors.standing import book_of, load_sheet
from reefpoint.decisions.margin.selectors.verify import verify_margin
from reefpoint.decisions.margin.services import calls, monitor
from reefpoint.decisions.margin.types import Band
from reefpoint.engine.watch import Watch
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.database import bulk
from reefpoint.platform.events.models import Event
from reefpoint.platform.events.selectors import pending_count
from reefpoint.records.accounts.selectors.accounts import load_accounts

LATER = noon(TUESDAY) + timedelta(hours=1)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let a transaction write only so many states, of whatever kind."""

    def limit(states: int) -> None:
        monkeypatch.setattr(monitor, "STATES_A_TRANSACTION", states)
        monkeypatch.setattr(monitor, "REFRESHED_A_TRANSACTION", states)

    return limit


def open_many(desk: Desk, debts: Sequence[int]) -> list[int]:
    """Accounts of 1,000 Apple each that owe these amounts."""
    accounts = [desk.open_account({"AAPL": 1_000}, debt * 100) for debt in debts]
    desk.drain()
    return accounts


def told(name: str) -> int:
    return Event.objects.filter(name=name).count()


def kinds(desk: Desk) -> set[str]:
    return {finding.check for finding in verify_margin(at=noon(TUESDAY))}


def test_what_crosses_is_written_with_its_price_and_what_merely_moves_has_its_turn_later(
    desk: Desk, room: Callable[[int], None]
) -> None:
    open_many(desk, [10_000] * 6)
    room(2)
    desk.prices(TUESDAY, drain=False, AAPL="79.99")
    assert desk.monitor.run_once() > 0
    assert pending_count("watch") == 0
    assert desk.band(desk.near) is Band.CALL
    assert [call.state for call in desk.calls(desk.near)] == ["open"]
    assert kinds(desk) == {"margin.refresh"}
    assert MarginState.objects.filter(valued_at__lt=noon(TUESDAY)).count() == 8 - 2
    desk.drain()
    assert verify_desk(noon(TUESDAY)) == []


def test_half_of_the_room_is_for_the_whole_book_even_while_many_are_in_trouble(
    desk: Desk, room: Callable[[int], None]
) -> None:
    troubled = open_many(desk, [49_500] * 8)
    desk.prices(TUESDAY, AAPL="80.50")
    assert {desk.band(account) for account in troubled} == {Band.WARNING}
    room(4)
    desk.prices(TUESDAY, LATER, drain=False, AAPL="80.60")
    for _ in range(3):  # eleven accounts hold Apple
        assert desk.monitor.run_once() > 0
    assert verify_desk(LATER) == []
    assert desk.monitor.run_once() == 0


def test_figures_that_wait_are_told_apart_from_figures_that_are_wrong(desk: Desk, room: Callable[[int], None]) -> None:
    (mild,) = open_many(desk, [10_000])
    room(1)
    desk.prices(TUESDAY, drain=False, AAPL="99")
    desk.monitor.run_once()
    assert kinds(desk) == {"margin.refresh"}
    MarginState.objects.filter(account_id=mild).update(lendable_minor=1)
    assert kinds(desk) == {"margin.refresh", "margin.revaluation"}


def test_i26_of_many_calls_those_of_the_lowest_ratios_come_first(desk: Desk, room: Callable[[int], None]) -> None:
    accounts = open_many(desk, [49_900, 49_600, 49_800, 49_700])
    room(1)
    desk.prices(TUESDAY, drain=False, AAPL="75")
    for expected in (desk.near, accounts[0], accounts[2], accounts[3], accounts[1]):
        assert pending_count("watch") == 1
        desk.monitor.run_once()
        assert MarginCall.objects.latest("id").account_id == expected
    assert pending_count("watch") == 0


def test_of_more_calls_than_one_transaction_holds_the_first_few_do_not_wait_for_the_others(
    desk: Desk, room: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_many(desk, [49_900, 49_800, 49_700])
    room(3)
    monkeypatch.setattr(monitor, "FIRST_OF_MANY", 1)
    desk.prices(TUESDAY, drain=False, AAPL="75")
    desk.monitor.run_once()
    assert [call.account_id for call in MarginCall.objects.all()] == [desk.near]
    assert pending_count("watch") == 1
    desk.monitor.run_once()
    assert MarginCall.objects.count() == 4
    assert pending_count("watch") == 0


def test_i25_a_monitor_killed_between_two_transactions_loses_nothing_and_does_nothing_twice(
    live_desk: Desk, room: Callable[[int], None]
) -> None:
    accounts = [live_desk.near, *open_many(live_desk, [49_900, 49_800, 49_700, 49_600])]
    crossed = told("margin.BandCrossed")
    room(2)
    live_desk.prices(TUESDAY, drain=False, AAPL="75")
    live_desk.monitor.run_once()
    assert (MarginCall.objects.count(), pending_count("watch")) == (2, 1)
    live_desk.restart_monitor()
    live_desk.prices(TUESDAY, LATER, drain=False, AAPL="75")
    live_desk.drain()
    assert sorted(MarginCall.objects.values_list("account_id", flat=True)) == sorted(accounts)
    assert told("margin.CallOpened") == len(accounts)
    assert told("margin.BandCrossed") == crossed + len(accounts)
    assert len(list_entries(action="margin.open_call")) == len(accounts)
    assert verify_desk(LATER) == []


def test_many_calls_take_as_many_statements_as_one(
    desk: Desk, room: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_many(desk, [49_900, 49_800])
    for _ in range(7):
        desk.open_account({"KO": 2_000}, 49_900_00)
    desk.drain()
    copies: list[str] = []
    copy_in = bulk._copy_in

    def note(table: str, *rest: Any) -> int:
        copies.append(table)
        return copy_in(table, *rest)

    monkeypatch.setattr(bulk, "_copy_in", note)
    monkeypatch.setattr(monitor, "FIRST_OF_MANY", 1)
    taken = []
    for states, name, price in ((1, "AAPL", "75"), (3, "KO", "37.50")):
        room(states)
        desk.prices(TUESDAY, drain=False, **{name: price})
        desk.monitor.run_once()  # takes the price and settles the first account
        before = MarginCall.objects.count()
        copies.clear()
        with CaptureQueriesContext(connection) as told:
            desk.monitor.run_once()
        assert MarginCall.objects.count() == before + states
        assert copies == ["margin_margincall", "audit_entry"]
        taken.append(len(told))
        desk.drain()
    assert taken[0] == taken[1]


@pytest.mark.parametrize("happens", ["the power went", "the session was lost"])
def test_i25_a_transaction_that_fails_half_way_leaves_what_was_committed_and_nothing_else(
    live_desk: Desk, room: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, happens: str
) -> None:
    accounts = [live_desk.near, *open_many(live_desk, [49_900, 49_800])]
    crossed = told("margin.BandCrossed")
    room(1)
    live_desk.prices(TUESDAY, drain=False, AAPL="75")
    live_desk.monitor.run_once()
    with monkeypatch.context() as patch:
        patch.setattr(calls, "record_all", _fail if happens == "the power went" else _lose_the_session)
        with pytest.raises((RuntimeError, OperationalError)):
            live_desk.monitor.run_once()
    assert [call.account_id for call in MarginCall.objects.all()] == accounts[:1]
    assert told("margin.CallOpened") == 1
    live_desk.drain()
    assert [call.account_id for call in MarginCall.objects.order_by("id")] == accounts
    assert told("margin.CallOpened") == len(list_entries(action="margin.open_call")) == len(accounts)
    assert told("margin.BandCrossed") == crossed + len(accounts)
    assert verify_desk(noon(TUESDAY)) == []


def _fail(**_: object) -> None:
    raise RuntimeError("the power went")


def _lose_the_session(**_: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


def test_a_monitor_that_starts_on_states_that_are_right_writes_none(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="90")
    before = list(MarginState.objects.order_by("account_id").values())
    desk.restart_monitor()
    desk.prices(TUESDAY, LATER, KO="50.10")
    assert list(MarginState.objects.order_by("account_id").values()) == before


def test_the_copied_book_says_of_every_account_what_its_facts_say(desk: Desk) -> None:
    desk.receive(desk.near, desk.instruments["KO"], 7, TUESDAY)
    desk.deposit(desk.healthy, 1_23, TUESDAY)
    open_many(desk, [10_000, 0])
    loaded = load_book(at=noon(TUESDAY))
    facts = load_accounts()
    sheet = load_sheet({one.scheme_version_id for one in facts}, at=noon(TUESDAY))
    expected = book_of(facts, sheet)
    rows = loaded.record.find_rows([one.id for one in facts])
    assert sorted(rows) == list(range(len(facts)))
    for row, (number, one) in zip(rows.tolist(), enumerate(facts), strict=True):
        here, there = loaded.book.account(row), expected.account(number)
        assert np.array_equal(here.instrument, there.instrument)
        assert np.array_equal(here.quantity, there.quantity)
        assert (here.cash_units, here.debt_units, here.terms) == (there.cash_units, there.debt_units, there.terms)
        assert loaded.record.debt_minor[row] == one.debt_minor
        assert loaded.band[row] == desk.band(one.id)


def replaced(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From now on, the accounts that the monitor's book takes in whole."""
    watch, record = live_book(desk)
    rows: list[int] = []
    replace_account = watch.replace_account

    def note(row: int, **facts: Any) -> None:
        rows.append(int(record.account_id[row]))
        replace_account(row, **facts)

    monkeypatch.setattr(watch, "replace_account", note)
    return rows


def live_book(desk: Desk) -> tuple[Watch, OnRecord]:
    live = desk.monitor._live
    assert live is not None
    return live.watch, live.record


def test_an_account_whose_money_alone_changed_keeps_its_positions_and_ends_where_a_fresh_monitor_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.prices(TUESDAY, AAPL="80.50")
    whole = replaced(desk, monkeypatch)
    before = told("margin.BandCrossed")
    desk.deposit(desk.near, 5_000_00, TUESDAY)
    desk.repay(desk.near, 5_000_00, TUESDAY)
    desk.drain()
    assert whole == []
    assert told("margin.BandCrossed") == before + 1
    assert verify_desk(noon(TUESDAY)) == []
    watch, record = live_book(desk)
    fresh = load_book(at=noon(TUESDAY))
    for account in (desk.near, desk.healthy):
        (row,), (other,) = record.find_rows([account]), fresh.record.find_rows([account])
        here, there = watch.book.account(row), fresh.book.account(other)
        assert (here.cash_units, here.debt_units, here.terms) == (there.cash_units, there.debt_units, there.terms)
        assert np.array_equal(here.quantity, there.quantity)


def test_an_account_whose_shares_changed_with_its_money_is_taken_in_whole(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.prices(TUESDAY, AAPL="80.50")
    whole = replaced(desk, monkeypatch)
    with transaction.atomic():
        desk.receive(desk.near, desk.instruments["KO"], 500, TUESDAY)
        desk.deposit(desk.near, 1_000_00, TUESDAY)
        desk.deposit(desk.healthy, 1_00, TUESDAY)
    desk.drain()
    assert whole == [desk.near]
    assert verify_desk(noon(TUESDAY)) == []


def test_a_monitor_says_when_nothing_is_left_to_take_or_write(desk: Desk, room: Callable[[int], None]) -> None:
    open_many(desk, [10_000] * 4)
    room(2)
    desk.prices(TUESDAY, drain=False, AAPL="79.99")
    turns = []
    while desk.monitor.run_once():
        turns.append(desk.monitor.is_done)
    assert len(turns) > 1
    assert turns[-1]
    assert not any(turns[:-1])


def test_marks_read_as_columns_are_those_of_a_sheet_with_stale_suspended_and_unpriced_names(desk: Desk) -> None:
    desk.list_name("NEW")
    desk.prices(TUESDAY, AAPL="99.9999", KO="50.10")
    desk.suspend("KO", is_suspended=True, at=noon(TUESDAY))
    for at in (noon(MONDAY), noon(TUESDAY), noon(WEDNESDAY), noon(HALF_DAY)):
        sheet = load_sheet([], at=at)
        marks = load_marks(sheet, at=at)
        assert marks is not None
        for name in ("price_units", "is_stale", "is_suspended", "lot"):
            assert np.array_equal(getattr(marks, name), getattr(sheet.marks, name)), name
    assert sheet.marks.is_stale.tolist() == [True, True, True, False]
    desk.list_name("NEWER")
    assert load_marks(sheet, at=noon(TUESDAY)) is None
