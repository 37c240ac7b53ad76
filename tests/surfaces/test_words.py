"""Every word of the pages is there in both languages, and so is every sentence that a service says."""

import ast
from enum import StrEnum
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import walk_packages
from string import Formatter

import pytest
from babel.messages.pofile import read_po
from django.utils.translation import override
from tools import messages

import reefpoint
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.parties.types import ClientStatus
from reefpoint.surfaces.web.sentences import said, told
from reefpoint.surfaces.web.templatetags.figures import STATE_WORDS

WITH_SENTENCES_OF_THEIR_OWN = {
    "AnswersRefused",
    "CannotBeAccepted",
    "CannotRenew",
    "ConditionNotMet",
    "LeadMalformed",
    "MissingField",
    "MissingInput",
    "SectionMalformed",
    "TemplateRefused",
    "TermsRefused",
    "Unsuitable",
}
"""Refusals that take what is wrong, and word it where they are defined."""


def test_every_message_is_translated_and_the_catalogue_is_compiled() -> None:
    known = read_po(messages.CATALOGUE.open("rb"), locale="zh_Hans")
    catalogue = messages.gathered(known)
    assert messages.problems(catalogue) == []
    assert messages.CATALOGUE.read_bytes() == messages.po_text(catalogue)
    assert messages.is_compiled()


def test_a_term_of_the_glossary_is_translated_as_the_glossary_has_it() -> None:
    known = read_po(messages.CATALOGUE.open("rb"), locale="zh_Hans")
    assert messages.strangers(known) == []
    known.get("Debt").string = "欠账"
    assert messages.strangers(known) == ["'Debt' is 欠账, and the glossary has 负债"]


def test_every_refusal_says_a_literal_sentence_and_tells_each_figure_in_it() -> None:
    wrong = []
    trees = messages.sources()
    refusals = messages.refusal_classes(trees)
    tables = {"_WHY", "_LOST"}
    for path, tree in trees.items():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or (name := ast.unparse(call.func).rpartition(".")[2]) not in refusals:
                continue
            if name in WITH_SENTENCES_OF_THEIR_OWN or _takes_a_sentence(call, tables):
                continue
            words = messages.words_of(call, refusals)
            told = {one.arg for one in call.keywords}
            if words is None or not {place for _, place, _, _ in Formatter().parse(words) if place} <= told:
                wrong.append(f"{path.name}:{call.lineno} {ast.unparse(call)[:120]}")
    assert wrong == [], "write the sentence as one literal, with {names} for its figures, and give each figure by name"


def _takes_a_sentence(call: ast.Call, tables: set[str]) -> bool:
    """Whether the words come from a table of sentences, or were translated in the surface that says them."""
    first = ast.unparse(call.args[-1]) if call.args else ""
    return (
        first.startswith(("_(", "_now(", "Sentence(", "_sentence(", "error.problem"))
        or first.partition("[")[0] in tables
    )


def test_surfaces_say_refusals_in_the_language_of_the_reader() -> None:
    english = [
        f"{path.name}:{number}"
        for path in messages.SURFACES.rglob("*")
        if path.suffix in {".py", ".html"} and "cli" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "refusal.message" in line or "str(refusal)" in line
    ]
    assert english == []


def test_a_refusal_is_said_with_its_figures_and_states() -> None:
    refusal = Refusal(
        "The account is {status}, so {what} is not possible.",
        status=ClientStatus.BLOCKED,
        what=Sentence("this withdrawal"),
    )
    assert said(refusal) == refusal.message == "The account is blocked, so this withdrawal is not possible."
    with override("zh-hans"):
        assert said(refusal) == "账户处于“已限制”状态，因此不能进行本次提取。"


def test_every_state_has_a_word_of_its_own() -> None:
    modules = [one.name for one in walk_packages(reefpoint.__path__, "reefpoint.") if one.name.endswith(".types")]
    states = {
        state.value
        for name in modules
        for _, found in getmembers(import_module(name), isclass)
        if issubclass(found, StrEnum) and found.__name__.endswith("State")
        for state in found
    }
    assert len(states) > 60
    assert states - STATE_WORDS.keys() == set()


RECORDED = {"reason", "problem", "close_reason", "end_reason", "closing_note", "refusal", "note", "words"}
ROOMS_WITH_A_CAST = {"demo_cases.py", "demo_desk.py", "replay.py"}
"""They speak for the people of the demo."""


def test_what_the_desk_writes_on_record_is_a_sentence_that_can_be_said_again() -> None:
    wrong = []
    for path, tree in messages.sources().items():
        if "surfaces" in path.parts or path.name in ROOMS_WITH_A_CAST:
            continue
        given = [(one, two) for one in ast.walk(tree) if isinstance(one, ast.Call) for two in one.keywords]
        wrong += [
            f"{path.name}:{call.lineno} {ast.unparse(keyword.value)[:80]}"
            for call, keyword in given
            if keyword.arg in RECORDED and _is_written_here(keyword.value)
        ]
    assert wrong == [], (
        "write str(Sentence(...)): a record keeps the English, a surface says it in its reader's language"
    )


def _is_written_here(value: ast.expr) -> bool:
    if isinstance(value, ast.IfExp):
        return _is_written_here(value.body) or _is_written_here(value.orelse)
    is_words = isinstance(value, ast.Constant) and isinstance(value.value, str) and " " in value.value
    return is_words or isinstance(value, ast.JoinedStr)


@pytest.mark.parametrize(
    ("recorded", "chinese"),
    [
        ("ratio 142.78% under the close-out line 145.00%", "维持担保比例 142.78%，低于平仓线 145.00%"),
        ("M-000007: call expired", "M-000007: 追保逾期"),
        ("The account is blocked, so this withdrawal is not possible.", "账户处于“已限制”状态，因此不能进行本次提取。"),
        ("'x' is not a kind of document", "“x”不是文件类型"),
        ("SSE Art.35(4) (2016 numbering)", "上交所第三十五条第四项（2016年条号）"),
        ("Checked with the exchange.", "Checked with the exchange."),
        ("", ""),
    ],
)
def test_a_sentence_on_record_is_said_again_and_what_people_typed_is_left(recorded: str, chinese: str) -> None:
    assert told(recorded) == recorded
    with override("zh-hans"):
        assert told(recorded) == chinese
