"""Sentences of the desk in the reader's language: refusals, and whatever else services say in words."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from string import Formatter

from django.utils.translation import get_language, gettext, pgettext, trans_real

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence

Pattern = tuple[re.Pattern[str], str]


def said(words: Refusal | Sentence) -> str:
    """A refusal or another sentence in the reader's language, with its figures.

    A refusal made of texts that came in both languages, as conditions of a credit do, brings its Chinese as `zh`.
    """
    sentence = words.sentence if isinstance(words, Refusal) else words
    if "zh" in sentence.figures and (get_language() or "").startswith("zh"):
        return str(sentence.figures["zh"])
    return sentence.said(_worded, _named)


def told(text: str) -> str:
    """A text on record in the reader's language, where the desk itself wrote it; what a person typed stays as it is.

    Records, and the audit log above all, keep sentences in English, whole and unchanged. Here the sentence of the
    catalogue that it was made from is found again, and said with the figures that stand in it.
    """
    language = get_language() or "en"
    if not text or language.startswith("en"):
        return text
    exact, patterns = _sentences(language)
    if text in exact:
        return gettext(text)
    if " " not in text:
        return pgettext("state", text.replace("_", " "))
    for pattern, words in (*patterns.get(_first(text), ()), *patterns.get("", ())):
        if found := pattern.fullmatch(text):
            return _filled(gettext(words), {name: _figure(value) for name, value in found.groupdict().items()})
    number, colon, rest = text.partition(": ")
    return f"{number}{colon}{_figure(rest)}" if colon and " " not in number else text


def _filled(words: str, figures: Mapping[str, str]) -> str:
    """The words with figures that are text already, however the sentence would have written them."""
    return "".join(literal + figures.get(place or "", "") for literal, place, _, _ in Formatter().parse(words))


def _figure(text: str) -> str:
    state = pgettext("state", text)
    return state if state != text else told(text)


@cache
def _sentences(language: str) -> tuple[frozenset[str], Mapping[str, Sequence[Pattern]]]:
    """Sentences without figures, and the patterns of those with figures by their first word, longest words first."""
    exact, found = set(), defaultdict(list)
    for words in set(trans_real.translation(language)._catalog.keys()):  # type: ignore[attr-defined]
        if not isinstance(words, str) or "\x04" in words or not words:
            continue
        try:
            parts = list(Formatter().parse(words))
        except ValueError:
            continue
        places = [place for _, place, _, _ in parts if place is not None]
        if not places and (" " in words or "." in words):
            exact.add(words)
        elif (
            all(places) and places and sum(map(str.isalpha, "".join(literal for literal, *_ in parts))) > FEWEST_LETTERS
        ):
            found[_first(words)].append((_pattern(parts), words))
    for patterns in found.values():
        patterns.sort(key=lambda one: -len(one[1]))
    return frozenset(exact), dict(found)


FEWEST_LETTERS = 5
"""A sentence with no more words of its own than this would be found in what people type."""


def _first(text: str) -> str:
    """The first word, by which patterns are kept; empty when a sentence begins with a figure."""
    first = text.split(" ", 1)[0]
    return "" if "{" in first else first


def _pattern(parts: Sequence[tuple[str, str | None, str | None, str | None]]) -> re.Pattern[str]:
    text, seen = "", set[str]()
    for literal, place, _, conversion in parts:
        text += re.escape(literal)
        if place is not None:
            quote = "['\"]" if conversion == "r" else ""
            text += quote + (f"(?P={place})" if place in seen else f"(?P<{place}>.+?)") + quote
            seen.add(place)
    return re.compile(text, re.DOTALL)


def _worded(words: str) -> str:
    return gettext(words) if words else ""


def _named(value: Enum) -> str:
    """A state or another member of an enumeration, as sentences name it; `tools/messages.py` says which these are."""
    return pgettext("state", str(value.value).replace("_", " "))
