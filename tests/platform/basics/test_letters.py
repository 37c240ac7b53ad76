"""Letters read in their reader's language, under the name that the reader has in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

import pytest

from reefpoint.decisions.margin.services import notices
from reefpoint.decisions.pricing.services import repricing
from reefpoint.flows.lending.services import letters as lending
from reefpoint.flows.origination.services import letters as origination
from reefpoint.platform.basics.letters import Texts, write_letter
from reefpoint.records.parties.rules import INVITATION


@dataclass(frozen=True)
class Reader:
    name: str = "Mei Lin"
    name_zh: str = "林美"
    email: str = "mei@example.com"
    language: str = "en"
    id: int = 1


HELLO: Texts = {
    "en": ("About {number}", "Dear {name},\n\n{words}\n"),
    "zh-hans": ("关于 {number}", "尊敬的{name}：\n\n{words}\n"),
}
GIVEN = {"number": "R-000001", "words": ""}


def test_a_letter_is_in_its_readers_language_under_their_name_in_it_and_ends_without_blank_lines() -> None:
    assert write_letter(HELLO, Reader(), GIVEN) == ("About R-000001", "Dear Mei Lin,\n")
    assert write_letter(HELLO, Reader(language="zh-hans"), GIVEN) == ("关于 R-000001", "尊敬的林美：\n")
    assert write_letter(HELLO, Reader(), GIVEN, language="zh-hans")[1] == "尊敬的林美：\n"


def test_who_has_no_chinese_name_or_reads_a_language_without_a_text_is_written_to_all_the_same() -> None:
    assert write_letter(HELLO, Reader(name_zh="", language="zh-hans"), GIVEN)[1] == "尊敬的Mei Lin：\n"
    assert write_letter(HELLO, Reader(language="fr"), GIVEN)[1] == "Dear Mei Lin,\n"


@pytest.mark.parametrize(
    "book",
    [
        lending.LETTERS,
        origination.LETTERS,
        {cause.value: texts for cause, texts in notices.LETTERS.items()},
        {"rate": repricing.NOTICE, "cancelled": repricing.CANCELLED, "invitation": INVITATION},
    ],
)
def test_every_letter_states_the_same_in_both_languages(book: Mapping[str, Texts]) -> None:
    for letter, texts in book.items():
        assert texts.keys() == {"en", "zh-hans"}, letter
        assert _places(texts["en"]) == _places(texts["zh-hans"]), letter


def _places(text: tuple[str, str]) -> set[str]:
    return {place for part in text for _, place, _, _ in Formatter().parse(part) if place}
