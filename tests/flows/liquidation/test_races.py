"""Forced sales under races and crashes: real transactions on several connections, and handlers that die."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from tests.desk import SYSTEM, TUESDAY, WEDNESDAY, Desk, noon, verify_desk

from reefpoint.config.wiring import HANDLERS
from reefpoint.decisions.margin.models import MarginCall
from reefpoint.decisions.margin.services import monitor as monitor_service
from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.services.monitor import Monitor
from reefpoint.flows.liquidation.models import Liquidation, LiquidationPlan
from reefpoint.flows.liquidation.services import selling
from reefpoint.flows.liquidation.services.opening import open_liquidation, release_idle_enforcement
from reefpoint.flows.liquidation.types import Cause
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.events.models import Delivery
from reefpoint.platform.events.selectors import pending_count
from reefpoint.platform.events.services import connect, dispatch_once
from reefpoint.platform.events.types import Handler, StoredEvent
from reefpoint.records.accounts import services as accounts
from reefpoint.records.accounts.services import hold_lock
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.execution.models import Fill, Order


def at_once(tasks: Sequence[Callable[[], object]]) -> list[object]:
    """Run each task on a connection of its own, all begun at one instant; returns their results in order."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        try:
            connection.ensure_connection()
            start.wait(10)
            return task()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result(60) for future in [pool.submit(run, task) for task in tasks]]


def carry(group: str = "worker") -> None:
    """Dispatch until all is quiet, whoever else does so too."""
    while pending_count(group):
        if not dispatch_once(group):
            time.sleep(0.002)


def test_i02_many_triggers_at_once_open_one_liquidation_and_all_find_it(live_desk: Desk) -> None:
    desk = live_desk
    desk.prices(TUESDAY, drain=False, AAPL="72")
    desk.monitor.run_once()

    def trigger(number: int) -> Callable[[], object]:
        at = noon(TUESDAY) + timedelta(milliseconds=number % 3)
        return lambda: open_liquidation(actor=SYSTEM, account_id=desk.near, cause=Cause.CLOSE_OUT, call_id=None, at=at)

    found = at_once([trigger(number) for number in range(16)])
    (liquidation,) = Liquidation.objects.all()
    assert set(found) == {liquidation.id}
    assert len(list_entries(action="liquidation.open")) == 1
    desk.drain()
    assert Liquidation.objects.count() == 1


def test_i02_many_monitors_and_expiries_at_once_end_one_call_once(live_desk: Desk) -> None:
    desk = live_desk
    desk.prices(TUESDAY, drain=False, AAPL="79")
    at_once([Monitor().run_once for _ in range(4)])
    desk.drain()
    (call,) = MarginCall.objects.all()
    expired = at_once([lambda: expire_due_calls(actor=desk.risk, at=call.deadline_at)] * 6)
    assert sorted(map(len, expired)) == [0, 0, 0, 0, 0, 1]
    at_once([carry] * 3)
    desk.drain()
    assert [one.call_id for one in Liquidation.objects.all()] == [call.id]
    assert verify_desk(noon(TUESDAY)) == []


def test_a_locked_account_does_not_keep_the_monitor_from_calling_it(live_desk: Desk) -> None:
    """What holds an account may wait for its margin state, so the monitor must not wait for the account."""
    desk = live_desk
    desk.prices(TUESDAY, drain=False, AAPL="79")
    is_held, is_done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            hold_lock(desk.near)
            is_held.set()
            is_done.wait(10)

    def watch() -> None:
        is_held.wait(10)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
            desk.monitor.run_once()
        finally:
            is_done.set()

    at_once([hold, watch])
    assert MarginCall.objects.count() == 1


