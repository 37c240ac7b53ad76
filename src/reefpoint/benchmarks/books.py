"""A seeded synthetic book of any size: the same on every machine, its accounts the first ones of any larger book.

Every number is drawn from a counter (SplitMix64, Steele, Lea and Flood 2014), not from a generator with a state, so no
version of a library can change the book. Shape of the book:

- 5,000 names, their popularity by Zipf's law: at exponent 1 over half of the accounts hold the most popular one
- positions of an account: geometric with mean 10, at least 1, at most 400; a holding is log-normal, some ten lots of
  100 shares
- prices log-normal around 14 in cents, cash log-normal around 5,000
- ratios 1.2 to 5: a Kumaraswamy distribution (as a beta distribution with a = 1.7, b = 3.2), so that some 1% of the
  accounts are under the close-out line and 7% under the warning line

Nothing is short, stale, suspended or without a price, and everybody owes: any general engine can value this book.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks, pack_instruments, pack_quantities, sorted_by_size, starts
from reefpoint.engine.columns import BP, Int32s, Int64s
from reefpoint.engine.kernel import kernel

Float64s = npt.NDArray[np.float64]

NAMES = 5_000
LOT = 100
UNITS = 10_000
"""Units of money in one of the currency."""
CENT = 100
"""Units of money in one cent."""

POSITIONS_MEAN, POSITIONS_MAX = 10, 400
LOTS_MAX = 50_000
HAIRCUTS_BP = {0: 0.03, 3_000: 0.07, 4_000: 0.10, 5_000: 0.25, 6_000: 0.25, 6_500: 0.20, 7_000: 0.10}
MAINTENANCES_BP = {2_500: 0.20, 3_000: 0.30, 3_500: 0.20, 4_000: 0.15, 5_000: 0.10, 7_500: 0.03, 10_000: 0.02}
RATIO_MIN, RATIO_MAX = 1.2, 5.0
DAY_LIMITS_BP = {1_000: 0.75, 2_000: 0.25}
"""Daily price limits of the mainland's boards: 10%, and 20% on ChiNext and STAR."""

LINES = Lines.of(warning_bp=15_000, call_bp=14_000, close_out_bp=13_000, cure_bp=15_000, hysteresis_bp=100)


@dataclass(frozen=True)
class SyntheticBook:
    """A book, stored by size of account, with the marks and lines that it is valued under.

    `popularity` int64[S]: the names from the most popular to the least, as the ticks of a busy day arrive too.
    """

    book: Book
    marks: Marks
    lines: Lines
    popularity: Int64s


def draw_book(accounts: int, *, zipf: float = 1.0, seed: int = 20240607) -> SyntheticBook:
    """A book of `accounts` accounts with some 10 positions each, whose names are as unequal as `zipf` says."""
    names = NAMES
    popularity = np.argsort(uniforms(seed, "popularity", names), kind="stable")
    price = np.clip(np.rint(np.exp(np.log(14) + 0.8 * normals(seed, "price", names)) * 100), 150, 300_000)
    price_units = price.astype(np.int64) * CENT

    start = _draw_starts(accounts, seed)
    instrument = _draw_names(start, popularity, zipf, seed)
    lots = np.exp(2.3 + 1.2 * normals(seed, "lots", len(instrument))).astype(np.int64) + 1
    quantity = np.minimum(lots, LOTS_MAX) * LOT
    cash_units = np.rint(np.exp(8.5 + 1.5 * normals(seed, "cash", accounts)) * UNITS).astype(np.int64) // CENT * CENT
    market = np.add.reduceat(quantity * price_units[instrument], start[:-1])
    debt_units = ((market + cash_units) / _draw_ratios(accounts, seed)).astype(np.int64) // CENT * CENT
    book, _ = sorted_by_size(
        Book(
            start,
            pack_instruments(instrument),
            pack_quantities(quantity),
            cash_units,
            debt_units,
            np.zeros(accounts, dtype=np.uint16),
        )
    )
    day_move = price_units * choose(seed, "day limit", names, DAY_LIMITS_BP) // BP // CENT * CENT
    marks = Marks(
        price_units=price_units,
        haircut_bp=choose(seed, "haircut", names, HAIRCUTS_BP)[np.newaxis],
        maintenance_bp=choose(seed, "maintenance", names, MAINTENANCES_BP)[np.newaxis],
        is_stale=np.zeros(names, dtype=np.bool_),
        is_suspended=np.zeros(names, dtype=np.bool_),
        lot=np.full(names, LOT, dtype=np.int64),
        limit_down_units=price_units - day_move,
        limit_up_units=price_units + day_move,
    )
    return SyntheticBook(book, marks, LINES, popularity)


def take_accounts(book: Book, rows: Int64s) -> Book:
    """The accounts `rows` of a book, in this order, as a book."""
    count = np.diff(book.start)[rows]
    start = starts(count)
    at = np.arange(start[-1]) + np.repeat(book.start[rows] - start[:-1], count)
    return Book(
        start, book.instrument[at], book.quantity[at], book.cash_units[rows], book.debt_units[rows], book.terms[rows]
    )


