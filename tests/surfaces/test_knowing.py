"""The pages of KYC and suitability: what is typed is recorded or refused in words, and never crosses a scope."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.surfaces.conftest import Desk, SignIn

from reefpoint.decisions.kyc.models import KycAssessment
from reefpoint.decisions.kyc.selectors import RATING
from reefpoint.decisions.suitability.models import Assessment, SegmentRecord
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.publications.models import Publication

ANSWERS = dict.fromkeys(
    ("income", "share", "debts", "years", "products", "trades", "horizon", "objective", "loss", "fall"), "c"
) | {"more_than_paid_in": "c", "forced_sale": "c", "changing_lines": "b"}


def test_a_questionnaire_is_answered_on_a_page_or_refused_beside_the_question(signed_in: SignIn, desk: Desk) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    address = reverse("console:questionnaire_answer", args=[desk.own_client_id])
    partly = manager.post(address, {key: value for key, value in ANSWERS.items() if key != "loss"} | {"version": "1"})
    assert (partly.status_code, partly.content.decode().count('id="problem-')) == (422, 1)
    assert not Assessment.objects.exists()
    assert manager.post(address, {**ANSWERS, "version": "2"}).status_code == 409
    assert manager.post(address, {**ANSWERS, "version": "1"}).status_code == 302
    assert Assessment.objects.get().tolerance == "C4"


def test_i66_no_page_of_another_s_client_opens(signed_in: SignIn, desk: Desk) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    for name in ("kyc", "suitability", "questionnaire_answer"):
        assert manager.get(reverse(f"console:{name}", args=[desk.other_client_id])).status_code == 404
    foreign = [desk.other_client_id]
    assert manager.post(reverse("console:questionnaire_answer", args=foreign), ANSWERS).status_code == 404
    assert manager.post(reverse("console:suitability_record", args=foreign), {"step": "acknowledge"}).status_code == 404
    assert manager.post(reverse("console:kyc_review", args=[desk.own_client_id]), {"step": "assess"}).status_code == 403
    assert not Assessment.objects.exists()
    assert not KycAssessment.objects.exists()


def test_a_client_is_assessed_and_reviewed_on_a_page(signed_in: SignIn, desk: Desk) -> None:
    compliance = signed_in(RoleName.COMPLIANCE)
    address = reverse("console:kyc_review", args=[desk.own_client_id])
    assert compliance.post(address, {"step": "assess"}).status_code == 302
    assert KycAssessment.objects.get().rating == ""
    assert "Waits for a person" in compliance.get(reverse("console:kyc_reviews")).content.decode()
    assert reverse("console:kyc", args=[desk.own_client_id]) in compliance.get("/").content.decode()
    assert compliance.post(address, {"step": "review", "rating": "", "note": "seen"}).status_code == 409
    assert compliance.post(address, {"step": "review", "rating": "high", "note": "seen \x00 it"}).status_code == 302
    assert [(row.rating, row.note) for row in KycAssessment.objects.order_by("id")] == [("", ""), ("high", "seen  it")]


SEGMENT = {
    "step": "segment",
    "jurisdiction": "US",
    "segment": "professional",
    "liquid_assets": "0",
    "annual_income": "300k",
    "net_worth": "50万",
    "trading_years": "3",
    "evidence": "Tax return",
}


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 302),
        ({"annual_income": "100k"}, 409),
        ({"net_worth": "much"}, 409),
        ({"trading_years": "-1"}, 409),
        ({"evidence": " "}, 409),
        ({"jurisdiction": "<script>"}, 409),
    ],
)
def test_a_segment_is_recorded_or_refused_in_words(
    signed_in: SignIn, desk: Desk, changes: dict[str, str], status: int
) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    address = reverse("console:suitability_record", args=[desk.own_client_id])
    assert manager.post(address, SEGMENT | changes).status_code == status
    assert SegmentRecord.objects.count() == (status == 302)


def upload(content: bytes) -> dict[str, Any]:
    return {
        "content": SimpleUploadedFile("table.json", content, "application/json"),
        "effective_from": "2090-01-01",
        "reason": "new figures",
    }


def test_a_table_goes_down_and_up_again_and_to_a_second_person(signed_in: SignIn, desk: Desk) -> None:
    compliance = signed_in(RoleName.COMPLIANCE)
    address = reverse("console:rating_table")
    content = compliance.get(address, {"format": "json"}).content
    assert json.loads(content) == RATING.shipped()
    answer = compliance.post(address, upload(content.replace(b'"change_days": 30', b'"change_days": 20')))
    approval = get_approval(int(answer.headers["Location"].rstrip("/").rpartition("/")[2]))
    assert (approval.kind, approval.payload["version"]) == ("kyc.publish", 2)
    draft = compliance.get(address, {"version": "2"})
    assert (draft.status_code, "Draft" in draft.content.decode()) == (200, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"months": 1.5}',
        b'{"months": NaN}',
        b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": "' + b"x" * 1_000_001 + b'"}',
    ],
)
def test_i69_an_upload_that_cannot_be_published_leaves_nothing(signed_in: SignIn, desk: Desk, content: bytes) -> None:
    compliance = signed_in(RoleName.COMPLIANCE)
    for name in ("rating_table", "questionnaire", "offers"):
        answer = compliance.post(reverse(f"console:{name}"), upload(content))
        assert (answer.status_code, "errors" in answer.content.decode()) == (422, True)
    assert not Publication.objects.exists()


def test_nobody_but_compliance_uploads_a_table(signed_in: SignIn, desk: Desk) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    assert manager.post(reverse("console:offers"), upload(b"{}")).status_code == 403
