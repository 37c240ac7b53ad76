"""The book and the marks as columns, checked at the door.

Units everywhere in the engine: money and prices are int64 in 1e-4 of the currency ("units"; one cent is 100 units),
quantities are whole shares, negative for a short position, rates and ratios are basis points. Negative cash or debt is
refused with `BookError`, which names column and row.

A single account is a book of one (`one_account`). An instrument is its column number in `Marks` (0..S-1), an account
its row number in `Book` (0..A-1): the caller keeps the mapping to its own ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    PRICE_UNITS_MAX,
    QUANTITY_MAX,
    BookError,
    Bools,
    Float64s,
    Instruments,
    Int32s,
    Int64s,
    Quantities,
    UInt16s,
    check_column,
    check_range,
    count_rows,
    int_column,
)

LOT_MAX = 2**31
POSITIONS_MAX = 2**31 - 1
TERMS_MAX = 2**16
NO_LIMITS = np.empty(0, dtype=np.int64)
"""Stands for day limits that were not given."""


@dataclass(frozen=True, eq=False)
class Book:
    """What every account holds and owes. Positions are stored account after account (CSR), 6 bytes each while the
    instruments fit 16 bits and the quantities 32.

    - `start` int32[A+1]: positions of account a are rows start[a]..start[a+1]; start[0] = 0, start[A] = P
    - `instrument` uint16[P], or uint32 above 65,536 instruments: column of `Marks`, at most once in an account
    - `quantity` int32[P], or int64 if one does not fit: shares, negative for a short position (0 is held as nothing:
      its price does not matter)
    - `cash_units`, `debt_units` int64[A]: >= 0
    - `terms` uint16[A]: row of `Lines` and of the haircut tables

    Accounts may stand in any order; `sorted_by_size` is the order that is valued fastest. An empty book, an account
    without positions and a debt of zero are all valid. The arrays are taken, not copied.
    """

    start: Int32s
    instrument: Instruments
    quantity: Quantities
    cash_units: Int64s
    debt_units: Int64s
    terms: UInt16s

    def __post_init__(self) -> None:
        accounts = (count_rows("cash_units", self.cash_units),)
        positions = (count_rows("instrument", self.instrument),)
        if positions[0] > POSITIONS_MAX:
            raise BookError("instrument", None, f"has {positions[0]} rows, a book takes {POSITIONS_MAX}")
        check_column("start", self.start, np.int32, (accounts[0] + 1,))
        check_column("instrument", self.instrument, np.uint16, positions, np.uint32)
        check_column("quantity", self.quantity, np.int32, positions, np.int64)
        check_column("cash_units", self.cash_units, np.int64, accounts)
        check_column("debt_units", self.debt_units, np.int64, accounts)
        check_column("terms", self.terms, np.uint16, accounts)
        if self.start[0] != 0 or self.start[-1] != positions[0]:
            raise BookError("start", None, f"must run from 0 to {positions[0]} positions")
        check_range("start (positions of an account)", np.diff(self.start), 0, positions[0])
        check_range("quantity", self.quantity, -QUANTITY_MAX, QUANTITY_MAX)
        check_range("cash_units", self.cash_units, 0, AMOUNT_UNITS_MAX)
        check_range("debt_units", self.debt_units, 0, AMOUNT_UNITS_MAX)

    @property
    def account_count(self) -> int:
        return len(self.cash_units)

    @property
    def position_count(self) -> int:
        return len(self.instrument)

    @cached_property
    def account_of_position(self) -> Int32s:
        """int32[P]: the account row of each position."""
        return np.repeat(np.arange(self.account_count, dtype=np.int32), np.diff(self.start))

    @cached_property
    def long_only_count(self) -> int:
        """Account rows before this one hold no short; all of them do not when it is `account_count`."""
        if self.quantity.min(initial=0) >= 0:
            return self.account_count
        short = np.flatnonzero(self.quantity < 0)
        return int(np.searchsorted(self.start, short[0], side="right")) - 1

    @cached_property
    def instruments_needed(self) -> int:
        """How many instruments the marks must have at least."""
        return int(self.instrument.max(initial=0)) + 1 if self.position_count else 0

    @cached_property
    def terms_needed(self) -> int:
        """How many rows of terms there must be at least."""
        return int(self.terms.max(initial=0)) + 1 if self.account_count else 0

    def positions(self, row: int) -> slice:
        """The rows of one account's positions."""
        return slice(int(self.start[row]), int(self.start[row + 1]))

    def account(self, row: int) -> "Book":
        """One account of this book, as a book of one."""
        held = self.positions(row)
        return Book(
            np.array([0, held.stop - held.start], dtype=np.int32),
            self.instrument[held],
            self.quantity[held],
            self.cash_units[row : row + 1],
            self.debt_units[row : row + 1],
            self.terms[row : row + 1],
        )


