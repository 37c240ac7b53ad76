"""The slack index: who may have crossed a band after a batch of ticks, looking only at accounts near an edge.

An account keeps its band while low <= assets < high, two edges in whole units that follow from its debt, its lines and
its band. Every account belongs to a class; every (class, instrument) has an envelope of prices [lower, upper] around
the price at which it was last anchored: a single price in class 0, wider ones above it, the day's price limits in the
last class. Two integers an account say how far it is from its edges when all its names stand at the ends of the
envelopes of its class:

    below = cash + sum of quantity * lower - low            above = high - 1 - (cash + sum of quantity * upper)

While every price is inside its envelope and both are >= 0, low <= assets < high: the band is proven without looking at
the account. A tick moves the slack of the holders in those classes whose envelope it leaves, and of class 0. Only an
account with a negative slack is valued; it then takes the widest class, not wider than its own, that holds it. All of
it is integer, so nothing is rounded and nothing drifts.

An account whose assets are not a sum of non-negative terms within bounds (a short, more shares or a higher price than
`SHARES_MAX` and `PRICE_INDEXED_MAX`, a value past `AMOUNT_UNITS_MAX`) is *exact*: it stands in class 0 with negative
slack and no shares in the columns, so each tick on a name that it holds has it valued. An account that holds a name
without a price is *parked*: nothing but that name's price can make it known, and that values every holder.

A batch that would touch more than a pass over the rows costs is swept instead: envelopes move as they would have, and
the slack of every account in a class whose envelopes moved is summed anew. Both ways end in the same bits, so the
choice, made on counts and not on clocks, shows in nothing but time.
"""

import numpy as np

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Marks
from reefpoint.engine.columns import BP, Int64s
from reefpoint.engine.kernel import unsigned
from reefpoint.engine.live_book import LiveBook
from reefpoint.engine.slack_account import settle_account, tell_crossing
from reefpoint.engine.slack_columns import NEW_COLUMN_ROOM, link_account, unlink_account
from reefpoint.engine.slack_layout import (
    CLASS_BITS,
    CLASS_COUNT,
    DUE,
    IS_DUE,
    IS_EXACT,
    LAST,
    MOVES_LEFT,
    SWEEPS,
    TAIL,
    TOUCHES,
    Columns,
    Rows,
    State,
    Whole,
    loop,
)
from reefpoint.engine.slack_ticks import Costs, anchor_envelope, is_indexed, run_batches

COLUMN_SPARE = 16
"""A column has one in so many entries to spare and `NEW_COLUMN_ROOM`; as many again are free at the tail."""
STRETCH_MAX = 5.0
"""No envelope is more than so many times as wide as its class says."""


@loop
def _count_holders(account_count: Whole, rows: Rows, holders: Int64s) -> None:
    """Count the positions in each name: `holders` int64[S]."""
    for row in range(account_count):
        begin = rows.start[row]
        for p in range(unsigned(begin), unsigned(begin + rows.size[row])):
            holders[rows.instrument[p]] += 1


def find_stretches(holders: Int64s) -> Int64s:
    """How far the envelopes of each name are stretched, in basis points: as the cube root of its holders.

    An envelope of width w is left in proportion to ticks / w^2, for each holder; how far a holder must be from its
    edges is the sum of value * w over its names. For a given sum the fewest touches come of w as the cube root of the
    ticks, and the names that tick most are those that most hold. A name of few holders keeps the width of the class:
    narrower ones would save touches, but bring more accounts into a fall of all names.
    """
    root = np.cbrt(holders)
    mean = float(root @ holders) / max(1, int(holders.sum()))
    return (np.clip(root / max(1.0, mean), 1.0, STRETCH_MAX) * BP).astype(np.int64)


@loop
def _open_accounts(account_count: Whole, in_class: Int64s, events: Int64s, rows: Rows, state: State) -> Whole:
    """Value every account and find its class; counts positions by name and class; returns how many crossed."""
    told = np.int64(0)
    for name in range(len(state.price)):
        for c in range(CLASS_COUNT):
            if is_indexed(state.price[name]):
                state.envelope[c, name, 0], state.envelope[c, name, 1] = anchor_envelope(name, c, state)
            else:
                state.envelope[c, name, 0] = state.envelope[c, name, 1] = state.price[name]
    state.counters[MOVES_LEFT] = 1
    for row in range(account_count):
        before = np.int64(rows.band[row])
        state.place[row] = LAST
        band, assets, owed, place, below, above = settle_account(row, rows, state)
        state.place[row] = place
        state.slack[2 * row], state.slack[2 * row + 1] = below, above
        if band != before:
            tell_crossing(np.int64(0), row, before, band, assets, owed, events, told)
            told += 1
            rows.band[row] = band
        begin = rows.start[row]
        for p in range(begin, begin + rows.size[row]):
            in_class[rows.instrument[p], place & CLASS_BITS] += 1
        state.positions[place & CLASS_BITS] += rows.size[row]
    return told


