"""The REST interface as such: who is let in, how no is said, what may come in."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from tests.surfaces.api.conftest import Programs
from tests.surfaces.conftest import Desk, SignIn, person

from reefpoint.platform.access.models import Token
from reefpoint.platform.access.services import (
    TokenMalformed,
    actor_for,
    find_actor_for_token,
    issue_token,
    revoke_token,
)
from reefpoint.platform.access.types import RoleName
from reefpoint.records.parties.selectors.licences import list_licences
from reefpoint.surfaces.api import base
from reefpoint.surfaces.web import limits

LICENCE = {
    "jurisdiction": "HK",
    "activity": "margin_lending",
    "permit": "hk.type_8_margin_financing",
    "number": "ABC123",
    "holder": "Reef Securities",
    "valid_from": "2020-01-01",
    "evidence": "register entry",
}
COMPLIANCE = RoleName.COMPLIANCE
pytestmark = pytest.mark.django_db


def test_a_stranger_and_a_wrong_key_are_told_in_a_problem_document(db: None) -> None:
    for headers in ({}, {"Authorization": "Bearer rpt_wrong"}, {"Authorization": "Basic eDp5"}):
        answer = Client().get("/api/v1/licences", headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
        assert answer.json()["code"] == "not_signed_in"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_does_what_its_person_may_and_says_no_to_the_rest(program: Programs) -> None:
    officer = program(COMPLIANCE)
    made = officer.post("licences", LICENCE)
    assert made.status_code == 201
    assert [(one["id"], one["number"]) for one in json.loads(officer.get("licences").content)] == [
        (json.loads(made.content)["id"], "ABC123")
    ]
    refused = program(RoleName.RISK_OFFICER).post("licences", {**LICENCE, "number": "X"})
    assert (refused.status_code, json.loads(refused.content)["code"]) == (403, "permission_refused")
    assert len(list_licences()) == 1


def test_a_refusal_has_the_code_of_the_service(program: Programs) -> None:
    officer = program(COMPLIANCE)
    answer = officer.post("licences", {**LICENCE, "valid_to": "2019-01-01"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (409, "licence_malformed")
    assert list_licences() == []


def test_the_caller_is_told_in_the_language_it_asks_for_and_the_code_stays(program: Programs) -> None:
    officer, chinese = program(COMPLIANCE), {"HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9"}
    refused = json.loads(officer.post("licences", {**LICENCE, "valid_to": "2019-01-01"}, **chinese).content)
    assert (refused["code"], refused["detail"]) == (
        "licence_malformed",
        f"牌照的结束日 2019-01-01 早于开始日 {LICENCE['valid_from']}。",
    )
    wrong = json.loads(officer.post("licences", {**LICENCE, "number": "", "extra": 1}, **chinese).content)
    assert {(one["code"], one["message"]) for one in wrong["errors"]} == {
        ("string_too_short", "至少须有 1 个字符。"),
        ("extra_forbidden", "没有此字段。"),
    }


def test_a_key_narrowed_to_reading_reads_and_no_more(program: Programs) -> None:
    reader = program(COMPLIANCE, rights=["licences.view"])
    assert reader.get("licences").status_code == 200
    assert reader.post("licences", LICENCE).status_code == 403
    assert reader.get("clients").status_code == 403


def test_a_key_loses_what_its_person_loses(program: Programs) -> None:
    officer = program(COMPLIANCE)
    get_user_model().objects.get(pk=person(COMPLIANCE)).roles.clear()  # type: ignore[attr-defined]
    assert officer.get("licences").status_code == 403
    get_user_model().objects.filter(pk=person(COMPLIANCE)).update(is_active=False)
    assert officer.get("licences").status_code == 401


def test_a_key_is_stored_as_a_digest_and_ends_when_it_is_ended_or_runs_out(program: Programs) -> None:
    officer = program(COMPLIANCE)
    token = Token.objects.get()
    assert officer.key not in str(list(Token.objects.values_list()))
    assert find_actor_for_token(officer.key, token.expires_at - timedelta(seconds=1)) is not None
    assert find_actor_for_token(officer.key, token.expires_at) is None
    revoke_token(actor=actor_for(token.user), token_id=token.pk, at=timezone.now())
    assert officer.get("licences").status_code == 401


def test_a_key_carries_no_second_word_and_no_unmasking(program: Programs) -> None:
    actor = find_actor_for_token(program(COMPLIANCE).key, timezone.now())
    assert actor is not None
    assert [name for name in actor.permissions if name.startswith("approvals.decide") or name == "clients.unmask"] == []
    whole = actor_for(get_user_model().objects.get(pk=actor.user_id))
    for rights in (["clients.unmask"], ["no.such"], ["servicing.trade"]):
        with pytest.raises(TokenMalformed):
            issue_token(actor=whole, name="x", rights=rights, days=1, at=timezone.now())
    assert Token.objects.count() == 1


def test_nobody_ends_the_key_of_another_but_an_administrator(signed_in: SignIn, program: Programs) -> None:
    program(COMPLIANCE)
    token = Token.objects.get()
    assert signed_in(RoleName.RISK_OFFICER).post(f"/keys/{token.pk}/end/").status_code == 403
    token.refresh_from_db()
    assert token.revoked_at is None
    signed_in(RoleName.ADMINISTRATOR).post(f"/keys/{token.pk}/end/")
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_a_key_is_shown_once(signed_in: SignIn) -> None:
    officer = signed_in(RoleName.RISK_OFFICER)
    first = officer.post("/keys/", {"name": "nightly export", "days": "30"}).content.decode()
    assert 'value="rpt_' in first
    second = officer.get("/keys/").content.decode()
    assert "nightly export" in second
    assert 'value="rpt_' not in second


def test_a_session_calls_too_but_changes_nothing_without_its_token(signed_in: SignIn) -> None:
    officer = signed_in(COMPLIANCE)
    assert officer.get("/api/v1/licences").json() == []
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = officer.cookies
    answer = strict.post("/api/v1/licences", LICENCE, content_type="application/json")
    assert answer.status_code == 403
    assert list_licences() == []


def test_a_wrong_key_is_not_mended_by_a_session(signed_in: SignIn) -> None:
    answer = signed_in(COMPLIANCE).get("/api/v1/licences", headers={"Authorization": "Bearer rpt_wrong"})
    assert answer.status_code == 401


def test_i66_a_client_of_somebody_else_is_not_found(program: Programs, desk: Desk) -> None:
    manager = program(RoleName.RELATIONSHIP_MANAGER)
    assert manager.get(f"clients/{desk.own_client_id}").status_code == 200
    assert manager.get(f"clients/{desk.other_client_id}").status_code == 404
    assert json.loads(manager.get("clients").content)["count"] == 1


def test_more_calls_than_a_minute_holds_are_turned_away(program: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "CALLS_PER_MINUTE", 2)
    monkeypatch.setattr(limits, "this_window", lambda seconds: 7)
    officer = program(COMPLIANCE)
    assert [officer.get("licences").status_code for _ in range(3)] == [200, 200, 429]
    assert json.loads(officer.get("licences").content)["code"] == "too_many_calls"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("A\x00B", "control"),
        ("A\x1b[2J", "control"),
        ("\ud800", "surrogate"),
        ("invoice\u202egpj.exe", "direction"),
        ("Li\u200bMing", "invisible"),
    ],
)
def test_i69_text_that_hides_something_is_refused_by_name_and_not_repeated(
    program: Programs, text: str, kind: str
) -> None:
    answer = program(COMPLIANCE).post("licences", json.dumps({**LICENCE, "holder": text}))
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["code"]) == (422, "not_valid")
    assert kind in problem["errors"][0]["message"]
    assert text not in answer.content.decode("utf-8", "surrogatepass")
    assert list_licences() == []


def test_i69_a_nul_in_an_address_is_refused(program: Programs) -> None:
    assert program(COMPLIANCE).get("clients", text="a\x00b").status_code == 422


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '"x"', "{}", '{"jurisdiction": {"a": 1}}', '{"valid_from": 1e999}', "[" * 100_000]
)
def test_i69_a_body_of_the_wrong_shape_is_refused(program: Programs, body: str) -> None:
    answer = program(COMPLIANCE).post("licences", body)
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert list_licences() == []


def test_i69_an_unknown_field_and_a_huge_number_are_refused(program: Programs) -> None:
    officer = program(COMPLIANCE)
    assert officer.post("licences", {**LICENCE, "is_admin": True}).status_code == 422
    assert officer.get(f"clients/{10**30}").status_code == 422
    assert officer.get("clients/-1").status_code in {404, 422}
    assert officer.get("clients", offset=10**12).status_code == 422


def test_i69_a_body_beyond_the_limit_is_refused(program: Programs) -> None:
    answer = program(COMPLIANCE).post("licences", json.dumps({**LICENCE, "holder": "x" * 3_000_000}))
    assert (answer.status_code, json.loads(answer.content)["code"]) == (413, "too_large")


def test_an_address_that_is_nowhere_is_answered_in_its_form(program: Programs) -> None:
    assert json.loads(program(COMPLIANCE).get("nowhere/at/all").content)["code"] == "not_found"


def test_the_reference_names_every_call_without_anything_inline(signed_in: SignIn) -> None:
    text = signed_in(RoleName.RISK_OFFICER).get("/api/v1/docs/").content.decode()
    document = Client().get("/api/v1/openapi.json").json()
    for path in document["paths"]:
        assert f"<code>{path}</code>" in text
    assert "<script>" not in text
    assert " style=" not in text
