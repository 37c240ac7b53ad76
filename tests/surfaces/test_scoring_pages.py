"""Models and scores on pages and by call: a version drafted, validated and stopped; a client scored and opened."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.decisions.scoring.people import WEALTHY
from tests.surfaces.conftest import NOON, SYSTEM, Book, SignIn, person

from reefpoint.decisions.scoring.adapters.shipped import read_data
from reefpoint.decisions.scoring.models import FeatureSet, Score
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.governance.models import ModelVersion
from reefpoint.records.parties.services.profiles import record_profile
from reefpoint.records.parties.types import ClientKind, ProfileDraft

pytestmark = pytest.mark.django_db
CARD = read_data("margin_expert.json")
MODEL = "/models/margin_expert/"


def upload(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("card.json", text.encode(), "application/json")


def test_a_version_is_drafted_finished_and_validated_by_somebody_else(signed_in: SignIn) -> None:
    ada, ben = signed_in(RoleName.RISK_OFFICER), signed_in(RoleName.RISK_OFFICER, RoleName.COMPLIANCE)
    assert person(RoleName.RISK_OFFICER) != person(RoleName.RISK_OFFICER, RoleName.COMPLIANCE)
    changed = CARD.replace('"points": 110', '"points": 120')
    assert ada.post(f"{MODEL}draft/", {"artifact": upload(changed), "note": "wealth counts more"}).status_code == 302
    version = ModelVersion.objects.get(model__code="margin_expert", version=2)
    steps = f"{MODEL}versions/{version.pk}"
    ada.post(f"{steps}/finish/")
    refused = ada.post(f"{steps}/validate/", {"reason": "I looked at it myself"})
    assert refused.status_code == 409
    assert "cannot validate it" in refused.content.decode()
    ben.post(f"{steps}/validate/", {"reason": "Sums and edges looked at."})
    asked = ada.post(f"{steps}/release/", {"reason": "wealth counts more"})
    assert "/approvals/" in asked.headers["Location"]
    shown = ben.get(f"{MODEL}?version=2").content.decode()
    assert "Sums and edges looked at." in shown
    version.refresh_from_db()
    assert version.state == "validated"


def test_a_card_with_a_gap_is_refused_with_the_place_and_nothing_is_kept(signed_in: SignIn) -> None:
    spoiled = CARD.replace('"low": 5000000', '"low": 5000001')
    for artifact, problem in ((spoiled, "no bin holds 5000000"), ("{", "not JSON")):
        page = signed_in(RoleName.RISK_OFFICER).post(f"{MODEL}draft/", {"artifact": upload(artifact), "note": "x"})
        assert page.status_code == 409
        assert problem in page.content.decode()
    assert ModelVersion.objects.filter(model__code="margin_expert").count() == 1


def test_a_client_is_scored_and_the_score_opens_to_its_points_and_rows(signed_in: SignIn, book: Book) -> None:
    client_id = book.desk.own_client_id
    draft = ProfileDraft(kind=ClientKind.INDIVIDUAL, name="Own", **WEALTHY)  # type: ignore[arg-type]
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="said so", at=NOON)
    credit = signed_in(RoleName.CREDIT_OFFICER)
    address = reverse("console:client_score", args=[client_id])
    assert "never scored" in credit.get(address).content.decode()
    assert credit.post(f"{address}now/").status_code == 302
    page = credit.get(address).content.decode()
    assert "The portfolio is nearly one name" in page
    assert f"parties_profile {client_id}:1" in page
    rows = credit.get(f"{address}?format=csv").content.decode().splitlines()
    assert len(rows) == 31
    assert any("annual_income" in row and "250,000.00" in row for row in rows)
    compliance = signed_in(RoleName.COMPLIANCE)
    assert compliance.get(address).status_code == 200
    assert compliance.post(f"{address}now/").status_code == 403
    assert Score.objects.count() == 1


def test_i66_a_manager_sees_scores_of_their_own_clients_alone(signed_in: SignIn, book: Book) -> None:
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    assert manager.get(reverse("console:client_score", args=[book.desk.other_client_id])).status_code == 404
    assert manager.get(f"/api/v1/scoring/clients/{book.desk.other_client_id}/scores").status_code == 404


def test_features_are_built_scored_and_opened_by_call(signed_in: SignIn, book: Book) -> None:
    credit = signed_in(RoleName.CREDIT_OFFICER)
    offered = {"portfolio": [{"instrument_id": book.desk.instruments["AAPL"], "quantity": 100}]}
    built = credit.post(
        f"/api/v1/scoring/clients/{book.desk.own_client_id}/features", json.dumps(offered), "application/json"
    )
    assert built.status_code == 201, built.content
    found = built.json()
    assert {one["code"]: one["missing"] for one in found["values"]}["annual_income"] == "not_asked"
    scored = credit.post(f"/api/v1/scoring/features/{found['id']}/score").json()
    assert (scored["points"], scored["grade"]) == (None, "")
    assert credit.get(f"/api/v1/scoring/scores/{scored['id']}").json()["score"]["missing"] == scored["missing"]
    strange = {"portfolio": [{"instrument_id": 999_999, "quantity": 1}]}
    refused = credit.post(
        f"/api/v1/scoring/clients/{book.desk.own_client_id}/features", json.dumps(strange), "application/json"
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "unknown_holding")
    assert FeatureSet.objects.count() == 1
