"""A small cast of books for the engine's tests, and the same figures worked out a second way.

`reference` is the oracle: plain Python integers and fractions, nothing shared with the kernels.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

import numpy as np
from hypothesis import strategies as st

from reefpoint.engine.bands import RATIO_NO_DEBT, Band, Lines
from reefpoint.engine.book import Book, Marks, build_book, one_account
from reefpoint.engine.columns import AMOUNT_UNITS_MAX

UNIT = 10_000
LINES = Lines.of(warning_bp=16_000, call_bp=15_000, close_out_bp=13_000, cure_bp=15_000, hysteresis_bp=100)


def marks_of(
    prices: list[int],
    *,
    haircut_bp: int = 3_000,
    maintenance_bp: int = 2_500,
    stale: tuple[int, ...] = (),
    suspended: tuple[int, ...] = (),
    lot: list[int] | int = 1,
    terms: int = 1,
) -> Marks:
    """Marks with one haircut for all names; prices in units."""
    count = len(prices)
    flags = np.zeros((2, count), dtype=bool)
    flags[0, list(stale)] = flags[1, list(suspended)] = True
    return Marks(
        np.array(prices, dtype=np.int64),
        np.full((terms, count), haircut_bp),
        np.full((terms, count), maintenance_bp),
        flags[0],
        flags[1],
        np.array(lot if isinstance(lot, list) else [lot] * count, dtype=np.int64),
    )


def account_of(quantities: list[int], *, cash: int = 0, debt: int = 0, terms: int = 0) -> Book:
    """A book of one that holds quantities[i] of instrument i."""
    return one_account(
        instrument=list(range(len(quantities))), quantity=quantities, cash_units=cash, debt_units=debt, terms=terms
    )


def column(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


@dataclass(frozen=True)
class Reference:
    market: int
    short: int
    assets: int
    lendable: int
    requirement: int
    ratio: int
    is_unknown: bool

    @classmethod
    def unknown(cls) -> "Reference":
        return cls(0, 0, 0, 0, 0, -1, True)


def reference(book: Book, marks: Marks, row: int) -> Reference:
    """One account valued from the definitions, in fractions."""
    held = book.positions(row)
    term, cash, debt = int(book.terms[row]), int(book.cash_units[row]), int(book.debt_units[row])
    market, short, lendable, requirement = 0, 0, Fraction(cash), Fraction(0)
    for name, quantity in zip(book.instrument[held].tolist(), book.quantity[held].tolist(), strict=True):
        if not quantity:
            continue
        if not marks.price_units[name]:
            return Reference.unknown()
        value = quantity * int(marks.price_units[name])
        requirement += abs(value) * Fraction(int(marks.maintenance_bp[term, name]), UNIT)
        if value < 0:
            short -= value
            lendable += value
            continue
        market += value
        if not (marks.is_stale[name] or marks.is_suspended[name]):
            lendable += value * (1 - Fraction(int(marks.haircut_bp[term, name]), UNIT))
    if market + cash + short > AMOUNT_UNITS_MAX:
        return Reference.unknown()
    owed = debt + short
    ratio = int(Fraction(market + cash, owed) * UNIT) if owed else RATIO_NO_DEBT
    return Reference(market, short, market + cash, floor(lendable), ceil(requirement), ratio, False)


def reference_band(assets: int, debt: int, lines: Lines, term: int, previous: int = -1) -> Band:
    """The band by cross multiplication, assets * 10,000 < line * debt, never through the rounded ratio."""
    band = Band.SAFE
    hysteresis = int(lines.hysteresis_bp[term])
    for worse, column_of in ((1, lines.warning_bp), (2, lines.call_bp), (3, lines.close_out_bp)):
        line = int(column_of[term])
        is_held_back = worse <= previous and assets * UNIT < (line + hysteresis) * debt
        if assets * UNIT < line * debt or is_held_back:
            band = Band(worse)
    return band


def mostly(usual: st.SearchStrategy[int], *odd: st.SearchStrategy[int]) -> st.SearchStrategy[int]:
    """The usual value nine times in ten, so that most accounts of a random book can be valued."""
    return st.integers(0, 9).flatmap(lambda pick: usual if pick else st.one_of(*odd))


prices = mostly(st.integers(1, 5_000_000), st.just(0), st.integers(1, 2**40))
quantities = mostly(st.integers(0, 10_000), st.just(0), st.integers(0, 2**40))
long_or_short = mostly(st.integers(-3_000, 10_000), st.just(0), st.integers(-(2**40), 2**40))
amounts = mostly(st.integers(0, 10**10), st.just(0), st.integers(0, AMOUNT_UNITS_MAX))
basis_points = st.integers(0, UNIT)


@st.composite
def lines_tables(draw: st.DrawFn, rows: int = 2) -> Lines:
    columns: list[list[int]] = []
    for _ in range(rows):
        close_out = draw(st.integers(UNIT + 1, 20_000))
        call = close_out + draw(st.integers(1, 3_000))
        warning = call + draw(st.integers(1, 3_000))
        columns.append([warning, call, close_out, call + draw(st.integers(0, 3_000)), draw(st.integers(0, 500))])
    return Lines(*(np.array(values, dtype=np.int64) for values in zip(*columns, strict=True)))


@st.composite
def marks_tables(draw: st.DrawFn, names: int, rows: int = 2) -> Marks:
    def table(values: st.SearchStrategy[int]) -> np.ndarray:
        flat = draw(st.lists(values, min_size=rows * names, max_size=rows * names))
        return np.array(flat, dtype=np.int64).reshape(rows, names)

    def per_name(values: st.SearchStrategy[int], dtype: type) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=names, max_size=names)), dtype=dtype)

    flags = st.sampled_from([0, 0, 0, 1])
    return Marks(
        per_name(prices, np.int64),
        table(basis_points),
        table(basis_points),
        per_name(flags, np.bool_),
        per_name(flags, np.bool_),
        per_name(st.integers(1, 100), np.int64),
    )


@st.composite
def books(draw: st.DrawFn, names: int, rows: int = 2, accounts_max: int = 5, *, shorts: bool = False) -> Book:
    count = draw(st.integers(0, accounts_max))
    held = [(a, i) for a in range(count) for i in draw(st.sets(st.integers(0, names - 1)))]
    return build_book(
        cash_units=[draw(amounts) for _ in range(count)],
        debt_units=[draw(amounts) for _ in range(count)],
        terms=[draw(st.integers(0, rows - 1)) for _ in range(count)],
        account=[a for a, _ in held],
        instrument=[i for _, i in held],
        quantity=[draw(long_or_short if shorts else quantities) for _ in held],
    )