def uniforms(seed: int, stream: str, count: int) -> Float64s:
    """`count` numbers in [0, 1) with 53 bits: number i is the scrambled counter i of this seed's stream."""
    bits = _scramble(_origin(seed, stream) + np.arange(count, dtype=np.uint64)) >> S11
    return bits.astype(np.float64) * 2.0**-53


def normals(seed: int, stream: str, count: int) -> Float64s:
    """`count` standard normal numbers, by Box and Muller's transform."""
    length = np.sqrt(-2.0 * np.log1p(-uniforms(seed, f"{stream}, length", count)))
    drawn: Float64s = length * np.cos(2.0 * np.pi * uniforms(seed, f"{stream}, angle", count))
    return drawn


def choose(seed: int, stream: str, count: int, weights: dict[int, float]) -> Int64s:
    """`count` of the keys of `weights`, each as often as its weight says; the weights sum to 1."""
    edges = np.cumsum(list(weights.values()))[:-1]
    return np.array(list(weights), dtype=np.int64)[np.searchsorted(edges, uniforms(seed, stream, count), side="right")]


def popularity_shares(names: int, zipf: float) -> Float64s:
    """float64[S]: the part of all draws that falls on the ranks up to each one, by Zipf's law; ends in 1."""
    weight = 1.0 / np.arange(1, names + 1) ** zipf
    share: Float64s = np.cumsum(weight) / weight.sum()
    share[-1] = 1.0
    return share


def _draw_starts(accounts: int, seed: int) -> Int32s:
    """int32[A+1]: where each account's positions begin."""
    tries = np.log1p(-uniforms(seed, "positions", accounts)) / np.log1p(-1.0 / POSITIONS_MEAN)
    return starts(np.minimum(1 + tries.astype(np.int64), POSITIONS_MAX))


def _draw_ratios(accounts: int, seed: int) -> Float64s:
    """float64[A]: the inverse of Kumaraswamy's distribution (1980) with a = 1.5, b = 3.4, stretched."""
    drawn: Float64s = (1.0 - (1.0 - uniforms(seed, "ratio", accounts)) ** (1 / 3.4)) ** (1 / 1.5)
    return RATIO_MIN + (RATIO_MAX - RATIO_MIN) * drawn


def _draw_names(start: Int32s, popularity: Int64s, zipf: float, seed: int) -> Int64s:
    """int64[P]: the names of every position, each at most once in an account, ascending."""
    instrument = np.empty(int(start[-1]), dtype=np.int64)
    shares = popularity_shares(len(popularity), zipf)
    origin = np.full(1, _origin(seed, "names"))
    _fill_names.run(2 * len(instrument), start, shares, popularity, origin, instrument)
    return instrument


def _origin(seed: int, stream: str) -> np.uint64:
    """Where a stream's counters begin: as far from another's as chance puts 64 bits."""
    letters = int.from_bytes(stream.encode(), "little")
    mixed = np.full(1, seed, dtype=np.uint64)
    while letters:
        mixed = _scramble(mixed ^ np.uint64(letters & (2**64 - 1)))
        letters >>= 64
    return np.uint64(mixed[0])


GOLDEN, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
"""The constants of SplitMix64."""
S11, S27, S30, S31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
TRIES_BITS = np.uint64(20)
"""Counters kept for one account's names: far more than an account ever tries."""


def _scramble(counter: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's step and finaliser; the arithmetic is modulo 2^64 on purpose."""
    mixed = counter * GOLDEN
    mixed = (mixed ^ (mixed >> S30)) * FIRST
    mixed = (mixed ^ (mixed >> S27)) * SECOND
    return mixed ^ (mixed >> S31)


@kernel
def _fill_names(
    start: Int32s,
    shares: Float64s,
    popularity: Int64s,
    origin: npt.NDArray[np.uint64],
    instrument: Int64s,
) -> None:
    """Draw each account's names by `shares`, drawing again what it holds already, sorted as they come."""
    for account in range(len(start) - 1):
        first, end = start[account], start[account + 1]
        counter = origin[0] + (np.uint64(account) << TRIES_BITS)
        held = first
        while held < end:
            mixed = counter * GOLDEN
            mixed = (mixed ^ (mixed >> S30)) * FIRST
            mixed = (mixed ^ (mixed >> S27)) * SECOND
            mixed = mixed ^ (mixed >> S31)
            counter += np.uint64(1)
            name = popularity[np.searchsorted(shares, np.float64(mixed >> S11) * 2.0**-53, side="right")]
            place = first + np.searchsorted(instrument[first:held], name)
            if place < held and instrument[place] == name:
                continue
            for later in range(held, place, -1):
                instrument[later] = instrument[later - 1]
            instrument[place] = name
            held += 1
