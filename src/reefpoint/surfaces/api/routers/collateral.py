"""Collateral: names with their haircuts, assessments, and asking for one to be put in force."""

from datetime import date, datetime
from typing import Annotated, Any

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.collateral.selectors.assessments import explain_haircut, get_assessment, list_assessments
from reefpoint.decisions.collateral.selectors.haircuts import haircuts_in_force
from reefpoint.decisions.collateral.selectors.house import accepts, compare_list_versions, lists_in_force
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.decisions.collateral.types import AssessmentRow, ListDifference, NameView, ReleaseView, Step
from reefpoint.decisions.margin.selectors.collateral_effects import find_assessment_effect
from reefpoint.decisions.margin.services.collateral import request_haircut_release, summarise
from reefpoint.platform.access.services import require
from reefpoint.records.market.selectors import get_instrument, list_instruments
from reefpoint.surfaces.api.base import Caller, Id, In, Made, answers, now, router

collateral = router("collateral")


class CollateralOut(Schema):
    """One name: whether the desk accepts it today, and its haircut in force (bp; null: the schemes' own alone)."""

    instrument_id: int
    symbol: str
    is_accepted: bool
    is_suspended: bool
    haircut_bp: int | None


class NameOut(Schema):
    """One name of an assessment: the parts, the worst of them, and each part opened."""

    instrument_id: int
    symbol: str
    regulation_bp: int
    house_bp: int
    model_bp: int
    list_bp: int
    haircut_bp: int
    binding: str
    explanation: dict[str, dict[str, Any]]


class HaircutOut(Schema):
    """Where a name's haircut on a day comes from, and the steps to come."""

    instrument_id: int
    symbol: str
    on: date
    haircut_bp: int | None
    since: date | None
    target_bp: int | None
    pending: list[Step]
    release: ReleaseView | None
    name: NameOut | None


class AssessmentOut(Schema):
    """An assessment with its names, what it rests on, and its release once a second person put it in force."""

    id: int
    on: date
    at: datetime
    house_version: int
    lists_version: int | None
    packs: dict[str, int]
    assumptions: list[str]
    names: list[NameOut]
    release: ReleaseView | None


class AssessIn(In):
    """The names to assess; null is every name."""

    instrument_ids: Annotated[list[Id], Field(min_length=1, max_length=10_000)] | None = None


class ReleaseIn(In):
    """Why an assessment comes in force, and why safe accounts may be closed out in one step, if any would be."""

    reason: Annotated[str, Field(min_length=1, max_length=500)]
    override_reason: Annotated[str, Field(max_length=500)] = ""


class EffectOut(Schema):
    """What an assessment does to the book once it is wholly in force."""

    accounts: int
    moved: int
    closed_out: int
    schemes: list[dict[str, Any]]


@collateral.get("/names", response=answers(list[CollateralOut]))
def list_names(request: Caller) -> list[CollateralOut]:
    """Every listed name as collateral today, by id."""
    require(request.auth, "collateral.view")
    on = now().date()
    lists, haircuts = lists_in_force(on), haircuts_in_force(on)
    return [
        CollateralOut(
            instrument_id=one.id,
            symbol=one.symbol,
            is_accepted=not lists or accepts(lists, one.symbol, on),
            is_suspended=one.is_suspended,
            haircut_bp=haircuts.get(one.id),
        )
        for one in list_instruments()
    ]


@collateral.get("/names/{instrument_id}", response=answers(HaircutOut))
def read_haircut(request: Caller, instrument_id: Id) -> HaircutOut:
    """One name's haircut of today, opened."""
    require(request.auth, "collateral.view")
    instrument = get_instrument(instrument_id)
    found = explain_haircut(instrument_id, now().date())
    return HaircutOut(
        instrument_id=instrument_id,
        symbol=instrument.symbol,
        on=found.on,
        haircut_bp=found.haircut_bp,
        since=found.since,
        target_bp=found.target_bp,
        pending=list(found.pending),
        release=found.release,
        name=_name(found.name) if found.name else None,
    )


@collateral.get("/lists/compare", response=answers(list[ListDifference]))
def compare_lists(
    request: Caller, before: Annotated[int, Field(ge=1, le=10**9)], after: Annotated[int, Field(ge=1, le=10**9)]
) -> list[ListDifference]:
    """Names that two published versions of the lists treat differently, with the haircut (bp) on the first day of each.

    Right: collateral.view.
    """
    require(request.auth, "collateral.view")
    return compare_list_versions(before, after)


@collateral.get("/assessments", response=answers(list[AssessmentRow]))
def read_assessments(request: Caller) -> list[AssessmentRow]:
    """The newest fifty assessments."""
    require(request.auth, "collateral.view")
    return list_assessments()


@collateral.post("/assessments", response=answers(Made, 201))
def assess(request: Caller, wanted: AssessIn) -> Status[Made]:
    """Assess names as of today. It puts nothing in force."""
    at = now()
    made = assess_names(actor=request.auth, on=at.date(), at=at, instrument_ids=wanted.instrument_ids)
    return Status(201, Made(id=made))


@collateral.get("/assessments/{assessment_id}", response=answers(AssessmentOut))
def read_assessment(request: Caller, assessment_id: Id) -> AssessmentOut:
    """One assessment, every name opened."""
    require(request.auth, "collateral.view")
    found = get_assessment(assessment_id)
    return AssessmentOut(
        id=found.id,
        on=found.on,
        at=found.at,
        house_version=found.house_version,
        lists_version=found.lists_version,
        packs=dict(found.packs),
        assumptions=list(found.assumptions),
        names=[_name(one) for one in found.names],
        release=found.release,
    )


@collateral.get("/assessments/{assessment_id}/effect", response=answers(EffectOut))
def read_effect(request: Caller, assessment_id: Id) -> EffectOut:
    """What it would do to the book, on the prices of now."""
    require(request.auth, "collateral.view")
    return EffectOut(**summarise(find_assessment_effect(assessment_id, at=now())))


@collateral.post("/assessments/{assessment_id}/release", response=answers(Made, 201))
def ask_release(request: Caller, assessment_id: Id, wanted: ReleaseIn) -> Status[Made]:
    """Ask a second person to put it in force. Answers with the approval's id."""
    at = now()
    made = request_haircut_release(
        actor=request.auth, assessment_id=assessment_id, on=at.date(), at=at, **wanted.dict()
    )
    return Status(201, Made(id=made))


def _name(found: NameView) -> NameOut:
    return NameOut(
        instrument_id=found.instrument_id,
        symbol=found.symbol,
        regulation_bp=found.regulation_bp,
        house_bp=found.house_bp,
        model_bp=found.model_bp,
        list_bp=found.list_bp,
        haircut_bp=found.haircut_bp,
        binding=found.binding,
        explanation={name: dict(part) for name, part in found.explanation.items()},
    )
