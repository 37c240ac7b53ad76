"""Proof that what was put in force is as it was approved."""

from reefpoint.decisions.collateral.models import Assessment, HaircutRelease, HaircutStep, NameAssessment
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards

_TABLES = [model._meta.db_table for model in (Assessment, NameAssessment, HaircutRelease, HaircutStep)]


def verify_collateral() -> list[Finding]:
    """Every release whose steps end at another haircut than was assessed, and every guard that is gone."""
    findings = []
    for release in HaircutRelease.objects.order_by("id").prefetch_related("steps", "assessment__names"):
        assessed = {name.instrument_id: name.haircut_bp for name in release.assessment.names.all()}
        last: dict[int, int] = {}
        for step in sorted(release.steps.all(), key=lambda step: step.effective_on):
            last[step.instrument_id] = step.haircut_bp
        findings += [
            Finding(
                "collateral.steps",
                f"haircut_release:{release.pk}",
                f"the steps of instrument {instrument_id} end at {haircut_bp} bp and {assessed.get(instrument_id)}"
                " was assessed",
            )
            for instrument_id, haircut_bp in sorted(last.items())
            if assessed.get(instrument_id) != haircut_bp
        ]
    return findings + verify_guards(_TABLES)
