"""What programs can do about clients, and what they never see or touch of others."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.surfaces.api.conftest import Program
from tests.surfaces.portal.conftest import Applicant, NewApplicant, applicant, offered, picture

from reefpoint.flows.origination.models import Application, Lead
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.platform.access.services import find_actor, issue_token
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.models import Consent, Document

pytestmark = pytest.mark.django_db
__all__ = ["applicant", "offered"]
NUMBERS = ("P12345678", "078-05-1120", "078051120", "000123456789")


def key_of(actor: Actor) -> Program:
    """A program that calls as this person."""
    return Program(issue_token(actor=actor, name="a test", rights=None, days=1, at=timezone.now()).text)


def test_a_client_applies_by_calls_alone(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    program = key_of(find_actor("fang@mail.test"))
    own = json.loads(program.get("applications/own").content)
    path = f"applications/{own['id']}/sections/tax"
    answers = {"tax_residences": [{"country": "US", "tax_number": "078-05-1120"}]}
    saved = put(program, path, {"answers": answers})
    assert saved == (200, {"is_saved": True, "problems": []})
    assert json.loads(program.get(path).content) == {"answers": answers}
    wrong = put(program, path, {"answers": {"tax_residences": [{"country": "ZZ"}]}})
    assert wrong[1]["is_saved"] is False
    assert {"field": "tax_residences.0.country", "code": "not_a_country"} in wrong[1]["problems"]
    assert json.loads(program.get(path).content) == {"answers": answers}
    found = json.loads(program.post(f"applications/{own['id']}/submission", {}).content)
    assert found["outcome"] == "stopped"
    assert fang.application.state is ApplicationState.DRAFT


def put(program: Program, path: str, body: Any) -> tuple[int, Any]:
    answer = Client().put(f"/api/v1/{path}", body, content_type="application/json", headers=program.headers)
    return answer.status_code, answer.json()


def test_i66_a_client_reaches_nothing_of_another_by_any_id(applicant: NewApplicant) -> None:
    fang, eve = applicant("Fang"), applicant("Eve")
    fang.complete()
    fang.post("review/")
    eve.begin()
    program = key_of(find_actor("eve@mail.test"))
    client_id, application_id = fang.application.client_id, fang.application.id
    [document_id, *_] = Document.objects.filter(client_id=client_id).values_list("id", flat=True)
    consent_id = Consent.objects.filter(client_id=client_id).values_list("id", flat=True)[0]
    before = (Application.objects.get(id=application_id).state, Consent.objects.filter(withdrawn_at=None).count())
    entries = Entry.objects.count()
    reads = [
        f"clients/{client_id}",
        f"clients/{client_id}/consents",
        f"clients/{client_id}/documents",
        f"documents/{document_id}",
        f"applications/{application_id}",
        f"applications/{application_id}/sections/identity",
        f"suitability/clients/{client_id}/assessments",
        "applications",
        "clients",
        "leads",
    ]
    for path in reads:
        answer = program.get(path)
        assert answer.content == program.get("applications/999999").content, path
        assert not any(number in answer.content.decode() for number in NUMBERS)
    assert put(program, f"applications/{application_id}/sections/identity", {"answers": {}})[0] == 404
    for path in (f"applications/{application_id}/submission", f"applications/{application_id}/withdrawal"):
        assert program.post(path, {}).status_code == 404
    withdrawal = program.post(f"clients/{client_id}/consents/{consent_id}/withdrawal", {})
    assert withdrawal.status_code in {403, 404}
    for path in (f"documents/{document_id}/", f"my-data/consents/{consent_id}/end/"):
        assert eve.browser.post(f"/portal/{path}").status_code == 404
    assert eve.get(f"documents/{document_id}/").status_code == 404
    assert (
        Application.objects.get(id=application_id).state,
        Consent.objects.filter(withdrawn_at=None).count(),
    ) == before
    assert Entry.objects.count() == entries


def test_i65_no_answer_and_no_page_of_the_portal_shows_a_number_in_full_once_handed_in(
    applicant: NewApplicant,
) -> None:
    fang = applicant("Fang")
    fang.complete()
    fang.post("review/")
    shown = [fang.text(path) for path in ("", "documents/", "my-data/", "review/", "questionnaire/")]
    for name in ("operations", "risk", "credit"):
        program = key_of(find_actor(f"{name}@desk.test"))
        client_id, application_id = fang.application.client_id, fang.application.id
        for path in (
            "clients",
            f"clients/{client_id}",
            f"clients/{client_id}/documents",
            "applications",
            f"applications/{application_id}",
        ):
            shown.append(program.get(path).content.decode())
    for text in shown:
        assert not any(number in text for number in NUMBERS)
    logged = json.dumps(list(Entry.objects.values("inputs", "reason", "subject")), default=str)
    assert not any(number in logged for number in NUMBERS)


HOSTILE_FILES = {
    "a program": b"MZ\x90\x00" + b"\x00" * 100,
    "nothing": b"",
    "a page": b"<html><script>alert(1)</script></html>",
    "an archive": b"PK\x03\x04" + b"\x00" * 2_000,
    "a damaged picture": b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
    "a PDF that is none": b"%PDF-1.7\nhello",
    "entities": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    "too large": b"%PDF-" + b"x" * 10_000_001,
}


@pytest.mark.parametrize("what", list(HOSTILE_FILES))
def test_i69_a_file_that_is_not_what_it_must_be_is_refused_in_words_and_leaves_nothing(
    applicant: NewApplicant, what: str
) -> None:
    fang = applicant("Fang")
    fang.begin()
    answer = fang.upload("identity", HOSTILE_FILES[what], "passport.pdf")
    assert answer.status_code == 200
    assert answer.context["errors"]["file"]
    assert Document.objects.count() == 0


def test_i69_a_file_name_is_kept_without_its_path_or_tricks(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    for shade, name in enumerate(("../../etc/passwd.png", "a\u202egnp.exe.png", "<img src=x>.png", "x" * 400 + ".png")):
        fang.upload("other", picture(shade), name)
    names = list(Document.objects.values_list("file_name", flat=True))
    assert len(names) == 4
    assert not [name for name in names if set(name) & set("/\\\u202e<>\x00") or len(name) > 130]
    assert "<img" not in fang.text("documents/")


@pytest.mark.parametrize("name", ['<script>alert("x")</script>', '=HYPERLINK("http://x")', "'; DROP TABLE clients; --"])
def test_i69_a_name_that_would_be_a_program_is_shown_as_text(applicant: NewApplicant, name: str) -> None:
    fang = applicant("Fang")
    fang.begin()
    fang.write("identity", name=name)
    text = fang.text("sections/identity/")
    assert "<script>alert" not in text
    assert 'value="=HYPERLINK("' not in text


@pytest.mark.parametrize("value", ["A\x00B", "A\u202eB", "A\u200bB", "\x1b[2J", "x" * 5_000])
def test_i69_text_that_hides_something_is_not_kept(applicant: NewApplicant, value: str) -> None:
    fang = applicant("Fang")
    fang.begin()
    fang.write("identity")
    answer = fang.write("identity", name=value)
    assert answer.status_code == 200
    assert 'value="Wang Fang"' in fang.text("sections/identity/")


def test_i69_forged_fields_change_nothing(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    fang.write("identity", client_id="1", state="accepted", **{"identifiers.99999.number": "x", "a.b.c.d": "x"})
    assert fang.application.state is ApplicationState.DRAFT
    for path in ("sections/../../admin/", "sections/documents/", "sections/%00/", "sections/nowhere/"):
        assert fang.get(path).status_code == 404
    for form in ({"kind": "president"}, {}):
        other = Applicant(fang.browser, fang.user_id)
        assert other.post("begin/", form).status_code == 302


def test_a_lead_comes_in_by_call_and_is_shown_masked(applicant: NewApplicant) -> None:
    program = key_of(find_actor("operations@desk.test"))
    made = program.post(
        "leads", {"name": "Li Ming", "channel": "branch", "email": "ming@mail.test", "may_contact": True}
    )
    assert made.status_code == 201
    shown = program.get(f"leads/{json.loads(made.content)['id']}").content.decode()
    assert "ming@mail.test" not in shown
    refused = program.post("leads", {"name": "Nobody", "channel": "branch"})
    assert (refused.status_code, json.loads(refused.content)["code"]) == (409, "lead_malformed")
    assert Lead.objects.count() == 1
