"""Amounts as people type them: `500,000`, `500k`, `1.5m`, `50万`, `1.2亿`. Exact, no float."""

import re
from decimal import Decimal, InvalidOperation

STEPS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "千": 10**3, "万": 10**4, "亿": 10**8, "萬": 10**4, "億": 10**8}
TYPED = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,8})?)([a-z千万亿萬億]?)", re.IGNORECASE)
MINOR_DIGITS = 2
AMOUNT_MINOR_MAX = 10**15


class AmountError(ValueError):
    """Text that is no positive amount of money."""


def parse_money(text: str) -> int:
    """The minor units that somebody typed. Raises `AmountError` for anything that is not clearly a positive amount."""
    plain = re.sub(r"[,，\s_]", "", text.strip())
    typed = TYPED.fullmatch(plain)
    if typed is None or typed[2].lower() not in STEPS:
        raise AmountError(text)
    try:
        minor = Decimal(typed[1]) * STEPS[typed[2].lower()] * 10**MINOR_DIGITS
    except InvalidOperation as problem:
        raise AmountError(text) from problem
    if minor != minor.to_integral_value() or not 0 < minor <= AMOUNT_MINOR_MAX:
        raise AmountError(text)
    return int(minor)
