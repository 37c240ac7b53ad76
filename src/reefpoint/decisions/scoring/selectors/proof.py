"""The proof of scoring: what is stored gives the same again."""

from reefpoint.decisions.scoring.models import FeatureSet, Score, ShadowScore
from reefpoint.decisions.scoring.rules import features, transforms
from reefpoint.decisions.scoring.selectors.reading import open_sets, read_runtime
from reefpoint.decisions.scoring.types import FeatureScalar
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import guards_of, verify_guards

CHUNK = 200


def verify_scoring() -> list[Finding]:
    """Every set that its facts, and every score that its features and its version's card, do not give again (I60)."""
    findings: list[Finding] = []
    sets = FeatureSet.objects.filter(erased_at=None, version=features.VERSION).order_by("id")
    known: dict[int, dict[str, FeatureScalar | None]] = {}
    chunk: list[FeatureSet] = []
    for row in [*sets.iterator(chunk_size=CHUNK), None]:
        if row is not None:
            chunk.append(row)
        if chunk and (row is None or len(chunk) == CHUNK):
            findings += _verify_sets(chunk, known)
            chunk = []
    for score in Score.objects.filter(model_version__isnull=False).order_by("id").iterator():
        inputs = score.inputs if score.feature_set_id is None else known.get(score.feature_set_id)
        if inputs is not None and score.model_version_id is not None:
            outcome = read_runtime(score.model_version_id).score(inputs)
            again = (None if outcome.points is None else round(outcome.points), outcome.grade, list(outcome.missing))
            stored = (score.points, score.grade, score.missing)
            if again != stored:
                findings.append(
                    Finding("scoring.replay", f"score:{score.pk}", f"its features come to {again}, not {stored}")
                )
    tables = [model._meta.db_table for model in (FeatureSet, Score, ShadowScore)]
    return findings + verify_guards(["scoring_score_outcome"], guards_of([*tables, "scoring_bureau_report"]))


def _verify_sets(rows: list[FeatureSet], known: dict[int, dict[str, FeatureScalar | None]]) -> list[Finding]:
    findings = []
    for row, content in zip(rows, open_sets(rows), strict=True):
        again = transforms.compute(content["facts"])
        known[row.pk] = features.known_of(again)
        is_same = features.to_bytes(features.values_to_json(again)) == features.to_bytes(content["values"])
        if not is_same or features.content_hash(again) != row.content_hash:
            findings.append(
                Finding("scoring.features", f"feature_set:{row.pk}", "its facts do not give its values again")
            )
    return findings


def count_erased_sets() -> int:
    """Sets of features that were erased: the proof says so, for neither they nor their scores can be made again."""
    return FeatureSet.objects.exclude(erased_at=None).count()