def test_i01_a_credit_at_the_moment_of_the_send_is_in_time_or_recorded_as_wrongful(live_desk: Desk) -> None:
    """The bank had each credit before the session; the desk books them 0 to 120 ms after the sales were planned."""
    desk = live_desk
    late = [desk.open_account({"AAPL": 1_000}, 50_000_00) for _ in range(5)]
    desk.drain()
    desk.prices(TUESDAY, AAPL="72")
    desk.prices(WEDNESDAY, AAPL="72")
    desk.sell_out(WEDNESDAY, drain=False)

    def book(account_id: int, number: int) -> Callable[[], object]:
        def deposit() -> None:
            time.sleep(number * 0.03)
            later = noon(WEDNESDAY) + timedelta(milliseconds=number)
            desk.deposit(account_id, 20_000_00, WEDNESDAY, later, confirmed_at=noon(WEDNESDAY) - timedelta(minutes=1))

        return deposit

    at_once([carry, carry, *(book(account_id, number) for number, account_id in enumerate(late))])
    desk.drain()
    for account_id in late:
        (liquidation,) = desk.liquidations(account_id)
        is_wrongful = bool(list_entries(subject=f"liquidation:{liquidation.id}", action="liquidation.wrongful"))
        (order,) = Order.objects.filter(account_id=account_id)
        assert is_wrongful is (order.sent_at is not None)
        assert is_wrongful or order.filled_quantity == 0
    assert verify_desk(noon(WEDNESDAY)) == []


def crash_book(desk: Desk) -> list[int]:
    """Accounts that differ in names, severity and standing; returns them in the order of their opening."""
    opened = [
        desk.open_account({"AAPL": 1_000}, 50_000_00),
        desk.open_account({"KO": 2_000}, 50_000_00),
        desk.open_account({"AAPL": 500, "KO": 1_000}, 49_000_00),
    ]
    desk.drain()
    return opened


def crash_week(desk: Desk, settle: Callable[[], None]) -> None:
    """Two falls, a call that is answered, and a session of sales."""
    desk.prices(TUESDAY, drain=False, AAPL="79", KO="39")
    settle()
    desk.deposit(desk.near, 3_000_00, TUESDAY)
    desk.repay(desk.near, 3_000_00, TUESDAY)
    settle()
    desk.prices(TUESDAY, noon(TUESDAY) + timedelta(hours=1), drain=False, AAPL="66", KO="30")
    settle()
    desk.prices(WEDNESDAY, drain=False, AAPL="65", KO="30")
    settle()
    desk.sell_out(WEDNESDAY, drain=False)
    settle()


def outcome(accounts: Sequence[int]) -> list[tuple[object, ...]]:
    """Plans and orders in the order in which they were made, with accounts by their place."""
    place = {account_id: number for number, account_id in enumerate(accounts)}
    plans = LiquidationPlan.objects.order_by("id").values_list(
        "liquidation__account_id", "outcome", "sold_minor", "ratio_before_bp", "ratio_after_bp"
    )
    orders = Order.objects.order_by("id").values_list(
        "account_id", "instrument__symbol", "placed_quantity", "quantity", "filled_quantity", "state"
    )
    return [(place[row[0]], *row[1:]) for row in [*plans, *orders]]


WEEK = [
    (3, "falls_short", 30_000_00, 12_000, 14_932),
    (4, "cures", 29_965_00, 12_755, 17_011),
    (2, "cures", 28_795_00, 13_000, 17_004),
    (1, "cures", 21_450_00, 13_829, 17_002),
    (3, "KO", 1_000, 1_000, 1_000, "filled"),
    (4, "AAPL", 461, 461, 461, "filled"),
    (2, "AAPL", 443, 443, 443, "filled"),
    (1, "AAPL", 330, 330, 330, "filled"),
]
"""The plans, the worst account first, then their orders. All that the desk may sell of Coca-Cola goes to the worst."""


@pytest.mark.parametrize("workers", [1, 4])
def test_i28_the_same_week_gives_the_same_plans_and_orders_on_any_number_of_workers(
    live_desk: Desk, workers: int
) -> None:
    desk = live_desk
    cast = [desk.healthy, desk.near, *crash_book(desk)]

    def settle() -> None:
        while pending_count():
            at_once([*[carry] * workers, desk.monitor.run_once])

    crash_week(desk, settle)
    assert outcome(cast) == WEEK
    assert verify_desk(noon(WEDNESDAY)) == []


