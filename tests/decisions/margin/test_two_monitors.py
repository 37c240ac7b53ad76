"""Two monitors beside each other: one watches, the other waits in reserve."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from tests.desk import TUESDAY, Desk, noon

from reefpoint.decisions.margin.selectors.verify import verify_margin
from reefpoint.decisions.margin.services.monitor import Monitor
from reefpoint.decisions.margin.types import Band

LATER = noon(TUESDAY) + timedelta(hours=1)


class Elsewhere:
    """A monitor in a database session of its own, as in another process."""

    def __init__(self, thread: ThreadPoolExecutor) -> None:
        self._thread = thread
        self._monitor = Monitor()

    def run_on_duty(self) -> int:
        return self._thread.submit(self._monitor.run_on_duty).result()

    def die(self) -> None:
        """Leave the database, which ends the session, and all that it held, a moment later."""
        session = self._thread.submit(_close).result()
        with connection.cursor() as cursor:
            is_there = session is not None
            while is_there:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [session])
                is_there = cursor.fetchone()[0]


def _close() -> int | None:
    """Close the connection of the thread that runs this; returns the process that served it."""
    session = connection.connection.info.backend_pid if connection.connection else None
    connection.close()
    return session


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with ThreadPoolExecutor(1) as thread:
        other = Elsewhere(thread)
        yield other
        other.die()


def test_i05_a_monitor_in_reserve_takes_nothing_and_takes_over_with_a_fresh_book(
    live_desk: Desk, elsewhere: Elsewhere
) -> None:
    near = live_desk.near
    live_desk.prices(TUESDAY, drain=False, AAPL="90")
    assert elsewhere.run_on_duty() > 0
    live_desk.deposit(near, 10_000_00, TUESDAY)
    live_desk.repay(near, 10_000_00, TUESDAY)
    assert live_desk.monitor.run_on_duty() == 0
    elsewhere.die()
    assert live_desk.monitor.run_on_duty() > 0
    live_desk.prices(TUESDAY, LATER, drain=False, AAPL="63")
    assert elsewhere.run_on_duty() == 0
    assert live_desk.monitor.run_on_duty() > 0
    assert live_desk.band(near) is Band.CALL
    assert verify_margin(at=LATER) == []
    _close()
