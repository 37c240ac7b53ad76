"""The positions by instrument: each name's column keeps the holders of one class side by side.

An account that changes class, comes or goes moves its entries by swaps; a column that is full moves to the tail.
"""

import numpy as np

from reefpoint.engine.kernel import unsigned
from reefpoint.engine.slack_layout import CLASS_BITS, CLASS_COUNT, LAST, TAIL, Columns, Rows, State, Whole, loop, step

NEW_COLUMN_ROOM = 4
"""Entries that a column has free however few it holds."""


@step
def _swap(x: Whole, y: Whole, columns: Columns) -> None:
    """Exchange two entries of a column; with signed indices, which Numba tests, a move takes half as long again."""
    x, y = unsigned(x), unsigned(y)
    account, quantity, position, entry = columns.account, columns.quantity, columns.position, columns.entry
    account[x], account[y] = account[y], account[x]
    quantity[x], quantity[y] = quantity[y], quantity[x]
    position[x], position[y] = position[y], position[x]
    entry[unsigned(position[x])] = x
    entry[unsigned(position[y])] = y


@loop
def move_account(row: Whole, before: Whole, after: Whole, rows: Rows, columns: Columns, state: State) -> None:
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
def show_shares(row: Whole, is_shown: bool, rows: Rows, columns: Columns) -> None:
    """Write an account's shares to the columns, or none: exact accounts are touched without arithmetic."""
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        columns.quantity[columns.entry[p]] = rows.quantity[p] if is_shown else 0


@loop
def unlink_account(row: Whole, rows: Rows, columns: Columns, state: State) -> None:
    """Take an account's positions out of the columns."""
    move_account(row, np.int64(state.place[row] & CLASS_BITS), np.int64(LAST), rows, columns, state)
    begin = rows.start[row]
    for p in range(begin, begin + rows.size[row]):
        name = rows.instrument[p]
        columns.bound[name, LAST] -= 1
        _swap(np.int64(columns.entry[p]), columns.bound[name, LAST], columns)
    state.positions[LAST] -= rows.size[row]


@loop
def link_account(row: Whole, rows: Rows, columns: Columns, state: State) -> bool:
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
