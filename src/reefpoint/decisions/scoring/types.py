"""Features of a client, scorecards, and scores, as other parts see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from reefpoint.platform.vault.types import SealedTable

FeatureScalar = int | bool | str
"""What a known feature is: a whole number in its unit, yes or no, or one of a few words. Never a float."""


class FeatureKind(StrEnum):
    WHOLE = "whole"
    FLAG = "flag"
    CHOICE = "choice"


class Unit(StrEnum):
    """What a whole number counts. `MINOR` is of the currency of the set; `HUNDREDTHS` are of a day or of one."""

    NONE = ""
    MINOR = "minor"
    BP = "bp"
    DAYS = "days"
    MONTHS = "months"
    YEARS = "years"
    HUNDREDTHS = "hundredths"


class SourceKind(StrEnum):
    """Which of the sources of data a feature comes from."""

    PROFILE = "profile"
    BUREAU = "bureau"
    ACCOUNTS = "accounts"
    FLOWS = "flows"
    PORTFOLIO = "portfolio"
    LINKS = "links"


class Missing(StrEnum):
    """Why a feature is missing. It is never taken for zero (I61)."""

    NOT_ASKED = "not_asked"
    NOT_SAID = "not_said"
    NO_REPORT = "no_report"
    STALE_REPORT = "stale_report"
    NOT_REPORTED = "not_reported"
    NO_ACCOUNT = "no_account"
    TOO_YOUNG = "too_young"
    NO_HOLDINGS = "no_holdings"
    NO_PRICE = "no_price"
    SHORT_HISTORY = "short_history"
    OTHER_CURRENCY = "other_currency"


@dataclass(frozen=True)
class FeatureDefinition:
    """One feature. `transform` says how it is made from its source, `missing` when it is missing, in both languages.

    `since` is the version of the set from which it stands there.
    """

    code: str
    words: str
    words_zh: str
    kind: FeatureKind
    unit: Unit
    source: SourceKind
    transform: str
    transform_zh: str
    missing: str
    missing_zh: str
    since: int


@dataclass(frozen=True)
class SourceRef:
    """Where a value comes from: a table, the row or rows of it, and as of when they say so."""

    table: str
    key: str
    as_of: str


@dataclass(frozen=True)
class FeatureValue:
    """A feature of one client on one day: its value, or why it is missing; and its source rows."""

    code: str
    value: FeatureScalar | None
    missing: Missing | None
    sources: tuple[SourceRef, ...]


@dataclass(frozen=True)
class FeatureSetView:
    """All features of a client on a day, as they were built; they never change.

    `version` is that of the definitions. `content_hash` is the SHA-256 of the values with their lineage; the set is
    empty once `erased_at`.
    """

    id: int
    client_id: int
    on: date
    version: int
    currency: str
    values: tuple[FeatureValue, ...]
    content_hash: str
    built_at: datetime
    built_by: str
    erased_at: datetime | None

    def __getitem__(self, code: str) -> FeatureValue:
        for value in self.values:
            if value.code == code:
                return value
        raise KeyError(code)

    @property
    def known(self) -> dict[str, FeatureScalar]:
        """The features that are known, by code."""
        return {one.code: one.value for one in self.values if one.value is not None}

    @property
    def missing(self) -> tuple[str, ...]:
        """The codes of those that are not."""
        return tuple(one.code for one in self.values if one.value is None)


class Grade(StrEnum):
    """From the best. There is none for a case that is referred."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


class Cause(StrEnum):
    """Why somebody was scored."""

    REQUEST = "request"
    SCHEDULE = "schedule"
    CALL = "call"
    BAND = "band"
    CHANGE = "change"


@dataclass(frozen=True)
class ScoreReason:
    """One of at most four things that cost most points against the best that the scorecard gives for it."""

    code: str
    name: str
    name_zh: str
    points_lost: int


