"""Suitability rules: what a questionnaire and a table of offers must be, and what answers come to."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from reefpoint.decisions.suitability.types import (
    AnswerProblem,
    Answers,
    AssessmentView,
    EntryView,
    Offer,
    OfferTables,
    Option,
    Question,
    Questionnaire,
    RiskClass,
    Score,
    Segment,
    SegmentFacts,
    Tolerance,
    Topic,
    Verdict,
)
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.tables.cells import Column, Kind
from reefpoint.platform.basics.tables.reading import read_table
from reefpoint.platform.basics.tables.table import DecisionTable, MalformedTable

PERCENT = 100


# Reading what is published


def read_questionnaire(content: Mapping[str, Any]) -> Questionnaire:
    """A questionnaire from its published form. Raises `MalformedTable` naming what is wrong with it."""
    questions = tuple(_read_question(data) for data in _part(content, "questions", list))
    if len({question.id for question in questions}) < len(questions):
        raise MalformedTable("questions", "two questions have the same id")
    knowledge = _part(content, "knowledge", dict)
    tolerance = read_table(_part(content, "tolerance", dict))
    read = Questionnaire(questions, _part(content, "months", int), _part(knowledge, "points_min", int), tolerance)
    _check_columns(tolerance, {"score", "cannot_bear_loss"}, {"tolerance": Tolerance})
    score = next(column for column in tolerance.inputs if column.name == "score")
    least = sum(min(option.points for option in question.options) for question in questions)
    most = sum(max(option.points for option in question.options) for question in questions)
    if not (score.accepts(least) and score.accepts(most)):
        raise MalformedTable(
            "tolerance, score",
            "answers can come to {least} up to {most}, beyond what it can hold",
            least=least,
            most=most,
        )
    most_known = sum(
        max(o.points for o in question.options) for question in questions if question.topic is Topic.KNOWLEDGE
    )
    if not 0 < read.knowledge_points_min <= most_known:
        raise MalformedTable(
            "knowledge, points_min",
            "the questions on knowledge give at most {most_known} points",
            most_known=most_known,
        )
    if read.months <= 0:
        raise MalformedTable("months", "answers must hold for a while")
    return read


def _read_question(data: object) -> Question:
    if not isinstance(data, Mapping):
        raise MalformedTable("questions", "a question is a map")
    name = f"question {data.get('id')}"
    try:
        topic = Topic(_part(data, "topic", str))
    except ValueError:
        raise MalformedTable(name, "{given!r} is not a topic", given=data["topic"]) from None
    options = tuple(
        Option(
            _part(option, "id", str),
            _part(option, "en", str),
            _part(option, "zh", str),
            _part(option, "points", int),
            option.get("is_lowest", False) is True,
        )
        for option in _part(data, "options", list)
    )
    if len(options) < 2 or len({option.id for option in options}) < len(options):
        raise MalformedTable(name, "it needs two answers or more, each with an id of its own")
    if any(option.points < 0 for option in options):
        raise MalformedTable(name, "points are never negative")
    return Question(_part(data, "id", str), topic, _part(data, "en", str), _part(data, "zh", str), options)


def read_offers(content: Mapping[str, Any]) -> OfferTables:
    """The tables of offers from their published form. Raises `MalformedTable` naming what is wrong with them."""
    classes, offers = read_table(_part(content, "classes", dict)), read_table(_part(content, "offers", dict))
    _check_columns(classes, {"leverage_pct", "concentration_cap_bp"}, {"risk_class": RiskClass})
    _check_columns(offers, {"segment", "tolerance", "risk_class"}, {"outcome": Offer})
    for name, kinds in (("segment", Segment), ("tolerance", Tolerance), ("risk_class", RiskClass)):
        _check_choices(offers.name, offers.inputs, name, kinds)
    warning = _part(content, "warning", dict)
    segments = dict(_part(content, "segments", dict))
    segment_months = _part(segments, "months", int)
    segment_tables = {
        place: (_part(data, "currency", str), _segment_table(data))
        for place, data in segments.items()
        if place != "months"
    }
    entry = _part(content, "entry", dict)
    entry_tables = {
        place: (_part(data, "currency", str), _part(data, "days", int), _entry_table(data))
        for place, data in entry.items()
        if _part(data, "conditions", str) == "table"
    }
    entry_free = frozenset(place for place, data in entry.items() if data["conditions"] == "none")
    if odd := sorted(set(entry) - set(entry_tables) - entry_free):
        raise MalformedTable(f"entry, {odd[0]}", "its conditions are either none or a table")
    return OfferTables(
        classes,
        offers,
        (_part(warning, "en", str), _part(warning, "zh", str)),
        segment_months,
        segment_tables,
        entry_free,
        entry_tables,
    )


def _segment_table(data: Mapping[str, Any]) -> DecisionTable:
    table = read_table(_part(data, "table", dict))
    facts = {"is_institution", "liquid_assets_minor", "annual_income_minor", "net_worth_minor", "trading_years"}
    _check_columns(table, facts, {"segment": Segment})
    return table


def _entry_table(data: Mapping[str, Any]) -> DecisionTable:
    table = read_table(_part(data, "table", dict))
    facts = {"is_professional_institution", "trading_months", "average_assets_minor", "has_defaulted", "is_affiliated"}
    _check_columns(table, facts, {"answer": None})
    if odd := sorted(set(table.outputs[0].choices) - set(ENTRY_SENTENCES) - {"met"}):
        raise MalformedTable(f"entry, {odd[0]}", "no sentence tells a client what this answer means")
    return table


def _check_columns(table: DecisionTable, inputs: set[str], outputs: Mapping[str, Any]) -> None:
    """What a table rests on and answers is what the program asks it with; its answers are known words."""
    if odd := sorted(inputs ^ {column.name for column in table.inputs}):
        raise MalformedTable(f"{table.name}, {odd[0]}", "the inputs are {names}", names=", ".join(sorted(inputs)))
    if odd := sorted(set(outputs) ^ {column.name for column in table.outputs}):
        raise MalformedTable(f"{table.name}, {odd[0]}", "the outcomes are {names}", names=", ".join(sorted(outputs)))
    for name, kinds in outputs.items():
        _check_choices(table.name, table.outputs, name, kinds)


def _check_choices(table: str, columns: Sequence[Column], name: str, kinds: Any) -> None:
    column = next(column for column in columns if column.name == name)
    if column.kind is not Kind.CHOICE or (kinds is not None and set(column.choices) != set(kinds)):
        raise MalformedTable(f"{table}, {name}", "it is a choice of {names}", names=", ".join(kinds or ["words"]))


def _part(data: Any, key: str, kind: type) -> Any:
    if not isinstance(data, Mapping) or key not in data:
        raise MalformedTable(key, "it is missing")
    value = data[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or (kind is str and not value):
        raise MalformedTable(key, "{value!r} cannot stand here", value=value)
    return value


# Scoring


def check_answers(questionnaire: Questionnaire, answers: Answers) -> list[AnswerProblem]:
    """Everything that is wrong with answers, by question; empty when all are given and known."""
    problems = [
        AnswerProblem(question.id, "unknown_option" if question.id in answers else "missing")
        for question in questionnaire.questions
        if answers.get(question.id) not in {option.id for option in question.options}
    ]
    known = {question.id for question in questionnaire.questions}
    return problems + [AnswerProblem(str(odd)[:40], "unknown_question") for odd in answers if odd not in known]


def score_answers(questionnaire: Questionnaire, answers: Answers) -> Score:
    """What complete answers come to. Whoever can bear no loss is in the lowest class, whatever the points say."""
    chosen = [
        (question, next(option for option in question.options if option.id == answers[question.id]))
        for question in questionnaire.questions
    ]
    points = sum(option.points for _, option in chosen)
    known = sum(option.points for question, option in chosen if question.topic is Topic.KNOWLEDGE)
    cannot = any(option.is_lowest for _, option in chosen)
    return Score(
        points=points,
        knowledge_points=known,
        is_knowledge_shown=known >= questionnaire.knowledge_points_min,
        tolerance=Tolerance(
            questionnaire.tolerance.decide({"score": points, "cannot_bear_loss": cannot}).word("tolerance")
        ),
    )


# Judging


def leverage_pct(initial_bp: int) -> int:
    """Assets for each 100 of equity when an account is drawn to its initial line, rounded up: 20000 bp is 200.

    Equity is assets less debt, and the line is assets over debt: assets / equity = line / (line - 1).
    """
    assert initial_bp > 10_000, "at or under one there is no equity"
    return -(-initial_bp * PERCENT // (initial_bp - 10_000))


def risk_class_of(tables: OfferTables, *, initial_bp: int, concentration_cap_bp: int) -> RiskClass:
    """The risk class of a scheme from its terms, by the published table."""
    inputs = {"leverage_pct": leverage_pct(initial_bp), "concentration_cap_bp": concentration_cap_bp}
    return RiskClass(tables.classes.decide(inputs).word("risk_class"))


def segment_of(tables: OfferTables, jurisdiction: str, facts: SegmentFacts, *, is_institution: bool) -> Segment | None:
    """The segment that facts qualify for; None where the jurisdiction has no criteria."""
    if jurisdiction not in tables.segment_tables:
        return None
    _, table = tables.segment_tables[jurisdiction]
    return Segment(table.decide({"is_institution": is_institution, **vars(facts)}).word("segment"))


ENTRY_SENTENCES: Mapping[str, Sentence] = {
    "defaulted": Sentence("A material default is on record, so no margin account can be opened."),
    "affiliated": Sentence("Shareholders of the lender and those related to it cannot have a margin account here."),
    "too_new": Sentence(
        "You have not traded securities for as long as the rules of this market ask before a margin account."
    ),
    "too_small": Sentence(
        "Your securities were worth less, on average over the last 20 trading days, than the rules ask."
    ),
}

SENTENCES: Mapping[str, Sentence] = {
    "not_assessed": Sentence("The risk questionnaire has not been answered. Answer it first."),
    "assessment_expired": Sentence("The answers to the risk questionnaire have expired. Answer it again."),
    "knowledge_not_shown": Sentence(
        "The questions about how a margin loan works were not answered well enough. Read the risk "
        "notices and answer the questionnaire again."
    ),
    "not_suitable": Sentence(
        "This scheme carries more risk than the answers to the questionnaire say can be borne. It cannot be offered."
    ),
    "warning_not_acknowledged": Sentence(
        "This scheme is one class above the tolerance that was assessed. It can be opened once "
        "its warning is acknowledged."
    ),
    "entry_unproved": Sentence(
        "This market asks for proof of trading experience and assets, not older than its rules allow. Record it first."
    ),
    "place_unknown": Sentence("No entry conditions are on record for this market, so nothing can be offered there."),
    **{f"entry_{answer}": sentence for answer, sentence in ENTRY_SENTENCES.items()},
}
"""What each refusal says to a client."""


def judge(
    tables: OfferTables,
    *,
    scheme_code: str,
    risk_class: RiskClass,
    jurisdiction: str,
    segment: Segment,
    is_institution: bool,
    assessment: AssessmentView | None,
    entry: EntryView | None,
    is_acknowledged: bool,
    on: date,
) -> Verdict:
    """Whether a scheme may be offered: the questionnaire first, then the table, then the market's entry conditions.

    A mismatch is refused; no warning cures it. Nothing that is missing is taken for granted.
    """
    tolerance = assessment.score.tolerance if assessment else None
    offer = (
        Offer(
            tables.offers.decide(
                {"segment": segment.value, "tolerance": tolerance.value, "risk_class": risk_class.value}
            ).word("outcome")
        )
        if tolerance
        else Offer.NOT_OFFERED
    )
    if assessment is None:
        code = "not_assessed"
    elif assessment.expires_on < on:
        code = "assessment_expired"
    elif not assessment.score.is_knowledge_shown:
        code = "knowledge_not_shown"
    elif offer is Offer.NOT_OFFERED:
        code = "not_suitable"
    elif offer is Offer.OFFERED_WITH_WARNING and not is_acknowledged:
        code = "warning_not_acknowledged"
    else:
        code = _entry_code(tables, jurisdiction, segment, is_institution, entry, on)
    return Verdict(
        scheme_code=scheme_code,
        risk_class=risk_class,
        segment=segment,
        tolerance=tolerance,
        offer=offer,
        code=code,
        message=SENTENCES.get(code),
        warning=tables.warning if offer is Offer.OFFERED_WITH_WARNING else None,
    )


def _entry_code(
    tables: OfferTables,
    jurisdiction: str,
    segment: Segment,
    is_institution: bool,
    entry: EntryView | None,
    on: date,
) -> str:
    if jurisdiction in tables.entry_free:
        return ""
    if jurisdiction not in tables.entry_tables:
        return "place_unknown"
    _, days, table = tables.entry_tables[jurisdiction]
    if entry is None or entry.recorded_on < on - timedelta(days=days) or entry.recorded_on > on:
        return "entry_unproved"
    is_exempt = is_institution and segment is Segment.PROFESSIONAL
    answer = table.decide({"is_professional_institution": is_exempt, **vars(entry.facts)}).word("answer")
    return "" if answer == "met" else f"entry_{answer}"
