"""The register of models and the inventory of data."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.scoring.selectors.outcomes import OutcomeReport, report_outcomes
from reefpoint.platform.access.services import require
from reefpoint.platform.governance.selectors import (
    find_sources,
    list_model_versions,
    list_readings,
)
from reefpoint.platform.governance.selectors import list_models as read_models
from reefpoint.platform.governance.services import keep_shipped, request_release, suspend_version, validate_version
from reefpoint.platform.governance.types import DriftView, ModelState, ModelView, SourceRow, VersionView
from reefpoint.surfaces.api.base import Caller, Id, In, Made, SafeText, answers, now, router

models = router("models")
Reason = Annotated[str, Field(min_length=1, max_length=500)]


class ModelOut(Schema):
    """A model and the version that stands highest."""

    code: str
    use: str
    kind: str
    tier: int
    name: str
    name_zh: str
    owner: str
    version_id: int
    version: int
    state: ModelState
    is_shipped: bool
    versions: int


class ModelVersionOut(Schema):
    """One version with its facts; `sha256` is of what it runs."""

    id: int
    code: str
    version: int
    state: ModelState
    sha256: str
    facts: dict[str, Any]
    developer: str
    validator: str
    validation: str
    approver: str
    made_at: datetime
    since: datetime
    is_shipped: bool


class ModelStepIn(In):
    """Why, or what was found."""

    reason: Reason


@models.get("", response=answers(list[ModelOut]))
def list_models(request: Caller) -> list[ModelView]:
    """Every model on record."""
    require(request.auth, "models.view")
    keep_shipped(at=now())
    return read_models(request.auth)


@models.get("/sources", response=answers(list[SourceRow]))
def list_sources(request: Caller) -> list[SourceRow]:
    """The inventory of data with the latest look at each source."""
    return find_sources(request.auth)


@models.get("/{code}/versions", response=answers(list[ModelVersionOut]))
def list_versions(request: Caller, code: SafeText) -> list[VersionView]:
    """All versions of a model, newest first; none for a model that is not there."""
    return list_model_versions(request.auth, code)


@models.get("/versions/{version_id}/drift", response=answers(list[DriftView]))
def list_drift(request: Caller, version_id: Id) -> list[DriftView]:
    """Readings of drift of a version, newest first."""
    return list_readings(request.auth, version_id)


@models.get("/versions/{version_id}/outcomes", response=answers(OutcomeReport))
def read_outcomes(request: Caller, version_id: Id) -> OutcomeReport:
    """What came of who a version scored: defaults by grade, and challengers on the same cases."""
    return report_outcomes(request.auth, version_id)


@models.post("/versions/{version_id}/validation", response=answers(None, 204))
def validate(request: Caller, version_id: Id, given: ModelStepIn) -> Status[None]:
    """Answer for a version that somebody else developed."""
    validate_version(actor=request.auth, version_id=version_id, findings=given.reason, at=now())
    return Status(204, None)


@models.post("/versions/{version_id}/release", response=answers(Made, 201))
def release(request: Caller, version_id: Id, given: ModelStepIn) -> Status[Made]:
    """Ask a second person to release a version; the id is the approval's."""
    return Status(
        201, Made(id=request_release(actor=request.auth, version_id=version_id, reason=given.reason, at=now()))
    )


@models.post("/versions/{version_id}/suspension", response=answers(None, 204))
def suspend(request: Caller, version_id: Id, given: ModelStepIn) -> Status[None]:
    """Stop a version at once, for good."""
    suspend_version(actor=request.auth, version_id=version_id, reason=given.reason, at=now())
    return Status(204, None)
