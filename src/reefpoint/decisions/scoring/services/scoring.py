"""Scoring sets of features, and cases of a reference sample."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.scoring.adapters import german
from reefpoint.decisions.scoring.events import ClientScored
from reefpoint.decisions.scoring.models import FeatureSet, Score, ShadowScore
from reefpoint.decisions.scoring.rules import features
from reefpoint.decisions.scoring.selectors.reading import (
    EXPECTED,
    GERMAN,
    MARGIN,
    NoSuchScore,
    open_sets,
    read_runtime,
    read_trees,
    score_view,
)
from reefpoint.decisions.scoring.types import CardOutcome, Cause, Inputs, ScoreView
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.platform.governance.services import use_champion, use_shadows
from reefpoint.platform.governance.types import ModelInUse
from reefpoint.records.parties.selectors.clients import require_client

NO_MODEL = "no_model"
"""Said to be missing when no version of a scorecard can be trusted: a person must decide."""


class UnknownInput(Refusal):
    """A case with an input, or a kind of value, that no model of the sample knows."""

    code = "unknown_input"


@transaction.atomic
def score_client(*, actor: Actor, feature_set_id: int, at: datetime, cause: Cause = Cause.REQUEST) -> ScoreView:
    """Score a set of features by the scorecard in use. Key features that are missing refer the case to a person.

    Raises `NoSuchScore` for a set that is not there or was erased, `ClientNotFound`.
    """
    require(actor, "scoring.score")
    row = FeatureSet.objects.filter(id=feature_set_id, erased_at=None).first()
    if row is None:
        raise NoSuchScore("There is no such set of features.", feature_set_id=feature_set_id)
    require_client(actor, row.client_id)
    return score_sets(actor=actor, sets=[row], at=at, cause=cause)[0]


@transaction.atomic
def score_sets(*, actor: Actor, sets: Sequence[FeatureSet], at: datetime, cause: Cause) -> list[ScoreView]:
    """Score many sets that are not erased, in as many statements as one."""
    require(actor, "scoring.score")
    known = [features.known_of(features.values_from_json(content["values"])) for content in open_sets(sets)]
    drafts = [
        Score(
            use=MARGIN,
            client_id=one.client_id,
            feature_set=one,
            input_hash=one.content_hash,
            cause=cause,
            scored_on=one.on,
            scored_at=at,
            scored_by=actor.ref,
        )
        for one in sets
    ]
    return _score(actor, drafts, known, use=MARGIN, at=at)


@transaction.atomic
def score_cases(*, actor: Actor, cases: Sequence[Inputs], on: date, at: datetime) -> list[ScoreView]:
    """Score cases of the reference sample, the German credit data: they are of no client, and their inputs are kept.

    Raises `UnknownInput` for what no model of the sample knows; an input that is left out is missing.
    """
    require(actor, "models.develop")
    for case in cases:
        for name, value in case.items():
            kind = int if name in german.NUMBERS else str
            if name not in german.WORDS or not (value is None or (isinstance(value, kind) and value is not True)):
                raise UnknownInput("A case has an input that the models of the sample do not know.", input=name)
    drafts = [
        Score(
            use=GERMAN,
            inputs=dict(case),
            input_hash=hashlib.sha256(features.to_bytes(dict(case))).hexdigest(),
            cause=Cause.REQUEST,
            scored_on=on,
            scored_at=at,
            scored_by=actor.ref,
        )
        for case in cases
    ]
    return _score(actor, drafts, cases, use=GERMAN, at=at)


def _score(
    actor: Actor, drafts: Sequence[Score], cases: Sequence[Inputs], *, use: str, at: datetime
) -> list[ScoreView]:
    """Let the champion of a use answer for each case, and every shadow beside it; keep it all."""
    champion = use_champion(use=use, at=at)
    for row, case in zip(drafts, cases, strict=True):
        outcome = read_runtime(champion.version.id).score(case) if champion else _nobody_answers()
        row.model_version_id = champion.version.id if champion else None
        row.points = None if outcome.points is None else round(outcome.points)
        row.grade, row.probability_bp = outcome.grade, outcome.probability_bp
        row.reasons, row.missing = [asdict(one) for one in outcome.reasons], list(outcome.missing)
    kept = Score.objects.bulk_create(drafts)
    ShadowScore.objects.bulk_create(
        _shadow(shadow, row, case) for shadow in use_shadows(use=use) for row, case in zip(kept, cases, strict=True)
    )
    _tell(actor, kept, at)
    return [score_view(row) for row in kept]


def _nobody_answers() -> CardOutcome:
    return CardOutcome(None, "", None, (), (), (NO_MODEL,))


def _shadow(shadow: ModelInUse, score: Score, case: Inputs) -> ShadowScore:
    version = shadow.version
    if version.kind == "boosted":
        model = read_trees(version.id)
        row = model.row(case)
        contributions = zip((*model.names, EXPECTED), model.contributions(row), strict=True)
        return ShadowScore(
            score=score,
            model_version_id=version.id,
            probability_bp=round(model.probability(row) * 10_000),
            contributions=[[name, f"{value:.6f}"] for name, value in contributions],
        )
    outcome = read_runtime(version.id).score(case)
    return ShadowScore(
        score=score,
        model_version_id=version.id,
        probability_bp=outcome.probability_bp,
        points=None if outcome.points is None else round(outcome.points),
        contributions=[[part.name, str(part.points)] for part in outcome.parts],
    )


def _tell(actor: Actor, rows: Sequence[Score], at: datetime) -> None:
    record_all(
        actor=actor,
        action="scoring.score",
        entries=[
            EntryDraft(
                subject=f"client:{row.client_id}" if row.client_id is not None else f"score:{row.pk}",
                inputs={
                    "score_id": row.pk,
                    "model_version_id": row.model_version_id,
                    "input_hash": row.input_hash,
                    "points": row.points,
                    "grade": row.grade,
                    "missing": row.missing,
                },
            )
            for row in rows
        ],
        at=at,
    )
    for row in rows:
        if row.client_id is not None:
            publish(ClientScored(client_id=row.client_id, score_id=row.pk, grade=row.grade, cause=row.cause, at=at))
