"""Figures as people read them: grouped, signed, with the unit said elsewhere. Pure: no template, no request.

Money comes as integer minor units, prices in 1e-4, ratios in basis points; nothing here goes through a float.
"""

from dataclasses import dataclass

from reefpoint.platform.basics.money import MINOR_DIGITS

NOTHING = "–"
MINUS = "\N{MINUS SIGN}"
CENT_DIGITS = 2
PRICE_DIGITS = 4

WESTERN_STEPS = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "K"))
CHINESE_STEPS = ((10**12, "万亿"), (10**8, "亿"), (10**4, "万"))


def _fixed(value: int, digits: int) -> str:
    """An integer of 10**-digits as grouped decimal text, with a real minus sign."""
    sign = MINUS if value < 0 else ""
    whole, part = divmod(abs(value), 10**digits)
    return f"{sign}{whole:,}.{part:0{digits}d}" if digits else f"{sign}{whole:,}"


def money_text(minor: int | None, currency: str = "") -> str:
    """Minor units in full: 123456789 is `1,234,567.89`, or `123,456,789` where the currency has no cents."""
    return NOTHING if minor is None else _fixed(minor, MINOR_DIGITS.get(currency, CENT_DIGITS))


def money_brief(minor: int | None, *, chinese: bool) -> str:
    """Minor units to three or four digits with a step: `1.23M`, or `123.4万` on Chinese pages. Rounded towards zero."""
    if minor is None:
        return NOTHING
    sign = MINUS if minor < 0 else ""
    cents = abs(minor)
    for step, unit in CHINESE_STEPS if chinese else WESTERN_STEPS:
        if cents >= step * 100:
            hundredths = cents // step
            digits = 2 if hundredths < 10_00 else 1 if hundredths < 100_00 else 0
            return f"{sign}{_fixed(hundredths // 10 ** (2 - digits), digits)}{unit}"
    return f"{sign}{_fixed(cents // 100, 0)}"


def quantity_text(quantity: int | None) -> str:
    """Shares, grouped."""
    return NOTHING if quantity is None else _fixed(quantity, 0)


def rate_text(rate_e8: int) -> str:
    """A rate of 1e-8 units with two decimals at least, and as many more as it has."""
    whole, rest = divmod(rate_e8, 10**8)
    digits = f"{rest:08d}"
    return f"{whole}.{digits[:CENT_DIGITS]}{digits[CENT_DIGITS:].rstrip('0')}"


def price_text(units: int | None) -> str:
    """A price of 1e-4 units with two decimals, or up to four where they are not zero."""
    if units is None:
        return NOTHING
    text = _fixed(units, PRICE_DIGITS)
    while text.endswith("0") and len(text.partition(".")[2]) > CENT_DIGITS:
        text = text[:-1]
    return text


def percent_text(bp: int | None) -> str:
    """Basis points as a percentage with two decimals: 14235 is `142.35%`."""
    return NOTHING if bp is None else f"{_fixed(bp, CENT_DIGITS)}%"


def signed_text(text: str, value: int | None) -> str:
    """The same figure with a plus in front of gains, so that direction never rests on colour alone."""
    return f"+{text}" if value is not None and value > 0 else text


@dataclass(frozen=True)
class Spark:
    """A spark line as SVG geometry in a box of `width` by `height`: the line, its last point and an optional level."""

    points: str
    last_x: str
    last_y: str
    level_y: str
    width: int
    height: int


def spark(values: list[int], *, level: int | None = None, width: int = 80, height: int = 24) -> Spark | None:
    """Geometry of a spark line, with `level` (say the call line) inside its range; None for fewer than two values."""
    if len(values) < 2:
        return None
    held = [*values, level] if level is not None else values
    low, high = min(held), max(held)
    span = max(high - low, 1)
    inset = 3

    def y(value: int) -> float:
        return inset + (height - 2 * inset) * (high - value) / span

    xs = [inset + (width - 2 * inset) * i / (len(values) - 1) for i in range(len(values))]
    points = " ".join(f"{x:.1f},{y(value):.1f}" for x, value in zip(xs, values, strict=True))
    return Spark(
        points=points,
        last_x=f"{xs[-1]:.1f}",
        last_y=f"{y(values[-1]):.1f}",
        level_y="" if level is None else f"{y(level):.1f}",
        width=width,
        height=height,
    )
