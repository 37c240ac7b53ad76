"""A batch of ticks in the slack index: envelopes move, slacks follow by touch or sweep, who falls short is decided."""

from typing import NamedTuple

import numpy as np

from reefpoint.engine.columns import BP, PRICE_UNITS_MAX, Int64s
from reefpoint.engine.kernel import kernel, unsigned
from reefpoint.engine.slack_account import PRICE_INDEXED_MAX, find_edges, find_slack, settle_account, tell_crossing
from reefpoint.engine.slack_columns import move_account, show_shares
from reefpoint.engine.slack_layout import (
    CLASS_BITS,
    CLASS_COUNT,
    DUE,
    IS_DUE,
    IS_EXACT,
    LAST,
    MOVES_LEFT,
    PROBE,
    STAMP,
    SWEEPS,
    TOUCHES,
    WARM,
    Columns,
    Rows,
    State,
    Whole,
    loop,
    step,
)

WIDTH_BP = (0, 10, 25, 60, 150, 400, 1_000)
"""Half the width of each class's envelopes; the last counts only where the day has no price limit.

Each is some 2.5 times the one before: finer ones cost more moves between classes, coarser ones more touches.
"""
STRETCHED = 4
"""The classes up to this one are wider for names with many holders (`slack.find_stretches`); those above are left so
seldom that it would gain nothing, and a fall of all names would have more accounts to read."""
WIDTH_STEP_UNITS = 100
"""An envelope of class c is at least c cents wide either way, so that a penny name does not leave it at every tick."""
MOVES_MAX = 1_000
"""Accounts that change class in one batch (0.5 to 1.5 us each), none in a swept one.

The rest waits in its class, valued at each decision (0.1 us), until its turn comes. So a crash that drives 100,000
accounts out of their classes does not stop the watch for a tenth of a second.
"""
WARM_ROWS = 64
SWEEP_ROWS = 1_024
"""Accounts of one block of a sweep: what is read of them stays in the second-level cache until they are decided."""
PROBES_MAX = 64
PROBE_EVERY = 4
PROBE_STRIDE = 7_919
"""One account of class 0 is tried for a wider class for every fourth name that moved, among at most so many names in a
batch. The stride is a prime, so that the picks go through a column whatever its length."""


class Costs(NamedTuple):
    """What a batch costs, in picoseconds; measured on a Zen 4 core at 10^6 accounts and 10^7 positions.

    A touch is a random access to the slack of one account. What more touches go one way than the other pushes accounts
    over their edges: each of these is part of an account that will be due, found and valued out of order. A sweep looks
    at each account and reads the positions of those in classes that moved. Only the ratios count.
    """

    touch: int = 9_000
    one_way: int = 12_000
    pass_account: int = 900
    pass_position: int = 8_000


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
def is_indexed(price: Whole) -> bool:
    return bool(0 < price <= PRICE_INDEXED_MAX)


@step
def _is_sweep_cheaper(count: Whole, costs: Costs, account_count: Whole, columns: Columns, state: State) -> bool:
    """Whether touching holders of the moved names costs more than a sweep; marks the classes that envelopes leave."""
    state.is_moved[:] = 0
    envelope, bound = state.envelope, columns.bound
    touches: Whole = 0
    rises: Whole = 0
    for i in range(count):
        name = state.moved[i]
        price, before, begin = state.price[name], envelope[0, name, 0], columns.start[name]
        if price == before:
            continue
        if not (is_indexed(price) and is_indexed(before)):
            continue  # its holders are all due, on either path
        for c in range(CLASS_COUNT):
            if not envelope[c, name, 0] <= price <= envelope[c, name, 1]:
                touches += bound[name, c] - begin
                rises += bound[name, c] - begin if price > before else 0
                state.is_moved[c] = 1
            begin = bound[name, c]
    state.counters[TOUCHES] += touches
    sweeping = account_count * costs.pass_account
    for c in range(CLASS_COUNT):
        sweeping += state.is_moved[c] * state.positions[c] * costs.pass_position
    return bool(touches * costs.touch + abs(2 * rises - touches) * costs.one_way > sweeping)