@dataclass(frozen=True, eq=False)
class Marks:
    """One version of prices and collateral terms, for every instrument.

    - `price_units` int64[S]: > 0, or 0 when there is no usable price (its holders are then UNKNOWN)
    - `haircut_bp`, `maintenance_bp` int64[T, S]: 0..10,000, per terms row and instrument
    - `is_stale`, `is_suspended` bool[S]: still valued at the last price, but lend nothing and are not sold
    - `lot` int64[S]: shares in one board lot, >= 1
    - `limit_down_units`, `limit_up_units` int64[S]: the least and the highest price the exchange allows today; without
      them no price is excluded (0 and `PRICE_UNITS_MAX`)
    """

    price_units: Int64s
    haircut_bp: Int64s
    maintenance_bp: Int64s
    is_stale: Bools
    is_suspended: Bools
    lot: Int64s
    limit_down_units: Int64s = field(default_factory=lambda: NO_LIMITS)
    limit_up_units: Int64s = field(default_factory=lambda: NO_LIMITS)

    def __post_init__(self) -> None:
        instruments = (count_rows("price_units", self.price_units),)
        for name, no_limit in (("limit_down_units", 0), ("limit_up_units", PRICE_UNITS_MAX)):
            if getattr(self, name) is NO_LIMITS:
                object.__setattr__(self, name, np.full(instruments, no_limit, dtype=np.int64))
            check_column(name, getattr(self, name), np.int64, instruments)
            check_range(name, getattr(self, name), 0, PRICE_UNITS_MAX)
        if (self.limit_down_units > self.limit_up_units).any():
            row = int(np.flatnonzero(self.limit_down_units > self.limit_up_units)[0])
            raise BookError("limit_down_units", row, f"is {self.limit_down_units[row]}, above limit_up_units")
        check_column("price_units", self.price_units, np.int64, instruments)
        if not isinstance(self.haircut_bp, np.ndarray) or self.haircut_bp.ndim != 2:
            raise BookError("haircut_bp", None, "must be a table of terms by instruments")
        check_column("haircut_bp", self.haircut_bp, np.int64, (len(self.haircut_bp), *instruments))
        check_column("maintenance_bp", self.maintenance_bp, np.int64, self.haircut_bp.shape)
        check_column("is_stale", self.is_stale, np.bool_, instruments)
        check_column("is_suspended", self.is_suspended, np.bool_, instruments)
        check_column("lot", self.lot, np.int64, instruments)
        check_range("price_units", self.price_units, 0, PRICE_UNITS_MAX)
        check_range("haircut_bp", self.haircut_bp, 0, BP)
        check_range("maintenance_bp", self.maintenance_bp, 0, BP)
        check_range("lot", self.lot, 1, LOT_MAX)

    @property
    def instrument_count(self) -> int:
        return len(self.price_units)

    @property
    def terms_count(self) -> int:
        return len(self.haircut_bp)

    @cached_property
    def lends_nothing(self) -> Bools:
        """bool[S]: stale or suspended names give no credit."""
        return self.is_stale | self.is_suspended

    @cached_property
    def lent_bp(self) -> Int64s:
        """int64[T, S]: what is lent on a name, 10,000 less the haircut; 0 where nothing is."""
        return np.where(self.lends_nothing, 0, BP - self.haircut_bp)

    def figures(self) -> Float64s:
        """float64[T, S, 4] for the kernels: price (NaN if there is none), and price times what is lent, times
        maintenance, in 1e-8. NaN too where that is not below 2^53, so not for certain exact.

        Made anew each time, since prices may be written in place.
        """
        price = np.where(self.price_units, self.price_units, np.nan)
        price[price * BP >= 2.0**53] = np.nan
        return price[:, None] * self.factors

    @cached_property
    def factors(self) -> Float64s:
        """float64[T, S, 4]: what a price is multiplied by in `figures`: 1, `lent_bp`, `maintenance_bp`, 0."""
        factors = np.zeros((*self.haircut_bp.shape, 4))
        factors[:, :, 0], factors[:, :, 1], factors[:, :, 2] = 1, self.lent_bp, self.maintenance_bp
        return factors


