"""What else happens in a simulation, one event a line, and what is wrong with a file of prices, in words.

2020-03-09 suspend JPM 2020-03-20
2020-03-12 haircut XOM 45
2020-03-16 rate 7.25
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reefpoint.insight.simulation.rules.files import PriceFileRefused
from reefpoint.insight.simulation.types import HaircutChange, Happenings, RateChange, Suspension

HAPPENINGS_MAX = 100
WORDS: Mapping[str, str] = {"rate": "rate", "利率": "rate", "haircut": "haircut", "折扣": "haircut"} | {
    "suspend": "suspend",
    "停牌": "suspend",
}
_PERCENT_MAX = 100


class HappeningError(ValueError):
    """A line that says nothing that can happen, in words for whoever typed it."""


def read_happenings(text: str) -> Happenings:
    """What is to happen, from one event a line. Raises `HappeningError` naming the line."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) > HAPPENINGS_MAX:
        raise HappeningError(_("At most a hundred events are played."))
    found = [_read(line) for line in lines]
    return Happenings(
        rates=tuple(one for one in found if isinstance(one, RateChange)),
        haircuts=tuple(one for one in found if isinstance(one, HaircutChange)),
        suspensions=tuple(one for one in found if isinstance(one, Suspension)),
    )


def _read(line: list[str]) -> RateChange | HaircutChange | Suspension:
    try:
        on = date.fromisoformat(line[0])
        match [WORDS.get(line[1].lower(), ""), *line[2:]]:
            case ["rate", percent]:
                return RateChange(on, _bp(percent))
            case ["haircut", symbol, percent]:
                return HaircutChange(on, symbol.upper(), _bp(percent))
            case ["suspend", symbol]:
                return Suspension(symbol.upper(), on, None)
            case ["suspend", symbol, until] if date.fromisoformat(until) > on:
                return Suspension(symbol.upper(), on, date.fromisoformat(until))
    except (ValueError, IndexError, InvalidOperation):
        pass
    raise HappeningError(
        _("One event a line: 2020-03-16 rate 7.25, or 2020-03-12 haircut JPM 45, or 2020-03-09 suspend JPM 2020-03-20.")
        + " "
        + _("This is not: %(line)s") % {"line": " ".join(line)[:60]}
    )


def _bp(percent: str) -> int:
    value = Decimal(percent.removesuffix("%")) if len(percent) <= 10 else Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= _PERCENT_MAX or value * 100 != int(value * 100):
        raise ValueError(percent)
    return int(value * 100)


FILE_WORDS: Mapping[str, Promise] = {
    "too_large": gettext_lazy("The file is larger than a megabyte."),
    "empty": gettext_lazy("The file is empty."),
    "not_csv": gettext_lazy("This is not a CSV file."),
    "heading": gettext_lazy("The first line is `date` and the symbols of the names."),
    "too_many": gettext_lazy("The file has more than thirty names."),
    "too_long": gettext_lazy("The file has more days than twenty years of sessions."),
    "symbol": gettext_lazy("Line %(line)s: not a symbol, or twice in the heading: %(column)s"),
    "cells": gettext_lazy("Line %(line)s has more or fewer cells than the heading."),
    "shares": gettext_lazy("Line %(line)s, %(column)s: a whole number of shares is needed."),
    "day": gettext_lazy("Line %(line)s: this is not a day. Write 2024-01-02."),
    "order": gettext_lazy("Line %(line)s: the days must run from old to new, each once."),
    "no_session": gettext_lazy("Line %(line)s: the venue does not trade on this day."),
    "price": gettext_lazy("Line %(line)s, %(column)s: not a price above zero with at most four decimals."),
}


def file_words(refusal: PriceFileRefused) -> str:
    """Why a file of prices cannot be read, in the reader's language."""
    words = FILE_WORDS[str(refusal.facts["why"])]
    return str(words) % {"line": refusal.facts["line"], "column": refusal.facts["column"]}
