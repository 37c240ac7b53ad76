"""The watch: the book kept decided while prices, holdings, debts and terms change, telling who crosses a band.

Changes and decisions are apart: apply all that belongs together (a batch of ticks, a payment, both legs of a split),
then `decide` once. What crosses inside a batch and ends where it began is not told and leaves no trace in the
hysteresis, and the order of the changes in a batch does not matter.

A small book values who was touched. A large one keeps an index (`slack.py`) that proves most accounts unmoved without
looking at them. Either way the crossings are those of a full valuation after every decision, bit for bit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reefpoint.engine.bands import Band, Lines, step_bands
from reefpoint.engine.book import Book, Marks, check_book, one_account
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    PRICE_UNITS_MAX,
    BookError,
    Int8s,
    Int64s,
    check_column,
    check_range,
    check_whole,
    count_rows,
    int_column,
)
from reefpoint.engine.live_book import LiveBook
from reefpoint.engine.slack import SlackIndex
from reefpoint.engine.slack_ticks import Costs
from reefpoint.engine.valuation import Valuation, value_book

Ints = Sequence[int] | npt.NDArray[np.int64]

INDEX_POSITIONS_MIN = 50_000
"""A smaller book is valued where it was touched: in less time than the index takes to be compiled or opened."""
COSTS = Costs()


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
class BatchCrossings(Crossings):
    """Crossings of many decisions, by ascending `batch` (int64[N], the number of the decision) and account row."""

    batch: Int64s


class Watch:
    """A live book. Not thread-safe: one owner applies changes one after another.

    `bands` int8[A] are the bands that the records hold; the first `decide` tells what differs from them. Without them
    all accounts begin as UNKNOWN.
    """

    def __init__(self, book: Book, marks: Marks, lines: Lines, bands: Int8s | None = None) -> None:
        check_book(book, marks, len(lines))
        count = book.account_count
        if bands is None:
            bands = np.full(count, Band.UNKNOWN, dtype=np.int8)
        check_column("bands", bands, np.int8, (count,))
        check_range("bands", bands, min(Band), max(Band))
        self._live = LiveBook(book, bands)
        self._index: SlackIndex | None = None
        self._marks: Marks | None = None
        self._moved: list[Int64s] = []
        self._take_marks(marks, lines)

    @property
    def book(self) -> Book:
        """The book as it stands. Read only; for a large book whose positions came or went it is a copy."""
        return self._live.book()

    @property
    def marks(self) -> Marks:
        """The marks as they stand. Read only."""
        if self._marks is None:
            self._marks = replace(self._given, price_units=self._price.copy())
        return self._marks

    @property
    def lines(self) -> Lines:
        """The lines as they stand."""
        return self._lines

    @property
    def band(self) -> Int8s:
        """int8[A]: the band of every account at the last decision, with its hysteresis. Read only."""
        return self._live.band[: self._live.account_count]

    @property
    def counts(self) -> dict[str, int]:
        """What the index did since it was opened (see `SlackIndex.counts`); empty without one."""
        return {} if self._index is None else self._index.counts

    def accounts(self, rows: Int64s) -> Book:
        """A copy of the accounts `rows` int64[N] as they stand, in that order."""
        self._check_rows(rows)
        return self._live.accounts(rows)

    def decide(self) -> Crossings:
        """Decide the bands of all accounts that changed since the last decision, and tell which crossed."""
        return Crossings(*_columns(_in_order(self._events())))

    def value(self, rows: Int64s | None = None) -> Valuation:
        """A full valuation of all accounts, or of `rows`, carrying the bands of the last decision."""
        book = self._live.book() if rows is None else self.accounts(rows)
        valued = value_book(book, self.marks, self._lines)
        return replace(valued, band=self.band.copy() if rows is None else self.band[rows])

    def apply_prices(self, instrument: Ints, price_units: Ints) -> None:
        """Apply prices (0: no usable price from now on); of two for one instrument the later counts.

        A wrong column, an unknown instrument or a price out of range raises `BookError` and nothing is applied.
        """
        names, prices = self._checked_ticks(instrument, price_units)
        self._price[names] = prices
        self._moved.append(names)
        self._marks = None

    def apply_ticks(self, instrument: Ints, price_units: Ints, batch_start: Ints) -> BatchCrossings:
        """Apply batches of prices and decide after each: `apply_prices` and `decide` for each batch, in one call.

        Batch b is ticks batch_start[b]..batch_start[b+1]; `batch_start` runs from 0 to their number. What was changed
        before belongs to the first batch. Refused whole, as `apply_prices` is.
        """
        names, prices = self._checked_ticks(instrument, price_units)
        starts = int_column("batch_start", batch_start)
        if len(starts) == 0 or starts[0] != 0 or starts[-1] != len(names):
            raise BookError("batch_start", None, f"must run from 0 to {len(names)} ticks")
        check_range("batch_start (ticks of a batch)", np.diff(starts), 0, len(names))
        told: list[Int64s] = []
        first, count = 0, len(starts) - 1
        while first < count and self._index is None:
            batch = slice(starts[first], starts[first + 1])
            self.apply_prices(names[batch], prices[batch])
            told.append(self._events())
            told[-1][:, 0] = first
            first += 1
        if self._index is not None and first < count:
            waiting = self._take_moved()
            begin = starts[first]
            ticks = np.concatenate((waiting, names[begin:])), np.concatenate((self._price[waiting], prices[begin:]))
            bounds = starts[first:] - begin + len(waiting)
            bounds[0] = 0
            told.append(self._index.run(*ticks, bounds, COSTS))
            told[-1][:, 0] += first
            self._marks = None
        events = _in_order(np.concatenate(told) if told else np.empty((0, 6), dtype=np.int64))
        return BatchCrossings(*_columns(events), events[:, 0].copy())

    def set_balances(self, rows: Ints, cash_units: Ints, debt_units: Ints) -> None:
        """Set cash and debt of accounts `rows` (accrual, deposit, repayment); of two for one row the later counts."""
        at = int_column("rows", rows)
        cash, debt = int_column("cash_units", cash_units), int_column("debt_units", debt_units)
        for name, column in (("cash_units", cash), ("debt_units", debt)):
            if len(column) != len(at):
                raise BookError(name, None, f"has {len(column)} rows, rows has {len(at)}")
            check_range(name, column, 0, AMOUNT_UNITS_MAX)
        check_range("rows", at, 0, self._live.account_count - 1)
        self._live.cash_units[at], self._live.debt_units[at] = cash, debt
        self._touch(np.unique(at))

    def replace_account(
        self, row: int, *, instrument: Ints, quantity: Ints, cash_units: int, debt_units: int, terms: int
    ) -> None:
        """Replace all that one account holds and owes (a trade, a transfer, a new scheme version).

        A closed account is replaced by nothing held and nothing owed: its row stays. Costs a few microseconds a
        position, whatever the size of the book.
        """
        check_whole("row", row, 0, self._live.account_count - 1)
        one = one_account(
            instrument=instrument, quantity=quantity, cash_units=cash_units, debt_units=debt_units, terms=terms
        )
        check_book(one, self._given, len(self._lines))
        if self._index is not None:
            self._index.take_out(row)
        self._live.replace(row, one)
        self._put_in(row)

    def add_account(self, *, instrument: Ints, quantity: Ints, cash_units: int, debt_units: int, terms: int) -> int:
        """Add an account, UNKNOWN until the next decision; returns its row, the last."""
        one = one_account(
            instrument=instrument, quantity=quantity, cash_units=cash_units, debt_units=debt_units, terms=terms
        )
        check_book(one, self._given, len(self._lines))
        row = self._live.add(one, Band.UNKNOWN)
        self._put_in(row)
        return row

    def replace_marks(self, marks: Marks, lines: Lines) -> None:
        """Take a whole new version of the marks (prices, haircuts, flags, lots, limits) and of the lines.

        There may be more instruments and more rows of terms than before. Pass `watch.lines` to keep the lines. New
        haircuts, maintenance, flags and lots move no band, so they cost nothing and what prices differ count as ticks.
        For other limits, lines, names or terms the next decision opens a new index: 0.3 s for a million accounts.
        """
        if self._decides_as(marks, lines):
            moved = np.flatnonzero(marks.price_units != self.marks.price_units)
            self._given, self._lines, self._marks = marks, lines, None
            self.apply_prices(moved, marks.price_units[moved])
        else:
            check_book(self._live.book(), marks, len(lines))
            self._take_marks(marks, lines)

    def _decides_as(self, marks: Marks, lines: Lines) -> bool:
        """Whether bands follow from prices as before: the same names and terms, lines and limits of the day."""
        given = self._given
        return marks.haircut_bp.shape == given.haircut_bp.shape and all(
            np.array_equal(now, before)
            for now, before in (
                (lines.table, self._lines.table),
                (marks.limit_down_units, given.limit_down_units),
                (marks.limit_up_units, given.limit_up_units),
            )
        )

    def _take_marks(self, marks: Marks, lines: Lines) -> None:
        self._given, self._price, self._lines = marks, marks.price_units.copy(), lines
        self._marks = None
        self._moved = []
        self._reopen()

    def _reopen(self) -> None:
        """Drop the index; the next decision values every account."""
        self._index = None
        self._is_touched = np.ones(len(self._live.start), dtype=np.bool_)

    def _checked_ticks(self, instrument: Ints, price_units: Ints) -> tuple[Int64s, Int64s]:
        names, prices = int_column("instrument", instrument), int_column("price_units", price_units)
        if len(names) != len(prices):
            raise BookError("price_units", None, f"has {len(prices)} rows, instrument has {len(names)}")
        check_range("instrument", names, 0, len(self._price) - 1)
        check_range("price_units", prices, 0, PRICE_UNITS_MAX)
        return names, prices

    def _check_rows(self, rows: Int64s) -> None:
        check_column("rows", rows, np.int64, (count_rows("rows", rows),))
        check_range("rows", rows, 0, self._live.account_count - 1)

    def _touch(self, rows: Int64s) -> None:
        """Have `rows` (each once) valued at the next decision."""
        if self._index is None:
            self._is_touched[rows] = True
        else:
            self._index.touch(rows)

    def _put_in(self, row: int) -> None:
        """Follow the live book after account `row` was written."""
        index = self._index
        if index is None and row < len(self._is_touched):
            self._is_touched[row] = True
        elif index is None or index.layout != self._live.layout or not index.put_in(row):
            self._reopen()

    def _take_moved(self) -> Int64s:
        """The names that ticked since the last decision, and an empty list for the next."""
        names = np.concatenate(self._moved) if self._moved else np.empty(0, dtype=np.int64)
        self._moved = []
        return names

    def _events(self) -> Int64s:
        """Decide, and tell as `SlackIndex.run` does."""
        names, live = self._take_moved(), self._live
        if self._index is not None:
            return self._index.run(names, self._price[names], np.array([0, len(names)]), COSTS)
        if int(live.count[: live.account_count].sum()) >= INDEX_POSITIONS_MIN:
            self._index = SlackIndex(live, self._price, self._given, self._lines)
            return self._index.open()
        return self._touched_events(names)

    def _touched_events(self, names: Int64s) -> Int64s:
        """Value the accounts of a small book that were touched, or hold one of `names`."""
        live, touched = self._live, self._is_touched[: self._live.account_count]
        if len(names):
            book = live.book()
            touched[book.account_of_position[np.isin(book.instrument, names)]] = True
        rows = np.flatnonzero(touched)
        touched[:] = False
        book = live.accounts(rows)
        valued = value_book(book, self.marks, self._lines)
        before = live.band[rows]
        now = step_bands(valued.ratio_bp, book.terms, self._lines, before)
        live.band[rows] = now
        columns = (np.zeros(len(rows), np.int64), rows, before, now, valued.assets_units, valued.ratio_bp)
        events: Int64s = np.stack(columns, axis=1).astype(np.int64)[before != now]
        return events


def _in_order(events: Int64s) -> Int64s:
    """Rows of crossings by batch and account row; those of a sweep are so already, and there can be 100,000."""
    place = (events[:, 0] << 32) + events[:, 1]
    return events if (place[1:] > place[:-1]).all() else events[np.argsort(place)]


def _columns(events: Int64s) -> tuple[Int64s, Int8s, Int8s, Int64s, Int64s]:
    """Rows of crossings (batch, row, band before, band now, assets, ratio) as the columns of `Crossings`."""
    _, row, before, now, assets, ratio = events.T
    return row.copy(), before.astype(np.int8), now.astype(np.int8), assets.copy(), ratio.copy()
