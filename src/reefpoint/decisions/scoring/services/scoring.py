"""Scoring sets of features, and cases of a reference sample."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.scoring.events import ClientScored
from reefpoint.decisions.scoring.models import FeatureSet, Score
from reefpoint.decisions.scoring.rules import features
from reefpoint.decisions.scoring.selectors.reading import MARGIN, NoSuchScore, open_sets, read_runtime, score_view
from reefpoint.decisions.scoring.types import CardOutcome, Cause, Inputs, ScoreView
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.events.services import publish
from reefpoint.platform.governance.services import use_champion
from reefpoint.platform.governance.types import ModelInUse
from reefpoint.records.parties.selectors import require_client

NO_MODEL = "no_model"
"""Said to be missing when no version of a scorecard can be trusted: a person must decide."""


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


def score_sets(*, actor: Actor, sets: Sequence[FeatureSet], at: datetime, cause: Cause) -> list[ScoreView]:
    """Score many sets, in the caller's transaction."""
    champion = use_champion(use=MARGIN, at=at)
    known = [
        {one.code: one.value for one in features.values_from_json(content["values"])} for content in open_sets(sets)
    ]
    rows = [
        _row(champion, inputs, use=MARGIN, digest=one.content_hash, on=one.on, at=at, by=actor, cause=cause)
        for one, inputs in zip(sets, known, strict=True)
    ]
    for row, one in zip(rows, sets, strict=True):
        row.client_id, row.feature_set = one.client_id, one
    return _keep(actor, rows, at)


def _row(
    champion: ModelInUse | None,
    inputs: Inputs,
    *,
    use: str,
    digest: str,
    on: date,
    at: datetime,
    by: Actor,
    cause: Cause,
) -> Score:
    outcome = read_runtime(champion.version.id).score(inputs) if champion else _nobody_answers()
    return Score(
        use=use,
        model_version_id=champion.version.id if champion else None,
        input_hash=digest,
        points=None if outcome.points is None else round(outcome.points),
        grade=outcome.grade,
        probability_bp=outcome.probability_bp,
        reasons=[_reason(one) for one in outcome.reasons],
        missing=list(outcome.missing),
        cause=cause,
        scored_on=on,
        scored_at=at,
        scored_by=by.ref,
    )


def _nobody_answers() -> CardOutcome:
    return CardOutcome(None, "", None, (), (), (NO_MODEL,))


def _reason(one: object) -> Mapping[str, object]:
    return dict(vars(one))


def _keep(actor: Actor, rows: Sequence[Score], at: datetime) -> list[ScoreView]:
    kept = Score.objects.bulk_create(rows)
    record_all(
        actor=actor,
        action="scoring.score",
        entries=[
            EntryDraft(
                subject=f"client:{row.client_id}",
                inputs={
                    "score_id": row.pk,
                    "model_version_id": row.model_version_id,
                    "input_hash": row.input_hash,
                    "points": row.points,
                    "grade": row.grade,
                    "missing": row.missing,
                },
            )
            for row in kept
            if row.client_id is not None
        ],
        at=at,
    )
    for row in kept:
        if row.client_id is not None:
            publish(ClientScored(client_id=row.client_id, score_id=row.pk, grade=row.grade, cause=row.cause, at=at))
    return [score_view(row) for row in kept]
