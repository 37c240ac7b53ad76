"""Full valuation of a book: assets, lending value, requirement, ratio and band of every account, exactly.

Formulas (units of 1e-4, integers throughout):

- market = sum of quantity * price over long positions, short = the same over short ones, as a positive figure
- assets = market + cash; owed = debt + short: securities lent count with what is owed, at their price now
- ratio = floor(assets * 10,000 / owed): the maintenance ratio of Shenzhen rule 4.9 and Shanghai rule 42, in basis
  points; haircuts play no part in it. US equity percentage (FINRA 4210) is 1 - 10,000 / ratio: 25% equity is 13,334.
- requirement = ceiling of the sum of value * maintenance / 10,000, long and short alike, each name by its own rate
  (FINRA 4210(c) asks 25% of a long stock and 30% of a short one: terms that let clients be short give a name the
  higher of the two; its least amounts per share are not modelled)
- lendable = cash + floor of the sum of value * (10,000 - haircut) / 10,000 over long positions, 0 for a stale or
  suspended name, less the full value of shorts: Shenzhen and Shanghai let what a short sale brought in serve for buying
  back alone, so as much of the cash as that costs now is not lent on. (Their margin formula takes a gain on a short by
  the conversion rate only. A book knows no sale price: a gain counts as the cash that it is.)

The sums are exact, in 1e-8 where basis points come in, and each is rounded once for the account: what is owed to the
desk up, what backs it down.

A whole book is valued in float64 over whole numbers. Quantities and figures are integers, none is negative, and a sum
that ends below 2^53 was below it all the way: then every step was exact, whatever its order. An account whose sums end
higher, or are NaN because a name has no price, is valued over again in int64 within the same pass, and so is one with
a short position: its sums may fall again after they have risen.
"""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN, Lines, band_by_lines
from reefpoint.engine.book import Book, Marks, check_book, take_accounts
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    BookError,
    Bools,
    Float64s,
    Instruments,
    Int8s,
    Int32s,
    Int64s,
    Quantities,
    UInt16s,
    check_column,
    check_range,
    check_whole,
    count_rows,
)
from reefpoint.engine.kernel import THREADS_MAX, Kernel, in_blocks, kernel, unsigned
from reefpoint.engine.quads import WIDTH, add_quad, add_quads, is_quad_below, no_quad, unpack_quad

EXACT = 2.0**53
"""float64 holds every whole number up to here."""
RATIO_FLOAT_MAX = 2**50
"""Ratios below which a quotient of floats is off by less than one."""
FEW_POSITIONS = (50, 50_000)
"""From so many positions to so many a book is valued in steps over columns, until the process has loaded Numba."""
FEW_UNITS_MAX = 2**48
"""Assets (28 billion in the major unit) below which every figure times 10,000 fits int64, with room to spare."""


@dataclass(frozen=True, eq=False)
class Valuation:
    """Figures of every account, all of length A.

    - `market_units` (long positions), `short_units` (short ones, as a positive figure), `assets_units` (market + cash),
      `lendable_units` (negative when shorts take more than all the rest lends), `requirement_units` int64 in 1e-4
    - `ratio_bp` int64: floor of assets / owed; `RATIO_NO_DEBT` if nothing is, `RATIO_UNKNOWN` (-1) if unknown
    - `band` int8 of `Band`, by the lines alone (no hysteresis; see `bands.step_bands`)

    An account is unknown when a held name has no usable price, or when assets and shorts together pass
    `AMOUNT_UNITS_MAX`; all its amounts are then 0.
    """

    market_units: Int64s
    short_units: Int64s
    assets_units: Int64s
    lendable_units: Int64s
    requirement_units: Int64s
    ratio_bp: Int64s
    band: Int8s

    @property
    def is_unknown(self) -> Bools:
        """bool[A]"""
        return np.equal(self.ratio_bp, RATIO_UNKNOWN)

    @classmethod
    def of_size(cls, count: int) -> "Valuation":
        """Columns for `count` accounts, to be filled."""
        market, short, assets, lendable, requirement, ratio = np.empty((6, count), dtype=np.int64)
        return cls(market, short, assets, lendable, requirement, ratio, np.empty(count, dtype=np.int8))


