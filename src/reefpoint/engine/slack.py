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

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN, Lines
from reefpoint.engine.book import Marks
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    PRICE_UNITS_MAX,
    Instruments,
    Int8s,
    Int32s,
    Int64s,
    Quantities,
    UInt16s,
    UInt32s,
)
from reefpoint.engine.kernel import kernel
from reefpoint.engine.live_book import LiveBook

# Kernels here allocate nothing but the list of crossings, so they borrow what they are passed. By itself Numba counts
# references, atomically, to every array of every tuple at each call: 2.0 us instead of 0.7 for a tick that touches
# nobody, 0.5 us more for each account that is valued.
step = kernel(inlined=True, counts_references=False)
loop = kernel(counts_references=False)

Whole: TypeAlias = Any
"""A whole number: an int or a NumPy scalar when interpreted, an int64 when compiled."""

CLASS_COUNT = 7
LAST = CLASS_COUNT - 1
WIDTH_BP = (0, 10, 25, 60, 150, 400, 1_000)
"""Half the width of each class's envelopes; the last counts only where the day has no price limit.

Each is some 2.5 times the one before: finer ones cost more moves between classes, coarser ones more touches.
"""
WIDTH_STEP_UNITS = 100
"""An envelope of class c is at least c cents wide either way, so that a penny name does not leave it at every tick."""
PRICE_INDEXED_MAX = 2**33
SHARES_MAX = 2**29
"""Highest price (860,000 a share) and most shares of one account in the index: no sum of theirs passes 2^62."""
ROOMY = 2**61
"""The slack of an account that no price can bring to an edge."""

CLASS_BITS, IS_DUE, IS_PARKED, IS_EXACT = 7, 8, 16, 32
"""`place` of an account: its class; to be valued at the next decision; parked; exact."""
ORDINARY, NOT_INDEXED, TOO_LARGE, UNPRICED = 0, 1, 2, 3
"""What a valuation found: for the index; to be valued exactly; unknown by size; unknown for want of a price."""
DUE, STAMP, PROBE, TAIL, MOVES_LEFT, SWEEPS, TOUCHES, WARM = range(8)
"""`counters`: accounts due; number of the batch; of the probe; entries used; moves left; work done; nothing of use."""
MOVES_MAX = 1_000
"""Accounts that change class in one batch (2 to 5 us each): the rest stays due, valued at each decision, until its turn
comes. So a crash that drives 100,000 accounts out of their classes does not stop the watch for half a second."""
WARM_ROWS = 64
PROBES_MAX = 64
PROBE_EVERY = 4
PROBE_STRIDE = 7_919
"""One account of class 0 is tried for a wider class for every fourth name that moved, among at most so many names in a
batch. The stride is a prime, so that the picks go through a column whatever its length."""

NEW_COLUMN_ROOM = 4
COLUMN_SPARE = 16
"""A column has one in so many entries to spare and `NEW_COLUMN_ROOM`; as many again are free at the tail."""


class Costs(NamedTuple):
    """What a batch costs, in picoseconds; measured on a Zen 4 core at 10^6 accounts and 10^7 positions.

    A touch is a random access to the slack of one account. A pass over the rows costs so much for each account and each
    position, also when the classes that moved hold few of them: what is skipped lies between what is read (9 to 16 ms
    with 25,000 accounts to sum; with all of them it was not measured). Only the ratio between the two matters.
    """

    touch: int = 3_500
    pass_account: int = 3_000
    pass_position: int = 1_200


class Rows(NamedTuple):
    """The live book's columns, by account and by position."""

    start: Int32s
    size: Int32s
    instrument: Instruments
    quantity: Quantities
    cash: Int64s
    debt: Int64s
    terms: UInt16s
    band: Int8s


class Columns(NamedTuple):
    """The same positions by instrument. Those of name s are `start[s]`..`bound[s, LAST]`, with room up to `end[s]`.

    Entries of class c end at `bound[s, c]`, where those of the next class begin. `account` and `quantity` (0 for exact
    accounts) belong to an entry; `position` is its row position, and `entry` the entry of a row position.
    """

    start: Int64s
    end: Int64s
    bound: Int64s
    account: UInt32s
    quantity: Quantities
    position: UInt32s
    entry: UInt32s


