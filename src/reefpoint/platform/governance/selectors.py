"""The register: models with their versions, what they came through, drift, and the inventory of sources."""

from collections.abc import Sequence

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import guards_of, verify_guards
from reefpoint.platform.governance.models import (
    DriftReading,
    ModelMove,
    ModelVersion,
    RegisteredModel,
    SourceCheck,
)
from reefpoint.platform.governance.rules import SHIPPED, STANDING, sha256
from reefpoint.platform.governance.types import (
    DataSource,
    Drift,
    DriftVerdict,
    DriftView,
    ModelState,
    ModelView,
    MoveView,
    SourceCheckView,
    SourceRow,
    SourceVerdict,
    VersionView,
)

_sources: dict[str, DataSource] = {}


class UnknownModel(NotFound):
    """No model or version of this name is on record."""


def connect_sources(sources: Sequence[DataSource]) -> None:
    """Make the inventory of sources known to this process; called once at start."""
    global _sources  # noqa: PLW0603 - the one process-wide table, set at start and never changed
    _sources = {source.code: source for source in sources}


def list_sources() -> list[DataSource]:
    """Every source that an app has registered."""
    return list(_sources.values())


def get_source(code: str) -> DataSource:
    """One source by its code. Raises `UnknownModel`."""
    if code not in _sources:
        raise UnknownModel("There is no such source of data.", source=code)
    return _sources[code]


def find_sources(actor: Actor) -> list[SourceRow]:
    """The inventory with the latest look at each source; one query."""
    require(actor, "models.view")
    latest = {row.source: row for row in SourceCheck.objects.order_by("source", "-id").distinct("source")}
    return [
        SourceRow(
            code=source.code,
            name=source.name,
            name_zh=source.name_zh,
            owner=source.owner,
            legal_basis=source.legal_basis,
            legal_basis_zh=source.legal_basis_zh,
            retention=source.retention,
            retention_zh=source.retention_zh,
            fresh_days=source.fresh_days,
            latest=_check(latest[source.code]) if source.code in latest else None,
        )
        for source in list_sources()
    ]


def list_source_checks(actor: Actor, code: str, limit: int = 50) -> list[SourceCheckView]:
    """The history of looks at one source, newest first. Raises `UnknownModel`."""
    require(actor, "models.view")
    get_source(code)
    return [_check(row) for row in SourceCheck.objects.filter(source=code).order_by("-id")[:limit]]


def list_models(actor: Actor) -> list[ModelView]:
    """Every model on record with the version that stands highest; two queries."""
    require(actor, "models.view")
    versions: dict[int, list[ModelVersion]] = {}
    for row in ModelVersion.objects.defer("artifact", "facts").order_by("model_id", "-version"):
        versions.setdefault(row.model_id, []).append(row)
    found = []
    for model in RegisteredModel.objects.order_by("use", "code"):
        own = versions[model.pk]
        best = min(own, key=lambda row: STANDING.index(ModelState(row.state)))
        found.append(
            ModelView(
                code=model.code,
                use=model.use,
                kind=model.kind,
                tier=model.tier,
                name=model.name,
                name_zh=model.name_zh,
                purpose=model.purpose,
                purpose_zh=model.purpose_zh,
                owner=model.owner,
                version_id=best.pk,
                version=best.version,
                state=ModelState(best.state),
                is_shipped=best.developer == SHIPPED,
                versions=len(own),
            )
        )
    return found


def get_model(actor: Actor, code: str) -> ModelView:
    """One model. Raises `UnknownModel`."""
    for model in list_models(actor):
        if model.code == code:
            return model
    raise UnknownModel("There is no such model.", model=code)


def list_model_versions(actor: Actor, code: str) -> list[VersionView]:
    """All versions of a model, newest first."""
    require(actor, "models.view")
    rows = ModelVersion.objects.filter(model__code=code).select_related("model").order_by("-version")
    return [version_view(row) for row in rows.defer("artifact")]


