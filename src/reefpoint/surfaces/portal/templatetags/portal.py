"""Small words and shapes of the portal's templates."""

from django import template
from django.utils.translation import gettext_lazy as _

from reefpoint.surfaces.web.application_words import OPTION_WORDS, Words

register = template.Library()


@register.filter
def half_bar(part: int, whole: int) -> str:
    """A part of a whole as a length of half the bar, so that loss and gain of one size are drawn alike."""
    return f"{min(abs(part), whole) * 50 / whole:.2f}%" if whole else "0%"


@register.filter
def half_start(part: int, whole: int) -> str:
    """Where that bar begins: losses end in the middle, gains begin there."""
    return f"{50 - min(abs(part), whole) * 50 / whole:.2f}%" if part < 0 and whole else "50%"


LINE_WORDS: dict[str, tuple[Words, Words]] = {
    "warning": (_("Until you are warned"), _("You get a notice; nothing is asked yet.")),
    "call": (_("Until you are asked for money"), _("A margin call: pay in, repay or sell within the deadline.")),
    "close_out": (_("Until your shares are sold"), _("They are sold without asking you again.")),
}
WHY_NOT_WORDS: dict[str, Words] = {
    "below_initial": _("Too little of your own is left for a new loan."),
    "above_lendable": _("It is more than these shares are lent against."),
    "above_limit": _("It is more than the scheme lends to one client."),
    "too_little_equity": _("The scheme asks for more money of your own."),
    "below_maintenance": _("These shares ask for more money of your own."),
    "too_concentrated": _("Too much of it is one name."),
}


@register.filter
def line_words(name: str) -> Words:
    """What a line means for the client."""
    return LINE_WORDS[name][0]


@register.filter
def line_help(name: str) -> Words:
    """What happens at a line."""
    return LINE_WORDS[name][1]


@register.filter
def why_not_words(why: str) -> Words:
    """Why a loan would not be given."""
    return WHY_NOT_WORDS[why]


@register.filter
def option_words(value: str) -> Words:
    """An answer that was chosen from a list, in words."""
    return OPTION_WORDS.get(str(value), str(value))
