"""Every word of the pages is there in both languages."""

import pytest
from babel.messages.pofile import read_po
from django.utils.translation import gettext, override
from tools import messages


def test_every_message_is_translated_and_the_catalogue_is_compiled() -> None:
    known = read_po(messages.CATALOGUE.open("rb"), locale="zh_Hans")
    catalogue = messages.gathered(known)
    assert messages.problems(catalogue) == []
    assert messages.CATALOGUE.read_bytes() == messages.po_text(catalogue)
    assert messages.is_compiled()


@pytest.mark.parametrize(("english", "chinese"), [("Ratio", "维持担保比例"), ("Margin calls", "追保通知")])
def test_the_glossary_rules_the_words(english: str, chinese: str) -> None:
    with override("zh-hans"):
        assert gettext(english) == chinese
