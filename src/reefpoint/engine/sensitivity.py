"""Sensitivities: what changes in the book when one name, one sector or one factor moves a little.

Names and sectors split the instruments into groups. Moving one group touches only its holders, and of each holder only
the positions in it: one pass over the book gives the answer for all groups, where a stress run would value every
account once for every group. Factors move many names at once: each is a scenario of a stress run. Both give exactly
the difference between two full valuations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reefpoint.engine.bands import Lines
from reefpoint.engine.book import Book, Marks, check_book
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    BookError,
    Instruments,
    Int32s,
    Int64s,
    Quantities,
    UInt16s,
    check_column,
    check_range,
    check_whole,
)
from reefpoint.engine.kernel import kernel
from reefpoint.engine.scenarios import E8, SHOCK_E8_MAX, Scenarios, shock_prices
from reefpoint.engine.stress import stress_book
from reefpoint.engine.valuation import value_book


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What each of G moves changes. Amounts in units of 1e-4; all are differences, moved less today.

    - `names`: of the moves
    - `shortfall_units` int64[G]: of the total shortfall
    - `band_accounts` int64[G, 4]: of the number of accounts by `Band` SAFE, WARNING, CALL, CLOSE_OUT
    - `market_units` int64[G]: of the market value, shorts counted negative, of all accounts that can be valued today
    """

    names: tuple[str, ...]
    shortfall_units: Int64s
    band_accounts: Int64s
    market_units: Int64s


@kernel
def _move_groups(  # noqa: PLR0912 - one loop
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    terms: UInt16s,
    table: Int64s,
    price: Int64s,
    moved: Int64s,
    group: Int32s,
    scratch: Int64s,
    touched: Int32s,
    changes: Int64s,
) -> None:
    """Add to `changes` int64[6, G] (shortfall, accounts by band, market) what moving each group changes.

    `price`, `moved` int64[S]: today's price and the moved one; `group` int32[S], -1 for none. `scratch` int64[2, G]
    (long, short), all zeros, and `touched` int32[G] are scratch.
    """
    for row in range(len(cash)):
        long = cash[row]
        short = np.int64(0)
        size = float(long)
        groups = 0
        for position in range(start[row], start[row + 1]):
            held = np.int64(quantity[position])
            if held == 0:
                continue
            name = instrument[position]
            size += abs(float(held)) * float(price[name]) if price[name] > 0 else np.inf
            if size > AMOUNT_UNITS_MAX:
                break
            if held > 0:
                long += held * price[name]
            else:
                short -= held * price[name]
        if size > AMOUNT_UNITS_MAX:
            continue
        for position in range(start[row], start[row + 1]):
            held = np.int64(quantity[position])
            name = instrument[position]
            one = group[name]
            change = held * (moved[name] - price[name])
            if one < 0 or change == 0:
                continue
            if scratch[0, one] == 0 and scratch[1, one] == 0:
                touched[groups] = one
                groups += 1
            scratch[0 if held > 0 else 1, one] += change if held > 0 else -change
            changes[5, one] += change
        band, shortfall = 0, np.int64(0)
        for i in range(-1, groups):  # -1: as it stands
            one = touched[i] if i >= 0 else 0
            assets = long + (scratch[0, one] if i >= 0 else 0)
            owed = debt[row] + short + (scratch[1, one] if i >= 0 else 0)
            new_band = 0
            if owed > 0:
                for line in range(3):
                    if assets * BP // owed < table[terms[row], line]:
                        new_band = line + 1
            new_shortfall = max(np.int64(0), owed - assets)
            if i < 0:
                band, shortfall = new_band, new_shortfall
                continue
            scratch[0, one] = scratch[1, one] = 0
            changes[0, one] -= shortfall
            changes[1 + band, one] -= 1
            if assets + owed - debt[row] <= AMOUNT_UNITS_MAX:
                changes[0, one] += new_shortfall
                changes[1 + new_band, one] += 1


def sensitivity_by_group(
    book: Book,
    marks: Marks,
    lines: Lines,
    group: Int32s,
    names: Sequence[str],
    *,
    move_bp: int = -100,
    moved_units: Int64s | None = None,
) -> Sensitivity:
    """Move each group of instruments by `move_bp`, one group at a time: -100 is 1% down.

    `moved_units` int64[S]: the moved prices where they are known already (a name abroad moves as quoted and is then
    converted).

    `group` int32[S]: the row in `names` of each instrument's group, -1 for an instrument that stays. By name it is
    0..S-1, by sector the sector's row. Raises `BookError` for a group that has no name and for a move to -100% or less.
    """
    check_book(book, marks, len(lines))
    check_column("group", group, np.int32, (marks.instrument_count,))
    check_range("group", group, -1, len(names) - 1)
    check_whole("move_bp", move_bp, 1 - BP, SHOCK_E8_MAX // (E8 // BP))
    moved = shock_prices(marks.price_units, np.array([[move_bp * (E8 // BP)]]), ["move"]).price_units[0]
    if moved_units is not None:
        check_column("moved_units", moved_units, np.int64, moved.shape)
        moved = moved_units
    changes = np.zeros((6, len(names)), dtype=np.int64)
    _move_groups.run(
        2 * (book.position_count + book.account_count),
        book.start,
        book.instrument,
        book.quantity,
        book.cash_units,
        book.debt_units,
        book.terms,
        lines.table,
        marks.price_units,
        moved,
        group,
        np.zeros((2, len(names)), dtype=np.int64),
        np.zeros(len(names), dtype=np.int32),
        changes,
    )
    return Sensitivity(tuple(names), changes[0], np.ascontiguousarray(changes[1:5].T), changes[5])


def sensitivity_by_scenario(
    book: Book, marks: Marks, lines: Lines, moves: Scenarios, *, threads: int = 1
) -> Sensitivity:
    """What each scenario of `moves` changes: for factors, which move many names at once (`factor_scenarios`)."""
    if moves.price_units.shape[1] != marks.instrument_count:
        raise BookError("moves", None, f"have {moves.price_units.shape[1]} instruments, not {marks.instrument_count}")
    tables = np.concatenate([marks.price_units[np.newaxis], moves.price_units])
    today_and_moves = Scenarios(tuple(str(row) for row in range(len(tables))), tables)
    result = stress_book(book, marks, lines, today_and_moves, threads=threads)
    changed = market_units(book, marks, lines, tables[1:] - tables[0])
    return Sensitivity(
        moves.names,
        result.shortfall_units[1:] - result.shortfall_units[0],
        result.band_accounts[1:] - result.band_accounts[0],
        changed.astype(np.int64),
    )


def market_units(book: Book, marks: Marks, lines: Lines, price_units: Int64s) -> Int64s:
    """int64[K]: what all is worth that accounts hold who can be valued today, shorts counted negative, at prices (or
    changes of prices) int64[K, S].
    """
    is_known = ~value_book(book, marks, lines).is_unknown
    held = np.where(is_known[book.account_of_position], book.quantity, 0)
    shares = np.zeros(marks.instrument_count, dtype=np.int64)
    np.add.at(shares, book.instrument, held)
    worth: Int64s = (price_units.astype(object) @ shares.astype(object)).astype(np.int64)  # exact, however many shares
    return worth