def test_a_new_day_lets_no_account_go_whose_sale_is_just_being_opened(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sale is opened after the new day looked for idle accounts and before it has their locks."""
    desk.prices(TUESDAY, drain=False, AAPL="72")
    desk.monitor.run_once()
    lock_accounts = accounts.lock_accounts

    def lock_late(account_ids: Sequence[int]) -> list[AccountFacts]:
        assert list(account_ids) == [desk.near]
        open_liquidation(actor=SYSTEM, account_id=desk.near, cause=Cause.CLOSE_OUT, call_id=None, at=noon(TUESDAY))
        return lock_accounts(account_ids)

    monkeypatch.setattr(accounts, "lock_accounts", lock_late)
    assert release_idle_enforcement(actor=desk.risk, on=WEDNESDAY, at=noon(WEDNESDAY)) == 0
    desk.drain()
    assert desk.is_enforced(desk.near)
    assert verify_desk(noon(TUESDAY)) == []


def test_a_trigger_told_after_its_account_was_let_go_sells_nothing(desk: Desk) -> None:
    desk.prices(TUESDAY, drain=False, AAPL="72")
    desk.monitor.run_once()
    assert release_idle_enforcement(actor=desk.risk, on=TUESDAY, at=noon(TUESDAY)) == 1
    assert dispatch_once("worker") > 0
    assert desk.liquidations(desk.near) == []
    desk.drain()
    assert [one.state for one in desk.liquidations(desk.near)] == ["planned"]
    assert verify_desk(noon(TUESDAY)) == []


class Crash(Exception):
    """The process dies."""


@contextmanager
def dying_handlers() -> Iterator[list[str]]:
    """Every handler dies once for each event after its work and before its commit. Tells who died."""
    died: set[tuple[str, int]] = set()
    told: list[str] = []

    def dying(handler: Handler) -> Handler:
        def handle(stored: StoredEvent) -> None:
            handler.handle(stored)
            if (handler.consumer, stored.id) not in died:
                died.add((handler.consumer, stored.id))
                told.append(handler.consumer)
                raise Crash

        return replace(handler, handle=handle)

    connect([dying(handler) for handler in HANDLERS])
    try:
        yield told
    finally:
        connect(HANDLERS)


def test_i25_a_crash_after_every_step_loses_nothing_and_does_nothing_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash_book(desk)
    with desk.rolled_back():
        crash_week(desk, desk.drain)
        expected = desk.outcome()
    begin_monitor, calls = monitor_service.mark_done, iter(range(1_000_000))

    def dying_mark_done(delivery_ids: Sequence[int]) -> None:
        begin_monitor(delivery_ids)
        if next(calls) % 2 == 0:
            raise Crash

    def settle() -> None:
        while pending_count():
            Delivery.objects.filter(state="pending").update(next_attempt_at=Now())
            dispatch_once("worker")
            try:
                desk.monitor.run_once()
            except Crash:
                desk.restart_monitor()

    store_plan, planned = selling._store_plan, iter(range(1_000_000))

    def dying_store_plan(*arguments: object) -> None:
        store_plan(*arguments)  # type: ignore[arg-type] # whatever the real one takes
        if next(planned) == 1:
            raise Crash

    monkeypatch.setattr(monitor_service, "mark_done", dying_mark_done)
    monkeypatch.setattr(selling, "_store_plan", dying_store_plan)
    sell_out = desk.sell_out

    def sell_out_again(*arguments: object, **options: object) -> None:
        with pytest.raises(Crash):
            sell_out(*arguments, **options)
        sell_out(*arguments, **options)

    monkeypatch.setattr(desk, "sell_out", sell_out_again)
    with dying_handlers() as died:
        crash_week(desk, settle)
    assert {"liquidation.open", "liquidation.release", "execution.submit", "liquidation.follow"} <= set(died)
    assert desk.outcome() == expected
    assert Fill.objects.exists()
    assert verify_desk(noon(WEDNESDAY)) == []
