"""What cures an account, and how far it is from a line. One account, exact Python integers.

With assets A, debt D, cash C, securities S = A - C and a target ratio T (all ratios here as T / 10,000):

- add collateral  x = T*D - A            - repay with outside cash  y = D - A / T
- sell and repay  z = (T*D - A) / (T*(1 - cost) - 1)
- fall of all securities to line L  d = 1 - (L*D - C) / S
- fall of all securities to a requirement M that falls with them, of equity E = A - D  d = (E - M) / (S - M)
- value of securities at line L  L*D - C; a name of quantity q beside others worth O is then at (L*D - C - O) / q
- value of securities at a requirement M that falls with them  S * (D - C) / (S - M); a name of price p, quantity q and
  maintenance m falling alone is then at p - (E - M) / (q * (1 - m))

Source: exchange rules on the maintenance ratio (Shenzhen 4.9, Shanghai 42) and their algebra; with a cost of sale each
unit sold takes 1 from assets and 1 - cost from debt. Amounts to bring round up: one unit less would not cure.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reefpoint.engine.columns import BP, BookError

LIMIT_DAYS_MAX = 99
"""Limit-down days beyond which the distance is told as 'further than that' (None)."""


@dataclass(frozen=True)
class Cures:
    """Each way alone, in units of 1e-4; 0 when the account already holds the target.

    `deposit_units` of cash or collateral at full value; `repayment_units` from outside; `sale_units` of market value,
    or None when no sale can reach the target (the sale costs too much, or all there is would not do).
    """

    deposit_units: int
    repayment_units: int
    sale_units: int | None


def ratio_bp(assets_units: int, debt_units: int) -> int | None:
    """floor(assets / debt) in basis points; None without debt."""
    return assets_units * BP // debt_units if debt_units else None


def deposit_to_reach(assets_units: int, debt_units: int, target_bp: int) -> int:
    """Units of cash or collateral to add so that the ratio is at least the target, rounded up."""
    _check(assets_units, debt_units, target_bp)
    return max(0, -((assets_units * BP - target_bp * debt_units) // BP))


def repayment_to_reach(assets_units: int, debt_units: int, target_bp: int) -> int:
    """Units of outside cash to repay so that the ratio is at least the target, rounded up."""
    _check(assets_units, debt_units, target_bp)
    return max(0, debt_units - assets_units * BP // target_bp)


RATIO_MAX_BP = 1_000_000
"""The highest ratio that is asked of an account: 10,000%. Above it, next to nothing may be owed."""


def ratio_at_requirement_bp(assets_units: int, requirement_units: int) -> int:
    """The ratio at which equity just meets a requirement on these assets: A / (A - M), rounded up.

    At most `RATIO_MAX_BP`, which also stands for a requirement of all the assets or more.
    """
    rest = assets_units - requirement_units
    return min(-(-assets_units * BP // rest), RATIO_MAX_BP) if rest > 0 else RATIO_MAX_BP


def sale_target_bp(held: Sequence[tuple[int, int]], debt_units: int, cost_bp: int) -> int:
    """The ratio from which on a sale has brought equity to the requirement, whichever names were sold.

    `held` is value in units and maintenance in basis points of each position; `debt_units` what is owed once the
    account's own cash has repaid. With a cost of sale c, selling z of a name of maintenance m closes z * (m - c) of
    what is missing. The names that ask the least close the least, so the ratio after selling those first is enough for
    every order. At most `RATIO_MAX_BP`, which also stands for what only repaying everything can reach.
    """
    left = sum(value for value, _ in held)
    short_e8 = sum(value * rate for value, rate in held) - BP * (left - debt_units)
    debt_e8 = BP * debt_units
    for value, rate in sorted(held, key=lambda one: one[1]):
        if short_e8 <= 0:
            break
        gain = rate - cost_bp
        sold = min(value, -(-short_e8 // gain)) if gain > 0 else value
        short_e8 -= sold * gain
        left -= sold
        debt_e8 -= sold * (BP - cost_bp)
    if short_e8 > 0 or debt_e8 <= 0:
        return RATIO_MAX_BP
    return min(-(-left * BP * BP // debt_e8), RATIO_MAX_BP)


def sale_to_reach(assets_units: int, debt_units: int, target_bp: int, cost_bp: int) -> int | None:
    """Units of market value to sell, proceeds repaying debt, so that the ratio is at least the target, rounded up.

    None when selling cannot: T * (1 - cost) <= 1, or more than all assets or the whole debt would be needed.
    """
    _check(assets_units, debt_units, target_bp)
    short = target_bp * debt_units - BP * assets_units
    if short <= 0:
        return 0
    gain = target_bp * (BP - cost_bp) - BP * BP
    if gain <= 0:
        return None
    sold = -(-short * BP // gain)
    return sold if sold <= assets_units else None


def find_cures(assets_units: int, debt_units: int, target_bp: int, cost_bp: int) -> Cures:
    """The three cures to the target, each alone. Raises `BookError` for a negative amount or a target at or under 1."""
    return Cures(
        deposit_units=deposit_to_reach(assets_units, debt_units, target_bp),
        repayment_units=repayment_to_reach(assets_units, debt_units, target_bp),
        sale_units=sale_to_reach(assets_units, debt_units, target_bp, cost_bp),
    )


def fall_to_line_bp(securities_units: int, cash_units: int, debt_units: int, line_bp: int) -> int | None:
    """How far all securities may fall together before the ratio equals the line, in basis points of their value.

    Rounded down; negative when the account is under the line already; above 10,000 never: an account that cash alone
    keeps above the line gives None, as does one without debt or securities.
    """
    if debt_units == 0 or securities_units == 0 or cash_units * BP >= line_bp * debt_units:
        return None
    return (BP * (securities_units + cash_units) - line_bp * debt_units) // securities_units


def fall_to_requirement_bp(
    securities_units: int, assets_units: int, debt_units: int, requirement_units: int
) -> int | None:
    """How far all securities may fall together before equity equals the requirement, which falls with them, in basis
    points of their value: (E - M) / (S - M).

    Rounded down; negative when equity is below it already; None when it never is (no debt, or none on securities).
    """
    missing_e4 = BP * (assets_units - debt_units - requirement_units)
    slope = securities_units - requirement_units
    if debt_units == 0 or slope <= 0 or missing_e4 > BP * slope:
        return None if missing_e4 >= 0 else -1
    return missing_e4 // slope


def value_at_line(cash_units: int, debt_units: int, line_bp: int) -> int | None:
    """The least value of all securities at which the ratio still holds the line; under it, the line is crossed.

    None when cash alone holds it, or nothing is owed.
    """
    value = -((cash_units * BP - line_bp * debt_units) // BP)
    return value if debt_units and value > 0 else None


def value_at_requirement(securities_units: int, cash_units: int, debt_units: int, requirement_e8: int) -> int | None:
    """The least value of all securities, falling together, at which equity still meets the requirement, which falls
    with them: S * (D - C) / (S - M), rounded up.

    `requirement_e8` is that of today, in 1e-8. None when equity always meets it; S itself when it never does, because
    all that the securities are worth is required.
    """
    missing_units = debt_units - cash_units
    if missing_units <= 0 or not securities_units:
        return None
    slope_e8 = BP * securities_units - requirement_e8
    return -(-BP * securities_units * missing_units // slope_e8) if slope_e8 > 0 else securities_units


def prices_at_value(prices_units: Sequence[int], securities_units: int, value_units: int) -> list[int]:
    """The prices at which all securities together are worth `value_units`, each changed by the same part and rounded
    up, from `prices_units`, at which they are worth `securities_units`.
    """
    return [-(-price * value_units // securities_units) for price in prices_units]


def price_alone_at_line(
    price_units: int, quantity: int, securities_units: int, cash_units: int, debt_units: int, line_bp: int
) -> int | None:
    """The least price of one name, all others staying, at which the ratio still holds the line, rounded up.

    None when even a price of zero holds it, for a quantity of nothing, and as in `value_at_line`.
    """
    value = value_at_line(cash_units, debt_units, line_bp)
    if value is None or not quantity:
        return None
    price = -((securities_units - price_units * quantity - value) // quantity)
    return price if price > 0 else None


def price_alone_at_requirement(price_units: int, quantity: int, maintenance_bp: int, spare_e8: int) -> int | None:
    """The least price of one name, all others staying, at which equity still meets the requirement, rounded up.

    `spare_e8` is equity less the requirement at `price_units`, in 1e-8, `maintenance_bp` what the name adds to the
    requirement. None when even a price of zero meets it; a name that is required in full changes nothing, and has its
    price now where equity does not meet the requirement.
    """
    slope_e4 = quantity * (BP - maintenance_bp)
    if not slope_e4:
        return price_units if spare_e8 < 0 else None
    price = price_units - spare_e8 // slope_e4
    return price if price > 0 else None


def limit_days_to_line(
    securities_units: int, cash_units: int, debt_units: int, line_bp: int, limit_bp: int
) -> int | None:
    """Days of all securities falling by `limit_bp` a day until the ratio is under the line; 0 if it is already.

    None when it never is (cash alone holds it, or no debt), or not within `LIMIT_DAYS_MAX`. With C = 0 this is
    ceil(ln(L / ratio) / ln(1 - limit)); values are rounded down day by day, as a loss would be felt.
    """
    if debt_units == 0 or cash_units * BP >= line_bp * debt_units:
        return None
    value = securities_units
    for day in range(LIMIT_DAYS_MAX + 1):
        if (value + cash_units) * BP < line_bp * debt_units:
            return day
        value = value * (BP - limit_bp) // BP
    return None


def _check(assets_units: int, debt_units: int, target_bp: int) -> None:
    for name, value, low in (("assets", assets_units, 0), ("debt", debt_units, 0), ("target_bp", target_bp, BP + 1)):
        if value < low:
            raise BookError(name, None, f"is {value}, below {low}")
