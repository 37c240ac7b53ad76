"""What outcomes say of a version: defaults by grade against what was claimed, and the models beside each other."""

from dataclasses import dataclass
from datetime import date

from reefpoint.decisions.scoring.models import ScoreOutcome, ShadowScore
from reefpoint.decisions.scoring.rules import outcomes
from reefpoint.decisions.scoring.rules.outcomes import Case, GradeRow
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor


@dataclass(frozen=True)
class ShadowComparison:
    """A challenger beside the champion on the cases that both answered; an AUC is None with too few of either kind."""

    version_id: int
    model: str
    version: int
    cases: int
    bad: int
    auc_bp: int | None
    champion_auc_bp: int | None


@dataclass(frozen=True)
class OutcomeReport:
    """All that outcomes say of a version under a definition of default."""

    definition: int
    cases: int
    bad: int
    past_due: int
    deficit: int
    newest_on: date | None
    auc_bp: int | None
    grades: tuple[GradeRow, ...]
    shadows: tuple[ShadowComparison, ...]


def report_outcomes(actor: Actor, version_id: int) -> OutcomeReport:
    """The outcomes of everything that a version scored first; two queries."""
    require(actor, "models.view")
    rows = list(
        ScoreOutcome.objects.filter(definition=outcomes.DEFINITION, score__model_version_id=version_id)
        .select_related("score")
        .order_by("id")
    )
    is_bad = {row.score_id: row.cause != outcomes.Cause.NONE for row in rows}
    points = {row.score_id: row.score.points or 0 for row in rows}
    return OutcomeReport(
        definition=outcomes.DEFINITION,
        cases=len(rows),
        bad=sum(is_bad.values()),
        past_due=sum(row.cause == outcomes.Cause.PAST_DUE for row in rows),
        deficit=sum(row.cause == outcomes.Cause.DEFICIT for row in rows),
        newest_on=max((row.on for row in rows), default=None),
        auc_bp=outcomes.auc_bp([-points[one] for one in is_bad], list(is_bad.values())),
        grades=tuple(
            outcomes.calibrate(
                Case(row.score.grade, points[row.score_id], row.score.probability_bp, is_bad[row.score_id])
                for row in rows
            )
        ),
        shadows=tuple(_shadows(is_bad, points)),
    )


def _shadows(is_bad: dict[int, bool], points: dict[int, int]) -> list[ShadowComparison]:
    found: dict[int, list[ShadowScore]] = {}
    rows = ShadowScore.objects.filter(score_id__in=list(is_bad)).select_related("model_version__model")
    for row in rows.order_by("model_version_id", "id"):
        found.setdefault(row.model_version_id, []).append(row)
    return [_comparison(of_version, is_bad, points) for of_version in found.values()]


def _comparison(rows: list[ShadowScore], is_bad: dict[int, bool], points: dict[int, int]) -> ShadowComparison:
    """Probability where the challenger claims one, else its points; a card with more points has less risk."""
    kept = [(row, _risk(row)) for row in rows]
    both = [(row.score_id, risk) for row, risk in kept if risk is not None]
    bads = [is_bad[score_id] for score_id, _ in both]
    version = rows[0].model_version
    return ShadowComparison(
        version_id=version.pk,
        model=version.model.code,
        version=version.version,
        cases=len(both),
        bad=sum(bads),
        auc_bp=outcomes.auc_bp([risk for _, risk in both], bads),
        champion_auc_bp=outcomes.auc_bp([-points[score_id] for score_id, _ in both], bads),
    )


def _risk(row: ShadowScore) -> int | None:
    if row.probability_bp is not None:
        return row.probability_bp
    return None if row.points is None else -row.points


def versions_to_act_on() -> set[int]:
    """Versions of which a grade defaults more than it claimed, whatever the sample says by chance."""
    rows = ScoreOutcome.objects.filter(definition=outcomes.DEFINITION).select_related("score")
    by_version: dict[int, list[Case]] = {}
    for row in rows:
        score = row.score
        if score.model_version_id is not None:
            case = Case(score.grade, score.points or 0, score.probability_bp, row.cause != outcomes.Cause.NONE)
            by_version.setdefault(score.model_version_id, []).append(case)
    act = outcomes.CalibrationVerdict.ACT
    return {
        version_id
        for version_id, cases in by_version.items()
        if any(row.verdict is act for row in outcomes.calibrate(cases))
    }