@kernel
def sum_positions(
    first: int,
    stop: int,
    instrument: Instruments,
    quantity: Quantities,
    price: Int64s,
    lent_bp: Int64s,
    maintenance_bp: Int64s,
    limit: int,
) -> tuple[int, int, int, int, bool]:
    """The exact sums over positions first..stop: long and short value in units, lending value and requirement in 1e-8.

    `price`, `lent_bp`, `maintenance_bp` int64[S]. The last answer is False, and the others say nothing, when a held
    name has no price, or long and short together pass `limit`: that is seen in float64, which cannot wrap around.
    """
    long, short, lendable, requirement = 0, 0, 0, 0
    size = 0.0
    for j in range(unsigned(first), unsigned(stop)):
        held = quantity[j]
        if held == 0:
            continue
        name = instrument[j]
        size += abs(float(held)) * float(price[name])
        if price[name] == 0 or size > limit:
            return 0, 0, 0, 0, False
        value = held * price[name]
        if value < 0:
            value = -value
            short += value
            lendable -= value * BP
        else:
            long += value
            lendable += value * lent_bp[name]
        requirement += value * maintenance_bp[name]
    return long, short, lendable, requirement, True


@kernel
def _value_exactly(
    row: int,
    at: int,
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    terms: UInt16s,
    price: Int64s,
    lent_bp: Int64s,
    maintenance_bp: Int64s,
    market: Int64s,
    short: Int64s,
    assets: Int64s,
    lendable: Int64s,
    requirement: Int64s,
    ratio: Int64s,
) -> None:
    """Value account `row` in int64 into place `at` of the figures. `lent_bp`, `maintenance_bp` int64[T, S]."""
    own, term = cash[row], terms[row]
    long, lent_out, lent, required, is_known = sum_positions(
        start[row],
        start[row + unsigned(1)],
        instrument,
        quantity,
        price,
        lent_bp[term],
        maintenance_bp[term],
        AMOUNT_UNITS_MAX - own,
    )
    if not is_known:
        market[at] = short[at] = assets[at] = lendable[at] = requirement[at] = 0
        ratio[at] = RATIO_UNKNOWN
        return
    owed = debt[row] + lent_out
    market[at] = long
    short[at] = lent_out
    assets[at] = long + own
    lendable[at] = own + lent // BP
    requirement[at] = -(-required // BP)
    ratio[at] = RATIO_NO_DEBT if owed == 0 else (long + own) * BP // owed


@kernel
def _value_rows(
    rows: Int64s,
    places: Int64s,
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    terms: UInt16s,
    price: Int64s,
    lent_bp: Int64s,
    maintenance_bp: Int64s,
    market: Int64s,
    short: Int64s,
    assets: Int64s,
    lendable: Int64s,
    requirement: Int64s,
    ratio: Int64s,
) -> None:
    """Value account rows[i] in int64 into place places[i] of the figures."""
    for i in range(unsigned(0), unsigned(len(rows))):
        _value_exactly(
            unsigned(rows[i]),
            unsigned(places[i]),
            start,
            instrument,
            quantity,
            cash,
            debt,
            terms,
            price,
            lent_bp,
            maintenance_bp,
            market,
            short,
            assets,
            lendable,
            requirement,
            ratio,
        )


@kernel(floats_are_whole=True)
def _value_long_only(
    first: int,
    stop: int,
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    terms: UInt16s,
    figures: Float64s,
    market: Int64s,
    short: Int64s,
    assets: Int64s,
    lendable: Int64s,
    requirement: Int64s,
    ratio: Int64s,
) -> bool:
    """Value accounts first..stop, none of which holds a short. `figures` float64[T, S, 4] as in `Marks.figures`.

    False when floats do not do for some of them: their assets are set to -1, or their ratio is past `RATIO_FLOAT_MAX`.
    """
    is_done, bits = True, 0
    for row in range(unsigned(first), unsigned(stop)):
        term = unsigned(terms[row])
        j, end = unsigned(start[row]), unsigned(start[row + unsigned(1)])
        even, odd = no_quad(), no_quad()  # two chains of additions, neither waiting for the other: a tenth of the time
        while j + unsigned(1) < end:
            even = add_quad(even, quantity[j], figures, term, unsigned(instrument[j]))
            odd = add_quad(odd, quantity[j + unsigned(1)], figures, term, unsigned(instrument[j + unsigned(1)]))
            j += unsigned(2)
        if j < end:
            even = add_quad(even, quantity[j], figures, term, unsigned(instrument[j]))
        sums = add_quads(even, odd)
        value, lent, required, _ = unpack_quad(sums)
        own = cash[row]
        if is_quad_below(sums, EXACT) and int(value) + own <= AMOUNT_UNITS_MAX:
            market[row] = int(value)
            short[row] = 0
            assets[row] = int(value) + own
            lendable[row] = unsigned(int(lent)) // unsigned(BP) + unsigned(own)
            requirement[row] = (unsigned(int(required)) + unsigned(BP - 1)) // unsigned(BP)
        else:  # too much for float64, or NaN
            assets[row] = -1
            is_done = False
    # A loop of its own, without a branch, is done in vector registers: half the time of an integer division in the
    # loop above, and that on a machine where those are fast. A quotient of floats is off by less than its 2^-51st part,
    # so cut to a whole number it is one off at most, and the sign of the rest tells which way.
    for row in range(unsigned(first), unsigned(stop)):
        owed = debt[row] if debt[row] else AMOUNT_UNITS_MAX
        left = assets[row] * BP
        quotient = int(float(left) / float(owed))
        bits |= quotient
        left -= quotient * owed
        quotient += int(left >= owed) - int(left < 0)
        ratio[row] = quotient if debt[row] else RATIO_NO_DEBT
    return is_done and bits < RATIO_FLOAT_MAX


def value_book(
    book: Book,
    marks: Marks,
    lines: Lines,
    rows: Int64s | None = None,
    *,
    threads: int = 1,
    out: Valuation | None = None,
) -> Valuation:
    """Value every account, or only the accounts `rows` (int64[N]; the result then has length N, in that order).

    The result does not depend on `threads`. `out`, of the right length, is filled instead of new columns. Raises
    `BookError` for an instrument or terms row that `marks` or `lines` do not have.
    """
    check_book(book, marks, len(lines))
    check_whole("threads", threads, 1, THREADS_MAX)
    count = book.account_count if rows is None else count_rows("rows", rows)
    valued = Valuation.of_size(count) if out is None else out
    if len(valued.band) != count:
        raise BookError("out", None, f"has {len(valued.band)} rows, not {count}")
    if rows is not None:
        check_column("rows", rows, np.int64, (count,))
        check_range("rows", rows, 0, book.account_count - 1)
    if Kernel.is_interpreted() and _value_few(
        book if rows is None else take_accounts(book, rows), marks, lines, valued
    ):
        return valued
    if rows is None:
        _value_all(book, marks, lines, valued, threads)
    else:
        _value_some(book, marks, lines, valued, rows)
    return valued


def _value_few(book: Book, marks: Marks, lines: Lines, valued: Valuation) -> bool:
    """Fill the figures of a small book in int64, in steps over whole columns: a thirtieth of an interpreted loop.

    False, and nothing that counts is filled, where the loops are needed: for a handful of positions, which they value
    sooner; for many, which are worth the compiler; and if a name has no price, a position is short or empty, or an
    account is so large that a sum might not fit.
    """
    if not FEW_POSITIONS[0] <= book.position_count <= FEW_POSITIONS[1]:
        return False
    held, price = book.quantity.astype(np.int64), marks.price_units[book.instrument]
    size = np.bincount(book.account_of_position, held * price.astype(np.float64), book.account_count)
    if held.min() <= 0 or price.min() <= 0 or (size + book.cash_units).max() >= FEW_UNITS_MAX:
        return False
    value, term = held * price, book.terms[book.account_of_position]
    market = _sum_by_account(value, book.start)
    lent = _sum_by_account(value * marks.lent_bp[term, book.instrument], book.start)
    required = _sum_by_account(value * marks.maintenance_bp[term, book.instrument], book.start)
    valued.market_units[:] = market
    valued.short_units[:] = 0
    valued.assets_units[:] = market + book.cash_units
    valued.lendable_units[:] = book.cash_units + lent // BP
    valued.requirement_units[:] = -(-required // BP)
    owed = np.maximum(book.debt_units, 1)
    valued.ratio_bp[:] = np.where(book.debt_units, valued.assets_units * BP // owed, RATIO_NO_DEBT)
    band_by_lines.run(book.account_count, 0, book.account_count, valued.ratio_bp, book.terms, lines.table, valued.band)
    return True


def _sum_by_account(values: Int64s, start: Int32s) -> Int64s:
    """The exact sum over each account's positions; a running total may wrap around, a difference of two does not."""
    total = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=total[1:])
    return np.diff(total[start])


def _value_all(book: Book, marks: Marks, lines: Lines, valued: Valuation, threads: int) -> None:
    """Fill the figures of every account, block by block."""
    accounts, positions = book.account_count, book.position_count
    columns, by_name, figures = _columns(book), _by_name(marks), _figures(valued)
    fast_count = book.long_only_count if is_worth_a_table(book, marks) else 0
    table = marks.figures() if fast_count else np.empty((0, 0, WIDTH))
    value_long_only, value_rows = _value_long_only.form(positions + accounts), _value_rows.form(0)
    band = band_by_lines.form(0)

    def value(first: int, stop: int) -> None:
        middle = min(max(first, fast_count), stop)
        if first < middle and not value_long_only(first, middle, *columns, table, *figures):
            left = first + np.flatnonzero(_is_left_over(book, valued, slice(first, middle)))
            value_rows(left, left, *columns, *by_name, *figures)
        if middle < stop:
            rest = np.arange(middle, stop)
            value_rows(rest, rest, *columns, *by_name, *figures)
        band(first, stop, valued.ratio_bp, book.terms, lines.table, valued.band)

    in_blocks(accounts, threads, value)


def _is_left_over(book: Book, valued: Valuation, rows: slice) -> Bools:
    """Which of `rows` `_value_long_only` left to int64."""
    is_past = (valued.ratio_bp[rows] >= RATIO_FLOAT_MAX) & (book.debt_units[rows] > 0)
    return (valued.assets_units[rows] < 0) | is_past


def is_worth_a_table(book: Book, marks: Marks) -> bool:
    """Whether the float pass pays: its table of figures, made anew for each valuation, is smaller than the book."""
    return book.position_count > marks.haircut_bp.size * WIDTH


def _value_some(book: Book, marks: Marks, lines: Lines, valued: Valuation, rows: Int64s) -> None:
    """Fill the figures of `rows`."""
    steps = int((book.start[rows + 1] - book.start[rows]).sum()) + len(rows)
    _value_rows.run(steps, rows, np.arange(len(rows)), *_columns(book), *_by_name(marks), *_figures(valued))
    band_by_lines.run(len(rows), 0, len(rows), valued.ratio_bp, book.terms[rows], lines.table, valued.band)


def _columns(book: Book) -> tuple[Int32s, Instruments, Quantities, Int64s, Int64s, UInt16s]:
    return book.start, book.instrument, book.quantity, book.cash_units, book.debt_units, book.terms


def _by_name(marks: Marks) -> tuple[Int64s, Int64s, Int64s]:
    return marks.price_units, marks.lent_bp, marks.maintenance_bp


def _figures(valued: Valuation) -> tuple[Int64s, Int64s, Int64s, Int64s, Int64s, Int64s]:
    return (
        valued.market_units,
        valued.short_units,
        valued.assets_units,
        valued.lendable_units,
        valued.requirement_units,
        valued.ratio_bp,
    )
