"""Full valuation of a book: assets, lending value, requirement, ratio and band of every account, exactly.

Formulas (units of 1e-4, integers throughout):

- market = sum of quantity * price; assets = market + cash
- lendable = cash + sum of floor(value * (10,000 - haircut) / 10,000); 0 for a stale or suspended name
- requirement = sum of ceil(value * maintenance / 10,000)
- ratio = floor(assets * 10,000 / debt): the maintenance ratio of Shenzhen rule 4.9 and Shanghai rule 42, in basis
  points; haircuts play no part in it. US equity percentage (FINRA 4210) is 1 - 10,000 / ratio: 25% equity is 13,334.

What is owed to the desk rounds up and what backs it rounds down, position by position, so parts add up to the whole.
"""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN, Lines, step_bands
from reefpoint.engine.book import Book, Marks, check_book
from reefpoint.engine.columns import (
    AMOUNT_UNITS_MAX,
    BP,
    Bools,
    Instruments,
    Int8s,
    Int32s,
    Int64s,
    Quantities,
    UInt16s,
)
from reefpoint.engine.kernel import kernel


@dataclass(frozen=True, eq=False)
class Valuation:
    """Figures of every account, all of length A.

    - `market_units`, `assets_units` (market + cash), `lendable_units`, `requirement_units` int64 in 1e-4
    - `ratio_bp` int64: floor of assets / debt; `RATIO_NO_DEBT` without debt, `RATIO_UNKNOWN` (-1) if unknown
    - `band` int8 of `Band`, by the lines alone (no hysteresis; see `bands.step_bands`)
    - `is_unknown` bool: a held name has no usable price, or the value passes `AMOUNT_UNITS_MAX`; all amounts are then 0
    """

    market_units: Int64s
    assets_units: Int64s
    lendable_units: Int64s
    requirement_units: Int64s
    ratio_bp: Int64s
    band: Int8s
    is_unknown: Bools


@kernel
def _value_rows(
    rows: Int64s,
    start: Int32s,
    instrument: Instruments,
    quantity: Quantities,
    cash: Int64s,
    debt: Int64s,
    terms: UInt16s,
    price: Int64s,
    haircut: Int64s,
    maintenance: Int64s,
    lends_nothing: Bools,
    amounts: Int64s,
    ratio: Int64s,
    is_unknown: Bools,
) -> None:
    """Value account rows[i] into amounts[:, i] (market, assets, lendable, requirement), ratio[i], is_unknown[i]."""
    for i in range(len(rows)):
        row = rows[i]
        term = terms[row]
        market = 0
        lendable = cash[row]
        requirement = 0
        size = float(cash[row])
        unknown = False
        for j in range(start[row], start[row + 1]):
            held = quantity[j]
            if held == 0:
                continue
            name = instrument[j]
            mark = price[name]
            if mark == 0:
                unknown = True
                break
            size += float(held) * float(mark)
            if size > AMOUNT_UNITS_MAX:
                unknown = True
                break
            value = held * mark
            market += value
            if not lends_nothing[name]:
                lendable += value * (BP - haircut[term, name]) // BP
            requirement += (value * maintenance[term, name] + BP - 1) // BP
        is_unknown[i] = unknown
        if unknown:
            amounts[0, i] = amounts[1, i] = amounts[2, i] = amounts[3, i] = 0
            ratio[i] = RATIO_UNKNOWN
            continue
        assets = market + cash[row]
        amounts[0, i] = market
        amounts[1, i] = assets
        amounts[2, i] = lendable
        amounts[3, i] = requirement
        ratio[i] = RATIO_NO_DEBT if debt[row] == 0 else assets * BP // debt[row]


def value_book(book: Book, marks: Marks, lines: Lines, rows: Int64s | None = None) -> Valuation:
    """Value every account, or only the accounts `rows` (int64[N]; the result then has length N, in that order).

    Raises `BookError` for an instrument or terms row that `marks` or `lines` do not have.
    """
    check_book(book, marks, len(lines))
    if rows is None:
        rows, terms, positions = np.arange(book.account_count), book.terms, book.position_count
    else:
        terms, positions = book.terms[rows], int((book.start[rows + 1] - book.start[rows]).sum())
    count = len(rows)
    amounts = np.empty((4, count), dtype=np.int64)
    ratio = np.empty(count, dtype=np.int64)
    is_unknown = np.empty(count, dtype=np.bool_)
    _value_rows.run(
        positions + count,
        rows,
        book.start,
        book.instrument,
        book.quantity,
        book.cash_units,
        book.debt_units,
        book.terms,
        marks.price_units,
        marks.haircut_bp,
        marks.maintenance_bp,
        marks.lends_nothing,
        amounts,
        ratio,
        is_unknown,
    )
    band = step_bands(ratio, terms, lines)
    return Valuation(amounts[0], amounts[1], amounts[2], amounts[3], ratio, band, is_unknown)
