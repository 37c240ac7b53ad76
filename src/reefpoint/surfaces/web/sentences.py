"""Sentences of the desk in the reader's language: refusals, and whatever else services say in words."""

from enum import Enum

from django.utils.translation import get_language, gettext, pgettext

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence


def said(words: Refusal | Sentence) -> str:
    """A refusal or another sentence in the reader's language, with its figures.

    A refusal made of texts that came in both languages, as conditions of a credit do, brings its Chinese as `zh`.
    """
    sentence = words.sentence if isinstance(words, Refusal) else words
    if "zh" in sentence.figures and (get_language() or "").startswith("zh"):
        return str(sentence.figures["zh"])
    return sentence.said(_worded, _named)


def _worded(words: str) -> str:
    return gettext(words) if words else ""


def _named(value: Enum) -> str:
    """A state or another member of an enumeration, as sentences name it; `tools/messages.py` says which these are."""
    return pgettext("state", str(value.value).replace("_", " "))
