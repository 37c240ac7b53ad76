"""Kills at every step, and many processes at once: the same orders and fills in the end."""

import threading
from collections.abc import Callable
from itertools import product

import pytest
from django.db import connection, transaction
from tests.records.rails import AT, DAY, RailsDesk, make_rails_desk, place

from reefpoint.platform.events.models import Event
from reefpoint.records.execution.models import Fill, Order, PaperFill, PaperHolding
from reefpoint.records.execution.selectors import sold_quantity_by_instrument, verify_execution
from reefpoint.records.execution.services import end_session_orders, mark_sent, submit_order


class Killed(Exception):
    """The process ends here."""


def run(step: Callable[[], object], fate: str) -> None:
    """Run a step; killed before its commit it leaves nothing, killed after it is simply done again."""
    if fate == "killed before commit":
        with pytest.raises(Killed):
            _die_before_commit(step)
    if fate == "killed after commit":
        step()
    step()


@transaction.atomic
def _die_before_commit(step: Callable[[], object]) -> None:
    step()
    raise Killed


@pytest.mark.parametrize("fates", list(product(("whole", "killed before commit", "killed after commit"), repeat=3)))
def test_i25_whatever_is_killed_where_the_end_is_the_same(desk: RailsDesk, fates: tuple[str, str, str]) -> None:
    placed: list[int] = []
    run(lambda: placed.append(place(desk, 1_500, instrument_id=desk.jpm)), fates[0])
    run(lambda: mark_sent(order_id=placed[-1], at=AT), fates[1])
    run(lambda: submit_order(order_id=placed[-1], at=AT), fates[2])
    end_session_orders(on=DAY, at=AT)
    order = Order.objects.get()
    assert (order.state, order.filled_quantity) == ("cancelled", 1_000)
    assert list(Fill.objects.values_list("quantity", "net_minor")) == [(1_000, 4_117_028)]
    assert PaperFill.objects.count() == 1
    assert PaperHolding.objects.get(symbol="JPM").quantity == 9_000
    names = list(Event.objects.order_by("id").values_list("name", flat=True))
    assert names == [
        "execution.order_placed",
        "execution.order_sent",
        "execution.fill_reported",
        "execution.order_ended",
    ]


def at_once(*tasks: Callable[[], object]) -> list[str]:
    """Run tasks in threads of their own; returns the names of what they raised."""
    raised: list[str] = []
    barrier = threading.Barrier(len(tasks))

    def thread(task: Callable[[], object]) -> None:
        barrier.wait()
        try:
            task()
        except Exception as error:
            raised.append(type(error).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=thread, args=(task,)) for task in tasks]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return raised


@pytest.mark.django_db(transaction=True)
def test_i20_many_orders_at_once_share_the_cap_to_the_last_share() -> None:
    desk = make_rails_desk()
    orders = [place(desk, 150, instrument_id=desk.jpm, key=f"order-{number}") for number in range(12)]
    for order_id in orders:
        mark_sent(order_id=order_id, at=AT)
    assert at_once(*(lambda order_id=order_id: submit_order(order_id=order_id, at=AT) for order_id in orders)) == []
    assert sum(Fill.objects.values_list("quantity", flat=True)) == 1_000
    assert PaperHolding.objects.get(symbol="JPM").quantity == 9_000
    end_session_orders(on=DAY, at=AT)
    assert sold_quantity_by_instrument(DAY) == {desk.jpm: 1_000}
    assert verify_execution() == []


@pytest.mark.django_db(transaction=True)
def test_i25_one_order_from_many_processes_is_one_order_and_one_fill() -> None:
    desk = make_rails_desk()
    assert at_once(*[lambda: place(desk, 300)] * 8) == []
    order_id = Order.objects.get().id
    assert at_once(*[lambda: mark_sent(order_id=order_id, at=AT)] * 8) == []
    assert at_once(*[lambda: submit_order(order_id=order_id, at=AT)] * 8) == []
    assert Fill.objects.count() == PaperFill.objects.count() == 1
    assert Event.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_the_end_of_the_session_and_a_late_send_never_contradict_each_other() -> None:
    desk = make_rails_desk()
    orders = [place(desk, 100, key=f"order-{number}") for number in range(8)]
    for order_id in orders:
        mark_sent(order_id=order_id, at=AT)
    late = [lambda order_id=order_id: submit_order(order_id=order_id, at=AT) for order_id in orders]
    assert at_once(lambda: end_session_orders(on=DAY, at=AT), *late) == []
    ended = dict(Order.objects.values_list("state").distinct().values_list("state", "filled_quantity"))
    assert all(filled == (100 if state == "filled" else 0) for state, filled in ended.items())
    assert set(ended) <= {"filled", "cancelled"}
    assert verify_execution() == []
