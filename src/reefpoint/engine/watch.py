"""The watch: the book kept valued while prices, holdings, debts and terms change, telling who crosses a band.

A price touches only the holders of what moved: assets += quantity * (new price - old price), in integers, so the state
after any sequence of changes equals a full revaluation bit for bit.

Changes and decisions are apart: apply all that belongs together (a batch of ticks, a payment, both legs of a split),
then `decide` once. What crosses inside a batch and ends where it began is not told and leaves no trace in the
hysteresis, and the order of the changes in a batch does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN, Band, Lines, step_bands
from reefpoint.engine.book import Book, Marks, check_book, one_account
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    PRICE_UNITS_MAX,
    QUANTITY_MAX,
    BookError,
    Bools,
    Int8s,
    Int32s,
    Int64s,
    Quantities,
    check_column,
    check_range,
    int_column,
)
from reefpoint.engine.kernel import kernel
from reefpoint.engine.valuation import Valuation, value_book

Ints = Sequence[int] | npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Crossings:
    """Accounts whose band changed by one decision, by ascending account row; all of length N.

    `row` int64, `old_band` and `new_band` int8 of `Band`, `assets_units` and `ratio_bp` int64 as in `Valuation`.
    """

    row: Int64s
    old_band: Int8s
    new_band: Int8s
    assets_units: Int64s
    ratio_bp: Int64s

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, eq=False)
class _Holders:
    """Positions by instrument: those of name s are rows start[s]..start[s+1] of `account` and `quantity`."""

    start: Int64s
    account: Int32s
    quantity: Quantities


CLEAN, MOVED, CHANGED = 0, 1, 2
"""An account since the last decision: untouched; assets moved along with prices; to be valued in full."""


@kernel
def _move_prices(
    moved: Int64s,
    before: Int64s,
    after: Int64s,
    start: Int64s,
    account: Int32s,
    quantity: Quantities,
    assets: Int64s,
    is_unknown: Bools,
    state: Int8s,
    touched: Int64s,
    count: int,
) -> int:
    """Add each move to its holders' assets; append the accounts that were CLEAN to `touched`, return the new count.

    An account must be valued in full when a price came or went, when it was unknown, or when a move passes the limit.
    """
    for i in range(len(moved)):
        name = moved[i]
        step = after[i] - before[i]
        is_gap = before[i] == 0 or after[i] == 0
        for j in range(start[name], start[name + 1]):
            row = account[j]
            if quantity[j] == 0 or state[row] == CHANGED:
                continue
            if state[row] == CLEAN:
                touched[count] = row
                count += 1
            if is_gap or is_unknown[row] or abs(float(quantity[j]) * float(step)) > AMOUNT_UNITS_MAX:
                state[row] = CHANGED
            else:
                state[row] = MOVED
                assets[row] += quantity[j] * step
    return count


@kernel
def _rate_rows(rows: Int64s, assets: Int64s, debt: Int64s, ratio: Int64s) -> None:
    """ratio[row] of each of `rows` from its assets and debt."""
    for i in range(len(rows)):
        row = rows[i]
        ratio[row] = RATIO_NO_DEBT if debt[row] == 0 else assets[row] * BP // debt[row]


class Watch:
    """A live book. Not thread-safe: one owner applies changes one after another.

    `bands` int8[A] are the bands that the records hold; the first `decide` tells what differs from them. Without them
    all accounts begin as UNKNOWN.
    """

    def __init__(self, book: Book, marks: Marks, lines: Lines, bands: Int8s | None = None) -> None:
        check_book(book, marks, len(lines))
        _check_long(book)
        count = book.account_count
        if bands is None:
            bands = np.full(count, Band.UNKNOWN, dtype=np.int8)
        check_column("bands", bands, np.int8, (count,))
        check_range("bands", bands, min(Band), max(Band))
        self._book = replace(book, cash_units=book.cash_units.copy(), debt_units=book.debt_units.copy())
        self._marks = replace(marks, price_units=marks.price_units.copy())
        self._lines = lines
        self._holders: _Holders | None = None
        self._band = bands.copy()
        self._assets = np.zeros(count, dtype=np.int64)
        self._ratio = np.full(count, RATIO_UNKNOWN, dtype=np.int64)
        self._is_unknown = np.ones(count, dtype=np.bool_)
        self._state = np.full(count, CHANGED, dtype=np.int8)
        self._touched = np.arange(count)
        self._touched_count = count

    @property
    def book(self) -> Book:
        """The book as it stands. Read only."""
        return self._book

    @property
    def marks(self) -> Marks:
        """The marks as they stand. Read only."""
        return self._marks

    @property
    def lines(self) -> Lines:
        """The lines as they stand."""
        return self._lines

    @property
    def band(self) -> Int8s:
        """int8[A]: the band of every account at the last decision, with its hysteresis. Read only."""
        return self._band

    def decide(self) -> Crossings:
        """Decide the bands of all accounts that changed since the last decision, and tell which crossed."""
        rows = np.sort(self._touched[: self._touched_count])
        self._value_in_full(rows[(self._state[rows] == CHANGED) | (self._assets[rows] > AMOUNT_UNITS_MAX)])
        known = rows[~self._is_unknown[rows]]
        _rate_rows.run(len(known), known, self._assets, self._book.debt_units, self._ratio)
        self._state[rows] = CLEAN
        self._touched_count = 0
        old = self._band[rows]
        new = step_bands(self._ratio[rows], self._book.terms[rows], self._lines, old)
        self._band[rows] = new
        is_crossing = new != old
        crossed = rows[is_crossing]
        return Crossings(crossed, old[is_crossing], new[is_crossing], self._assets[crossed], self._ratio[crossed])

    def value(self, rows: Int64s | None = None) -> Valuation:
        """A full valuation of all accounts, or of `rows`, carrying the bands of the last decision."""
        valued = value_book(self._book, self._marks, self._lines, rows)
        return replace(valued, band=self._band.copy() if rows is None else self._band[rows])

    def apply_prices(self, instrument: Ints, price_units: Ints) -> None:
        """Apply prices (0: no usable price from now on); of two for one instrument the later counts.

        A wrong column, an unknown instrument or a price out of range raises `BookError` and nothing is applied.
        """
        names, prices = int_column("instrument", instrument), int_column("price_units", price_units)
        if len(names) != len(prices):
            raise BookError("price_units", None, f"has {len(prices)} rows, instrument has {len(names)}")
        check_range("instrument", names, 0, self._marks.instrument_count - 1)
        check_range("price_units", prices, 0, PRICE_UNITS_MAX)
        moved = np.unique(names)
        current = self._marks.price_units
        before = current[moved]
        current[names] = prices
        holders = self._index()
        self._touched_count = _move_prices.run(
            int((holders.start[moved + 1] - holders.start[moved]).sum()),
            moved,
            before,
            current[moved],
            holders.start,
            holders.account,
            holders.quantity,
            self._assets,
            self._is_unknown,
            self._state,
            self._touched,
            self._touched_count,
        )

    def set_balances(self, rows: Ints, cash_units: Ints, debt_units: Ints) -> None:
        """Set cash and debt of accounts `rows` (accrual, deposit, repayment); of two for one row the later counts."""
        at = int_column("rows", rows)
        cash, debt = int_column("cash_units", cash_units), int_column("debt_units", debt_units)
        for name, column in (("cash_units", cash), ("debt_units", debt)):
            if len(column) != len(at):
                raise BookError(name, None, f"has {len(column)} rows, rows has {len(at)}")
            check_range(name, column, 0, AMOUNT_UNITS_MAX)
        check_range("rows", at, 0, self._book.account_count - 1)
        self._book.cash_units[at], self._book.debt_units[at] = cash, debt
        self._touch(np.unique(at))

    def replace_account(
        self, row: int, *, instrument: Ints, quantity: Ints, cash_units: int, debt_units: int, terms: int
    ) -> None:
        """Replace all that one account holds and owes (a trade, a transfer, a new scheme version).

        A closed account is replaced by nothing held and nothing owed: its row stays.
        """
        check_range("row", np.array([row]), 0, self._book.account_count - 1)
        one = one_account(
            instrument=instrument, quantity=quantity, cash_units=cash_units, debt_units=debt_units, terms=terms
        )
        check_book(one, self._marks, len(self._lines))
        _check_long(one)
        book, held = self._book, self._book.positions(row)
        start = book.start.copy()
        start[row + 1 :] += one.position_count - (held.stop - held.start)
        book.cash_units[row], book.debt_units[row] = cash_units, debt_units
        new_terms = book.terms.copy()
        new_terms[row] = terms
        self._book = replace(
            book,
            start=start,
            instrument=np.concatenate((book.instrument[: held.start], one.instrument, book.instrument[held.stop :])),
            quantity=np.concatenate((book.quantity[: held.start], one.quantity, book.quantity[held.stop :])),
            terms=new_terms,
        )
        self._holders = None
        self._touch(np.array([row]))

    def add_account(self, *, instrument: Ints, quantity: Ints, cash_units: int, debt_units: int, terms: int) -> int:
        """Add an account, UNKNOWN until the next decision; returns its row, the last."""
        one = one_account(
            instrument=instrument, quantity=quantity, cash_units=cash_units, debt_units=debt_units, terms=terms
        )
        check_book(one, self._marks, len(self._lines))
        _check_long(one)
        book, row = self._book, self._book.account_count
        self._book = Book(
            start=np.append(book.start, np.int32(book.position_count + one.position_count)),
            instrument=np.concatenate((book.instrument, one.instrument)),
            quantity=np.concatenate((book.quantity, one.quantity)),
            cash_units=np.concatenate((book.cash_units, one.cash_units)),
            debt_units=np.concatenate((book.debt_units, one.debt_units)),
            terms=np.concatenate((book.terms, one.terms)),
        )
        self._holders = None
        self._assets = np.append(self._assets, 0)
        self._ratio = np.append(self._ratio, RATIO_UNKNOWN)
        self._is_unknown = np.append(self._is_unknown, np.True_)
        self._band = np.append(self._band, np.int8(Band.UNKNOWN))
        self._state = np.append(self._state, np.int8(CLEAN))
        self._touched = np.append(self._touched, 0)
        self._touch(np.array([row]))
        return row

    def replace_marks(self, marks: Marks, lines: Lines) -> None:
        """Take a whole new version of the marks (prices, haircuts, flags, lots) and of the lines.

        There may be more instruments and more rows of terms than before. Pass `watch.lines` to keep the lines.
        """
        check_book(self._book, marks, len(lines))
        self._marks = replace(marks, price_units=marks.price_units.copy())
        self._lines = lines
        self._holders = None
        self._touch(np.arange(self._book.account_count))

    def _touch(self, rows: Int64s) -> None:
        """Mark `rows` (each once) to be valued in full at the next decision."""
        fresh = rows[self._state[rows] == CLEAN]
        self._touched[self._touched_count : self._touched_count + len(fresh)] = fresh
        self._touched_count += len(fresh)
        self._state[rows] = CHANGED

    def _value_in_full(self, rows: Int64s) -> None:
        if len(rows):
            valued = value_book(self._book, self._marks, self._lines, rows)
            self._assets[rows] = valued.assets_units
            self._ratio[rows] = valued.ratio_bp
            self._is_unknown[rows] = valued.is_unknown

    def _index(self) -> _Holders:
        if self._holders is None:
            book = self._book
            order = np.argsort(book.instrument, kind="stable")
            start = np.zeros(self._marks.instrument_count + 1, dtype=np.int64)
            np.cumsum(np.bincount(book.instrument, minlength=self._marks.instrument_count), out=start[1:])
            self._holders = _Holders(start, book.account_of_position[order], book.quantity[order])
        return self._holders


def _check_long(book: Book) -> None:
    """Refuse a short position: prices are followed by adding to assets alone."""
    check_range("quantity", book.quantity, 0, QUANTITY_MAX)