@dataclass(frozen=True)
class ScoreView:
    """One score. `points` is None and `grade` empty for a case that is referred: key facts are missing (`missing`).

    `probability_bp` is the estimated probability of default in basis points; None for an expert scorecard, which has
    seen no outcomes and claims none.
    """

    id: int
    client_id: int | None
    feature_set_id: int | None
    model: str
    model_version: int
    model_version_id: int | None
    points: int | None
    grade: str
    probability_bp: int | None
    reasons: tuple[ScoreReason, ...]
    missing: tuple[str, ...]
    is_expert: bool
    input_hash: str
    scored_on: date
    scored_at: datetime
    cause: Cause

    @property
    def is_referred(self) -> bool:
        """Whether a person must look, because the scorecard may not answer."""
        return self.points is None


# Scorecards


Inputs = Mapping[str, int | float | bool | str | None]
"""What a scorecard is given, by name; None is missing."""


@dataclass(frozen=True)
class Bin:
    """One row of a characteristic: whom it admits, its points, and what to tell somebody who lost points by it.

    Numbers from `low` (included; None: whatever) to below `high`; or the `values` listed. `label` says it for people.
    """

    label: str
    points: int | float
    reason: str
    reason_zh: str
    low: int | float | None = None
    high: int | float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class Characteristic:
    """One input of a scorecard with its bins.

    `missing` are the points of a missing value, None where a missing one refers the case. `other` are those of a word
    that no bin lists, None where it refers. `special` are points of values that are not measures, such as -1.
    """

    name: str
    words: str
    words_zh: str
    is_number: bool
    bins: tuple[Bin, ...]
    special: Mapping[int | float, Bin]
    missing: Bin | None
    other: Bin | None

    @property
    def best(self) -> int | float:
        """The most points that it can give."""
        rest = [*self.special.values(), *(one for one in (self.missing, self.other) if one)]
        return max(one.points for one in (*self.bins, *rest))

    @property
    def neutral(self) -> int | float:
        """The most points of its ordinary bins: what reasons are measured against."""
        return max(one.points for one in self.bins)


@dataclass(frozen=True)
class GradeBand:
    """A grade from so many points up."""

    grade: Grade
    least: int | float | None


@dataclass(frozen=True)
class Card:
    """A scorecard, proved whole. `base` is added to the points of all characteristics.

    `pdo`, `anchor_points` and `anchor_odds` turn points into good:bad odds; None on an expert card.
    """

    code: str
    is_expert: bool
    base: int | float
    characteristics: tuple[Characteristic, ...]
    grades: tuple[GradeBand, ...]
    pdo: int | float | None
    anchor_points: int | float | None
    anchor_odds: int | float | None
    source: Mapping[str, Any]


@dataclass(frozen=True)
class CardPart:
    """What one characteristic gave to one case."""

    name: str
    words: str
    words_zh: str
    value: int | float | bool | str | None
    label: str
    points: int | float
    lost: int | float
    reason: str
    reason_zh: str


@dataclass(frozen=True)
class CardOutcome:
    """What a case comes to: nothing but `missing` if it is referred."""

    points: int | float | None
    grade: str
    probability_bp: int | None
    parts: tuple[CardPart, ...]
    reasons: tuple[ScoreReason, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class ShadowView:
    """What a version in shadow gave beside a score. `contributions` are (input, what it adds) pairs, exact as text."""

    score_id: int
    model: str
    model_version: int
    points: int | None
    probability_bp: int | None
    contributions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ExplainedScore:
    """A score opened: what each characteristic gave, made again from the stored features, and the shadows beside it.

    `parts` is empty once the features were erased.
    """

    score: ScoreView
    parts: tuple[CardPart, ...]
    shadows: tuple[ShadowView, ...]


SEALED_TABLES = (
    SealedTable("scoring_bureau_report", "client:{client_id}:bureau:{place}"),
    SealedTable("scoring_feature_set", "client:{client_id}:features:{place}"),
)
"""Where this app keeps sealed rows."""
