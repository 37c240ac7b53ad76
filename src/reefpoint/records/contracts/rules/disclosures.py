"""What must be said before anybody signs, and by what exactly these words are known."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from reefpoint.records.contracts.rules.templates import UnreadableTemplate
from reefpoint.records.contracts.types import Disclosure, Language, TemplateProblem

REQUIRED = (
    "lose_more_than_deposited",
    "forced_sale",
    "sale_without_contact",
    "no_choice_of_assets",
    "house_requirements_rise",
    "no_right_to_extension",
    "interest_goes_on",
)
"""The first six are the points of the margin disclosure statement (FINRA Rule 2264); the last is ours."""

ID_CHARS_MAX = 40
"""As long as an acknowledgement's own field."""


def text_hash(name: str, title: Mapping[Language, str], text: Mapping[Language, str]) -> str:
    """What an acknowledgement covers: these words in both languages. The trigger of I67 computes the same in SQL."""
    words = [name, title[Language.EN], title[Language.ZH], text[Language.EN], text[Language.ZH]]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def read_disclosures(content: Mapping[str, Any]) -> tuple[Disclosure, ...]:
    """The disclosures of a published content, in order. Raises `UnreadableTemplate` for one that is not whole."""
    problems = find_disclosure_problems(content)
    if problems:
        raise UnreadableTemplate(" ".join(one.message for one in problems))
    return tuple(_read(item) for item in content["disclosures"])


def find_disclosure_problems(content: Mapping[str, Any]) -> list[TemplateProblem]:
    """What keeps disclosures from being published; empty when they are whole."""
    try:
        if set(content) != {"disclosures"}:
            return [TemplateProblem("", "unreadable", "The content holds disclosures, and nothing else.")]
        return list(_problems(content["disclosures"]))
    except (KeyError, TypeError, AttributeError) as problem:
        return [TemplateProblem("", "unreadable", f"The disclosures have not the form of such: {problem}.")]


def _read(item: Mapping[str, Any]) -> Disclosure:
    title, text = ({one: item[part][one.value] for one in Language} for part in ("title", "text"))
    return Disclosure(item["id"], title, text, text_hash(item["id"], title, text))


def _problems(items: list[Mapping[str, Any]]) -> Iterator[TemplateProblem]:
    names = [item["id"] for item in items]
    for item in items:
        name = item["id"]
        if (
            set(item) != {"id", "title", "text"}
            or not isinstance(name, str)
            or not 0 < len(name.strip()) <= ID_CHARS_MAX
        ):
            yield TemplateProblem("", "unreadable", "Each disclosure has an id, a title and a text, in en and zh.")
            continue
        for field in ("title", "text"):
            for one in Language:
                words = item[field][one.value]
                if not isinstance(words, str) or not words.strip():
                    said = f"The disclosure {name} has no {field} in {one.value}."
                    yield TemplateProblem(name, "empty", said, field, one.value)
    for name in REQUIRED:
        if name not in names:
            said = f"The disclosure {name} is missing: nothing may be signed without it."
            yield TemplateProblem(name, "missing", said)
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield TemplateProblem(name, "doubled", f"The disclosure {name} stands there more than once.")
