"""What a template must say to be whole, and how two versions differ clause by clause."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from reefpoint.platform.basics.promises import find_promises
from reefpoint.records.contracts.types import (
    Clause,
    ClauseChange,
    ClauseDiff,
    DiffPart,
    Language,
    PaperKind,
    Template,
    TemplateProblem,
)

JURISDICTIONS = ("US", "HK", "CN")

PLACE = re.compile(r"\{([a-z_.]*)\}")
"""Where a datum stands in a paragraph."""

CLAUSE_ID = re.compile(r"[a-z][a-z_]{1,39}")
TEXT_CHARS_MAX = 6000
CLAUSES_MAX = 60


@dataclass(frozen=True)
class ClauseRule:
    """A clause that no contract may lack, and the data that it must state in both languages."""

    id: str
    name: str
    name_zh: str
    fields: tuple[str, ...]


CLAUSE_LIST: tuple[ClauseRule, ...] = (
    ClauseRule("definitions", "Definitions", "定义", ("lender.name", "client.name", "scheme.name")),
    ClauseRule("facility", "Facility", "授信", ("facility.limit", "facility.starts_on", "facility.ends_on")),
    ClauseRule(
        "rate_and_fees",
        "Rate and fees",
        "利率与费用",
        ("rate.rate", "rate.penalty_rate", "rate.day_count", "rate.movement"),
    ),
    ClauseRule(
        "collateral",
        "Collateral and haircuts",
        "担保物与折扣",
        ("collateral.concentration_cap", "collateral.haircut_notice"),
    ),
    ClauseRule(
        "lines",
        "Lines and deadlines",
        "风险线与期限",
        (
            "lines.initial",
            "lines.withdrawal",
            "lines.warning",
            "lines.call",
            "lines.cure",
            "lines.close_out",
            "lines.deadline",
        ),
    ),
    ClauseRule(
        "enforcement",
        "Enforcement and order of sale",
        "强制平仓与卖出顺序",
        ("sale.rule", "sale.order", "lines.close_out", "lines.target"),
    ),
    ClauseRule("default", "Default", "违约", ("grace.days", "rate.penalty_rate")),
    ClauseRule("liability", "Liability", "责任", ()),
    ClauseRule("notices", "Notices", "通知", ()),
    ClauseRule("disclosure", "Disclosure", "信息披露", ()),
    ClauseRule("data_protection", "Data protection", "个人信息保护", ()),
    ClauseRule("renewal", "Renewal", "展期", ("renewal.rule",)),
    ClauseRule("early_repayment", "Early repayment", "提前还款", ("early_repayment.rule",)),
    ClauseRule("disputes", "Disputes", "争议解决", ()),
)
"""The core clauses of a margin contract, against which every template is held."""

RENEWAL_CLAUSE_LIST: tuple[ClauseRule, ...] = (
    ClauseRule(
        "amendment",
        "What is renewed",
        "展期事项",
        ("lender.name", "client.name", "renewal.contract", "renewal.loan", "renewal.principal"),
    ),
    ClauseRule("further_term", "Further term", "展期期限", ("facility.starts_on", "facility.ends_on")),
    ClauseRule(
        "rate_and_fees",
        "Rate and fees",
        "利率与费用",
        ("rate.rate", "rate.penalty_rate", "rate.day_count", "rate.movement", "renewal.old_rate", "renewal.fee"),
    ),
    ClauseRule("interest", "Interest until now", "已计利息", ("renewal.interest",)),
    ClauseRule(
        "lines",
        "Lines and deadlines",
        "风险线与期限",
        ("lines.call", "lines.cure", "lines.close_out", "lines.deadline"),
    ),
    ClauseRule("default", "Default", "违约", ("grace.days", "rate.penalty_rate")),
    ClauseRule("disclosure", "Disclosure", "信息披露", ()),
    ClauseRule("renewal", "Further renewals", "再次展期", ("renewal.left",)),
    ClauseRule("unchanged", "What stays as it is", "不变条款", ("renewal.contract",)),
    ClauseRule("disputes", "Disputes", "争议解决", ()),
)
"""The clauses of an agreement that renews a loan."""


def clause_list(key: str) -> tuple[ClauseRule, ...]:
    """The clauses that a template of this key (`types.template_key`) must have."""
    return RENEWAL_CLAUSE_LIST if key.endswith(f"-{PaperKind.RENEWAL}") else CLAUSE_LIST


class UnreadableTemplate(ValueError):
    """Content that has not the form of a template at all."""


def read_template(content: Mapping[str, Any]) -> Template:
    """A template from its published content. Raises `UnreadableTemplate` with the place that is wrong."""
    try:
        if set(content) != {"jurisdiction", "title", "notice", "clauses"}:
            raise UnreadableTemplate("A template holds jurisdiction, title, notice and clauses, and nothing else.")
        if len(content["clauses"]) > CLAUSES_MAX:
            raise UnreadableTemplate(f"A template holds at most {CLAUSES_MAX} clauses.")
        return Template(
            jurisdiction=_text(content["jurisdiction"]),
            title=_both(content["title"], "title"),
            notice=_both(content["notice"], "notice"),
            clauses=tuple(_clause(item) for item in content["clauses"]),
        )
    except (KeyError, TypeError, AttributeError) as problem:
        raise UnreadableTemplate(f"The template has not the form of one: {problem}.") from None


def _clause(item: Mapping[str, Any]) -> Clause:
    name = _text(item["id"])
    if set(item) != {"id", "heading", "text"} or not CLAUSE_ID.fullmatch(name):
        raise UnreadableTemplate(f"Clause {name[:40]!r} must hold an id in small letters, a heading and a text.")
    if not set(item["text"]) <= {"en", "zh"}:
        raise UnreadableTemplate(f"Clause {name}: its text is in en and zh.")
    return Clause(
        id=name,
        heading=_both(item["heading"], name),
        paragraphs={one: tuple(map(_text, item["text"].get(one, ()))) for one in Language},
    )


def _both(item: Mapping[str, Any], place: str) -> dict[Language, str]:
    if not set(item) <= {"en", "zh"}:
        raise UnreadableTemplate(f"{place}: words are in en and zh.")
    return {one: _text(item.get(one, "")) for one in Language}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableTemplate(f"{str(value)[:40]!r} is not a text.")
    if len(value) > TEXT_CHARS_MAX:
        raise UnreadableTemplate(f"A text of {len(value)} characters is longer than {TEXT_CHARS_MAX}.")
    return value


def find_problems(
    template: Template, known: Iterable[str], required: Sequence[ClauseRule] = CLAUSE_LIST
) -> list[TemplateProblem]:
    """What the template lacks, or has too much of; empty when it is whole. `known` are the data that exist.

    Clauses that `required` does not name may be added; what holds for all of them holds for those too.
    """
    return [
        *_missing(template, required),
        *_words(template),
        *_promises(template),
        *_data(template, frozenset(known), required),
    ]


def _missing(template: Template, required: Sequence[ClauseRule]) -> Iterator[TemplateProblem]:
    counted = Counter(clause.id for clause in template.clauses)
    for rule in required:
        if not counted[rule.id]:
            yield TemplateProblem(rule.id, "missing", f"The clause {rule.id} ({rule.name}) is missing.")
    for name, times in counted.items():
        if times > 1:
            yield TemplateProblem(name, "doubled", f"The clause {name} stands there {times} times.")
    if template.jurisdiction not in JURISDICTIONS:
        yield TemplateProblem("", "jurisdiction", f"{template.jurisdiction} is no jurisdiction of this desk.")


def _words(template: Template) -> Iterator[TemplateProblem]:
    for language in Language:
        for what, words in (("title", template.title), ("notice", template.notice)):
            if not words[language].strip():
                yield _empty("", what, language, f"The {what} has no words in {language.value}.")
        for clause in template.clauses:
            paragraphs = clause.paragraphs[language]
            if not clause.heading[language].strip():
                yield _empty(
                    clause.id, "heading", language, f"The clause {clause.id} has no heading in {language.value}."
                )
            if not paragraphs or any(not one.strip() for one in paragraphs):
                yield _empty(clause.id, "text", language, f"The clause {clause.id} is empty in {language.value}.")


def _empty(clause: str, field: str, language: Language, message: str) -> TemplateProblem:
    return TemplateProblem(clause, "empty", message, field, language.value)


def _promises(template: Template) -> Iterator[TemplateProblem]:
    if template.jurisdiction != "CN":
        return
    for clause in template.clauses:
        for language in Language:
            for words in find_promises(" ".join((clause.heading[language], *clause.paragraphs[language]))):
                sentence = f"The clause {clause.id} says “{words}”: no text may promise a return (cn.refuse.r10)."
                yield TemplateProblem(clause.id, "promise", sentence)


def _data(template: Template, known: frozenset[str], required: Sequence[ClauseRule]) -> Iterator[TemplateProblem]:
    needed = {rule.id: frozenset(rule.fields) for rule in required}
    for clause in template.clauses:
        used = {language: fields_of(clause.paragraphs[language]) for language in Language}
        for name in sorted((used[Language.EN] | used[Language.ZH]) - known):
            said = f"The clause {clause.id} uses {{{name}}}: no such datum."
            yield TemplateProblem(clause.id, "unknown_field", said, name)
        for name in sorted(used[Language.EN] ^ used[Language.ZH]):
            only = "en" if name in used[Language.EN] else "zh"
            said = f"The clause {clause.id} states {{{name}}} in {only} alone."
            yield TemplateProblem(clause.id, "languages_differ", said, name, only)
        for name in sorted(needed.get(clause.id, frozenset()) - used[Language.EN] - used[Language.ZH]):
            yield TemplateProblem(clause.id, "silent", f"The clause {clause.id} must state {{{name}}}.", name)


def fields_of(paragraphs: Iterable[str]) -> frozenset[str]:
    """The data that these paragraphs state."""
    return frozenset(name for text in paragraphs for name in PLACE.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str:
    """A paragraph with its data in it. Braces within the data stay as they are. Raises `KeyError` for a lacking one."""
    return PLACE.sub(lambda found: values[found[1]], text)


# Differences

_WORD = re.compile(r"\{[a-z_.]+\}|[A-Za-z0-9'-]+|\s+|.", re.DOTALL)


def diff_templates(old: Template, new: Template, language: Language) -> list[ClauseDiff]:
    """Each clause of both versions in the order of the new one, with the words that went and that came."""
    return diff_clauses(old.clauses, new.clauses, language)


def diff_clauses(old: Iterable[Clause], new: Iterable[Clause], language: Language) -> list[ClauseDiff]:
    """The same of any clauses with ids of their own."""
    before = {clause.id: clause for clause in old}
    after = {clause.id: clause for clause in new}
    names = [*after, *(name for name in before if name not in after)]
    return [_diff(name, before.get(name), after.get(name), language) for name in names]


def _diff(name: str, old: Clause | None, new: Clause | None, language: Language) -> ClauseDiff:
    texts = ["" if one is None else clause_text(one, language) for one in (old, new)]
    shown = new or old
    assert shown is not None
    if old is None:
        change = ClauseChange.ADDED
    elif new is None:
        change = ClauseChange.REMOVED
    else:
        change = ClauseChange.SAME if texts[0] == texts[1] else ClauseChange.CHANGED
    return ClauseDiff(name, shown.heading[language], change, tuple(diff_words(*texts)))


def clause_text(clause: Clause, language: Language) -> str:
    """A clause as one text, heading first."""
    return "\n".join((clause.heading[language], *clause.paragraphs[language]))


def diff_words(old: str, new: str) -> Iterator[DiffPart]:
    """Runs of words: kept (empty mark), gone (`-`), new (`+`)."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    for code, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if code == "equal":
            yield DiffPart("", _join(before[i:j]))
            continue
        if j > i:
            yield DiffPart("-", _join(before[i:j]))
        if m > k:
            yield DiffPart("+", _join(after[k:m]))


def _join(words: Sequence[str]) -> str:
    return "".join(words)
