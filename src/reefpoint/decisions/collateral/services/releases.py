"""Putting an assessment in force after a second person: less is lent step by step with notice, more at once."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from reefpoint.decisions.collateral import rules
from reefpoint.decisions.collateral.events import CollateralChanged
from reefpoint.decisions.collateral.models import Assessment, HaircutRelease, HaircutStep
from reefpoint.decisions.collateral.selectors.assessments import AssessmentNotFound
from reefpoint.decisions.collateral.selectors.haircuts import has_step_on, pending_steps, steps_in_force
from reefpoint.decisions.collateral.selectors.house import PUBLISH, published_house, read_house
from reefpoint.decisions.collateral.selectors.model import own_haircuts
from reefpoint.decisions.collateral.types import Ramp, Step
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.accounts.selectors.accounts import scheme_versions_in_use
from reefpoint.records.market.selectors.calendar import get_calendar
from reefpoint.records.market.selectors.instruments import list_instruments
from reefpoint.records.market.types import VENUE
from reefpoint.records.products.selectors import get_terms

RELEASE_LOCK = 20_261_123
"""Of `pg_advisory_xact_lock`: two releases at once would each ramp from what the other is changing."""


class NotReleasable(Refusal):
    """An assessment that cannot be put in force now."""

    code = "not_releasable"


def plan_release(assessment_id: int, on: date) -> dict[int, tuple[Step, ...]]:
    """The steps that putting an assessment in force on a day would bring, by instrument id.

    Names that stay as they are are left out. A name never put in force starts from the least that any scheme version
    in use asks of it.
    """
    assessment = _assessment(assessment_id)
    house = read_house(assessment.house_id)
    targets = dict(assessment.names.values_list("instrument_id", "haircut_bp"))
    now, pending = steps_in_force(on, targets), pending_steps(on, targets)
    own = own_haircuts([one for one in list_instruments() if one.id in targets], on)
    ramp = _ramp(house.ramp)
    days = rules.ramp_days(get_calendar(VENUE), on, ramp)
    planned = {}
    for instrument_id, target_bp in sorted(targets.items()):
        step = now.get(instrument_id)
        steps = rules.plan_steps(
            now_bp=step.haircut_bp if step else min(own.get(instrument_id, [0])),
            pending=[Step(one.effective_on, one.haircut_bp) for one in pending.get(instrument_id, [])],
            target_bp=target_bp,
            days=days,
            ramp=ramp,
        )
        if steps:
            planned[instrument_id] = steps
    return planned


def _ramp(house: Ramp) -> Ramp:
    """The house's ramp with the longest notice that it or any scheme version in use promises."""
    promised = (get_terms(version_id).haircut_notice_sessions for version_id in scheme_versions_in_use())
    return Ramp(max(house.notice_sessions, *promised, 0), house.step_bp)


@transaction.atomic
def release_haircuts(
    *,
    actor: Actor,
    assessment_id: int,
    approval_id: int,
    maker: str,
    checker: str,
    reason: str,
    override_reason: str,
    effect: Mapping[str, Any],
    on: date,
    at: datetime,
) -> int:
    """Put an approved assessment in force from `on`. Returns the release's id; the same again is the same one.

    The caller has compared the approval with what was shown. Raises `NotReleasable`.
    """
    require(actor, PUBLISH)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RELEASE_LOCK])
    known = HaircutRelease.objects.filter(assessment_id=assessment_id).first()
    if known is not None:
        return known.pk
    check_releasable(assessment_id)
    planned = plan_release(assessment_id, on)
    release = HaircutRelease.objects.create(
        assessment_id=assessment_id,
        approval_id=approval_id,
        maker=maker,
        checker=checker,
        reason=reason,
        override_reason=override_reason,
        effect=dict(effect),
        on=on,
        at=at,
    )
    HaircutStep.objects.bulk_create(
        HaircutStep(
            release=release, instrument_id=instrument_id, effective_on=step.effective_on, haircut_bp=step.haircut_bp
        )
        for instrument_id, steps in planned.items()
        for step in steps
    )
    record(
        actor=actor,
        action="collateral.release",
        subject=f"collateral_assessment:{assessment_id}",
        reason=reason,
        inputs={
            "approval_id": approval_id,
            "checker": checker,
            "names": len(planned),
            "override_reason": override_reason,
        },
        at=at,
    )
    publish(CollateralChanged(at=at, on=on))
    return release.pk


def check_releasable(assessment_id: int) -> None:
    """Raise `NotReleasable` for an assessment that a newer one has overtaken."""
    assessment = _assessment(assessment_id)
    if HaircutRelease.objects.filter(assessment_id__gt=assessment.pk).exists():
        raise NotReleasable("A newer assessment is in force. Assess the names again.", assessment_id=assessment_id)


def announce_day(*, on: date, at: datetime) -> bool:
    """At a day's beginning, tell the monitor if haircuts or valuations of suspended names change with the day (I16)."""
    is_changed = has_step_on(on) or (
        any(one.is_suspended for one in list_instruments()) and published_house(on) is not None
    )
    if is_changed:
        publish(CollateralChanged(at=at, on=on))
    return is_changed


def _assessment(assessment_id: int) -> Assessment:
    row = Assessment.objects.filter(id=assessment_id).first()
    if row is None:
        raise AssessmentNotFound("There is no assessment {assessment_id}.", assessment_id=assessment_id)
    return row
