"""Sentences that a person will read, kept apart from their figures, so that each reader gets their own language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from string import Formatter

_PARTS = Formatter()


@dataclass(frozen=True)
class Sentence:
    """English words in which figures are named in braces, as in `"There is no case {case_id}."`, and the figures.

    `str` says it in English, for logs and for what goes on record; a surface says it in its reader's language.
    A figure may itself be a sentence, a state, or several of them. A brace that is meant is doubled.
    """

    words: str
    figures: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.said(str, lambda state: str(state.value).replace("_", " "))

    def said(self, translate: Callable[[str], str], name: Callable[[Enum], str]) -> str:
        """The sentence as `translate` words it and `name` calls its states. Raises KeyError for a figure not told."""
        told = {place: _said(self.figures[place], translate, name) for place in _places(self.words)}
        return translate(self.words).format_map(told)


@lru_cache(maxsize=4096)
def _places(words: str) -> tuple[str, ...]:
    return tuple(place for _, place, _, _ in _PARTS.parse(words) if place is not None)


def _said(value: object, translate: Callable[[str], str], name: Callable[[Enum], str]) -> object:
    if isinstance(value, Sentence):
        return value.said(translate, name)
    if isinstance(value, Enum):
        return name(value)
    if isinstance(value, list | tuple):
        said = [str(_said(one, translate, name)) for one in value]
        are_whole = bool(said) and said[0].endswith((".", "。"))
        return (translate(". ")[1:] if are_whole else translate(", ")).join(said)
    return value
