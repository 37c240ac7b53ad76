"""Features and scores of clients, and cases of the reference sample."""

from datetime import date, datetime
from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.scoring.selectors import explain_score, list_client_scores, read_set
from reefpoint.decisions.scoring.services import build_features, score_cases, score_client
from reefpoint.decisions.scoring.types import FeatureSetView, Missing, ScoreReason, ScoreView
from reefpoint.surfaces.api.base import Caller, Id, In, answers, now, router, today

scoring = router("scoring")
CASES_MAX = 200


class FeatureSource(Schema):
    """Where a value comes from: a table, the row or rows of it, and as of when."""

    table: str
    key: str
    as_of: str


class FeatureOut(Schema):
    """A feature: whole numbers are in the unit that the definitions name. Null with the reason when it is missing."""

    code: str
    value: int | bool | str | None
    missing: Missing | None
    sources: list[FeatureSource]


class FeaturesOut(Schema):
    """All features of a client on a day. They never change."""

    id: int
    client_id: int
    on: date
    version: int
    currency: str
    values: list[FeatureOut]
    content_hash: str
    built_at: datetime


class ScoreOut(Schema):
    """A score. `points` is null and `grade` empty when the case is referred to a person; `missing` says what lacks."""

    id: int
    client_id: int | None
    feature_set_id: int | None
    model: str
    model_version: int
    points: int | None
    grade: str
    probability_bp: int | None
    reasons: list[ScoreReason]
    missing: list[str]
    is_expert: bool
    input_hash: str
    scored_on: date
    scored_at: datetime


class ScorePart(Schema):
    """What one input gave."""

    name: str
    words: str
    words_zh: str
    value: int | float | bool | str | None
    points: float
    lost: float


class ShadowOut(Schema):
    """What a version in shadow gave beside: it decides nothing."""

    model: str
    model_version: int
    points: int | None
    probability_bp: int | None
    contributions: list[tuple[str, str]]


class ExplainedOut(Schema):
    """A score opened to its points."""

    score: ScoreOut
    parts: list[ScorePart]
    shadows: list[ShadowOut]


class OfferedHolding(In):
    """Shares that a client offers."""

    instrument_id: Id
    quantity: Annotated[int, Field(ge=1, le=10**12)]


class FeaturesIn(In):
    """What features are built of: what the client offers, or, with nothing offered, what is held here."""

    portfolio: list[OfferedHolding] = Field(default_factory=list, max_length=200)


class CasesIn(In):
    """Cases of the German credit data by the names of its columns; a column left out is missing."""

    cases: Annotated[
        list[dict[Annotated[str, Field(max_length=80)], int | Annotated[str, Field(max_length=80)] | None]],
        Field(min_length=1, max_length=CASES_MAX),
    ]


@scoring.get("/clients/{client_id}/scores", response=answers(list[ScoreOut]))
def list_scores(request: Caller, client_id: Id) -> list[ScoreView]:
    """The scores of a client, newest first."""
    return list_client_scores(request.auth, client_id)


@scoring.post("/clients/{client_id}/features", response=answers(FeaturesOut, 201))
def build(request: Caller, client_id: Id, asked: FeaturesIn) -> Status[FeatureSetView]:
    """Build the features of a client from what is on record now."""
    set_id = build_features(
        actor=request.auth,
        client_id=client_id,
        on=today(),
        at=now(),
        portfolio=[(one.instrument_id, one.quantity) for one in asked.portfolio],
    )
    return Status(201, read_set(request.auth, set_id))


@scoring.get("/features/{feature_set_id}", response=answers(FeaturesOut))
def read_features(request: Caller, feature_set_id: Id) -> FeatureSetView:
    """One set of features with the source rows of each value."""
    return read_set(request.auth, feature_set_id)


@scoring.post("/features/{feature_set_id}/score", response=answers(ScoreOut, 201))
def score(request: Caller, feature_set_id: Id) -> Status[ScoreView]:
    """Score a set of features by the scorecard in use."""
    return Status(201, score_client(actor=request.auth, feature_set_id=feature_set_id, at=now()))


@scoring.get("/scores/{score_id}", response=answers(ExplainedOut))
def read_score(request: Caller, score_id: Id) -> object:
    """One score opened to its points, with what shadows said beside it."""
    return explain_score(request.auth, score_id)


@scoring.post("/cases", response=answers(list[ScoreOut], 201))
def score_sample(request: Caller, given: CasesIn) -> Status[list[ScoreView]]:
    """Score cases of the reference sample: they are of no client."""
    return Status(201, score_cases(actor=request.auth, cases=given.cases, on=today(), at=now()))