@loop
def _open_columns(account_count: Whole, in_class: Int64s, rows: Rows, columns: Columns, state: State) -> None:
    """Write the columns, sorted by class: `in_class` holds the counts, and is used up as the writing places."""
    tail = 0
    for name in range(len(columns.start)):
        columns.start[name] = tail
        for c in range(CLASS_COUNT):
            count = in_class[name, c]
            in_class[name, c] = tail
            tail += count
            columns.bound[name, c] = tail
        tail += (tail - columns.start[name]) // COLUMN_SPARE + NEW_COLUMN_ROOM
        columns.end[name] = tail
    state.counters[TAIL] = tail
    for row in range(account_count):
        place = state.place[row]
        begin = rows.start[row]
        for p in range(begin, begin + rows.size[row]):
            name = rows.instrument[p]
            at = in_class[name, place & CLASS_BITS]
            in_class[name, place & CLASS_BITS] = at + 1
            columns.account[at] = row
            columns.quantity[at] = 0 if place & IS_EXACT else rows.quantity[p]
            columns.position[at] = p
            columns.entry[p] = at


class SlackIndex:
    """The index over a live book. `price` int64[S] is the watch's own and moves with the ticks.

    It is good while `layout` is the live book's; other lines or limits, and more or fewer names, ask for a new one.
    """

    def __init__(self, live: LiveBook, price: Int64s, marks: Marks, lines: Lines) -> None:
        accounts, positions, names = len(live.start), len(live.instrument), marks.instrument_count
        entries = positions + positions // COLUMN_SPARE + names * NEW_COLUMN_ROOM + positions // COLUMN_SPARE
        self.layout = live.layout
        self._live = live
        self._state = State(
            place=np.zeros(accounts, dtype=np.int8),
            slack=np.zeros(2 * accounts, dtype=np.int64),
            due=np.zeros(accounts, dtype=np.int32),
            envelope=np.zeros((CLASS_COUNT, names, 2), dtype=np.int64),
            is_moved=np.zeros(CLASS_COUNT, dtype=np.int64),
            positions=np.zeros(CLASS_COUNT, dtype=np.int64),
            price=price,
            limit_down=marks.limit_down_units,
            limit_up=marks.limit_up_units,
            seen=np.zeros(names, dtype=np.int64),
            moved=np.zeros(names, dtype=np.int64),
            stretch=np.zeros(names, dtype=np.int64),
            lines=lines.table,
            counters=np.zeros(8, dtype=np.int64),
        )
        self._columns = Columns(
            start=np.zeros(names, dtype=np.int64),
            end=np.zeros(names, dtype=np.int64),
            bound=np.zeros((names, CLASS_COUNT), dtype=np.int64),
            account=np.zeros(entries, dtype=np.uint32),
            quantity=np.zeros(entries, dtype=live.quantity.dtype),
            position=np.zeros(entries, dtype=np.uint32),
            entry=np.zeros(positions, dtype=np.uint32),
        )
        self._rows = Rows(
            live.start,
            live.count,
            live.instrument,
            live.quantity,
            live.cash_units,
            live.debt_units,
            live.terms,
            live.band,
        )

    def open(self) -> Int64s:
        """Value every account and build the index: once, before anything else. Tells who crossed, as `run` does."""
        accounts, positions = self._live.account_count, len(self._live.instrument)
        in_class, holders = np.zeros_like(self._columns.bound), np.zeros_like(self._state.stretch)
        _count_holders.run(positions, accounts, self._rows, holders)
        self._state.stretch[:] = find_stretches(holders)
        events = np.empty((accounts, 6), dtype=np.int64)
        told = _open_accounts.run(CLASS_COUNT * positions, accounts, in_class, events, self._rows, self._state)
        _open_columns.run(positions, accounts, in_class, self._rows, self._columns, self._state)
        return events[:told]

    @property
    def counts(self) -> dict[str, int]:
        """What was done since the open: accounts touched by ticks (or swept instead), full passes; and who is due."""
        counters = self._state.counters
        return {"touches": int(counters[TOUCHES]), "sweeps": int(counters[SWEEPS]), "due": int(counters[DUE])}

    def run(self, names: Int64s, prices: Int64s, batch_start: Int64s, costs: Costs) -> Int64s:
        """Apply batches of ticks and decide after each; see `run_batches`."""
        return run_batches.run(
            100 * len(names) + int(self._state.counters[DUE]),
            names,
            prices,
            batch_start,
            costs,
            self._live.account_count,
            self._rows,
            self._columns,
            self._state,
        )

    def touch(self, rows: Int64s) -> None:
        """Have `rows` (each once) valued at the next decision: something else than a price changed."""
        state = self._state
        fresh = rows[(state.place[rows] & IS_DUE) == 0]
        begin = int(state.counters[DUE])
        state.due[begin : begin + len(fresh)] = fresh
        state.counters[DUE] += len(fresh)
        state.place[fresh] |= IS_DUE

    def take_out(self, row: int) -> None:
        """Take an account's positions out, before they change in the live book."""
        unlink_account.run(0, row, self._rows, self._columns, self._state)

    def put_in(self, row: int) -> bool:
        """Put an account's positions in, after they changed. False: there is no room, and the index is no longer good.

        The account stands in the last class and is due.
        """
        is_in = link_account.run(0, row, self._rows, self._columns, self._state)
        self._state.place[row] = LAST | (self._state.place[row] & IS_DUE)
        self.touch(np.array([row]))
        return is_in
