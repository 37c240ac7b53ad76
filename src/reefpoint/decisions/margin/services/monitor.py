"""The margin monitor: it holds the book as columns, takes price batches and account changes, and settles what follows.

Its memory is a cache of the records. All that it concludes is written in the one transaction that also marks the
events done, so a monitor that is killed at any point loses nothing: the next one loads the book and goes on.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import structlog
from django.db import connection, transaction
from django.db.models import Max

from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.selectors.standing import Sheet, book_of, load_sheet, standings
from reefpoint.decisions.margin.services.calls import settle_standings
from reefpoint.decisions.margin.types import Band, Standing
from reefpoint.engine.watch import Watch
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.money import price_units_per_minor
from reefpoint.platform.events.services import claim_batch, claim_for_session, mark_done, run_consumer
from reefpoint.platform.events.types import ClaimedDelivery
from reefpoint.records.accounts.events import AccountChanged
from reefpoint.records.accounts.selectors import load_accounts
from reefpoint.records.accounts.types import AccountFacts
from reefpoint.records.ledger.selectors import current_book_day
from reefpoint.records.market.selectors.instruments import list_instruments

CONSUMER = "margin.watch"
BATCH_LIMIT = 2_000
WATCH = system_actor("watch")

log = structlog.get_logger(__name__)


@dataclass
class _Live:
    """The book in memory as of `at`: `accounts[i]` stands in row i of the watch."""

    at: datetime
    watch: Watch
    sheet: Sheet
    accounts: list[AccountFacts]
    row: dict[int, int]


class Monitor:
    """The live book of one process. Not thread-safe."""

    def __init__(self, actor: Actor = WATCH) -> None:
        self._actor = actor
        self._live: _Live | None = None
        self._session: object = None

    def run_once(self) -> int:
        """Take what waits, settle what follows, mark it done: one transaction. Returns how many events it took.

        Whoever calls it sees to it that no other monitor takes events in between (`run_on_duty`).
        """
        try:
            with transaction.atomic():
                claimed = claim_batch(CONSUMER, BATCH_LIMIT)
                if claimed:
                    self._settle(claimed)
                    mark_done([delivery.id for delivery in claimed])
        except BaseException:
            self._live = None  # what was applied in memory was not written: read it all again
            raise
        return len(claimed)

    def run_on_duty(self) -> int:
        """`run_once`, if this database session is the one that watches; another waits in reserve and takes nothing.

        A new session begins without memory: in between another monitor may have taken what this one never saw.
        """
        connection.ensure_connection()
        if connection.connection is not self._session:
            self._live = None
            self._session = connection.connection if claim_for_session(CONSUMER) else None
        return self.run_once() if self._session is not None else 0

    def _settle(self, claimed: Sequence[ClaimedDelivery]) -> None:
        events = [delivery.stored.event for delivery in claimed]
        at = max(*(event.at for event in events), self._live.at if self._live else _last_measured_at(events[0].at))
        changed = {event.account_id for event in events if isinstance(event, AccountChanged)}
        if self._live is None:
            self._live = _load(at)
            rows = np.arange(len(self._live.accounts))
        else:
            only_accounts = all(isinstance(event, AccountChanged) for event in events)
            moved = _no_rows() if only_accounts else _take_marks(self._live, at)
            rows = np.union1d(moved, _take_accounts(self._live, changed, at))
        self._live.at = at
        if not len(rows):
            return
        self._live.watch.decide()
        result = settle_standings(
            actor=self._actor,
            measured=_measured(self._live, rows),
            on=current_book_day() or at.date(),
            at=at,
        )
        log.info("settled", events=len(events), accounts=result.states, crossings=result.crossings, at=at.isoformat())


def _last_measured_at(default: datetime) -> datetime:
    """The latest instant whose prices the states on record rest on: an event told late brings no older ones back."""
    latest: datetime = MarginState.objects.aggregate(at=Max("valued_at", default=default))["at"]
    return latest


def _load(at: datetime) -> _Live:
    """Read the whole book, with the bands it was left in."""
    accounts = load_accounts()
    sheet = load_sheet({account.scheme_version_id for account in accounts}, at=at)
    left = dict(MarginState.objects.values_list("account_id", "band"))
    bands = np.array([left.get(account.id, Band.UNKNOWN.value) for account in accounts], dtype=np.int8)
    watch = Watch(book_of(accounts, sheet), sheet.marks, sheet.lines, bands)
    return _Live(at, watch, sheet, accounts, {account.id: row for row, account in enumerate(accounts)})


def _take_marks(live: _Live, at: datetime) -> npt.NDArray[np.int64]:
    """Bring prices and flags up to `at`; returns the rows that hold what changed."""
    if [instrument.id for instrument in list_instruments()] != list(live.sheet.column):
        return _reload(live, at)
    before = live.watch.marks
    sheet = load_sheet(list(live.sheet.row), at=at)
    marks = sheet.marks
    flags_changed = (before.lends_nothing != marks.lends_nothing) | (before.is_stale != marks.is_stale)
    changed = np.flatnonzero((before.price_units != marks.price_units) | flags_changed)
    if flags_changed.any():
        live.watch.replace_marks(marks, sheet.lines)
    else:
        live.watch.apply_prices(changed, marks.price_units[changed])
    live.sheet = sheet
    book = live.watch.book
    return np.unique(book.account_of_position[np.isin(book.instrument, changed)]).astype(np.int64)


def _take_accounts(live: _Live, account_ids: set[int], at: datetime) -> npt.NDArray[np.int64]:
    """Bring these accounts up to what the records say; returns their rows."""
    if not account_ids:
        return _no_rows()
    facts = load_accounts(account_ids)
    if any(one.scheme_version_id not in live.sheet.row for one in facts) or any(
        holding.instrument_id not in live.sheet.column for one in facts for holding in one.holdings
    ):
        return _reload(live, at)
    same_holdings: list[AccountFacts] = []
    for one in facts:
        row = live.row.get(one.id)
        if row is not None and _holds_the_same(live.accounts[row], one):
            same_holdings.append(one)
            live.accounts[row] = one
            continue
        if row is None:
            row = live.row[one.id] = live.watch.add_account(
                instrument=[], quantity=[], cash_units=0, debt_units=0, terms=live.sheet.row[one.scheme_version_id]
            )
            live.accounts.append(one)
        scale = price_units_per_minor(one.currency)
        live.watch.replace_account(
            row,
            instrument=[live.sheet.column[holding.instrument_id] for holding in one.holdings],
            quantity=[holding.quantity for holding in one.holdings],
            cash_units=one.cash_minor * scale,
            debt_units=one.debt_minor * scale,
            terms=live.sheet.row[one.scheme_version_id],
        )
        live.accounts[row] = one
    if same_holdings:
        scales = [price_units_per_minor(one.currency) for one in same_holdings]
        live.watch.set_balances(
            [live.row[one.id] for one in same_holdings],
            [one.cash_minor * scale for one, scale in zip(same_holdings, scales, strict=True)],
            [one.debt_minor * scale for one, scale in zip(same_holdings, scales, strict=True)],
        )
    return np.array(sorted(live.row[one.id] for one in facts), dtype=np.int64)


def _holds_the_same(before: AccountFacts, now: AccountFacts) -> bool:
    return before.holdings == now.holdings and before.scheme_version_id == now.scheme_version_id


def _reload(live: _Live, at: datetime) -> npt.NDArray[np.int64]:
    fresh = _load(at)
    live.watch, live.sheet, live.accounts, live.row = fresh.watch, fresh.sheet, fresh.accounts, fresh.row
    return np.arange(len(live.accounts))


def _measured(live: _Live, rows: npt.NDArray[np.int64]) -> list[tuple[AccountFacts, Standing]]:
    accounts = [live.accounts[row] for row in rows]
    return list(zip(accounts, standings(accounts, live.watch.value(rows)), strict=True))


def _no_rows() -> npt.NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


def run_monitor(stop: threading.Event) -> None:
    """Watch the book until `stop` is set, through any loss of the database."""
    monitor = Monitor()
    run_consumer("watch", monitor.run_on_duty, stop)
