"""Assessments and where a name's haircut comes from."""

from datetime import date

from django.db.models import Count

from reefpoint.decisions.collateral.models import Assessment, HaircutRelease, HaircutStep, NameAssessment
from reefpoint.decisions.collateral.selectors.haircuts import pending_steps, release_view, steps_in_force
from reefpoint.decisions.collateral.types import (
    AssessmentRow,
    AssessmentView,
    HaircutExplanation,
    NameView,
    Step,
    StepView,
)
from reefpoint.platform.basics.errors import NotFound


class AssessmentNotFound(NotFound):
    """No assessment has this id."""


def list_assessments(limit: int = 50) -> list[AssessmentRow]:
    """The newest assessments, without their names."""
    rows = Assessment.objects.select_related("release").annotate(names_count=Count("names")).order_by("-id")[:limit]
    return [
        AssessmentRow(
            id=row.pk,
            on=row.on,
            at=row.at,
            maker=row.maker,
            names=row.names_count,
            released_on=release.on if (release := getattr(row, "release", None)) else None,
        )
        for row in rows
    ]


def get_assessment(assessment_id: int) -> AssessmentView:
    """One assessment with its names, by symbol. Raises `AssessmentNotFound`."""
    row = Assessment.objects.select_related("house", "lists").filter(id=assessment_id).first()
    if row is None:
        raise AssessmentNotFound("There is no assessment {assessment_id}.", assessment_id=assessment_id)
    names = row.names.select_related("instrument").order_by("instrument__symbol")
    release = HaircutRelease.objects.filter(assessment_id=assessment_id).first()
    return AssessmentView(
        id=row.pk,
        on=row.on,
        at=row.at,
        maker=row.maker,
        house_version=row.house.version,
        lists_version=row.lists.version if row.lists else None,
        packs=row.packs,
        parameters=row.parameters,
        assumptions=row.assumptions,
        names=tuple(_name(name) for name in names),
        release=release_view(release) if release else None,
    )


def latest_names() -> dict[int, NameView]:
    """Each name as it was last assessed, whether that was put in force or not, by instrument id."""
    rows = (
        NameAssessment.objects.select_related("instrument")
        .order_by("instrument_id", "-assessment_id")
        .distinct("instrument_id")
    )
    return {row.instrument_id: _name(row) for row in rows}


def explain_haircut(instrument_id: int, on: date) -> HaircutExplanation:
    """Where a name's collateral haircut on a day comes from, and where it goes."""
    step = steps_in_force(on, [instrument_id]).get(instrument_id)
    pending = pending_steps(on, [instrument_id]).get(instrument_id, [])
    behind = pending[-1] if pending else step
    release = HaircutRelease.objects.filter(id=behind.release_id).first() if behind else None
    name = (
        NameAssessment.objects.select_related("instrument")
        .filter(instrument_id=instrument_id, assessment_id=release.assessment_id)
        .first()
        if release
        else None
    )
    return HaircutExplanation(
        instrument_id=instrument_id,
        on=on,
        haircut_bp=step.haircut_bp if step else None,
        since=step.effective_on if step else None,
        target_bp=behind.haircut_bp if behind else None,
        pending=tuple(Step(one.effective_on, one.haircut_bp) for one in pending),
        release=release_view(release) if release else None,
        name=_name(name) if name else None,
    )


def haircut_history(instrument_id: int) -> list[StepView]:
    """Every step that was ever put on record for a name, the newest release first."""
    rows = (
        HaircutStep.objects.filter(instrument_id=instrument_id)
        .order_by("-release_id", "-effective_on")
        .values_list("instrument_id", "effective_on", "haircut_bp", "release_id", "release__assessment_id")
    )
    return [StepView(*row) for row in rows]


def assessments_of(instrument_id: int, limit: int = 20) -> list[tuple[AssessmentRow, NameView]]:
    """The newest assessments of a name, with what each found."""
    rows = (
        NameAssessment.objects.select_related("instrument", "assessment__release")
        .filter(instrument_id=instrument_id)
        .order_by("-assessment_id")[:limit]
    )
    return [
        (
            AssessmentRow(
                id=row.assessment_id,
                on=row.assessment.on,
                at=row.assessment.at,
                maker=row.assessment.maker,
                names=1,
                released_on=release.on if (release := getattr(row.assessment, "release", None)) else None,
            ),
            _name(row),
        )
        for row in rows
    ]


def _name(row: NameAssessment) -> NameView:
    return NameView(
        instrument_id=row.instrument_id,
        symbol=row.instrument.symbol,
        regulation_bp=row.regulation_bp,
        house_bp=row.house_bp,
        model_bp=row.model_bp,
        list_bp=row.list_bp,
        haircut_bp=row.haircut_bp,
        explanation=row.explanation,
    )
