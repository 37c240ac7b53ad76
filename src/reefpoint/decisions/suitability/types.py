"""Questionnaires, assessments and offers as other parts see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.tables.table import DecisionTable


class Segment(StrEnum):
    """How much protection a client is due; a professional must be shown to be one."""

    INSTITUTION = "institution"
    PROFESSIONAL = "professional"
    RETAIL = "retail"


class Tolerance(StrEnum):
    """Risk tolerance from C1, cautious, to C5, aggressive. C1L is the lowest class of all: no loss can be borne."""

    C1L = "C1L"
    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"


class RiskClass(StrEnum):
    """The risk of what is offered, from R1, low, to R5, high."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R5 = "R5"


class Offer(StrEnum):
    OFFERED = "offered"
    OFFERED_WITH_WARNING = "offered_with_warning"
    NOT_OFFERED = "not_offered"


class Topic(StrEnum):
    """What a question asks about."""

    FINANCES = "finances"
    EXPERIENCE = "experience"
    HORIZON = "horizon"
    LOSS = "loss"
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True)
class Option:
    """One answer that can be chosen. `is_lowest` puts whoever chooses it into the lowest class of all."""

    id: str
    en: str
    zh: str
    points: int
    is_lowest: bool = False


@dataclass(frozen=True)
class Question:
    id: str
    topic: Topic
    en: str
    zh: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Questionnaire:
    """The questions in both languages, how long their answers hold, and the table from points to tolerance.

    Of the questions on knowledge at least `knowledge_points_min` points are needed to be lent to.
    """

    questions: tuple[Question, ...]
    months: int
    knowledge_points_min: int
    tolerance: DecisionTable


@dataclass(frozen=True)
class QuestionnaireView:
    """A questionnaire as it is put to a client. `version` goes back with the answers."""

    version: int
    effective_from: date
    questionnaire: Questionnaire


@dataclass(frozen=True)
class AnswerProblem:
    """What is wrong with the answer to one question: `missing`, `unknown_option` or `unknown_question`."""

    question: str
    code: str


Answers = Mapping[str, str]
"""The id of the chosen option by the id of the question."""


@dataclass(frozen=True)
class Score:
    """What answers come to. `knowledge_points` are part of `points`."""

    points: int
    knowledge_points: int
    is_knowledge_shown: bool
    tolerance: Tolerance


@dataclass(frozen=True)
class AssessmentView:
    """A client's answers and what they came to. It holds up to and including `expires_on`."""

    id: int
    client_id: int
    questionnaire_version: int
    answers: Answers
    score: Score
    assessed_on: date
    expires_on: date
    assessed_at: datetime
    assessed_by: str


@dataclass(frozen=True)
class SegmentFacts:
    """What a segment rests on, as the evidence shows it; money in minor units of the place's currency."""

    liquid_assets_minor: int
    annual_income_minor: int
    net_worth_minor: int
    trading_years: int


@dataclass(frozen=True)
class SegmentView:
    """The segment of a client in one jurisdiction; `evidence` names what was seen."""

    segment: Segment
    jurisdiction: str
    facts: SegmentFacts
    evidence: str
    assigned_on: date
    expires_on: date
    assigned_by: str


@dataclass(frozen=True)
class EntryFacts:
    """What a jurisdiction wants proved before a margin account is opened; money in minor units of its currency.

    `average_assets_minor` is the daily average of securities assets over the last 20 trading days; `is_affiliated`
    says whether the client is a shareholder of the lender or related to it.
    """

    trading_months: int
    average_assets_minor: int
    has_defaulted: bool
    is_affiliated: bool


@dataclass(frozen=True)
class EntryView:
    jurisdiction: str
    facts: EntryFacts
    evidence: str
    recorded_on: date
    recorded_by: str


@dataclass(frozen=True)
class Verdict:
    """Whether a scheme may be offered to a client on a day, and why. `code` is empty when it may.

    `tolerance` is None for a client who was never assessed; `warning` is what must be acknowledged first, in English
    and Chinese, when `code` is `warning_not_acknowledged`.
    """

    scheme_code: str
    risk_class: RiskClass
    segment: Segment
    tolerance: Tolerance | None
    offer: Offer
    code: str
    message: Sentence | None
    warning: tuple[str, str] | None = None

    @property
    def is_suitable(self) -> bool:
        return not self.code


@dataclass(frozen=True)
class OfferTables:
    """The published tables behind an offer. `segment_tables` and `entry_tables` are by jurisdiction, with its currency.

    A jurisdiction that is in `entry_free` asks for no proof; one that stands nowhere is not lent in at all.
    """

    classes: DecisionTable
    offers: DecisionTable
    warning: tuple[str, str]
    segment_months: int
    segment_tables: Mapping[str, tuple[str, DecisionTable]]
    entry_free: frozenset[str]
    entry_tables: Mapping[str, tuple[str, int, DecisionTable]]