def get_model_version(version_id: int) -> VersionView:
    """One version, for the program. Raises `UnknownModel`."""
    row = ModelVersion.objects.select_related("model").defer("artifact").filter(id=version_id).first()
    if row is None:
        raise UnknownModel("There is no such version of a model.", version_id=version_id)
    return version_view(row)


def read_artifact(version_id: int) -> str:
    """What a version runs, whatever its state: for replaying what it once answered. Raises `UnknownModel`."""
    found = ModelVersion.objects.filter(id=version_id).values_list("artifact", flat=True).first()
    if found is None:
        raise UnknownModel("There is no such version of a model.", version_id=version_id)
    return found


def list_moves(actor: Actor, version_id: int) -> list[MoveView]:
    """What a version came through, newest first."""
    require(actor, "models.view")
    return [
        MoveView(ModelState(row.old), ModelState(row.new), row.by, row.at, row.reason, row.approval_id)
        for row in ModelMove.objects.filter(version_id=version_id).order_by("-id")
    ]


def list_latest_readings(actor: Actor, version_id: int) -> list[DriftView]:
    """The newest reading of each measure of a version, by measure."""
    require(actor, "models.view")
    rows = DriftReading.objects.filter(version_id=version_id).order_by("measure", "-id").distinct("measure")
    return [_reading(row) for row in rows]


def champions_that_drifted() -> set[int]:
    """Champions of which any measure's newest reading calls for action; one query."""
    rows = DriftReading.objects.filter(version__state=ModelState.CHAMPION).order_by("version_id", "measure", "-id")
    newest = rows.distinct("version_id", "measure").values_list("version_id", "verdict")
    return {version_id for version_id, verdict in newest if verdict == DriftVerdict.ACT}


def list_readings(actor: Actor, version_id: int, limit: int = 100) -> list[DriftView]:
    """Readings of drift of a version, newest first."""
    require(actor, "models.view")
    return [_reading(row) for row in DriftReading.objects.filter(version_id=version_id).order_by("-id")[:limit]]


def _reading(row: DriftReading) -> DriftView:
    return DriftView(
        measure=row.measure,
        measured_at=row.measured_at,
        since=row.since,
        until=row.until,
        drift=Drift(row.psi_bp, row.null_bp, row.reference, row.current, DriftVerdict(row.verdict)),
        missing_bp=row.missing_bp,
        reference_missing_bp=row.reference_missing_bp,
    )


def verify_governance() -> list[Finding]:
    """Every version whose artifact is not the one that was registered, and every guard that is gone."""
    findings = [
        Finding("governance.artifact", f"model_version:{row.pk}", "its artifact is not the one that was registered")
        for row in ModelVersion.objects.exclude(state=ModelState.SUSPENDED).order_by("id").iterator(chunk_size=20)
        if sha256(row.artifact) != row.sha256
    ]
    kept = [model._meta.db_table for model in (ModelMove, DriftReading, SourceCheck)]
    return findings + verify_guards(kept, guards_of([ModelVersion._meta.db_table]))


def version_view(row: ModelVersion) -> VersionView:
    """A version as others see it, without its artifact."""
    return VersionView(
        id=row.pk,
        code=row.model.code,
        use=row.use,
        kind=row.model.kind,
        name=row.model.name,
        name_zh=row.model.name_zh,
        version=row.version,
        state=ModelState(row.state),
        sha256=row.sha256,
        facts=row.facts,
        developer=row.developer,
        validator=row.validator,
        validation=row.validation,
        approver=row.approver,
        made_at=row.made_at,
        since=row.since,
        is_shipped=row.developer == SHIPPED,
    )


def _check(row: SourceCheck) -> SourceCheckView:
    return SourceCheckView(
        row.source, row.checked_at, row.rows, row.newest_at, row.failures, SourceVerdict(row.verdict)
    )
