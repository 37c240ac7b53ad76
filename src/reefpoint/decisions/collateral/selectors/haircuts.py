"""Haircuts in force: one small query for every valuation, and where each of them comes from."""

from collections.abc import Collection
from datetime import date

from django.db import connection

from reefpoint.decisions.collateral.models import HaircutRelease, HaircutStep
from reefpoint.decisions.collateral.types import ReleaseView, StepView
from reefpoint.platform.database.bulk import array_literal

_IN_FORCE = """
SELECT i.id, s.haircut_bp
  FROM market_instrument i
 CROSS JOIN LATERAL (
       SELECT haircut_bp FROM collateral_haircutstep
        WHERE instrument_id = i.id AND effective_on <= %s
        ORDER BY release_id DESC, effective_on DESC LIMIT 1) s
"""

_SCHEDULE = """
SELECT i.id, s.effective_on, s.haircut_bp, s.release_id, r.assessment_id
  FROM market_instrument i
 CROSS JOIN LATERAL (
       SELECT * FROM collateral_haircutstep
        WHERE instrument_id = i.id AND effective_on <= %(on)s
        ORDER BY release_id DESC, effective_on DESC LIMIT 1) s
  JOIN collateral_haircutrelease r ON r.id = s.release_id
 WHERE %(ids)s::bigint[] IS NULL OR i.id = ANY(%(ids)s::bigint[])
"""

_PENDING = """
SELECT s.instrument_id, s.effective_on, s.haircut_bp, s.release_id, r.assessment_id
  FROM collateral_haircutstep s JOIN collateral_haircutrelease r ON r.id = s.release_id
 WHERE s.effective_on > %(on)s AND s.effective_on <= coalesce(%(until)s::date, s.effective_on)
   AND (%(ids)s::bigint[] IS NULL OR s.instrument_id = ANY(%(ids)s::bigint[]))
   AND NOT EXISTS (
       SELECT 1 FROM collateral_haircutstep later
        WHERE later.instrument_id = s.instrument_id AND later.release_id > s.release_id
          AND later.effective_on <= s.effective_on)
 ORDER BY s.instrument_id, s.effective_on, s.release_id
"""


def haircuts_in_force(on: date) -> dict[int, int]:
    """The collateral haircut (bp) of each name on a day, by instrument id; nothing for a name never put in force.

    A valuation takes the greater of this and the scheme's own.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [on])
        return dict(cursor.fetchall())


def steps_in_force(on: date, instrument_ids: Collection[int] | None = None) -> dict[int, StepView]:
    """The step of each name that is in force on a day, by instrument id."""
    return {row.instrument_id: row for row in _steps(_SCHEDULE, on, instrument_ids)}


def pending_steps(
    on: date, instrument_ids: Collection[int] | None = None, *, until: date | None = None
) -> dict[int, list[StepView]]:
    """The steps after a day that nothing later has taken the place of, in order, by instrument id."""
    found: dict[int, list[StepView]] = {}
    for row in _steps(_PENDING, on, instrument_ids, until):
        found.setdefault(row.instrument_id, []).append(row)
    return found


def recorded_steps(until: date, instrument_ids: Collection[int]) -> dict[int, list[StepView]]:
    """Every step that was in force on some day up to `until`, in order, by instrument id."""
    return pending_steps(date.min, instrument_ids, until=until)


def _steps(query: str, on: date, instrument_ids: Collection[int] | None, until: date | None = None) -> list[StepView]:
    ids = None if instrument_ids is None else array_literal([*instrument_ids])
    with connection.cursor() as cursor:
        cursor.execute(query, {"on": on, "ids": ids, "until": until})
        return [StepView(*row) for row in cursor.fetchall()]


def has_step_on(on: date) -> bool:
    """Whether any haircut changes on this very day."""
    return HaircutStep.objects.filter(effective_on=on).exists()


def release_view(row: HaircutRelease) -> ReleaseView:
    """A release as others see it."""
    return ReleaseView(
        id=row.pk,
        assessment_id=row.assessment_id,
        approval_id=row.approval_id,
        maker=row.maker,
        checker=row.checker,
        reason=row.reason,
        override_reason=row.override_reason,
        on=row.on,
        at=row.at,
    )
