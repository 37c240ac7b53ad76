"""The book and the marks as columns, checked at the door.

Units everywhere in the engine: money and prices are int64 in 1e-4 of the currency ("units"; one cent is 100 units),
quantities are whole shares, rates and ratios are basis points. A position is long: quantity >= 0. A negative quantity
(short), negative cash or negative debt is refused with `BookError`, which names column and row.

A single account is a book of one (`one_account`). An instrument is its column number in `Marks` (0..S-1), an account
its row number in `Book` (0..A-1): the caller keeps the mapping to its own ids.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    Int32s,
    Int64s,
    check_column,
    check_range,
    int_column,
)

LOT_MAX = 2**31


@dataclass(frozen=True, eq=False)
class Book:
    """What every account holds and owes. Positions are stored account after account (CSR).

    - `start` int64[A+1]: positions of account a are rows start[a]..start[a+1]; start[0] = 0, start[A] = P
    - `instrument` int32[P]: column of `Marks`, at most once in an account
    - `quantity` int64[P]: shares, >= 0 (0 is held as nothing: its price does not matter)
    - `cash_units`, `debt_units` int64[A]: >= 0
    - `terms` int32[A]: row of `Lines` and of the haircut tables

    An empty book, an account without positions and a debt of zero are all valid. The arrays are taken, not copied.
    """

    start: Int64s
    instrument: Int32s
    quantity: Int64s
    cash_units: Int64s
    debt_units: Int64s
    terms: Int32s

    def __post_init__(self) -> None:
        accounts, positions = (len(self.cash_units),), (len(self.instrument),)
        check_column("start", self.start, np.int64, (accounts[0] + 1,))
        check_column("instrument", self.instrument, np.int32, positions)
        check_column("quantity", self.quantity, np.int64, positions)
        check_column("cash_units", self.cash_units, np.int64, accounts)
        check_column("debt_units", self.debt_units, np.int64, accounts)
        check_column("terms", self.terms, np.int32, accounts)
        if self.start[0] != 0 or self.start[-1] != positions[0]:
            raise BookError("start", None, f"must run from 0 to {positions[0]} positions")
        check_range("start (positions of an account)", np.diff(self.start), 0, positions[0])
        check_range("quantity", self.quantity, 0, QUANTITY_MAX)
        check_range("cash_units", self.cash_units, 0, AMOUNT_UNITS_MAX)
        check_range("debt_units", self.debt_units, 0, AMOUNT_UNITS_MAX)

    @property
    def account_count(self) -> int:
        return len(self.cash_units)

    @property
    def position_count(self) -> int:
        return len(self.instrument)

    @cached_property
    def account_of_position(self) -> Int64s:
        """int64[P]: the account row of each position."""
        return np.repeat(np.arange(self.account_count), np.diff(self.start))

    def positions(self, row: int) -> slice:
        """The rows of one account's positions."""
        return slice(int(self.start[row]), int(self.start[row + 1]))

    def account(self, row: int) -> "Book":
        """One account of this book, as a book of one."""
        held = self.positions(row)
        return Book(
            np.array([0, held.stop - held.start]),
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
    """

    price_units: Int64s
    haircut_bp: Int64s
    maintenance_bp: Int64s
    is_stale: Bools
    is_suspended: Bools
    lot: Int64s

    def __post_init__(self) -> None:
        instruments = (len(self.price_units),)
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
    cash, debt, term = (
        int_column("cash_units", cash_units),
        int_column("debt_units", debt_units),
        _small("terms", terms),
    )
    owner, name, held = (
        int_column("account", account),
        _small("instrument", instrument),
        int_column("quantity", quantity),
    )
    for label, column, rows in (("instrument", name, len(owner)), ("quantity", held, len(owner))):
        if len(column) != rows:
            raise BookError(label, None, f"has {len(column)} rows, account has {rows}")
    check_range("account", owner, 0, len(cash) - 1)
    check_range("quantity", held, 0, QUANTITY_MAX)
    order = np.lexsort((name, owner))
    owner, name, held = owner[order], name[order], held[order]
    twice = (owner[1:] == owner[:-1]) & (name[1:] == name[:-1])
    if twice.any():
        row = int(order[1:][twice][0])
        raise BookError("instrument", row, "is held twice by one account: add the quantities first")
    start = np.zeros(len(cash) + 1, dtype=np.int64)
    np.cumsum(np.bincount(owner, minlength=len(cash)), out=start[1:])
    return Book(start, name, held, cash, debt, term)


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
        np.array([0, len(held)]),
        _small("instrument", instrument),
        held,
        int_column("cash_units", [cash_units]),
        int_column("debt_units", [debt_units]),
        _small("terms", [terms]),
    )


def check_book(book: Book, marks: Marks, terms_count: int) -> None:
    """Refuse a book that points outside the marks or the lines: unknown symbols and unknown terms, the row named."""
    check_range("instrument", book.instrument, 0, marks.instrument_count - 1)
    check_range("terms", book.terms, 0, terms_count - 1)
    if marks.terms_count != terms_count:
        raise BookError("haircut_bp", None, f"has {marks.terms_count} rows of terms, the lines have {terms_count}")


def _small(name: str, values: Sequence[int] | npt.NDArray[np.int64]) -> Int32s:
    column = int_column(name, values)
    check_range(name, column, 0, 2**31 - 1)
    return column.astype(np.int32)
