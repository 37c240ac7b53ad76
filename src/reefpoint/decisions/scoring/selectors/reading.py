"""Sets of features and scores as they are on record."""

import json
from collections.abc import Collection, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.db.models import Count

from reefpoint.decisions.scoring.models import FeatureSet, Score, ShadowScore
from reefpoint.decisions.scoring.rules import features
from reefpoint.decisions.scoring.rules.cards import Runtime, make_runtime, read_card
from reefpoint.decisions.scoring.rules.trees import Boosted, read_boosted
from reefpoint.decisions.scoring.types import (
    Cause,
    ExplainedScore,
    FeatureSetView,
    ScoreReason,
    ScoreView,
    ShadowView,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.governance.selectors import read_artifact
from reefpoint.platform.vault.services import open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.selectors.clients import require_client

MARGIN = "margin"
"""The use of scorecards for clients who borrow against securities."""
GERMAN = "german"
"""The use of the models of the German credit data, a reference sample: they answer for no client."""
EXPECTED = "expected"
"""Stands among the contributions of boosted trees for the value that they add to."""


class NoSuchScore(NotFound):
    """No score or set of features has this id, or it is not this person's to see."""


def context(client_id: int, place: object) -> str:
    """The place of a set of features, under which it is sealed."""
    return f"client:{client_id}:features:{place}"


def open_sets(rows: Sequence[FeatureSet]) -> list[dict[str, Any]]:
    """What is sealed in these sets: their facts and values; nothing for one that was erased."""
    kept = [row for row in rows if row.blob is not None]
    plains = open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), context(row.client_id, row.place)) for row in kept]
    )
    contents = {row.pk: json.loads(plain) for row, plain in zip(kept, plains, strict=True)}
    return [contents.get(row.pk, {"facts": None, "values": []}) for row in rows]


def get_feature_set(feature_set_id: int) -> FeatureSetView:
    """One set, for the program. Raises `NoSuchScore`."""
    row = FeatureSet.objects.filter(id=feature_set_id).first()
    if row is None:
        raise NoSuchScore("There is no such set of features.", feature_set_id=feature_set_id)
    return set_view(row, open_sets([row])[0])


def set_view(row: FeatureSet, content: dict[str, Any]) -> FeatureSetView:
    """A set as others see it."""
    return FeatureSetView(
        id=row.pk,
        client_id=row.client_id,
        on=row.on,
        version=row.version,
        currency=row.currency,
        values=features.values_from_json(content["values"]),
        content_hash=row.content_hash,
        built_at=row.built_at,
        built_by=row.built_by,
        erased_at=row.erased_at,
    )


def get_score(score_id: int) -> ScoreView:
    """One score, for the program. Raises `NoSuchScore`."""
    row = _scores().filter(id=score_id).first()
    if row is None:
        raise NoSuchScore("There is no such score.", score_id=score_id)
    return score_view(row)


def latest_score(client_id: int, on: date) -> ScoreView | None:
    """A client's newest score that was made on a day or before it; None before the first."""
    row = _scores().filter(client_id=client_id, scored_on__lte=on).order_by("-id").first()
    return score_view(row) if row else None


def clients_with_scores(client_ids: Collection[int] | None = None) -> list[int]:
    """Those of these clients (of all) who were ever scored and not erased since, in order."""
    rows = FeatureSet.objects.filter(erased_at=None, scores__isnull=False)
    if client_ids is not None:
        rows = rows.filter(client_id__in=client_ids)
    return list(rows.order_by("client_id").values_list("client_id", flat=True).distinct())


def list_client_sets(actor: Actor, client_id: int, limit: int = 20) -> list[FeatureSetView]:
    """The sets of a client, newest first. Raises `ClientNotFound` outside the scope."""
    require(actor, "scoring.view")
    require_client(actor, client_id)
    rows = list(FeatureSet.objects.filter(client_id=client_id).order_by("-id")[:limit])
    return [set_view(row, content) for row, content in zip(rows, open_sets(rows), strict=True)]


def list_client_scores(actor: Actor, client_id: int, limit: int = 50) -> list[ScoreView]:
    """The scores of a client, newest first. Raises `ClientNotFound` outside the scope."""
    require(actor, "scoring.view")
    require_client(actor, client_id)
    return [score_view(row) for row in _scores().filter(client_id=client_id).order_by("-id")[:limit]]


@lru_cache(maxsize=64)
def read_runtime(version_id: int) -> Runtime:
    """The scorecard of a version made ready, once a process: an artifact never changes."""
    return make_runtime(read_card(read_artifact(version_id)))


@lru_cache(maxsize=16)
def read_trees(version_id: int) -> Boosted:
    """The boosted trees of a version, read once a process."""
    return read_boosted(read_artifact(version_id))


def score_view(row: Score) -> ScoreView:
    """A score as others see it."""
    version = row.model_version
    return ScoreView(
        id=row.pk,
        client_id=row.client_id,
        feature_set_id=row.feature_set_id,
        model=version.model.code if version else "",
        model_version=version.version if version else 0,
        model_version_id=row.model_version_id,
        points=row.points,
        grade=row.grade,
        probability_bp=row.probability_bp,
        reasons=tuple(ScoreReason(**one) for one in row.reasons),
        missing=tuple(row.missing),
        is_expert=bool(version and version.facts.get("is_expert")),
        input_hash=row.input_hash,
        scored_on=row.scored_on,
        scored_at=row.scored_at,
        cause=Cause(row.cause),
    )


def _scores() -> Any:
    return Score.objects.select_related("model_version__model").defer("model_version__artifact")


def explain_score(actor: Actor, score_id: int) -> ExplainedScore:
    """A score of a client in scope with its parts and shadows. Raises `NoSuchScore`, `ClientNotFound`."""
    require(actor, "scoring.view")
    row = _scores().select_related("feature_set").filter(id=score_id).first()
    if row is None:
        raise NoSuchScore("There is no such score.", score_id=score_id)
    if row.client_id is not None:
        require_client(actor, row.client_id)
    inputs = row.inputs
    if row.feature_set is not None:
        inputs = features.known_of(features.values_from_json(open_sets([row.feature_set])[0]["values"]))
    is_open = row.model_version_id is not None and (row.feature_set is None or row.feature_set.erased_at is None)
    shadows = ShadowScore.objects.filter(score_id=score_id).select_related("model_version__model")
    return ExplainedScore(
        score=score_view(row),
        parts=read_runtime(row.model_version_id).score(inputs).parts if is_open else (),
        shadows=tuple(
            ShadowView(
                score_id=score_id,
                model=one.model_version.model.code,
                model_version=one.model_version.version,
                points=one.points,
                probability_bp=one.probability_bp,
                contributions=tuple((name, value) for name, value in one.contributions),
            )
            for one in shadows.defer("model_version__artifact").order_by("id")
        ),
    )


def read_set(actor: Actor, feature_set_id: int) -> FeatureSetView:
    """One set of a client in scope. Raises `NoSuchScore`, `ClientNotFound`."""
    require(actor, "scoring.view")
    found = get_feature_set(feature_set_id)
    require_client(actor, found.client_id)
    return found


def count_scores(version_ids: Collection[int]) -> dict[int, int]:
    """How many scores each of these versions has given; one query."""
    rows = Score.objects.filter(model_version_id__in=version_ids).values("model_version_id").annotate(Count("id"))
    return {row["model_version_id"]: row["id__count"] for row in rows.order_by("model_version_id")}
