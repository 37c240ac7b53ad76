"""The book while it is watched: the columns of `Book` with room to change in place.

A trade rewrites the positions of one account where they stand. An account that has outgrown its room moves to the tail
with half as much again; an account that is added stands at the tail. Only when the tail is used up is all of it laid
out anew (`layout` then counts one up, and whoever keeps numbers of positions must begin again).
"""

import numpy as np

from reefpoint.engine.book import Book, starts
from reefpoint.engine.columns import Int8s, Int32s, Int64s

SPARE_POSITIONS = 16
"""One in so many positions is kept free at the tail, and so many at least: 0.4 bytes a position."""
SPARE_ACCOUNTS = 8
"""The same for accounts."""


class LiveBook:
    """What every account holds and owes, and its band; each array has room to spare.

    - `start`, `count`, `room` int32[A+]: positions of account a are rows start[a]..start[a]+count[a] of room[a]
    - `instrument`, `quantity` [P+] and `cash_units`, `debt_units`, `terms` [A+] as in `Book`
    - `band` int8[A+] of `Band`, as of the last decision
    - `account_count`: how many of the rows are accounts
    """

    start: Int32s
    count: Int32s
    room: Int32s

    def __init__(self, book: Book, band: Int8s) -> None:
        self.layout = 0
        self._lay_out(book, band)

    def _lay_out(self, book: Book, band: Int8s, accounts_more: int = 0, positions_more: int = 0) -> None:
        """Copy a dense book, with room for so many more beside the usual spare."""
        accounts, positions = book.account_count, book.position_count
        accounts_room = accounts + accounts // SPARE_ACCOUNTS + SPARE_ACCOUNTS + accounts_more
        positions_room = positions + positions // SPARE_POSITIONS + SPARE_POSITIONS + positions_more
        self.account_count = accounts
        self.start, self.count = np.zeros((2, accounts_room), dtype=np.int32)
        self.start[:accounts] = book.start[:-1]
        self.count[:accounts] = np.diff(book.start)
        self.room = self.count.copy()
        self.instrument = _with_room(book.instrument, positions_room)
        self.quantity = _with_room(book.quantity, positions_room)
        self.cash_units = _with_room(book.cash_units, accounts_room)
        self.debt_units = _with_room(book.debt_units, accounts_room)
        self.terms = _with_room(book.terms, accounts_room)
        self.band = _with_room(band, accounts_room)
        self._tail = positions
        self._is_dense = True
        self.layout += 1

    def book(self) -> Book:
        """All accounts as a dense book. Its columns are this one's own while no position came or went: read only."""
        count = self.account_count
        if not self._is_dense:
            return self.accounts(np.arange(count))
        return Book(
            np.append(self.start[:count], np.int32(self._tail)),
            self.instrument[: self._tail],
            self.quantity[: self._tail],
            self.cash_units[:count],
            self.debt_units[:count],
            self.terms[:count],
        )

    def accounts(self, rows: Int64s) -> Book:
        """A copy of the accounts `rows`, in that order, as a dense book."""
        count = self.count[rows]
        start = starts(count)
        at = np.arange(start[-1]) + np.repeat(self.start[rows] - start[:-1], count)
        return Book(
            start,
            self.instrument[at],
            self.quantity[at],
            self.cash_units[rows],
            self.debt_units[rows],
            self.terms[rows],
        )

    def replace(self, row: int, one: Book) -> None:
        """Let account `row` hold and owe what the book of one says."""
        count = one.position_count
        self._widen(one)
        if count > self.room[row]:
            room = count + count // 2
            if self._tail + room > len(self.instrument):
                self._lay_out(self.book(), self.band[: self.account_count], positions_more=room)
            self.start[row], self.room[row] = self._tail, room
            self._tail += room
            self._is_dense = False
        if count != self.count[row]:
            self._is_dense = False
        self.count[row] = count
        held = slice(int(self.start[row]), int(self.start[row]) + count)
        self.instrument[held], self.quantity[held] = one.instrument, one.quantity
        self.cash_units[row], self.debt_units[row] = one.cash_units[0], one.debt_units[0]
        self.terms[row] = one.terms[0]

    def add(self, one: Book, band: int) -> int:
        """Add the account of a book of one; returns its row."""
        row = self.account_count
        if row == len(self.start):
            self._lay_out(self.book(), self.band[:row], accounts_more=1)
        self.account_count += 1
        self.start[row] = self._tail
        self.count[row] = self.room[row] = 0
        self.band[row] = band
        self.replace(row, one)
        return row

    def _widen(self, one: Book) -> None:
        """Take wider columns when an instrument or a quantity does not fit those at hand."""
        instrument = np.promote_types(self.instrument.dtype, one.instrument.dtype)
        quantity = np.promote_types(self.quantity.dtype, one.quantity.dtype)
        if (instrument, quantity) != (self.instrument.dtype, self.quantity.dtype):
            self.instrument, self.quantity = self.instrument.astype(instrument), self.quantity.astype(quantity)
            self.layout += 1


def _with_room(values: np.ndarray, room: int) -> np.ndarray:
    wide = np.zeros(room, dtype=values.dtype)
    wide[: len(values)] = values
    return wide
