"""Letters to clients: the texts in each language, and how one reads in its reader's."""

from collections.abc import Mapping
from typing import Protocol, TypeAlias

Texts: TypeAlias = Mapping[str, tuple[str, str]]
"""A letter by language, `en` always among them: subject and body with places in braces, `{name}` the reader's own."""


class Addressee(Protocol):
    """The client to whom a letter goes."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def name_zh(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def language(self) -> str: ...


def write_letter(
    texts: Texts, to: Addressee, words: Mapping[str, str], *, language: str | None = None
) -> tuple[str, str]:
    """Subject and body in the client's language, or another; in English where there is no text in it.

    A Chinese letter uses the Chinese name where there is one. Places left empty at the end leave no blank lines.
    """
    language = language or to.language
    subject, body = texts.get(language, texts["en"])
    name = to.name_zh or to.name if language == "zh-hans" else to.name
    return subject.format(name=name, **words), body.format(name=name, **words).rstrip() + "\n"
