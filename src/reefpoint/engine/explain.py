"""Why an account stands where it stands: every figure of its valuation as terms, line by line.

Each position is summed alone by the same kernel as the whole account. A line carries its lending value and requirement
exactly, in 1e-8: the lines add up to the account's sum to the last digit, and that sum is rounded once, as in the
valuation. Other money is in units of 1e-4, quantities in shares, rates and ratios in basis points.
"""

from dataclasses import dataclass

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import AMOUNT_UNITS_MAX, BP, BookError, check_whole
from reefpoint.engine.cures import fall_to_line_bp, limit_days_to_line
from reefpoint.engine.valuation import sum_positions, value_book


@dataclass(frozen=True)
class PositionTerm:
    """One position: value = quantity * price, negative for a short one.

    Long: lendable = value * (1 - haircut), 0 if stale or suspended. Short: lendable = value, all of it held back.
    Either: requirement = value without its sign * maintenance. `share_bp` is a long position's part of the market
    value, rounded down, and 0 for a short one.
    """

    instrument: int
    quantity: int
    price_units: int
    value_units: int
    share_bp: int
    haircut_bp: int
    lendable_e8: int
    maintenance_bp: int
    requirement_e8: int
    is_stale: bool
    is_suspended: bool
    is_price_missing: bool

    @property
    def lendable_units(self) -> int:
        """This line alone, rounded down: for display. Lines add up in `lendable_e8`."""
        return self.lendable_e8 // BP

    @property
    def requirement_units(self) -> int:
        """This line alone, rounded up: for display. Lines add up in `requirement_e8`."""
        return -(-self.requirement_e8 // BP)


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
    """The account's figures and the terms they add up from:

    - market = sum of the long values, short = sum of the short ones without their sign
    - assets = market + cash, owed = debt + short, ratio = floor(assets / owed)
    - lendable = cash + sum of `lendable_e8`, rounded down; requirement = sum of `requirement_e8`, rounded up

    `band` is by the lines alone. Amounts are 0 and there are no distances when the account is unknown. Distances are
    falls of the long positions, the short ones staying at their price.
    """

    terms: tuple[PositionTerm, ...]
    cash_units: int
    debt_units: int
    market_units: int
    short_units: int
    assets_units: int
    lendable_units: int
    requirement_units: int
    ratio_bp: int
    band: Band
    is_unknown: bool
    distances: tuple[LineDistance, ...]

    @property
    def owed_units(self) -> int:
        """Debt and the value of what was sold short."""
        return self.debt_units + self.short_units


def explain_account(account: Book, marks: Marks, lines: Lines, *, limit_bp: int) -> Explanation:
    """Explain a book of one account; `limit_bp` is the daily fall assumed for the days to a line (1,000 is 10%).

    Raises `BookError` as `value_book` does, and for a book of another size.
    """
    if account.account_count != 1:
        raise BookError("account", None, f"must be a book of one, not of {account.account_count}")
    check_whole("limit_bp", limit_bp, 1, BP)
    whole = value_book(account, marks, lines)
    term, is_unknown = int(account.terms[0]), bool(whole.is_unknown[0])
    market, short = int(whole.market_units[0]), int(whole.short_units[0])
    cash, owed = int(account.cash_units[0]), int(account.debt_units[0]) + short
    levels = () if is_unknown else tuple(zip(list(Band)[2:], lines.table[term, :3].tolist(), strict=True))
    return Explanation(
        terms=tuple(_explain_position(account, marks, row, market) for row in range(account.position_count)),
        cash_units=cash,
        debt_units=int(account.debt_units[0]),
        market_units=market,
        short_units=short,
        assets_units=int(whole.assets_units[0]),
        lendable_units=int(whole.lendable_units[0]),
        requirement_units=int(whole.requirement_units[0]),
        ratio_bp=int(whole.ratio_bp[0]),
        band=Band(int(whole.band[0])),
        is_unknown=is_unknown,
        distances=tuple(
            LineDistance(
                band=level,
                line_bp=line_bp,
                fall_bp=fall_to_line_bp(market, cash, owed, line_bp),
                limit_days=limit_days_to_line(market, cash, owed, line_bp, limit_bp),
            )
            for level, line_bp in levels
        ),
    )


def _explain_position(account: Book, marks: Marks, row: int, market_units: int) -> PositionTerm:
    name, term = int(account.instrument[row]), int(account.terms[0])
    long, short, lendable, requirement, _ = sum_positions.run(
        1,
        row,
        row + 1,
        account.instrument,
        account.quantity,
        marks.price_units,
        marks.lent_bp[term],
        marks.maintenance_bp[term],
        AMOUNT_UNITS_MAX,
    )
    return PositionTerm(
        instrument=name,
        quantity=int(account.quantity[row]),
        price_units=int(marks.price_units[name]),
        value_units=int(long) - int(short),
        share_bp=int(long) * BP // market_units if market_units else 0,
        haircut_bp=int(marks.haircut_bp[term, name]),
        lendable_e8=int(lendable),
        maintenance_bp=int(marks.maintenance_bp[term, name]),
        requirement_e8=int(requirement),
        is_stale=bool(marks.is_stale[name]),
        is_suspended=bool(marks.is_suspended[name]),
        is_price_missing=bool(account.quantity[row] and not marks.price_units[name]),
    )