class State(NamedTuple):
    """By account: `place` int8, `slack` int64[2A] (below, above). By class: `envelope` int64[C, S, 2], `is_moved` and
    `positions` int64[C]. By name: `price`, `limit_down`, `limit_up`, `seen` (batch that last named it), `moved` (list).
    `due` lists accounts; `lines` is the table of `Lines`; `counters` as named above."""

    place: Int8s
    slack: Int64s
    due: Int32s
    envelope: Int64s
    is_moved: Int64s
    positions: Int64s
    price: Int64s
    limit_down: Int64s
    limit_up: Int64s
    seen: Int64s
    moved: Int64s
    lines: Int64s
    counters: Int64s


# ---- one account ------------------------------------------------------------------------------------------------


@step
def _weigh(row: Whole, rows: Rows, price: Int64s) -> tuple[Whole, Whole, Whole]:
    """Value an account as `valuation.sum_positions` does: what was found, its assets, and what it owes."""
    shares: Whole = 0
    market: Whole = 0
    short: Whole = 0
    kind = ORDINARY
    size = float(rows.cash[row])
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        held = np.int64(rows.quantity[p])
        if held == 0:
            continue
        mark = price[rows.instrument[p]]
        if mark == 0:
            return UNPRICED, 0, 0
        size += abs(float(held)) * float(mark)
        if size > AMOUNT_UNITS_MAX:
            return TOO_LARGE, 0, 0
        if held < 0:
            short -= held * mark
            kind = NOT_INDEXED
        else:
            market += held * mark
            shares += held
        if mark > PRICE_INDEXED_MAX:
            kind = NOT_INDEXED
    if shares > SHARES_MAX:
        kind = NOT_INDEXED
    return kind, market + rows.cash[row], rows.debt[row] + short


