"""An application on the portal, in a browser without JavaScript."""

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client
from tests.surfaces.portal.conftest import IDENTITY, SECTIONS, Applicant, NewApplicant, picture

from reefpoint.flows.origination.models import Lead, SectionDraft
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.records.parties.models import Document

pytestmark = pytest.mark.django_db


def test_a_prospect_writes_section_by_section_and_hands_in(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    assert "For whom do you apply?" in fang.text("")
    fang.complete()
    assert "are complete" in fang.text("")
    answer = fang.post("review/")
    assert answer.headers["Location"] == "/portal/", answer.content.decode()
    assert fang.application.state is ApplicationState.SUBMITTED
    assert "An officer will look at it" in fang.text("")


def test_saving_leads_to_the_next_section(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    assert fang.write("identity").headers["Location"] == "/portal/sections/tax/"
    assert fang.write("bank").headers["Location"] == "/portal/sections/people/"
    assert fang.post("sections/people/", {"then": "next"}).headers["Location"] == "/portal/documents/"
    assert fang.write("identity", then="list").headers["Location"] == "/portal/"


def test_what_was_saved_is_there_after_signing_out_and_in(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    fang.write("identity")
    fang.browser.logout()
    assert fang.get("sections/identity/").headers["Location"].startswith("/accounts/login/")
    text = signed_in_again(fang).get("/portal/sections/identity/").content.decode()
    for typed in ("Wang Fang", "王芳", "1980-02-03", "P12345678", "1 Reef Road, Springfield"):
        assert typed in text


def test_half_a_section_is_kept_and_a_wrong_answer_is_said_beside_its_box(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    answer = fang.write("wealth", annual_income_minor="a lot", occupation="")
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "This is not an amount" in text
    assert 'value="a lot"' in text
    shown = fang.text("sections/wealth/")
    assert "Reef Works" in shown
    assert "a lot" not in shown


def test_a_wrong_answer_leaves_the_one_before_in_force(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    fang.write("identity")
    fang.write("identity", phone="call me", nationality="ZZ")
    shown = fang.text("sections/identity/")
    assert "+1 555 010 0199" in shown
    assert "call me" not in shown


def test_rows_are_added_and_removed_without_a_script(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    answer = fang.write("identity", add="identifiers")
    assert answer.headers["Location"] == "/portal/sections/identity/?more=identifiers#f-identifiers"
    assert 'name="identifiers.1.number"' in fang.text("sections/identity/?more=identifiers")
    second = {"identifiers.1.kind": "other", "identifiers.1.number": "X-1", "identifiers.1.country": "US"}
    fang.write("identity", **second)
    assert 'value="X-1"' in fang.text("sections/identity/")
    fang.write("identity", **second, remove="identifiers.0")
    shown = fang.text("sections/identity/")
    assert 'value="X-1"' in shown
    assert "P12345678" not in shown


def test_saving_by_itself_answers_with_a_line(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    answer = fang.post("sections/identity/", IDENTITY, headers={"HX-Request": "true"})
    assert answer.content.decode().strip().startswith('<span class="saved" id="saved"')
    assert "P12345678" in fang.text("sections/identity/")


def test_handing_in_too_early_says_what_is_missing_and_changes_nothing(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    fang.write("identity", birth_or_incorporated_on="2005-01-01")
    text = fang.post("review/").content.decode()
    assert "A section is not complete yet: Where you pay tax." in text
    assert "A document is missing: Identity card or passport." in text
    assert "Applicants must be at least 18 years old." in text
    assert fang.application.state is ApplicationState.DRAFT


def test_what_is_handed_in_is_written_no_more(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.complete()
    fang.post("review/")
    before = list(SectionDraft.objects.order_by("id").values_list("id", "saved_at", "key_id"))
    assert fang.write("identity", name="Somebody Else").headers["Location"] == "/portal/"
    assert fang.upload("other", picture(99)).status_code == 200
    assert Document.objects.count() == 3
    assert list(SectionDraft.objects.order_by("id").values_list("id", "saved_at", "key_id")) == before


def test_an_application_is_taken_back_after_a_question(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    assert "Take the application back?" in fang.text("withdraw/")
    assert fang.application.state is ApplicationState.DRAFT
    fang.post("withdraw/", {"reason": "changed my mind"})
    assert fang.application.state is ApplicationState.WITHDRAWN
    assert "You took it back" in fang.text("")
    assert fang.post("withdraw/").status_code == 409


def test_half_a_questionnaire_is_kept(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    fang.begin()
    shown = fang.get("questionnaire/").context["questions"]
    first, value = shown[0]["id"], shown[0]["options"][0][0]
    text = fang.post("questionnaire/", {f"q.{first}": value, "version": "1", "then": "send"}).content.decode()
    assert "not answered yet" in text
    key_id, blob = cache.get(f"portal:answers:{fang.user_id}:1")
    assert isinstance(key_id, int)
    assert first.encode() not in blob, "half an answer lies sealed"
    fang.browser.logout()
    assert any(
        chosen
        for _, _, chosen in signed_in_again(fang).get("/portal/questionnaire/").context["questions"][0]["options"]
    )


def signed_in_again(fang: Applicant) -> Client:
    """The same person in another browser."""
    browser = Client()
    browser.force_login(get_user_model().objects.get(pk=fang.user_id))
    return browser


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_answers_in_both_languages_with_nothing_inline(applicant: NewApplicant, language: str) -> None:
    fang = applicant("Fang")
    fang.browser.cookies["django_language"] = language
    paths = ["", "documents/", "questionnaire/", "my-data/", "review/", "withdraw/"]
    fang.begin()
    for path in [*paths, *(f"sections/{section}/" for section in SECTIONS)]:
        text = fang.text(path)
        assert f'<html lang="{language}"' in text, path
        assert " style=" not in text, path
        assert "<script>" not in text, path


def test_before_beginning_every_page_says_so(applicant: NewApplicant) -> None:
    fang = applicant("Fang")
    for path in ("documents/", "questionnaire/", "my-data/", "review/", "withdraw/", "sections/identity/"):
        assert fang.get(path).status_code == 404


def test_an_institution_is_asked_for_its_people(applicant: NewApplicant) -> None:
    reef = applicant("Reef")
    reef.begin("institution")
    assert "Registered name in Latin letters" in reef.text("sections/identity/")
    assert 'name="related_persons.0.share_bp"' in reef.text("sections/people/")
    assert "Certificate of incorporation" in reef.text("documents/")


ENQUIRY = {"name": "王芳", "email": "fang@mail.test", "note": "How much?", "may_contact": "yes"}


def test_an_enquiry_becomes_a_lead_of_the_web(client: Client, offered: object) -> None:
    cache.clear()
    assert client.post("/start/enquiry/", ENQUIRY).headers["Location"] == "/start/thanks/"
    [lead] = Lead.objects.all()
    assert (lead.name, lead.channel, lead.may_contact) == ("王芳", "web", True)
    assert "Thank you" in client.get("/start/thanks/").content.decode()


@pytest.mark.parametrize(
    "change",
    [{"may_contact": ""}, {"name": ""}, {"email": "nowhere"}, {"name": "A\u202eB"}, {"email": ""}, {"name": "x" * 900}],
)
def test_i69_an_enquiry_that_cannot_be_kept_is_said(client: Client, offered: object, change: dict[str, str]) -> None:
    cache.clear()
    answer = client.post("/start/enquiry/", {**ENQUIRY, **change})
    assert answer.status_code == 200
    assert answer.context["enquiry"].errors
    assert Lead.objects.count() == 0


def test_i69_a_robot_is_thanked_and_nothing_is_kept(client: Client, offered: object) -> None:
    cache.clear()
    client.post("/start/enquiry/", {**ENQUIRY, "website": "https://spam.example"})
    assert Lead.objects.count() == 0


def test_i69_too_many_enquiries_from_one_place_are_turned_away(client: Client, offered: object) -> None:
    cache.clear()
    for number in range(7):
        client.post("/start/enquiry/", {**ENQUIRY, "email": f"p{number}@mail.test"})
    assert Lead.objects.count() == 5
