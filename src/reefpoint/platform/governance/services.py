"""Putting models on record, moving their versions through their life, and finding the one that answers for a use."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.governance import rules
from reefpoint.platform.governance.events import ModelMoved
from reefpoint.platform.governance.models import DriftReading, ModelMove, ModelVersion, RegisteredModel, SourceCheck
from reefpoint.platform.governance.selectors import UnknownModel, list_sources, version_view
from reefpoint.platform.governance.types import (
    Drift,
    Facts,
    ModelInUse,
    ModelKind,
    ModelState,
    Sample,
    ShippedModel,
    SourceVerdict,
)

RELEASE = "models.release"
DEVELOP = "models.develop"
KEEPER = system_actor("governance")
REASON_CHARS_MAX = 500

_shipped: dict[str, ShippedModel] = {}
_kinds: dict[str, ModelKind] = {}


class NotReleasable(Refusal):
    """A version that cannot go where it is asked to go."""

    code = "model_not_releasable"


class ReasonMissing(Refusal):
    """A step of a model's life without a word on why."""

    code = "reason_missing"


def connect(models: Sequence[ShippedModel], kinds: Sequence[ModelKind]) -> None:
    """Make what comes with the program known to this process; called once at start."""
    global _shipped, _kinds
    _shipped, _kinds = {model.code: model for model in models}, {kind.name: kind for kind in kinds}


@transaction.atomic
def keep_shipped(*, at: datetime) -> None:
    """Put on record every model that comes with the program, unless its artifact is on record already.

    The first version starts in the state it is shipped in, and is marked as checked by nobody of the desk. Another
    artifact of a later program is a further version, which the desk validates and releases like its own.
    """
    known: dict[str, set[str]] = {}
    for code, digest in ModelVersion.objects.filter(developer=rules.SHIPPED).values_list("model__code", "sha256"):
        known.setdefault(code, set()).add(digest)
    for shipped in _shipped.values():
        artifact = shipped.artifact()
        digest = rules.sha256(artifact)
        if digest not in known.get(shipped.code, set()):
            _keep(shipped, artifact, digest, is_first=shipped.code not in known, at=at)


def _keep(shipped: ShippedModel, artifact: str, digest: str, *, is_first: bool, at: datetime) -> None:
    lock_name(f"model:{shipped.code}")
    model, _ = RegisteredModel.objects.get_or_create(
        code=shipped.code,
        defaults={
            "use": shipped.use,
            "kind": shipped.kind.name,
            "tier": shipped.tier,
            "name": shipped.name,
            "name_zh": shipped.name_zh,
            "purpose": shipped.purpose,
            "purpose_zh": shipped.purpose_zh,
            "owner": shipped.owner,
        },
    )
    if model.versions.filter(sha256=digest, developer=rules.SHIPPED).exists():
        return
    is_taken = ModelVersion.objects.filter(use=shipped.use, state=ModelState.CHAMPION).exists()
    state = shipped.state if is_first and not (is_taken and shipped.state is ModelState.CHAMPION) else _FRESH
    _create(model, artifact, shipped.facts(), developer=rules.SHIPPED, state=state, by=KEEPER, at=at)


_FRESH = ModelState.DEVELOPED


def _create(
    model: RegisteredModel,
    artifact: str,
    facts: Facts,
    *,
    developer: str,
    state: ModelState,
    by: Actor,
    at: datetime,
) -> ModelVersion:
    newest = model.versions.order_by("-version").values_list("version", flat=True).first() or 0
    row = ModelVersion.objects.create(
        model=model,
        use=model.use,
        version=newest + 1,
        state=state,
        since=at,
        artifact=artifact,
        sha256=rules.sha256(artifact),
        facts=dict(facts),
        developer=developer,
        made_at=at,
    )
    record(
        actor=by,
        action="models.register",
        subject=f"model_version:{row.pk}",
        inputs={"model": model.code, "version": row.version, "sha256": row.sha256, "state": state},
        at=at,
    )
    return row


@transaction.atomic
def draft_version(*, actor: Actor, code: str, artifact: str, facts: Facts, at: datetime) -> int:
    """Put a further version of a model on record as a draft. Returns its id; whoever does it is its developer.

    Raises `UnknownModel`, and what the kind's check raises for an artifact that cannot run.
    """
    require(actor, DEVELOP)
    keep_shipped(at=at)
    lock_name(f"model:{code}")
    model = RegisteredModel.objects.filter(code=code).first()
    if model is None:
        raise UnknownModel("There is no such model.", model=code)
    _kinds[model.kind].check(artifact)
    return _create(model, artifact, facts, developer=actor.ref, state=ModelState.DRAFT, by=actor, at=at).pk


