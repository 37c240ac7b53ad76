"""Words of collateral: kinds, boards, and the parts of a haircut."""

from collections.abc import Mapping

from django import template
from django.utils.translation import get_language, gettext_lazy, pgettext_lazy

register = template.Library()

KIND_WORDS = {
    "share": pgettext_lazy("instrument", "Share"),
    "etf": gettext_lazy("Exchange-traded fund"),
    "fund": gettext_lazy("Listed fund"),
    "bond": gettext_lazy("Bond"),
    "government_bond": gettext_lazy("Government bond"),
    "cash_fund": gettext_lazy("Money-market fund"),
    "warrant": gettext_lazy("Warrant"),
}
BOARD_WORDS = {
    "main": gettext_lazy("Main board"),
    "star": gettext_lazy("STAR"),
    "chinext": gettext_lazy("ChiNext"),
    "bse": gettext_lazy("Beijing"),
    "gem": gettext_lazy("GEM"),
}
PART_WORDS = {
    "regulation": gettext_lazy("Law and exchange"),
    "list": gettext_lazy("Not on the list"),
    "house": gettext_lazy("House table"),
    "model": gettext_lazy("Model"),
}
CAP_WORDS = {
    "house_share": gettext_lazy("of what the desk lends on"),
    "house_volume": gettext_lazy("days of volume"),
}
MODEL_WORDS = {
    "volatility": gettext_lazy("Volatility over the days to sell"),
    "liquidity": gettext_lazy("Spread and impact"),
    "concentration": pgettext_lazy("haircut", "Concentration"),
    "gap": gettext_lazy("Gap beyond volatility"),
    "rounding": gettext_lazy("Rounded to the step, floor and cap"),
}


@register.filter
def kind_word(kind: object) -> str:
    """The kind of a security."""
    return str(KIND_WORDS.get(str(kind), kind))


@register.filter
def board_word(board: object) -> str:
    """The board of a listing."""
    return str(BOARD_WORDS.get(str(board), board))


@register.filter
def haircut_part(part: object) -> str:
    """A part of a haircut."""
    return str(PART_WORDS.get(str(part), part))


@register.filter
def cap_word(kind: object) -> str:
    """What a cap is a part of."""
    return str(CAP_WORDS.get(str(kind), kind))


@register.filter
def model_parts(explained: Mapping[str, int]) -> list[tuple[str, int]]:
    """The parts of the model's haircut in millionths of the price, in order; they add up to it."""
    return [(str(word), explained[f"{name}_ppm"]) for name, word in MODEL_WORDS.items() if f"{name}_ppm" in explained]


@register.filter
def millionths(ppm: int) -> str:
    """Millionths as percent with four digits: nothing is rounded away."""
    return f"{'−' if ppm < 0 else ''}{abs(ppm) // 10_000}.{abs(ppm) % 10_000:04d}%"


@register.filter
def rule_name(rule: Mapping[str, str]) -> str:
    """A rule's name in the reader's language."""
    return rule["name_zh" if (get_language() or "").startswith("zh") else "name"]


@register.filter
def hundredths(value: int | None) -> str:
    """A number that is kept in hundredths."""
    return "–" if value is None else f"{value / 100:,.2f}"
