"""One account in the slack index: what it is worth, between which edges its band stands, in which class it fits."""

import numpy as np

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, BP, Int64s
from reefpoint.engine.kernel import unsigned
from reefpoint.engine.slack_layout import (
    CLASS_BITS,
    IS_DUE,
    IS_EXACT,
    IS_PARKED,
    MOVES_LEFT,
    Rows,
    State,
    Whole,
    step,
)

PRICE_INDEXED_MAX = 2**33
SHARES_MAX = 2**29
"""Highest price (860,000 a share) and most shares of one account in the index: no sum of theirs passes 2^62."""
ROOMY = 2**61
"""The slack of an account that no price can bring to an edge."""
ORDINARY, NOT_INDEXED, TOO_LARGE, UNPRICED = 0, 1, 2, 3
"""What a valuation found: for the index; to be valued exactly; unknown by size; unknown for want of a price."""


@step
def _weigh(row: Whole, rows: Rows, price: Int64s) -> tuple[Whole, Whole, Whole]:
    """Value an account as `valuation.sum_positions` does: what was found, its assets, and what it owes."""
    shares: Whole = 0
    market: Whole = 0
    short: Whole = 0
    kind = ORDINARY
    size = float(rows.cash[row])
    begin = rows.start[row]
    for p in range(unsigned(begin), unsigned(begin + rows.size[row])):
        held = np.int64(rows.quantity[p])
        if held == 0:
            continue
        mark = price[rows.instrument[p]]
        if mark == 0:
            return UNPRICED, 0, 0
        size += abs(float(held)) * float(mark)
        if size > AMOUNT_UNITS_MAX:
            return TOO_LARGE, 0, 0
        if held < 0:
            short -= held * mark
            kind = NOT_INDEXED
        else:
            market += held * mark
            shares += held
        if mark > PRICE_INDEXED_MAX:
            kind = NOT_INDEXED
    if shares > SHARES_MAX:
        kind = NOT_INDEXED
    return kind, market + rows.cash[row], rows.debt[row] + short


@step
def _edge(line_bp: Whole, owed: Whole) -> Whole:
    """The least assets whose ratio, rounded down, reaches the line: ceil(line * owed / 10,000), without overflow."""
    return line_bp * (owed // BP) + (line_bp * (owed % BP) + BP - 1) // BP


@step
def _band_at(assets: Whole, owed: Whole, before: Whole, term: Whole, lines: Int64s) -> Whole:
    """The band, as `bands.step_bands` decides it from the ratio."""
    now = 0
    if owed > 0:
        for worse in range(1, 4):
            line = lines[term, worse - 1]
            if worse <= before:
                line += lines[term, 3]
            if assets < _edge(line, owed):
                now = worse
    return now


@step
def find_edges(band: Whole, owed: Whole, term: Whole, lines: Int64s) -> tuple[Whole, Whole]:
    """(low, high): the band stays what it is while low <= assets < high."""
    low, high = 0, AMOUNT_UNITS_MAX + 1
    if owed > 0:
        if band < 3:
            low = _edge(lines[term, band], owed)
        if band > 0:
            high = min(high, _edge(lines[term, band - 1] + lines[term, 3], owed))
    return low, high


@step
def find_slack(
    row: Whole, in_class: Whole, low: Whole, high: Whole, rows: Rows, envelope: Int64s
) -> tuple[Whole, Whole]:
    """(below, above) of an account in a class, or two negative numbers as soon as it is known not to fit.

    Without that way out LLVM makes a loop of ten positions into gathers, which take twice as long.
    """
    least = most = rows.cash[row]
    begin = rows.start[row]
    for p in range(unsigned(begin), unsigned(begin + rows.size[row])):
        held = np.int64(rows.quantity[p])
        name = rows.instrument[p]
        least += held * envelope[in_class, name, 0]
        most += held * envelope[in_class, name, 1]
        if most >= high:
            return -1, -1
    return least - low, high - 1 - most


@step
def settle_account(row: Whole, rows: Rows, state: State) -> tuple[Whole, Whole, Whole, Whole, Whole, Whole]:
    """(band, assets, owed, place, below, above) of an account: valued, and put in the widest class from its own down.

    Without moves left it stays in its class and due: without a look if it falls short there and keeps its band.
    """
    before, in_class = np.int64(rows.band[row]), np.int64(state.place[row] & CLASS_BITS)
    kind, assets, owed = _weigh(row, rows, state.price)
    if kind == UNPRICED:
        return -1, 0, 0, in_class | IS_PARKED, ROOMY, ROOMY
    term = np.int64(rows.terms[row])
    band = -1 if kind == TOO_LARGE else _band_at(assets, owed, before, term, state.lines)
    if kind != ORDINARY:
        return band, assets, owed, IS_EXACT, -1, -1
    if state.counters[MOVES_LEFT] == 0 and band == before and (state.slack[2 * row] | state.slack[2 * row + 1]) < 0:
        return band, assets, owed, in_class | IS_DUE, -1, -1
    low, high = find_edges(band, owed, term, state.lines)
    below, above = assets - low, high - 1 - assets
    for wide in range(in_class, 0, -1):
        below, above = find_slack(row, wide, low, high, rows, state.envelope)
        if below >= 0 and above >= 0:
            return band, assets, owed, wide, below, above
        if state.counters[MOVES_LEFT] == 0:
            return band, assets, owed, in_class | IS_DUE, below, above
    return band, assets, owed, 0, assets - low, high - 1 - assets


@step
def tell_crossing(
    batch: Whole, row: Whole, before: Whole, band: Whole, assets: Whole, owed: Whole, events: Int64s, told: Whole
) -> None:
    """Write one crossing."""
    events[told, 0] = batch
    events[told, 1] = row
    events[told, 2] = before
    events[told, 3] = band
    events[told, 4] = assets
    if band < 0:
        events[told, 5] = RATIO_UNKNOWN
    else:
        events[told, 5] = RATIO_NO_DEBT if owed == 0 else assets * BP // owed
