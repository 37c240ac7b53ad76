"""The life of a model: two people, one champion, a way back when it fails; what drift is, and what it is not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.decisions.scoring.adapters.shipped import read_data
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import approve
from reefpoint.platform.access.services.approvals import SecondPersonNeeded
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.governance import rules
from reefpoint.platform.governance.models import ModelVersion, SourceCheck
from reefpoint.platform.governance.selectors import get_model_version, list_models, verify_governance
from reefpoint.platform.governance.services import (
    NotReleasable,
    ReasonMissing,
    check_sources,
    draft_version,
    finish_development,
    keep_shipped,
    release_approved,
    request_release,
    suspend_version,
    use_champion,
    use_shadows,
    validate_version,
)
from reefpoint.platform.governance.types import DriftVerdict, ModelState, SourceReading, SourceVerdict

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
RIGHTS = frozenset({"models.view", "models.develop", "approvals.request", "approvals.decide:models.release"})
ADA, BEN = (
    Actor(ref=f"user:{number}", name=name, permissions=RIGHTS, user_id=number, sees_all_clients=True)
    for number, name in ((1, "Ada"), (2, "Ben"))
)
CARD = read_data("margin_expert.json")


def champion() -> str:
    found = use_champion(use="margin", at=AT)
    return found.version.label if found else "nobody"


def draft(text: str = CARD.replace('"points": 110', '"points": 111')) -> int:
    return draft_version(actor=ADA, code="margin_expert", artifact=text, facts={"limitations": ["a test"]}, at=AT)


def release(version_id: int) -> None:
    approval_id = request_release(actor=ADA, version_id=version_id, reason="better", at=AT)
    approve(actor=BEN, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=AT)
    release_approved(approval_id=approval_id, at=AT)


def ready() -> int:
    version_id = draft()
    finish_development(actor=ADA, version_id=version_id, at=AT)
    validate_version(actor=BEN, version_id=version_id, findings="Points add up; nothing else changed.", at=AT)
    return version_id


@pytest.fixture
def released() -> Iterator[int]:
    version_id = ready()
    release(version_id)
    release(version_id)
    return version_id


def test_what_is_shipped_is_the_first_champion_and_checked_by_nobody_of_the_desk() -> None:
    assert champion() == "margin_expert v1"
    keep_shipped(at=AT)
    found = list_models(ADA)
    assert [(one.code, one.state, one.is_shipped, one.versions) for one in found] == [
        ("german_boosted", ModelState.SHADOW, True, 1),
        ("german_card", ModelState.CHAMPION, True, 1),
        ("margin_expert", ModelState.CHAMPION, True, 1),
    ]


def test_a_version_runs_in_shadow_before_it_answers_and_the_champion_before_it_retires() -> None:
    version_id = ready()
    release(version_id)
    assert get_model_version(version_id).state is ModelState.SHADOW
    assert champion() == "margin_expert v1"
    assert [one.version.id for one in use_shadows(use="margin")] == [version_id]
    release(version_id)
    assert champion() == "margin_expert v2"
    assert ModelVersion.objects.get(model__code="margin_expert", version=1).state == ModelState.RETIRED


def test_i63_the_developer_neither_validates_nor_releases() -> None:
    version_id = draft()
    finish_development(actor=ADA, version_id=version_id, at=AT)
    with pytest.raises(NotReleasable):
        validate_version(actor=ADA, version_id=version_id, findings="fine", at=AT)
    validate_version(actor=BEN, version_id=version_id, findings="fine", at=AT)
    approval_id = request_release(actor=BEN, version_id=version_id, reason="fine", at=AT)
    payload_hash = get_approval(approval_id).payload_hash
    with pytest.raises(SecondPersonNeeded):
        approve(actor=BEN, approval_id=approval_id, payload_hash=payload_hash, at=AT)
    approve(actor=ADA, approval_id=approval_id, payload_hash=payload_hash, at=AT)
    with pytest.raises(NotReleasable):
        release_approved(approval_id=approval_id, at=AT)
    assert get_model_version(version_id).state is ModelState.VALIDATED
    for field in ("validator", "approver"):
        with pytest.raises(IntegrityError), transaction.atomic():
            ModelVersion.objects.filter(id=version_id).update(**{field: ADA.ref})


def test_a_release_covers_exactly_what_was_shown_once() -> None:
    version_id = ready()
    approval_id = request_release(actor=ADA, version_id=version_id, reason="better", at=AT)
    with pytest.raises(NotReleasable):
        release_approved(approval_id=approval_id, at=AT)
    assert get_approval(approval_id).state is ApprovalState.PENDING
    approve(actor=BEN, approval_id=approval_id, payload_hash=get_approval(approval_id).payload_hash, at=AT)
    suspend_version(actor=ADA, version_id=version_id, reason="an error was found", at=AT)
    with pytest.raises(Refusal):
        release_approved(approval_id=approval_id, at=AT)
    assert champion() == "margin_expert v1"


def test_a_suspended_champion_gives_way_to_the_one_before_it_and_never_returns(released: int) -> None:
    assert champion() == "margin_expert v2"
    with pytest.raises(ReasonMissing):
        suspend_version(actor=BEN, version_id=released, reason=" ", at=AT)
    suspend_version(actor=BEN, version_id=released, reason="grades too kindly", at=AT)
    assert champion() == "margin_expert v1"
    with pytest.raises(InvalidTransition):
        suspend_version(actor=BEN, version_id=released, reason="again", at=AT)


def test_a_champion_whose_artifact_was_changed_is_suspended_and_named_by_the_proof(released: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("UPDATE governance_modelversion SET artifact = artifact || ' ' WHERE id = %s", [released])
        cursor.execute("SET session_replication_role = DEFAULT")
    assert [one.subject for one in verify_governance()] == [f"model_version:{released}"]
    assert champion() == "margin_expert v1"
    assert get_model_version(released).state is ModelState.SUSPENDED


def test_with_no_version_left_nobody_answers(released: int) -> None:
    for version_id in ModelVersion.objects.filter(model__code="margin_expert").values_list("id", flat=True):
        suspend_version(actor=BEN, version_id=version_id, reason="all are wrong", at=AT)
    assert champion() == "nobody"


def test_an_artifact_that_cannot_run_is_no_version_and_none_is_ever_changed() -> None:
    keep_shipped(at=AT)
    with pytest.raises(Refusal, match="no bin holds"):
        draft(CARD.replace('"low": 5000000', '"low": 5000001'))
    assert ModelVersion.objects.filter(model__code="margin_expert").count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.update(artifact="{}")
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.all().delete()


def test_psi_of_a_known_move_has_its_known_value_and_small_samples_say_nothing() -> None:
    drift = rules.measure_drift([500, 500], [600, 400])
    assert (drift.psi_bp, drift.null_bp, drift.verdict) == (405, 77, DriftVerdict.OK)
    assert rules.measure_drift([500, 500], [750, 250]).verdict is DriftVerdict.ACT
    assert rules.measure_drift([500, 500], [680, 320]).verdict is DriftVerdict.INVESTIGATE
    assert rules.measure_drift([500, 500], [199, 0]).verdict is DriftVerdict.INSUFFICIENT
    assert rules.measure_drift([100, 99], [500, 500]).verdict is DriftVerdict.INSUFFICIENT


def test_a_psi_that_chance_explains_is_not_drift_whatever_the_rule_of_thumb_says() -> None:
    reference, current = [20] * 10, [30, 11, 28, 12, 27, 14, 26, 16, 20, 16]
    drift = rules.measure_drift(reference, current)
    assert drift.psi_bp > rules.OK_BP
    assert drift.psi_bp <= drift.null_bp
    assert drift.verdict is DriftVerdict.OK


def test_a_source_that_fails_a_check_is_failing_an_old_one_stale_and_an_empty_one_is_not_good() -> None:
    good = SourceReading(10, AT, {"of no amount": 0})
    assert rules.judge_source(good, 5, AT) is SourceVerdict.GOOD
    assert rules.judge_source(replace(good, newest_at=AT - timedelta(days=6)), 5, AT) is SourceVerdict.STALE
    assert rules.judge_source(replace(good, failures={"of no amount": 1}), 5, AT) is SourceVerdict.FAILING
    assert rules.judge_source(replace(good, rows=0), 5, AT) is SourceVerdict.EMPTY


def test_every_source_is_looked_at_and_the_history_stays() -> None:
    assert check_sources(at=AT)["german"] is SourceVerdict.GOOD
    check_sources(at=AT + timedelta(days=1))
    assert SourceCheck.objects.filter(source="prices", verdict=SourceVerdict.EMPTY).count() == 2