@step
def anchor_envelope(name: Whole, in_class: Whole, state: State) -> tuple[Whole, Whole]:
    """The envelope of a class around a name's price."""
    price, least, most = state.price[name], state.limit_down[name], state.limit_up[name]
    width_bp = WIDTH_BP[in_class] * state.stretch[name] // BP if in_class <= STRETCHED else WIDTH_BP[in_class]
    half = max(price * width_bp // BP, WIDTH_STEP_UNITS * in_class)
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
    if not (is_indexed(price) and is_indexed(before)):
        for c in range(CLASS_COUNT):
            envelope[c, name, 0], envelope[c, name, 1] = anchor_envelope(name, c, state) if price else (0, 0)
        for at in range(begin, bound[name, LAST]):
            _mark_due(np.int64(columns.account[at]), state)
        return
    for c in range(CLASS_COUNT):
        if not envelope[c, name, 0] <= price <= envelope[c, name, 1]:
            lower, upper = anchor_envelope(name, c, state)
            lower_step, upper_step = lower - envelope[c, name, 0], upper - envelope[c, name, 1]
            envelope[c, name, 0], envelope[c, name, 1] = lower, upper
            if not is_swept:
                _touch(begin, bound[name, c], lower_step, upper_step, columns, state)
        begin = bound[name, c]


@loop
def _warm(begin: Whole, end: Whole, rows: Rows, state: State) -> None:
    """Read what the next accounts that are due need, one column after another and without a decision in between.

    Each account lies in a dozen places outside the cache. Read here the waits overlap; read when the account is valued,
    each wait is followed by a branch on what comes.
    """
    seen: Whole = 0
    for i in range(begin, end):
        row = unsigned(state.due[i])
        seen += rows.start[row] + rows.size[row] + rows.cash[row] + rows.debt[row] + rows.terms[row] + rows.band[row]
        seen += state.slack[row + row] + state.place[row]
    for i in range(begin, end):
        row = unsigned(state.due[i])
        if rows.size[row]:
            first, last = unsigned(rows.start[row]), unsigned(rows.start[row] + rows.size[row] - 1)
            seen += rows.instrument[first] + rows.quantity[first] + rows.instrument[last] + rows.quantity[last]
    state.counters[WARM] = seen


@loop
def _decide_due(
    batch: Whole, first: Whole, is_near: bool, events: Int64s, told: Whole, rows: Rows, columns: Columns, state: State
) -> Whole:
    """Value the accounts that are due, from place `first` of their list on: tell who crossed and put each in its class.

    Returns how many were told so far. Who waits for a turn to move stays in the list.
    """
    place, slack, counters = state.place, state.slack, state.counters
    kept = first
    for i in range(first, counters[DUE]):
        if not is_near and i % WARM_ROWS == 0:
            _warm(i, min(i + WARM_ROWS, counters[DUE]), rows, state)
        row = np.int64(state.due[i])
        before, was = np.int64(rows.band[row]), np.int64(place[row] & ~IS_DUE)
        band, assets, owed, now, below, above = settle_account(row, rows, state)
        if band != before:
            tell_crossing(batch, row, before, band, assets, owed, events, told)
            told += 1
            rows.band[row] = band
        if now & CLASS_BITS != was & CLASS_BITS:
            if counters[MOVES_LEFT] == 0:
                now = (was & CLASS_BITS) | IS_DUE
            else:
                counters[MOVES_LEFT] -= 1
                move_account(row, np.int64(was & CLASS_BITS), np.int64(now & CLASS_BITS), rows, columns, state)
        if (was ^ now) & IS_EXACT:
            show_shares(row, now & IS_EXACT == 0, rows, columns)
        place[row] = now
        slack[2 * row], slack[2 * row + 1] = below, above
        if now & IS_DUE:
            state.due[kept] = row
            kept += 1
    counters[DUE] = kept
    return told


@loop
def _list_short(first: Whole, stop: Whole, rows: Rows, state: State) -> None:
    """Sum anew the slack of accounts first..stop in classes whose envelopes moved; list who falls short, by row.

    What a touch would add to a slack does not depend on the order, so the sum is what touching would have left. The
    edges are those the slack was measured from: the sum of the old envelopes is not needed, only low and high.
    """
    place, slack, due, is_moved = state.place, state.slack, state.due, state.is_moved
    begin = end = state.counters[DUE]
    for each in range(first, stop):
        due[end] = each
        in_class, flags = place[each] & CLASS_BITS, place[each] & ~CLASS_BITS
        end += int((flags & (IS_DUE | IS_EXACT)) != 0) | (is_moved[in_class] & int(flags == 0))
    _warm(begin, end, rows, state)
    short = begin
    for i in range(begin, end):
        row = np.int64(due[i])
        if not place[row] & (IS_DUE | IS_EXACT):
            low, high = find_edges(np.int64(rows.band[row]), rows.debt[row], np.int64(rows.terms[row]), state.lines)
            below, above = find_slack(row, np.int64(place[row]), low, high, rows, state.envelope)
            slack[2 * row], slack[2 * row + 1] = below, above
            if (below | above) >= 0:
                continue
        place[row] |= IS_DUE
        due[short] = row
        short += 1
    state.counters[DUE] = short


@loop
def _sweep(
    batch: Whole, account_count: Whole, events: Int64s, told: Whole, rows: Rows, columns: Columns, state: State
) -> Whole:
    """Take the accounts in order, a block at a time: list who falls short, and decide them while they are near."""
    state.counters[SWEEPS] += 1
    state.counters[DUE] = 0
    for first in range(0, account_count, SWEEP_ROWS):
        waiting = state.counters[DUE]
        _list_short(first, min(first + SWEEP_ROWS, account_count), rows, state)
        told = _decide_due(batch, waiting, True, events, told, rows, columns, state)
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
        low, high = find_edges(np.int64(rows.band[row]), rows.debt[row], np.int64(rows.terms[row]), state.lines)
        in_class = 0
        while in_class < LAST:
            below, above = find_slack(row, in_class + 1, low, high, rows, state.envelope)
            if (below | above) < 0:
                break
            in_class += 1
            state.slack[2 * row], state.slack[2 * row + 1] = below, above
        if in_class:
            move_account(row, np.int64(0), np.int64(in_class), rows, columns, state)
            state.place[row] = in_class


@kernel
def run_batches(
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
        state.counters[MOVES_LEFT] = 0 if is_swept else MOVES_MAX
        room = told + (account_count if is_swept else state.counters[DUE])
        if room > len(events):
            grown = np.empty((room + room // 2, 6), dtype=np.int64)
            grown[:told] = events[:told]
            events = grown
        if is_swept:
            told = _sweep(batch, account_count, events, told, rows, columns, state)
        elif state.counters[DUE]:
            told = _decide_due(batch, 0, False, events, told, rows, columns, state)
        _probe(moved, rows, columns, state)
    return events[:told]
