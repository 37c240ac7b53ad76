"""What must be said before anybody signs, and by what exactly these words are known."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from reefpoint.records.contracts.rules.templates import UnreadableTemplate
from reefpoint.records.contracts.types import Disclosure, Language

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


def text_hash(name: str, title: Mapping[Language, str], text: Mapping[Language, str]) -> str:
    """What an acknowledgement covers: these words in both languages. The trigger of I67 computes the same in SQL."""
    words = [name, title[Language.EN], title[Language.ZH], text[Language.EN], text[Language.ZH]]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def read_disclosures(content: Mapping[str, Any]) -> tuple[Disclosure, ...]:
    """The disclosures of a published content, in order. Raises `UnreadableTemplate` for one that is not whole."""
    try:
        if set(content) != {"disclosures"}:
            raise UnreadableTemplate("The content holds disclosures, and nothing else.")
        found = tuple(_read(item) for item in content["disclosures"])
    except (KeyError, TypeError, AttributeError) as problem:
        raise UnreadableTemplate(f"The disclosures have not the form of such: {problem}.") from None
    problems = list(_problems(found))
    if problems:
        raise UnreadableTemplate(" ".join(problems))
    return found


def _read(item: Mapping[str, Any]) -> Disclosure:
    title, text = ({one: item[part][one.value] for one in Language} for part in ("title", "text"))
    if set(item) != {"id", "title", "text"} or not all(
        isinstance(words, str) and words.strip() for words in (item["id"], *title.values(), *text.values())
    ):
        raise UnreadableTemplate("Each disclosure has an id, a title and a text, in en and zh.")
    return Disclosure(item["id"], title, text, text_hash(item["id"], title, text))


def _problems(found: tuple[Disclosure, ...]) -> Iterator[str]:
    names = [one.id for one in found]
    for name in REQUIRED:
        if name not in names:
            yield f"The disclosure {name} is missing: nothing may be signed without it."
    for name in sorted({one for one in names if names.count(one) > 1}):
        yield f"The disclosure {name} stands there more than once."
