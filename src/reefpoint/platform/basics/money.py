"""Money, and the one place where it is rounded.

Books hold integer minor units (cents). Prices are integers in 1/10,000 of the major unit. Debts, requirements and
fees round up; collateral, proceeds and releasable excess round down, so that no rounding ever favours the riskier side.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

PRICE_SCALE = 10_000
"""Price units in one major unit: a price of 41.20 is 412,000."""

MINOR_DIGITS = {"USD": 2, "CNY": 2, "HKD": 2, "INR": 2, "EUR": 2, "GBP": 2, "JPY": 0}


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum."""


def minor_digits(currency: str) -> int:
    """Digits after the point of a currency's minor unit. Raises `KeyError` for a currency the desk does not keep."""
    return MINOR_DIGITS[currency]


def price_units_per_minor(currency: str) -> int:
    """How many price units make one minor unit (100 for cents)."""
    return int(PRICE_SCALE // 10 ** minor_digits(currency))


def ceil_div(numerator: int, denominator: int) -> int:
    """Exact integer division, rounded towards plus infinity."""
    return -(-numerator // denominator)


def round_half_up(numerator: int, denominator: int) -> int:
    """Exact integer division, halves away from zero."""
    sign = -1 if (numerator < 0) != (denominator < 0) else 1
    return sign * ((2 * abs(numerator) + abs(denominator)) // (2 * abs(denominator)))


def owed_minor(price_units: int, currency: str) -> int:
    """Price units (1e-4) as minor units, rounded up: for debts, requirements and fees."""
    return ceil_div(price_units, price_units_per_minor(currency))


def held_minor(price_units: int, currency: str) -> int:
    """Price units (1e-4) as minor units, rounded down: for collateral, proceeds and excess."""
    return price_units // price_units_per_minor(currency)


def percent(bp: int) -> str:
    """Basis points as people read them: 17639 is 176.39%."""
    return f"{bp / 100:.2f}%"


def price_units(value: Decimal) -> int:
    """A decimal price as integer price units, half up."""
    return int((value * PRICE_SCALE).to_integral_value(rounding=ROUND_HALF_UP))


def price_decimal(units: int) -> Decimal:
    """Integer price units as a decimal price with four places."""
    return Decimal(units).scaleb(-4)


@dataclass(frozen=True, order=True)
class Money:
    """An exact amount in one currency, held as integer minor units."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if self.currency not in MINOR_DIGITS:
            raise ValueError(f"unknown currency {self.currency!r}")

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> "Money":
        """From a decimal amount; more digits than the currency has raise `ValueError`."""
        scaled = Decimal(amount).scaleb(minor_digits(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more decimals than {currency} keeps")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        return Decimal(self.minor).scaleb(-minor_digits(self.currency))

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        return f"{self.amount:,.{minor_digits(self.currency)}f} {self.currency}"


def split_in_proportion(total: int, weights: list[int]) -> list[int]:
    """Split `total` minor units by non-negative weights so that the parts add up to the last unit.

    Largest remainder first; ties go to the earlier part. Raises `ValueError` if no weight is positive.
    """
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
