"""Sums, prices, dates and ranks as a contract prints them."""

from datetime import date

from reefpoint.platform.basics.money import PRICE_SCALE, minor_digits, percent
from reefpoint.records.contracts.types import Language

MINUS = "\N{MINUS SIGN}"


def money(minor: int, currency: str) -> str:
    """Minor units with their currency: `USD 1,234.50`."""
    digits = minor_digits(currency)
    whole, part = divmod(abs(minor), 10**digits)
    sign = MINUS if minor < 0 else ""
    return f"{currency} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")


def price(units: int) -> str:
    """A price of 1e-4 with two decimals, or as many as it has."""
    whole, part = divmod(units, PRICE_SCALE)
    text = f"{part:04d}".rstrip("0").ljust(2, "0")
    return f"{whole:,}.{text}"


def signed(bp: int) -> str:
    return f"{'+' if bp > 0 else MINUS if bp < 0 else ''}{percent(abs(bp))}"


def day(on: date, language: Language) -> str:
    """A date as it is read: 25 November 2019, or 2019年11月25日."""
    if language is Language.ZH:
        return f"{on.year}年{on.month}月{on.day}日"
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in {11, 12, 13} else 0, "th")
    return f"{number}{ending}"
