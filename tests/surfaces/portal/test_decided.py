"""What compliance decides in the console is what the client reads on the portal."""

import re

import pytest
from django.test import Client
from tests.surfaces.conftest import SignIn
from tests.surfaces.portal.conftest import AT, Applicant, NewApplicant, picture

from reefpoint.decisions.screening.models import Screening
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.platform.access.types import RoleName
from reefpoint.records.parties.models import Client as ClientRow
from reefpoint.records.parties.models import Licence as LicenceRow
from reefpoint.records.parties.types import ClientStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def fang(applicant: NewApplicant) -> Applicant:
    """Somebody who has handed in and reads Chinese."""
    made = applicant("Fang")
    made.browser.cookies["django_language"] = "zh-hans"
    made.complete()
    made.post("review/")
    assert made.application.state is ApplicationState.SUBMITTED
    return made


def decide(officer: Client, fang: Applicant, decision: str, **more: object) -> None:
    """Send a form of the review page as it is shown."""
    address = f"/applications/{fang.application.id}/"
    shown = re.search(r'name="fingerprint" value="(\w+)"', officer.get(address).content.decode())
    form = {"decision": decision, "fingerprint": shown[1] if shown else "", **more}
    answer = officer.post(f"{address}decision/", form)
    assert answer.status_code == 302, answer.content.decode()


def test_a_client_is_refused_with_a_reason_that_they_can_read_in_their_language(
    signed_in: SignIn, fang: Applicant
) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    decide(officer, fang, "take_up")
    assert "专员正在审核" in fang.text("")
    decide(officer, fang, "refuse", reason=["funds_not_explained", "screening"], note="internal: the list says so")
    assert fang.application.state is ApplicationState.REFUSED
    text = fang.text("").partition("<main")[2]
    assert "未通过" in text
    assert "可告知的原因" in text
    assert "internal" not in text
    assert "screening" not in text
    assert ClientRow.objects.get(id=fang.application.client_id).status == ClientStatus.CLOSED


def test_what_was_asked_is_added_and_handed_in_again(signed_in: SignIn, fang: Applicant) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    decide(officer, fang, "take_up")
    decide(officer, fang, "request_info", section=["wealth"], document=["income_proof"], words="请补充收入证明。")
    text = fang.text("")
    assert "请补充收入证明。" in text
    assert 'href="/portal/sections/wealth/"' in text
    assert fang.upload("income_proof", picture(77)).status_code == 302
    fang.post("review/")
    assert fang.application.state is ApplicationState.SUBMITTED


def test_an_accepted_client_is_told_and_active(signed_in: SignIn, fang: Applicant) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    decide(officer, fang, "take_up")
    decide(officer, fang, "accept", note="all in order", words="欢迎再来。")
    assert fang.application.state is ApplicationState.ACCEPTED
    assert "欢迎您" in fang.text("")
    assert "欢迎再来。" in fang.text("")
    assert "all in order" not in fang.text("")
    assert ClientRow.objects.get(id=fang.application.client_id).status == ClientStatus.ACTIVE


def test_each_blocker_leads_to_its_cure(signed_in: SignIn, fang: Applicant) -> None:
    Screening.objects.update(list_versions={})
    officer = signed_in(RoleName.COMPLIANCE)
    LicenceRow.objects.update(revoked_at=AT)
    page = officer.get(f"/applications/{fang.application.id}/").content.decode()
    for address in ("/screening/lists/", "/licences/", "#decision"):
        assert f'<li><a href="{address}">' in page, address
    sales = signed_in(RoleName.OPERATIONS).get(f"/applications/{fang.application.id}/").content.decode()
    assert '<li><a href="/screening/lists/">' not in sales


def test_a_letter_is_seen_in_both_languages_before_it_is_sent(signed_in: SignIn, fang: Applicant) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    address = f"/applications/{fang.application.id}/letters/"
    seen = officer.post(address, {"decision": "refuse", "reason": ["funds_not_explained"], "words": "Ring us."})
    text = seen.content.decode()
    for words in ("is not shown well enough.", "资金来源的说明或证明不充分。", "Ring us.", "Nothing was decided"):
        assert words in text
    assert officer.post(address, {"decision": "refuse", "reason": ["screening"], "words": "list"}).status_code == 409
    assert fang.application.state is ApplicationState.SUBMITTED


def test_a_person_is_asked_for_no_papers_of_a_company(signed_in: SignIn, fang: Applicant) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    decide(officer, fang, "take_up")
    page = officer.get(f"/applications/{fang.application.id}/").content.decode()
    assert 'name="document" value="income_proof"' in page
    assert 'name="document" value="board_resolution"' not in page


def test_who_was_refused_begins_again_with_their_answers(signed_in: SignIn, fang: Applicant) -> None:
    officer = signed_in(RoleName.COMPLIANCE)
    decide(officer, fang, "take_up")
    assert fang.get("begin-again/").status_code == 302
    decide(officer, fang, "refuse", reason=["incomplete"])
    before = fang.application
    assert 'href="/portal/begin-again/"' in fang.text("")
    assert before.number in fang.text("begin-again/")
    assert fang.application.id == before.id
    fang.post("begin-again/")
    again = fang.application
    assert (again.state, again.client_id) == (ApplicationState.DRAFT, before.client_id)
    assert "Reef Works" in fang.text("sections/wealth/")
    fang.write("declarations")
    fang.post("review/")
    assert fang.application.state is ApplicationState.SUBMITTED
