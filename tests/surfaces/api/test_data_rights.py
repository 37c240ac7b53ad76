"""A field in full, an export and an erasure by call: with their rights, and never more for a key than for a page."""

import io
import zipfile

import pytest
from tests.surfaces.api.conftest import Programs
from tests.surfaces.conftest import NOON, SYSTEM, Desk, SignIn
from tests.surfaces.test_client_pages import WANG

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.records.parties.services import close_client, record_profile

pytestmark = pytest.mark.django_db


def test_i65_a_field_in_full_is_for_people_and_never_for_a_key(
    program: Programs, signed_in: SignIn, desk: Desk
) -> None:
    record_profile(actor=SYSTEM, client_id=desk.own_client_id, draft=WANG, reason="application", at=NOON)
    path, wanted = f"clients/{desk.own_client_id}/unmaskings", {"field": "phone", "reason": "to call back"}
    assert program(RoleName.COMPLIANCE).post(path, wanted).status_code == 403
    assert Entry.objects.filter(action="clients.unmask").count() == 0
    reader = signed_in(RoleName.COMPLIANCE)
    answer = reader.post(f"/api/v1/{path}", wanted, content_type="application/json")
    assert answer.json() == {"field": "phone", "value": WANG.phone}
    assert Entry.objects.get(action="clients.unmask").reason == "to call back"
    short = reader.post(f"/api/v1/{path}", {**wanted, "reason": ""}, content_type="application/json")
    assert short.status_code == 422
    other = signed_in(RoleName.RISK_OFFICER).post(f"/api/v1/{path}", wanted, content_type="application/json")
    assert other.status_code == 403


def test_an_export_and_an_erasure_are_asked_for_by_call(program: Programs, desk: Desk) -> None:
    record_profile(actor=SYSTEM, client_id=desk.own_client_id, draft=WANG, reason="application", at=NOON)
    officer, path = program(RoleName.COMPLIANCE), f"clients/{desk.own_client_id}"
    answer = officer.post(f"{path}/exports", {"reason": "the client asked"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert WANG.name.encode() in archive.read("profiles.json")
    assert program(RoleName.OPERATIONS).post(f"{path}/exports", {"reason": "the client asked"}).status_code == 403
    assert officer.post(f"{path}/erasures", {"reason": "the client asked"}).status_code == 409
    close_client(actor=SYSTEM, client_id=desk.own_client_id, reason="left", at=NOON)
    made = officer.post(f"{path}/erasures", {"reason": "the client asked"})
    assert made.status_code == 201
    assert get_approval(made.json()["id"]).kind == "clients.erase"


def test_a_hold_and_what_has_run_out_are_asked_for_by_call(program: Programs, desk: Desk) -> None:
    officer = program(RoleName.COMPLIANCE)
    hold = {"client_id": desk.own_client_id, "matter": "2026-CV-17", "reason": "a claim"}
    assert program(RoleName.OPERATIONS).post("retention/holds", hold).status_code == 403
    hold_id = officer.post("retention/holds", hold).json()["id"]
    close_client(actor=SYSTEM, client_id=desk.own_client_id, reason="left", at=NOON)
    refused = officer.post(f"clients/{desk.own_client_id}/erasures", {"reason": "the client asked"})
    assert (refused.status_code, refused.json()["code"]) == (409, "under_legal_hold")
    end = {"client_id": desk.own_client_id, "reason": "settled"}
    assert officer.post(f"retention/holds/{hold_id}/lift", end).status_code == 204
    assert officer.get("retention/holds").json()[0]["lift_reason"] == "settled"
    assert [one["client_id"] for one in officer.get("retention/run-out").json()] == [desk.own_client_id]
    made = officer.post("retention/sweeps", {"reason": "yearly"})
    assert get_approval(made.json()["id"]).kind == "clients.erase_run_out"