@transaction.atomic
def finish_development(*, actor: Actor, version_id: int, at: datetime) -> None:
    """Its developer says that a draft is complete and can be validated."""
    require(actor, DEVELOP)
    row = _locked(version_id)
    if row.developer != actor.ref:
        raise NotReleasable("Whoever developed this version says when it is complete.", version_id=version_id)
    _move(row, ModelState.DEVELOPED, by=actor, reason="", at=at)


@transaction.atomic
def validate_version(*, actor: Actor, version_id: int, findings: str, at: datetime) -> None:
    """Somebody else than its developer looked at a version and answers for it; `findings` say at what, and what for.

    Raises `NotReleasable` for the developer, `ReasonMissing`, `InvalidTransition`.
    """
    require(actor, DEVELOP)
    row = _locked(version_id)
    if row.developer == actor.ref:
        raise NotReleasable("Whoever developed a version cannot validate it.", version_id=version_id)
    if not findings.strip():
        raise ReasonMissing("Say what was looked at, and what was found.")
    row.validator, row.validation = actor.ref, findings.strip()[:2000]
    _move(row, ModelState.VALIDATED, by=actor, reason=findings.strip()[:REASON_CHARS_MAX], at=at)


@transaction.atomic
def request_release(*, actor: Actor, version_id: int, reason: str, at: datetime) -> int:
    """Ask a second person to let a version run: in shadow first, then as the champion. Returns the approval's id.

    Raises `NotReleasable` for a version in no state to be released, `ReasonMissing`.
    """
    require(actor, DEVELOP)
    row = _locked(version_id)
    if not reason.strip():
        raise ReasonMissing("Say why it should be released: the second person reads it.")
    _release_of(row)
    return request_approval(
        actor=actor,
        kind=RELEASE,
        subject=f"model_version:{version_id}",
        payload=_payload(row),
        reason=reason.strip()[:REASON_CHARS_MAX],
        at=at,
    )


@transaction.atomic
def release_approved(*, approval_id: int, at: datetime) -> None:
    """Do exactly the release that was approved; the champion before it retires. Idempotent.

    Raises `NotReleasable` when it was not given, not for this artifact, or by the version's developer.
    """
    approval = get_approval(approval_id)
    if approval.kind != RELEASE or ModelMove.objects.filter(approval_id=approval_id).exists():
        return
    row = _locked(int(approval.subject.rpartition(":")[2]))
    if approval.state is not ApprovalState.APPROVED or not approval.decided_by:
        raise NotReleasable("This release was not approved.", approval_id=approval_id)
    if approval.payload != _payload(row):
        raise NotReleasable("What was approved is not this version as it stands.", approval_id=approval_id)
    if approval.decided_by == row.developer:
        raise NotReleasable("Whoever developed a version cannot release it.", approval_id=approval_id)
    new = _release_of(row)
    if row.state == ModelState.VALIDATED:
        row.approver = approval.decided_by
        _move(row, ModelState.APPROVED, by=KEEPER, reason=approval.reason, at=at)
    if new is ModelState.CHAMPION:
        _retire_champion(row.use, by=KEEPER, at=at)
    if not row.approver:
        row.approver = approval.decided_by
    _move(row, new, by=KEEPER, reason=approval.reason, at=at, approval_id=approval_id)


@transaction.atomic
def suspend_version(*, actor: Actor, version_id: int, reason: str, at: datetime) -> None:
    """Stop a version at once, for good; one person is enough to stop. The champion before it answers again.

    Raises `ReasonMissing`, `InvalidTransition`.
    """
    require(actor, DEVELOP)
    if not reason.strip():
        raise ReasonMissing("Say why it is suspended.")
    _suspend(_locked(version_id), by=actor, reason=reason.strip()[:REASON_CHARS_MAX], at=at)


def _suspend(row: ModelVersion, *, by: Actor, reason: str, at: datetime) -> None:
    was_champion = row.state == ModelState.CHAMPION
    _move(row, ModelState.SUSPENDED, by=by, reason=reason, at=at)
    if was_champion:
        _fall_back(row.use, at=at)


def _fall_back(use: str, *, at: datetime) -> ModelVersion | None:
    """Let the last champion before answer again, if its artifact is whole."""
    retired = ModelVersion.objects.select_for_update().filter(use=use, state=ModelState.RETIRED)
    for row in retired.order_by("-since", "-id"):
        if rules.sha256(row.artifact) == row.sha256:
            _move(row, ModelState.CHAMPION, by=KEEPER, reason=str(Sentence("the champion was suspended")), at=at)
            return row
    return None


@transaction.atomic
def use_champion(*, use: str, at: datetime) -> ModelInUse | None:
    """The version that answers for a use, with its artifact; None when there is none that can be trusted.

    A champion whose artifact is not the one that was registered is suspended on the spot, and the one before it
    answers. Whoever asks must refer its case to a person when nobody answers.
    """
    row = _champion(use)
    if row is None and not ModelVersion.objects.filter(use=use).exists():
        keep_shipped(at=at)
        row = _champion(use)
    while row is not None and rules.sha256(row.artifact) != row.sha256:
        _suspend(
            _locked(row.pk), by=KEEPER, reason=str(Sentence("its artifact is not the one that was registered")), at=at
        )
        row = _champion(use)
    return None if row is None else ModelInUse(version_view(row), row.artifact)


