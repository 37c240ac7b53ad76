"""What text from outside may hold: no character that hides, turns round or cuts off what a person reads (I69)."""

import unicodedata

LINE_BREAKS = frozenset("\n\r\t")
TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that change the direction of writing: with them `gpj.exe` reads as `exe.jpg` (CVE-2021-42574)."""

UNSEEN = frozenset("\u00ad\u180e\u200b\u2060\u2061\u2062\u2063\u2064\ufeff")
"""Characters without a mark of their own: two names that read alike would differ."""


def find_unsafe(text: str) -> str | None:
    """What of `text` may not come in: control, surrogate, direction, invisible; None when it is fine.

    Line breaks and tabs are fine; the joiners of scripts that need them (U+200C, U+200D) are too.
    """
    for sign in text:
        category = unicodedata.category(sign)
        if category == "Cc" and sign not in LINE_BREAKS:
            return "control"
        if category == "Cs":
            return "surrogate"
        if sign in TURNING:
            return "direction"
        if sign in UNSEEN:
            return "invisible"
    return None
