"""The watch on a big desk: loading its book, storms of calls on one tick, and a stream of ticks."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import structlog
from django.db import connection

from reefpoint.benchmarks.big_desk import OPENS_AT, BigDesk, make_big_desk, scratch_database
from reefpoint.benchmarks.load import load_candidates
from reefpoint.benchmarks.results import Table
from reefpoint.benchmarks.timing import measure
from reefpoint.decisions.margin.selectors.book import LoadedBook, load_book
from reefpoint.decisions.margin.services.monitor import Monitor
from reefpoint.engine.loading import read_columns
from reefpoint.engine.watch import Watch
from reefpoint.platform.basics.garbage import search_seldom
from reefpoint.records.accounts.selectors.accounts import ACCOUNT_FIELDS, copy_book

STREAM_SECONDS = 20.0
STREAM_EVERY_S = 0.05
"""How often prices are delivered at most; recording them may take longer, and the rate reached is what is told."""
STREAM_NAMES = 100
"""One delivery of prices in the stream: so many names, each up to 20 bp from its opening price."""
GOAL_POSITIONS = 10_000_000
CRASH_BP = -500


@dataclass(frozen=True)
class Latencies:
    """Seconds from the insert of an event to the return of the commit that it led to."""

    seconds: Sequence[float]

    def said(self) -> str:
        """Median, 95 and 99 percent and the longest, in milliseconds."""
        p50, p95, p99 = (float(np.percentile(self.seconds, part)) * 1000 for part in (50, 95, 99))
        return f"p50 {p50:,.0f} ms, p95 {p95:,.0f} ms, p99 {p99:,.0f} ms, max {max(self.seconds) * 1000:,.0f} ms"


def measure_watch(database: str, accounts: int, *, storms: Sequence[int], rounds: int) -> list[Table]:
    """Make the desk in a database of this name, and measure all that needs it."""
    structlog.configure(processors=[_drop])
    with scratch_database(database):
        desk = make_big_desk(accounts, storms=storms)
        search_seldom()
        table, facts = _measure_book(desk, rounds)
        facts |= _measure_ticks(desk)
        return [Table(**{**table.__dict__, "facts": {**table.facts, **facts}})]


def _drop(*_: object) -> Mapping[str, object]:
    raise structlog.DropEvent


def _measure_book(desk: BigDesk, rounds: int) -> tuple[Table, dict[str, str]]:
    began = time.perf_counter()
    positions, accounts = copy_book()
    copied_s = time.perf_counter() - began
    ids = read_columns(accounts, ACCOUNT_FIELDS)["account_id"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM market_instrument ORDER BY id")
        instruments = np.array([row[0] for row in cursor.fetchall()])
    lines = measure(load_candidates(positions, ids, instruments), rounds=rounds)
    loaded = load_book(at=OPENS_AT)
    _watch(loaded).decide()  # compiles what it takes
    began = time.perf_counter()
    _watch(loaded).decide()
    indexed_s = time.perf_counter() - began
    table = Table(
        subject="load",
        title="Loading the book from PostgreSQL",
        accounts=desk.accounts,
        positions=desk.positions,
        per="one load",
        lines=lines,
        figures={"load.rows_s": (lines[0].wall_s + indexed_s) * GOAL_POSITIONS / desk.positions},
    )
    megabytes = (len(positions) + len(accounts)) / 1e6
    return table, {
        "what PostgreSQL and its driver take for the COPY, before that": f"{copied_s:.2f} s for {megabytes:,.0f} MB",
        "the watch's index and first decision, after it": f"{indexed_s:.3f} s",
    }


def _watch(loaded: LoadedBook) -> Watch:
    return Watch(loaded.book, loaded.sheet.marks, loaded.sheet.lines, loaded.band)


def _measure_ticks(desk: BigDesk) -> dict[str, str]:
    """Every storm of the desk, then a stream of ticks; all on one watch that has measured everybody and seen a tick."""
    monitor = Monitor()
    facts, number = {}, 0
    for change_bp in (0, 10):
        number += 1
        desk.quote(np.array([len(desk.storms)]), np.array([change_bp]), number)
        while monitor.run_on_duty():
            pass
    for name, calls in enumerate(desk.storms):
        number += 1
        desk.quote(np.array([name]), np.array([CRASH_BP]), number)
        facts[f"{calls:,} calls on one tick, tick stored to call committed"] = _follow_calls(monitor, calls).said()
    deliveries = _follow_stream(monitor, desk, number)
    label = (
        f"{len(deliveries.seconds) / STREAM_SECONDS:.1f} deliveries a second of {STREAM_NAMES} names, stored to settled"
    )
    return facts | {label: deliveries.said()}


def _follow_calls(monitor: Monitor, expected: int) -> Latencies:
    """Run until nothing is left; one latency for every call that was opened."""
    before, told_at = _scalar("SELECT coalesce(max(id), 0) FROM margin_margincall"), _last_event_at()
    seconds: list[float] = []
    while monitor.run_on_duty():
        latency = time.time() - told_at
        opened = _scalar("SELECT coalesce(max(id), 0) FROM margin_margincall") - before - len(seconds)
        seconds += [latency] * int(opened)
    assert len(seconds) == expected, f"{len(seconds)} calls of {expected}"
    return Latencies(seconds)


def _follow_stream(monitor: Monitor, desk: BigDesk, number: int) -> Latencies:
    """Let prices come at their own pace, and settle them as they come; one latency for every delivery of prices."""
    stop = threading.Event()
    feed = threading.Thread(target=_feed, args=(desk, number, stop.is_set))
    begins_at = _scalar("SELECT coalesce(max(id), 0) FROM events_event")
    seconds: list[float] = []
    feed.start()
    ends_at = time.monotonic() + STREAM_SECONDS
    while time.monotonic() < ends_at:
        if not monitor.run_on_duty():
            time.sleep(STREAM_EVERY_S / 10)
            continue
        now = time.time()
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT e.id, extract(epoch FROM e.created_at)::float8
                  FROM events_event e JOIN events_delivery d ON d.event_id = e.id
                 WHERE e.id > %s AND d.consumer = 'margin.watch' AND d.state = 'done' ORDER BY e.id
                """,
                [begins_at],
            )
            for event_id, told_at in cursor.fetchall():
                begins_at = event_id
                seconds.append(now - told_at)
    stop.set()
    feed.join()
    return Latencies(seconds)


def _feed(desk: BigDesk, number: int, is_over: Callable[[], bool]) -> None:
    rng = np.random.default_rng(number)
    due = time.monotonic()
    while not is_over():
        number += 1
        names = rng.choice(np.arange(len(desk.storms), len(desk.symbols)), STREAM_NAMES, replace=False)
        desk.quote(np.sort(names), rng.integers(-20, 21, STREAM_NAMES), number)
        due += STREAM_EVERY_S
        time.sleep(max(0.0, due - time.monotonic()))
    connection.close()


def _last_event_at() -> float:
    return _scalar("SELECT extract(epoch FROM created_at)::float8 FROM events_event ORDER BY id DESC LIMIT 1")


def _scalar(query: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return float(cursor.fetchone()[0])