def build_book(
    *,
    cash_units: Sequence[int] | npt.NDArray[np.int64],
    debt_units: Sequence[int] | npt.NDArray[np.int64],
    terms: Sequence[int] | npt.NDArray[np.int64],
    account: Sequence[int] | npt.NDArray[np.int64],
    instrument: Sequence[int] | npt.NDArray[np.int64],
    quantity: Sequence[int] | npt.NDArray[np.int64],
) -> Book:
    """A book from plain rows: one row an account, then one row a position (`account` is its account's row), any order.

    Whole numbers only: a float, a NaN, a boolean or an overflow raises `BookError` with its row; so do an unknown
    account and an instrument that appears twice in one account.
    """
    cash, debt = int_column("cash_units", cash_units), int_column("debt_units", debt_units)
    owner, name, held = (
        int_column("account", account),
        int_column("instrument", instrument),
        int_column("quantity", quantity),
    )
    for label, column, rows in (("instrument", name, len(owner)), ("quantity", held, len(owner))):
        if len(column) != rows:
            raise BookError(label, None, f"has {len(column)} rows, account has {rows}")
    check_range("account", owner, 0, len(cash) - 1)
    packed = pack_instruments(name), pack_quantities(held)
    order = np.lexsort((name, owner))
    owner, name = owner[order], name[order]
    twice = (owner[1:] == owner[:-1]) & (name[1:] == name[:-1])
    if twice.any():
        row = int(order[1:][twice][0])
        raise BookError("instrument", row, "is held twice by one account: add the quantities first")
    start = starts(np.bincount(owner, minlength=len(cash)))
    return Book(start, packed[0][order], packed[1][order], cash, debt, _pack_terms(terms))


def one_account(
    *,
    instrument: Sequence[int] | npt.NDArray[np.int64],
    quantity: Sequence[int] | npt.NDArray[np.int64],
    cash_units: int,
    debt_units: int,
    terms: int = 0,
) -> Book:
    """A book of one account, positions kept in the order given."""
    held = int_column("quantity", quantity)
    return Book(
        np.array([0, len(held)], dtype=np.int32),
        pack_instruments(int_column("instrument", instrument)),
        pack_quantities(held),
        int_column("cash_units", [cash_units]),
        int_column("debt_units", [debt_units]),
        _pack_terms([terms]),
    )


def sorted_by_size(book: Book) -> tuple[Book, Int32s]:
    """The same accounts in the order that is valued fastest, and where each came from: order[new row] = old row.

    Accounts are stored by number of positions: the kernels' inner loops then run the same number of times again and
    again, which the processor predicts (twice as fast, measured). Those with a short position come last, and of equal
    size those under the same terms stand together. Stable, so an order of the caller's is kept within these.
    """
    count = np.diff(book.start)
    short = np.zeros(book.account_count, dtype=np.bool_)
    if book.long_only_count < book.account_count:
        short[book.account_of_position[book.quantity < 0]] = True
    order = np.lexsort((book.terms, count, short)).astype(np.int32)
    return take_accounts(book, order), order