def use_shadows(*, use: str) -> list[ModelInUse]:
    """The versions that run in shadow for a use; one whose artifact is not whole is left out."""
    rows = ModelVersion.objects.filter(use=use, state=ModelState.SHADOW).select_related("model").order_by("id")
    return [ModelInUse(version_view(row), row.artifact) for row in rows if rules.sha256(row.artifact) == row.sha256]


def _champion(use: str) -> ModelVersion | None:
    return ModelVersion.objects.filter(use=use, state=ModelState.CHAMPION).select_related("model").first()


def _retire_champion(use: str, *, by: Actor, at: datetime) -> None:
    for row in ModelVersion.objects.select_for_update().filter(use=use, state=ModelState.CHAMPION):
        _move(row, ModelState.RETIRED, by=by, reason=str(Sentence("another version takes over")), at=at)


def _locked(version_id: int) -> ModelVersion:
    row = ModelVersion.objects.select_for_update(of=("self",)).select_related("model").filter(id=version_id).first()
    if row is None:
        raise UnknownModel("There is no such version of a model.", version_id=version_id)
    return row


def _release_of(row: ModelVersion) -> ModelState:
    new = rules.RELEASES.get(ModelState(row.state))
    if new is None:
        raise NotReleasable(
            "This version is {state} and cannot be released. A version is validated first, then runs in shadow.",
            version_id=row.pk,
            state=ModelState(row.state),
        )
    if rules.sha256(row.artifact) != row.sha256:
        raise NotReleasable("The artifact is not the one that was registered.", version_id=row.pk)
    return new


def _payload(row: ModelVersion) -> dict[str, Any]:
    """What the second person sees and answers for."""
    return {
        "model": row.model.code,
        "version": row.version,
        "artifact_sha256": row.sha256,
        "from": row.state,
        "to": _release_of(row).value,
        "developer": row.developer,
        "validator": row.validator,
        "validation": row.validation,
        "facts_sha256": rules.sha256(json.dumps(row.facts, sort_keys=True)),
    }


def _move(
    row: ModelVersion,
    new: ModelState,
    *,
    by: Actor,
    reason: str,
    at: datetime,
    approval_id: int | None = None,
) -> None:
    old = ModelState(row.state)
    rules.STATES.check(old, new)
    row.state, row.since = new, at
    row.save(update_fields=["state", "since", "validator", "validation", "approver"])
    ModelMove.objects.create(
        version=row, old=old, new=new, by=by.ref, at=at, reason=reason[:REASON_CHARS_MAX], approval_id=approval_id
    )
    record(
        actor=by,
        action="models.move",
        subject=f"model_version:{row.pk}",
        reason=reason,
        inputs={"old": old, "new": new, "sha256": row.sha256, "approval_id": approval_id},
        at=at,
    )
    publish(ModelMoved(version_id=row.pk, use=row.use, old=old, new=new, at=at))


# Watching what runs


@transaction.atomic
def record_drift(
    *,
    version_id: int,
    measure: str,
    reference: Sample,
    current: Sample,
    missing: tuple[int, int] = (0, 0),
    since: date,
    until: date,
    at: datetime,
) -> Drift:
    """Measure how far a sample has moved from its reference, and keep the reading.

    `missing` counts cases without a value in (reference, current), beside those in the bands.
    """
    drift = rules.measure_drift(reference, current)
    DriftReading.objects.create(
        version_id=version_id,
        measure=measure,
        measured_at=at,
        since=since,
        until=until,
        psi_bp=drift.psi_bp,
        null_bp=drift.null_bp,
        reference=drift.reference,
        current=drift.current,
        reference_missing_bp=_share_bp(missing[0], drift.reference),
        missing_bp=_share_bp(missing[1], drift.current),
        verdict=drift.verdict,
    )
    return drift


def _share_bp(part: int, others: int) -> int:
    return part * rules.WHOLE_BP // (part + others) if part else 0


@transaction.atomic
def check_sources(*, at: datetime) -> Mapping[str, SourceVerdict]:
    """Look at every source of the inventory and keep what was found. Returns the verdicts by source."""
    verdicts = {}
    for source in list_sources():
        reading = source.read(at)
        verdict = rules.judge_source(reading, source.fresh_days, at)
        SourceCheck.objects.create(
            source=source.code,
            checked_at=at,
            rows=reading.rows,
            newest_at=reading.newest_at,
            failures=dict(reading.failures),
            verdict=verdict,
        )
        verdicts[source.code] = verdict
    return verdicts
