"""A sentence keeps its words apart from its figures, so that it can be said in any language."""

from enum import StrEnum

import pytest

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence


class State(StrEnum):
    IN_REVIEW = "in_review"


CHINESE = {
    "Line {line}: {problem}": "第 {line} 行：{problem}",
    "{count:,} fields, not {wanted}": "{count:,} 个字段，应为 {wanted} 个",
    ", ": "、",
}


def _said(sentence: Sentence) -> str:
    return sentence.said(lambda words: CHINESE.get(words, words), lambda state: {"in_review": "审核中"}[state.value])


def test_english_stands_in_logs_and_records() -> None:
    refusal = Refusal(
        "The application is {state} since {days:,} days: {names}.", state=State.IN_REVIEW, days=1200, names=["a", "b"]
    )
    assert str(refusal) == refusal.message == "The application is in review since 1,200 days: a, b."
    assert refusal.facts["days"] == 1200


def test_a_reader_gets_words_states_lists_and_sentences_within_in_their_language() -> None:
    within = Sentence("{count:,} fields, not {wanted}", {"count": 1200, "wanted": 3})
    assert (
        _said(Sentence("Line {line}: {problem}", {"line": 7, "problem": within})) == "第 7 行：1,200 个字段，应为 3 个"
    )
    assert _said(Sentence("{states}", {"states": [State.IN_REVIEW, State.IN_REVIEW]})) == "审核中、审核中"


def test_figures_that_look_like_places_are_figures() -> None:
    assert str(Sentence("There is no {name!r}.", {"name": "{0}"})) == "There is no '{0}'."


def test_a_figure_that_is_not_told_is_an_error_of_the_program() -> None:
    with pytest.raises(KeyError, match="count"):
        str(Sentence("{count} files"))
