"""Why an account stands where it stands: every figure of its valuation as terms, line by line.

Each position is valued as a book of its own by the same kernel as the whole account, so the lines add up to the
valuation to the last unit. Money in units of 1e-4, quantities in shares, rates and ratios in basis points.
"""

from dataclasses import dataclass, replace

import numpy as np

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import BP, BookError
from reefpoint.engine.cures import fall_to_line_bp, limit_days_to_line
from reefpoint.engine.valuation import value_book


@dataclass(frozen=True)
class PositionTerm:
    """One position: value = quantity * price; lendable = floor(value * (1 - haircut)), 0 if stale or suspended;
    requirement = ceil(value * maintenance). `share_bp` is its part of the market value, rounded down.
    """

    instrument: int
    quantity: int
    price_units: int
    value_units: int
    share_bp: int
    haircut_bp: int
    lendable_units: int
    maintenance_bp: int
    requirement_units: int
    is_stale: bool
    is_suspended: bool
    is_price_missing: bool


@dataclass(frozen=True)
class LineDistance:
    """How far one line is: the fall of all securities together, and days of falling by the price limit each day.

    `fall_bp` is rounded down, negative when the account is under the line already; None: no fall of prices reaches it.
    `limit_days` as in `cures.limit_days_to_line`.
    """

    band: Band
    line_bp: int
    fall_bp: int | None
    limit_days: int | None


@dataclass(frozen=True)
class Explanation:
    """The account's figures and the terms they add up from: market = sum of values, assets = market + cash,
    lendable = cash + sum of lendables, requirement = sum of requirements, ratio = floor(assets / debt).

    `band` is by the lines alone. Amounts are 0 and there are no distances when the account is unknown.
    """

    terms: tuple[PositionTerm, ...]
    cash_units: int
    debt_units: int
    market_units: int
    assets_units: int
    lendable_units: int
    requirement_units: int
    ratio_bp: int
    band: Band
    is_unknown: bool
    distances: tuple[LineDistance, ...]


def explain_account(account: Book, marks: Marks, lines: Lines, *, limit_bp: int) -> Explanation:
    """Explain a book of one account; `limit_bp` is the daily fall assumed for the days to a line (1,000 is 10%).

    Raises `BookError` as `value_book` does, and for a book of another size.
    """
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
    whole = value_book(account, marks, lines)
    count, term = account.position_count, int(account.terms[0])
    nothing = np.zeros(count, dtype=np.int64)
    singles = replace(
        account,
        start=np.arange(count + 1, dtype=np.int32),
        cash_units=nothing,
        debt_units=nothing,
        terms=np.full(count, term, dtype=np.uint16),
    )
    parts = value_book(singles, marks, lines)
    market, cash, debt = int(whole.market_units[0]), int(account.cash_units[0]), int(account.debt_units[0])
    terms = []
    for i, name in enumerate(account.instrument.tolist()):
        value = int(parts.market_units[i])
        terms.append(
            PositionTerm(
                instrument=name,
                quantity=int(account.quantity[i]),
                price_units=int(marks.price_units[name]),
                value_units=value,
                share_bp=value * BP // market if market else 0,
                haircut_bp=int(marks.haircut_bp[term, name]),
                lendable_units=int(parts.lendable_units[i]),
                maintenance_bp=int(marks.maintenance_bp[term, name]),
                requirement_units=int(parts.requirement_units[i]),
                is_stale=bool(marks.is_stale[name]),
                is_suspended=bool(marks.is_suspended[name]),
                is_price_missing=bool(parts.is_unknown[i]),
            )
        )
    levels = () if whole.is_unknown[0] else tuple(zip(list(Band)[2:], lines.table[term, :3].tolist(), strict=True))
    return Explanation(
        terms=tuple(terms),
        cash_units=cash,
        debt_units=debt,
        market_units=market,
        assets_units=int(whole.assets_units[0]),
        lendable_units=int(whole.lendable_units[0]),
        requirement_units=int(whole.requirement_units[0]),
        ratio_bp=int(whole.ratio_bp[0]),
        band=Band(int(whole.band[0])),
        is_unknown=bool(whole.is_unknown[0]),
        distances=tuple(
            LineDistance(
                band=level,
                line_bp=line_bp,
                fall_bp=fall_to_line_bp(market, cash, debt, line_bp),
                limit_days=limit_days_to_line(market, cash, debt, line_bp, limit_bp),
            )
            for level, line_bp in levels
        ),
    )