@step
def _edge(line_bp: Whole, owed: Whole) -> Whole:
    """The least assets whose ratio, rounded down, reaches the line: ceil(line * owed / 10,000), without overflow."""
    return line_bp * (owed // BP) + (line_bp * (owed % BP) + BP - 1) // BP


@step
def _band_at(assets: Whole, owed: Whole, before: Whole, term: Whole, lines: Int64s) -> Whole:
    """The band, as `bands.step_bands` decides it from the ratio."""
    now = 0
    if owed > 0:
        for worse in range(1, 4):
            line = lines[term, worse - 1]
            if worse <= before:
                line += lines[term, 3]
            if assets < _edge(line, owed):
                now = worse
    return now


@step
def _edges(band: Whole, owed: Whole, term: Whole, lines: Int64s) -> tuple[Whole, Whole]:
    """(low, high): the band stays what it is while low <= assets < high."""
    low, high = 0, AMOUNT_UNITS_MAX + 1
    if owed > 0:
        if band < 3:
            low = _edge(lines[term, band], owed)
        if band > 0:
            high = min(high, _edge(lines[term, band - 1] + lines[term, 3], owed))
    return low, high


@step
def _slack_in(
    row: Whole, in_class: Whole, low: Whole, high: Whole, rows: Rows, envelope: Int64s
) -> tuple[Whole, Whole]:
    """(below, above) of an account in a class, or two negative numbers as soon as it is known not to fit.

    Without that way out LLVM makes a loop of ten positions into gathers, which take twice as long.
    """
    least = most = rows.cash[row]
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        held = np.int64(rows.quantity[p])
        name = rows.instrument[p]
        least += held * envelope[in_class, name, 0]
        most += held * envelope[in_class, name, 1]
        if most >= high:
            return -1, -1
    return least - low, high - 1 - most


@step
def _settle(row: Whole, rows: Rows, state: State) -> tuple[Whole, Whole, Whole, Whole, Whole, Whole]:
    """(band, assets, owed, place, below, above) of an account: valued, and put in the widest class from its own down.

    Without moves left it stays in its class and due.
    """
    before, in_class = np.int64(rows.band[row]), np.int64(state.place[row] & CLASS_BITS)
    kind, assets, owed = _weigh(row, rows, state.price)
    if kind == UNPRICED:
        return -1, 0, 0, in_class | IS_PARKED, ROOMY, ROOMY
    if kind == TOO_LARGE:
        return -1, 0, 0, IS_EXACT, -1, -1
    term = np.int64(rows.terms[row])
    band = _band_at(assets, owed, before, term, state.lines)
    if kind == NOT_INDEXED:
        return band, assets, owed, IS_EXACT, -1, -1
    low, high = _edges(band, owed, term, state.lines)
    below, above = assets - low, high - 1 - assets
    for wide in range(in_class, 0, -1):
        below, above = _slack_in(row, wide, low, high, rows, state.envelope)
        if below >= 0 and above >= 0:
            return band, assets, owed, wide, below, above
        if state.counters[MOVES_LEFT] == 0:
            return band, assets, owed, in_class | IS_DUE, below, above
    return band, assets, owed, 0, assets - low, high - 1 - assets


@step
def _tell(
    batch: Whole, row: Whole, before: Whole, band: Whole, assets: Whole, owed: Whole, events: Int64s, told: Whole
) -> None:
    """Write one crossing."""
    events[told, 0] = batch
    events[told, 1] = row
    events[told, 2] = before
    events[told, 3] = band
    events[told, 4] = assets
    if band < 0:
        events[told, 5] = RATIO_UNKNOWN
    else:
        events[told, 5] = RATIO_NO_DEBT if owed == 0 else assets * BP // owed


# ---- entries of the columns -------------------------------------------------------------------------------------


@step
def _swap(x: Whole, y: Whole, columns: Columns) -> None:
    """Exchange two entries of a column."""
    account, quantity, position, entry = columns.account, columns.quantity, columns.position, columns.entry
    account[x], account[y] = account[y], account[x]
    quantity[x], quantity[y] = quantity[y], quantity[x]
    position[x], position[y] = position[y], position[x]
    entry[position[x]] = x
    entry[position[y]] = y


@loop
def _move(row: Whole, before: Whole, after: Whole, rows: Rows, columns: Columns, state: State) -> None:
    """Move an account's entries from one class to another: a swap for each position and each class in between."""
    bound = columns.bound
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        name = rows.instrument[p]
        at = np.int64(columns.entry[p])
        for c in range(before - 1, after - 1, -1):
            _swap(at, bound[name, c], columns)
            at = bound[name, c]
            bound[name, c] += 1
        for c in range(before, after):
            bound[name, c] -= 1
            _swap(at, bound[name, c], columns)
            at = bound[name, c]
    state.positions[before] -= rows.size[row]
    state.positions[after] += rows.size[row]


@loop
def _show_shares(row: Whole, is_shown: bool, rows: Rows, columns: Columns) -> None:
    """Write an account's shares to the columns, or none: exact accounts are touched without arithmetic."""
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        columns.quantity[columns.entry[p]] = rows.quantity[p] if is_shown else 0


@loop
def _unlink(row: Whole, rows: Rows, columns: Columns, state: State) -> None:
    """Take an account's positions out of the columns."""
    _move(row, np.int64(state.place[row] & CLASS_BITS), np.int64(LAST), rows, columns, state)
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        name = rows.instrument[p]
        columns.bound[name, LAST] -= 1
        _swap(np.int64(columns.entry[p]), columns.bound[name, LAST], columns)
    state.positions[LAST] -= rows.size[row]


@loop
def _link(row: Whole, rows: Rows, columns: Columns, state: State) -> bool:
    """Put an account's positions into the columns, in the last class. False: no room is left at the tail."""
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        name = rows.instrument[p]
        at = columns.bound[name, LAST]
        if at == columns.end[name]:
            if not _relocate(name, columns, state):
                return False
            at = columns.bound[name, LAST]
        columns.account[at] = row
        columns.quantity[at] = rows.quantity[p]
        columns.position[at] = p
        columns.entry[p] = at
        columns.bound[name, LAST] = at + 1
    state.positions[LAST] += rows.size[row]
    return True


@loop
def _relocate(name: Whole, columns: Columns, state: State) -> bool:
    """Move a full column to the tail, with half as much room again."""
    begin, count = columns.start[name], columns.end[name] - columns.start[name]
    tail, room = state.counters[TAIL], count + count // 2 + NEW_COLUMN_ROOM
    if tail + room > len(columns.account):
        return False
    for at in range(count):
        columns.account[tail + at] = columns.account[begin + at]
        columns.quantity[tail + at] = columns.quantity[begin + at]
        columns.position[tail + at] = columns.position[begin + at]
        columns.entry[columns.position[begin + at]] = tail + at
    columns.start[name], columns.end[name] = tail, tail + room
    for c in range(CLASS_COUNT):
        columns.bound[name, c] += tail - begin
    state.counters[TAIL] = tail + room
    return True


# ---- a batch of ticks -------------------------------------------------------------------------------------------


@step
def _take_prices(names: Int64s, prices: Int64s, begin: Whole, end: Whole, state: State) -> Whole:
    """Set the prices of ticks begin..end and list each name once; returns how many names."""
    state.counters[STAMP] += 1
    stamp, count = state.counters[STAMP], 0
    for t in range(begin, end):
        name = names[t]
        state.price[name] = prices[t]
        if state.seen[name] != stamp:
            state.seen[name] = stamp
            state.moved[count] = name
            count += 1
    return count


@step
def _is_indexed(price: Whole) -> bool:
    return bool(0 < price <= PRICE_INDEXED_MAX)


@step
def _is_sweep_cheaper(count: Whole, costs: Costs, account_count: Whole, columns: Columns, state: State) -> bool:
    """Whether the moved names touch more than a pass costs; marks the classes whose envelopes they leave."""
    state.is_moved[:] = 0
    envelope, bound = state.envelope, columns.bound
    touches = 0
    for i in range(count):
        name = state.moved[i]
        price, begin = state.price[name], columns.start[name]
        if price == envelope[0, name, 0]:
            continue
        if not (_is_indexed(price) and _is_indexed(envelope[0, name, 0])):
            continue  # its holders are all due, on either path
        for c in range(CLASS_COUNT):
            if not envelope[c, name, 0] <= price <= envelope[c, name, 1]:
                touches += bound[name, c] - begin
                state.is_moved[c] = 1
            begin = bound[name, c]
    state.counters[TOUCHES] += touches
    swept = state.positions.sum()
    return bool(touches * costs.touch > account_count * costs.pass_account + swept * costs.pass_position)


@step
def _anchor(name: Whole, in_class: Whole, state: State) -> tuple[Whole, Whole]:
    """The envelope of a class around a name's price."""
    price, least, most = state.price[name], state.limit_down[name], state.limit_up[name]
    half = max(price * WIDTH_BP[in_class] // BP, WIDTH_STEP_UNITS * in_class)
    if in_class == LAST and most < PRICE_UNITS_MAX:
        half = PRICE_UNITS_MAX
    lower = max(price - half, least, 1)
    upper = min(price + half, most, PRICE_INDEXED_MAX)
    return min(lower, price), max(upper, price)


@step
def _mark_due(row: Whole, state: State) -> None:
    """List an account to be valued at this decision, once."""
    if not state.place[row] & IS_DUE:
        state.place[row] |= IS_DUE
        state.due[state.counters[DUE]] = row
        state.counters[DUE] += 1


@step
def _touch(begin: Whole, end: Whole, lower_step: Whole, upper_step: Whole, columns: Columns, state: State) -> None:
    """Bring the slack of a column's entries begin..end to moved ends of their envelope; list who falls short.

    Unsigned indices: Numba tests a signed one for being negative, a third of the loop's time.
    """
    account, quantity, slack = columns.account, columns.quantity, state.slack
    at, stop, one = np.uint64(begin), np.uint64(end), np.uint64(1)
    while at < stop:
        row = np.uint64(account[at])
        held = np.int64(quantity[at])
        below = slack[row + row] + held * lower_step
        above = slack[row + row + one] - held * upper_step
        slack[row + row] = below
        slack[row + row + one] = above
        if (below | above) < 0:
            _mark_due(np.int64(row), state)
        at += one


@step
def _apply(name: Whole, is_swept: bool, columns: Columns, state: State) -> None:
    """Move the envelopes that a name's price left, and unless the rows are swept the slack of their holders."""
    envelope, bound = state.envelope, columns.bound
    price, before, begin = state.price[name], envelope[0, name, 0], columns.start[name]
    if price == before:
        return
    if not (_is_indexed(price) and _is_indexed(before)):
        for c in range(CLASS_COUNT):
            envelope[c, name, 0], envelope[c, name, 1] = _anchor(name, c, state) if price else (0, 0)
        for at in range(begin, bound[name, LAST]):
            _mark_due(np.int64(columns.account[at]), state)
        return
    for c in range(CLASS_COUNT):
        if not envelope[c, name, 0] <= price <= envelope[c, name, 1]:
            lower, upper = _anchor(name, c, state)
            lower_step, upper_step = lower - envelope[c, name, 0], upper - envelope[c, name, 1]
            envelope[c, name, 0], envelope[c, name, 1] = lower, upper
            if not is_swept:
                _touch(begin, bound[name, c], lower_step, upper_step, columns, state)
        begin = bound[name, c]


@loop
def _sweep(account_count: Whole, rows: Rows, state: State) -> None:
    """Sum anew the slack of every account in a class whose envelopes moved; list who falls short, by row.

    What a touch would add to a slack does not depend on the order, so the sum is what touching would have left. The
    edges are those the slack was measured from: the sum of the old envelopes is not needed, only low and high.
    """
    state.counters[SWEEPS] += 1
    state.counters[DUE] = 0
    place, slack, is_moved = state.place, state.slack, state.is_moved
    for row in range(account_count):
        if place[row] & (IS_DUE | IS_EXACT):
            place[row] &= ~IS_DUE
            _mark_due(row, state)
        elif is_moved[place[row] & CLASS_BITS] and not place[row] & IS_PARKED:
            low, high = _edges(np.int64(rows.band[row]), rows.debt[row], np.int64(rows.terms[row]), state.lines)
            below, above = _slack_in(row, np.int64(place[row]), low, high, rows, state.envelope)
            slack[2 * row], slack[2 * row + 1] = below, above
            if (below | above) < 0:
                _mark_due(row, state)


@loop
def _warm(begin: Whole, end: Whole, rows: Rows, state: State) -> None:
    """Read what the next accounts that are due need, one column after another and without a decision in between.

    Each account lies in a dozen places outside the cache. Read here the waits overlap; read when the account is valued,
    each wait is followed by a branch on what comes.
    """
    seen: Whole = 0
    for i in range(begin, end):
        row = state.due[i]
        seen += rows.start[row] + rows.size[row] + rows.cash[row] + rows.debt[row] + rows.terms[row] + rows.band[row]
        seen += state.slack[2 * row] + state.place[row]
    for i in range(begin, end):
        first = rows.start[state.due[i]]
        if first < len(rows.quantity):
            seen += rows.instrument[first] + rows.quantity[first]
    state.counters[WARM] = seen


@loop
def _decide_due(batch: Whole, events: Int64s, told: Whole, rows: Rows, columns: Columns, state: State) -> Whole:
    """Value the accounts that are due, tell who crossed and put each in its class; returns how many were told."""
    place, slack, counters = state.place, state.slack, state.counters
    counters[MOVES_LEFT] = MOVES_MAX
    kept = 0
    for i in range(counters[DUE]):
        if i % WARM_ROWS == 0 and counters[DUE] > WARM_ROWS:
            _warm(i, min(i + WARM_ROWS, counters[DUE]), rows, state)
        row = np.int64(state.due[i])
        before, was = np.int64(rows.band[row]), np.int64(place[row] & ~IS_DUE)
        band, assets, owed, now, below, above = _settle(row, rows, state)
        if band != before:
            _tell(batch, row, before, band, assets, owed, events, told)
            told += 1
            rows.band[row] = band
        if now & CLASS_BITS != was & CLASS_BITS:
            if counters[MOVES_LEFT] == 0:
                now = (was & CLASS_BITS) | IS_DUE
            else:
                counters[MOVES_LEFT] -= 1
                _move(row, np.int64(was & CLASS_BITS), np.int64(now & CLASS_BITS), rows, columns, state)
        if (was ^ now) & IS_EXACT:
            _show_shares(row, now & IS_EXACT == 0, rows, columns)
        place[row] = now
        slack[2 * row], slack[2 * row + 1] = below, above
        if now & IS_DUE:
            state.due[kept] = row
            kept += 1
    counters[DUE] = kept
    return told


@step
def _probe(moved: Whole, rows: Rows, columns: Columns, state: State) -> None:
    """Try a few accounts of class 0 that hold what moved for a wider class: the widest in an unbroken row from 1 up."""
    counters = state.counters
    for _ in range(min(moved, PROBES_MAX)):
        counters[PROBE] += 1
        if counters[PROBE] % PROBE_EVERY:
            continue
        name = state.moved[counters[PROBE] % moved]
        begin = columns.start[name]
        width = columns.bound[name, 0] - begin
        if width == 0:
            continue
        row = np.int64(columns.account[begin + counters[PROBE] * PROBE_STRIDE % width])
        if state.place[row] != 0:
            continue
        low, high = _edges(np.int64(rows.band[row]), rows.debt[row], np.int64(rows.terms[row]), state.lines)
        in_class = 0
        while in_class < LAST:
            below, above = _slack_in(row, in_class + 1, low, high, rows, state.envelope)
            if (below | above) < 0:
                break
            in_class += 1
            state.slack[2 * row], state.slack[2 * row + 1] = below, above
        if in_class:
            _move(row, np.int64(0), np.int64(in_class), rows, columns, state)
            state.place[row] = in_class


@kernel
def _run_batches(
    names: Int64s,
    prices: Int64s,
    batch_start: Int64s,
    costs: Costs,
    account_count: Whole,
    rows: Rows,
    columns: Columns,
    state: State,
) -> Int64s:
    """Apply batch after batch of ticks and decide after each.

    Batch b is ticks batch_start[b]..batch_start[b+1]. Returns the crossings int64[N, 6]: batch, row, band before, band
    now, assets, ratio; by batch, in no order of rows.
    """
    events = np.empty((64, 6), dtype=np.int64)
    told = np.int64(0)
    for batch in range(len(batch_start) - 1):
        moved = _take_prices(names, prices, batch_start[batch], batch_start[batch + 1], state)
        is_swept = _is_sweep_cheaper(moved, costs, account_count, columns, state)
        for i in range(moved):
            _apply(state.moved[i], is_swept, columns, state)
        if is_swept:
            _sweep(account_count, rows, state)
        if state.counters[DUE]:
            room = told + state.counters[DUE]
            if room > len(events):
                grown = np.empty((room + room // 2, 6), dtype=np.int64)
                grown[:told] = events[:told]
                events = grown
            told = _decide_due(batch, events, told, rows, columns, state)
        _probe(moved, rows, columns, state)
    return events[:told]


# ---- the open ---------------------------------------------------------------------------------------------------


@loop
def _open_accounts(account_count: Whole, in_class: Int64s, events: Int64s, rows: Rows, state: State) -> Whole:
    """Value every account and find its class; counts positions by name and class; returns how many crossed."""
    told = np.int64(0)
    for name in range(len(state.price)):
        for c in range(CLASS_COUNT):
            if _is_indexed(state.price[name]):
                state.envelope[c, name, 0], state.envelope[c, name, 1] = _anchor(name, c, state)
            else:
                state.envelope[c, name, 0] = state.envelope[c, name, 1] = state.price[name]
    state.counters[MOVES_LEFT] = 1
    for row in range(account_count):
        before = np.int64(rows.band[row])
        state.place[row] = LAST
        band, assets, owed, place, below, above = _settle(row, rows, state)
        state.place[row] = place
        state.slack[2 * row], state.slack[2 * row + 1] = below, above
        if band != before:
            _tell(np.int64(0), row, before, band, assets, owed, events, told)
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

    It is good while `layout` is the live book's; a change of lines, haircuts, flags or limits asks for a new one.
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
        in_class = np.zeros_like(self._columns.bound)
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
        """Apply batches of ticks and decide after each; see `_run_batches`."""
        return _run_batches.run(
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
        _unlink.run(0, row, self._rows, self._columns, self._state)

    def put_in(self, row: int) -> bool:
        """Put an account's positions in, after they changed. False: there is no room, and the index is no longer good.

        The account stands in the last class and is due.
        """
        is_in = _link.run(0, row, self._rows, self._columns, self._state)
        self._state.place[row] = LAST | (self._state.place[row] & IS_DUE)
        self.touch(np.array([row]))
        return is_in
