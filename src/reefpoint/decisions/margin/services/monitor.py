"""The margin monitor: it holds the book as columns, takes price batches and account changes, and settles what follows.

Its memory is a cache of the records. All that it concludes is written in transactions whose last one also marks the
events done, so a monitor that is killed at any point loses nothing: the next one loads the book and goes on.

What is written, and when:

- **due**: accounts that crossed a line, whose own facts changed, that were never measured, or whose open call has
  reached its cure line. All of them, before any further event is taken, the lowest ratio first.
- **behind**: accounts that merely moved with prices, so that the figures on record are not the latest. As many as the
  transaction has room for; the rest in the turns that follow, those in a band worse than safe before the others.

One transaction writes up to `STATES_A_TRANSACTION` states, so a desk of some thousand accounts has all of them written
together with the events that moved them. On a larger desk those behind get the last transaction of what is due, and
there only `REFRESHED_A_TRANSACTION`, so that what crosses next does not wait for what nobody asked for. Of more due
than one transaction holds, the worst `FIRST_OF_MANY` go ahead by themselves.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import structlog
from django.db import connection, transaction
from django.db.models import Max

from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.book import OnRecord, load_book, load_marks
from reefpoint.decisions.margin.selectors.standing import Sheet, book_of
from reefpoint.decisions.margin.services.calls import settle_standings
from reefpoint.decisions.margin.types import Band
from reefpoint.engine.bands import RATIO_UNKNOWN
from reefpoint.engine.book import same_holdings
from reefpoint.engine.columns import Int64s
from reefpoint.engine.watch import Watch
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.garbage import keep_what_was_loaded, search_seldom
from reefpoint.platform.events.services import claim_batch, claim_for_session, mark_done, run_consumer
from reefpoint.platform.events.types import ClaimedDelivery
from reefpoint.records.accounts.events import AccountChanged
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.ledger.selectors import current_book_day

CONSUMER = "margin.watch"
BATCH_LIMIT = 2_000
STATES_A_TRANSACTION = 5_000
FIRST_OF_MANY = 500
"""States in the first of several transactions: the worst accounts are called at once."""
REFRESHED_A_TRANSACTION = 1_000
"""States that merely moved, on a desk that one transaction cannot hold: what is due next waits 40 ms for them."""
WATCH = system_actor("watch")

log = structlog.get_logger(__name__)


@dataclass
class _Live:
    """The book in memory as of `at`: `record.account_id[i]` stands in row i of the watch.

    - `due`: rows to write before any further event is taken, a part for each transaction, in this order
    - `claimed`: the deliveries that then end
    - `unchecked`: how many rows may be behind, in a circle from `place` on
    """

    at: datetime
    watch: Watch
    sheet: Sheet
    record: OnRecord
    due: list[Int64s] = field(default_factory=list)
    claimed: list[int] = field(default_factory=list)
    unchecked: int = 0
    place: int = 0


class Monitor:
    """The live book of one process. Not thread-safe."""

    def __init__(self, actor: Actor = WATCH) -> None:
        self._actor = actor
        self._live: _Live | None = None
        self._session: object = None
        self._taken = 0

    @property
    def is_done(self) -> bool:
        """Whether the last `run_once` took all that waited and left nothing to write."""
        live = self._live
        return self._taken < BATCH_LIMIT and (live is None or not (live.due or live.unchecked))

    def run_once(self) -> int:
        """One transaction: take what waits, unless something is still due, and write what has room.

        Returns how many events it took and states it wrote; zero when there is nothing to do. Whoever calls it sees
        to it that no other monitor takes events in between (`run_on_duty`).
        """
        try:
            with transaction.atomic():
                taken = 0
                if self._live is None or not self._live.due:
                    claimed = claim_batch(CONSUMER, BATCH_LIMIT)
                    taken = len(claimed)
                    if claimed:
                        self._live = _take(self._live, claimed)
                self._taken = taken
                return taken + (self._write(self._live) if self._live else 0)
        except BaseException:
            self._live = None  # what was applied in memory was not written: read it all again
            raise

    def run_on_duty(self) -> int:
        """`run_once`, if this database session is the one that watches; another waits in reserve and takes nothing.

        A new session begins without memory: in between another monitor may have taken what this one never saw.
        """
        connection.ensure_connection()
        if connection.connection is not self._session:
            self._live = None
            self._session = connection.connection if claim_for_session(CONSUMER) else None
        return self.run_once() if self._session is not None else 0

    def _write(self, live: _Live) -> int:
        """Settle the next rows that are due; after the last of them fill up with rows that are behind, and mark done
        what ends here.
        """
        record = live.record
        rows = live.due.pop(0) if live.due else np.empty(0, dtype=np.int64)
        if not live.due:
            room = STATES_A_TRANSACTION if len(record) <= STATES_A_TRANSACTION else REFRESHED_A_TRANSACTION
            rows = np.append(rows, _next_behind(live, rows, min(room, STATES_A_TRANSACTION - len(rows))))
        if len(rows):
            rows = rows[np.argsort(record.account_id[rows])]
            valued = live.watch.value(rows)
            versions = record.scheme_version_id[rows].tolist()
            result = settle_standings(
                actor=self._actor,
                measured=list(zip(record.standings(rows, valued), versions, strict=True)),
                on=current_book_day() or live.at.date(),
                at=live.at,
            )
            record.figures[:, rows] = record.figures_of(rows, valued)
            record.is_measured[rows] = True
            record.take_calls(rows, result.called)
            log.info(
                "settled",
                events=0 if live.due else len(live.claimed),
                accounts=result.states,
                crossings=result.crossings,
                at=live.at.isoformat(),
            )
        if not live.due:
            mark_done(live.claimed)
            live.claimed = []
        return len(rows)


def _take(live: _Live | None, claimed: Sequence[ClaimedDelivery]) -> _Live:
    """Bring the book in memory up to these events, and find what is due."""
    events = [delivery.stored.event for delivery in claimed]
    at = max(*(event.at for event in events), live.at if live else _last_measured_at(events[0].at))
    changed_ids = {event.account_id for event in events if isinstance(event, AccountChanged)}
    if live is None:
        live = _load(at)
        found = live.record.find_rows(sorted(changed_ids))
        under_a_line = ~live.record.is_measured | (live.watch.band >= Band.CALL)
        changed = np.union1d(found[found >= 0], np.flatnonzero(under_a_line))
    else:
        if not all(isinstance(event, AccountChanged) for event in events):
            live = _take_marks(live, at)
        live, changed = _take_accounts(live, changed_ids, at)
    live.at = at
    live.claimed = [delivery.id for delivery in claimed]
    live.due = _in_turns(_due(live, changed))
    return live


def _due(live: _Live, changed: Int64s) -> Int64s:
    """The rows that must be written now, the lowest ratio first: `changed`, crossings, and calls that may be cured."""
    crossed = live.watch.decide().row
    called = np.flatnonzero(live.record.is_called)
    rows = np.union1d(np.union1d(changed, crossed), called[_reach_cure(live, called)])
    ratio = live.watch.value(rows).ratio_bp
    # who cannot be valued comes last: nothing follows for them
    worst_first: Int64s = rows[np.lexsort((rows, ratio, ratio == RATIO_UNKNOWN))]
    return worst_first


def _in_turns(due: Int64s) -> list[Int64s]:
    """One part for each transaction. Of more than one holds, the first are few, so that they are committed at once."""
    if len(due) <= STATES_A_TRANSACTION:
        return [due] if len(due) else []
    return np.split(due, np.arange(min(FIRST_OF_MANY, STATES_A_TRANSACTION), len(due), STATES_A_TRANSACTION))


def _reach_cure(live: _Live, rows: Int64s) -> Int64s:
    """Places in `rows` of called accounts that have reached what their call asks for; only a settlement can tell what
    follows.
    """
    valued = live.watch.value(rows)
    assets, _, requirement, ratio = live.record.figures_of(rows, valued)
    versions, place = np.unique(live.record.scheme_version_id[rows], return_inverse=True)
    cure_bp = np.array([live.sheet.terms[version].cure_bp for version in versions.tolist()], dtype=np.int64)
    is_met = assets - live.record.debt_minor[rows] >= requirement
    return np.flatnonzero(np.where(live.record.is_called_for_maintenance[rows], is_met, ratio >= cure_bp[place]))


def _next_behind(live: _Live, now: Int64s, room: int) -> Int64s:
    """Up to `room` rows beside `now` whose figures on record are not the latest: in trouble first, then round the book.

    At most half of the room goes to those in trouble, unless nobody else needs it: every account has its turn.
    """
    if not room or not live.unchecked:
        return np.empty(0, dtype=np.int64)
    count = len(live.record)
    is_taken = np.zeros(count, dtype=np.bool_)
    is_taken[now] = True
    troubled = _behind(live, np.flatnonzero((live.watch.band > Band.SAFE) & ~is_taken))
    found = [troubled[: room // 2]]
    is_taken[found[0]] = True
    room -= len(found[0])
    while room and live.unchecked:
        some = np.arange(live.place, min(live.place + live.unchecked, count, live.place + SWEEP_ROWS))
        behind = _behind(live, some[~is_taken[some]])
        swept = len(some) if len(behind) <= room else int(behind[room]) - live.place
        found.append(behind[:room])
        room -= len(found[-1])
        live.place = (live.place + swept) % count
        live.unchecked -= swept
    return np.concatenate(found)


SWEEP_ROWS = 50_000
"""Rows that are compared at once: half a millisecond."""


def _behind(live: _Live, rows: Int64s) -> Int64s:
    """Those of `rows` whose figures on record differ from what they are worth now."""
    figures = live.record.figures_of(rows, live.watch.value(rows))
    behind: Int64s = rows[(figures != live.record.figures[:, rows]).any(axis=0)]
    return behind


def _last_measured_at(default: datetime) -> datetime:
    """The latest instant whose prices the states on record rest on: an event told late brings no older ones back."""
    latest: datetime = MarginState.objects.aggregate(at=Max("valued_at", default=default))["at"]
    return latest


def _load(at: datetime) -> _Live:
    """Read the whole book, with the bands it was left in."""
    loaded = load_book(at=at)
    watch = Watch(loaded.book, loaded.sheet.marks, loaded.sheet.lines, loaded.band)
    return _Live(at, watch, loaded.sheet, loaded.record, unchecked=len(loaded.record))


def _take_marks(live: _Live, at: datetime) -> _Live:
    """Bring prices, flags and haircuts up to `at`."""
    before, marks = live.watch.marks, load_marks(live.sheet, at=at)
    if marks is None:
        return _load(at)
    changed = np.flatnonzero(before.price_units != marks.price_units)
    flags_changed = (before.lends_nothing != marks.lends_nothing) | (before.is_stale != marks.is_stale)
    if flags_changed.any() or not np.array_equal(before.haircut_bp, marks.haircut_bp):
        live.watch.replace_marks(marks, live.sheet.lines)
    elif len(changed):
        live.watch.apply_prices(changed, marks.price_units[changed])
    else:
        return live
    live.unchecked = len(live.record)
    return live


def _take_accounts(live: _Live, account_ids: set[int], at: datetime) -> tuple[_Live, Int64s]:
    """Bring these accounts up to what the records say; returns their rows."""
    facts = load_accounts(account_ids) if account_ids else []
    if any(one.scheme_version_id not in live.sheet.row for one in facts) or any(
        holding.instrument_id not in live.sheet.column for one in facts for holding in one.holdings
    ):
        live = _load(at)
        return live, live.record.find_rows([one.id for one in facts])
    opened = [one for one, row in zip(facts, live.record.find_rows([one.id for one in facts]), strict=True) if row < 0]
    if opened:
        for one in opened:
            live.watch.add_account(
                instrument=[], quantity=[], cash_units=0, debt_units=0, terms=live.sheet.row[one.scheme_version_id]
            )
        live.record.add([one.id for one in opened])
    rows = live.record.find_rows([one.id for one in facts])
    for row, one in zip(rows.tolist(), facts, strict=True):
        live.record.take_facts(row, one)
    now = book_of(facts, live.sheet)
    is_money = same_holdings(live.watch.accounts(rows), now)  # a night of interest: 500 times as quick as replacing
    live.watch.set_balances(rows[is_money], now.cash_units[is_money], now.debt_units[is_money])
    for place in np.flatnonzero(~is_money).tolist():
        held = slice(int(now.start[place]), int(now.start[place + 1]))
        live.watch.replace_account(
            int(rows[place]),
            instrument=now.instrument[held].astype(np.int64),
            quantity=now.quantity[held].astype(np.int64),
            cash_units=int(now.cash_units[place]),
            debt_units=int(now.debt_units[place]),
            terms=int(now.terms[place]),
        )
    return live, rows


def run_monitor(stop: threading.Event) -> None:
    """Watch the book until `stop` is set, through any loss of the database."""
    keep_what_was_loaded()
    search_seldom()
    monitor = Monitor()
    run_consumer("watch", lambda: monitor.run_on_duty() > 0 and not monitor.is_done, stop)