def take_accounts(book: Book, rows: npt.NDArray[np.integer]) -> Book:
    """A book of the accounts `rows` of this one, in that order."""
    count = book.start[rows + 1] - book.start[rows]
    start = starts(count)
    at = np.arange(start[-1]) + np.repeat(book.start[rows] - start[:-1], count)
    return Book(
        start, book.instrument[at], book.quantity[at], book.cash_units[rows], book.debt_units[rows], book.terms[rows]
    )


def take_names(marks: Marks, columns: npt.NDArray[np.integer]) -> Marks:
    """The marks of some of the instruments, in that order."""
    return Marks(
        price_units=marks.price_units[columns],
        haircut_bp=np.ascontiguousarray(marks.haircut_bp[:, columns]),
        maintenance_bp=np.ascontiguousarray(marks.maintenance_bp[:, columns]),
        is_stale=marks.is_stale[columns],
        is_suspended=marks.is_suspended[columns],
        lot=marks.lot[columns],
        limit_down_units=marks.limit_down_units[columns],
        limit_up_units=marks.limit_up_units[columns],
    )


def same_holdings(book: Book, other: Book) -> Bools:
    """bool[A]: whether account a holds the same shares in the same order, under the same terms, in both books."""
    count, other_count = np.diff(book.start), np.diff(other.start)
    is_same: Bools = (count == other_count) & (book.terms == other.terms)
    here, there = np.repeat(is_same, count), np.repeat(is_same, other_count)
    differs = (book.instrument[here] != other.instrument[there]) | (book.quantity[here] != other.quantity[there])
    is_same[book.account_of_position[here][differs]] = False
    return is_same


def check_book(book: Book, marks: Marks, terms_count: int) -> None:
    """Refuse a book that points outside the marks or the lines: unknown symbols and unknown terms, the row named."""
    if book.instruments_needed > marks.instrument_count:
        check_range("instrument", book.instrument, 0, marks.instrument_count - 1)
    if book.terms_needed > terms_count:
        check_range("terms", book.terms, 0, terms_count - 1)
    if marks.terms_count != terms_count:
        raise BookError("haircut_bp", None, f"has {marks.terms_count} rows of terms, the lines have {terms_count}")


def starts(count: npt.NDArray[np.integer]) -> Int32s:
    """int32[N+1]: where the rows of each of N groups begin, from how many each has; the last is their number.

    Raises `BookError` when there are more rows than an int32 can number.
    """
    start = np.zeros(len(count) + 1, dtype=np.int64)
    np.cumsum(count, out=start[1:])
    check_range("positions", start[-1:], 0, POSITIONS_MAX)
    return start.astype(np.int32)


def pack_instruments(instrument: Int64s) -> Instruments:
    """Columns of `Marks` in 2 bytes each, or in 4 when one does not fit. Refuses what is not a column number."""
    check_range("instrument", instrument, 0, 2**31 - 1)
    return instrument.astype(np.uint16) if instrument.max(initial=0) < 2**16 else instrument.astype(np.uint32)


def pack_quantities(quantity: Int64s) -> Quantities:
    """Shares in 4 bytes each, or in 8 when one does not fit. Refuses what is past `QUANTITY_MAX`."""
    check_range("quantity", quantity, -QUANTITY_MAX, QUANTITY_MAX)
    is_small = quantity.min(initial=0) >= -(2**31) and quantity.max(initial=0) < 2**31
    return quantity.astype(np.int32) if is_small else quantity.astype(np.int64)


def _pack_terms(terms: Sequence[int] | npt.NDArray[np.int64]) -> UInt16s:
    column = int_column("terms", terms)
    check_range("terms", column, 0, TERMS_MAX - 1)
    return column.astype(np.uint16)
