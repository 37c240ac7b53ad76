"""Leads, imports and applications on the pages of the desk."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.flows.lending.conftest import person
from tests.surfaces.conftest import NOON, SYSTEM, Desk, SignIn

from reefpoint.flows.origination.models import Application, Lead, LeadPairRow
from reefpoint.flows.origination.services.leads import record_lead
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.imports.models import ImportFile
from reefpoint.platform.imports.services import run_import

GIVEN = {
    "name": "Li Ming",
    "channel": "phone",
    "kind": "individual",
    "language": "en",
    "email": "li.ming@x.test",
    "loan_wanted": "50万",
    "may_contact": "yes",
}


@pytest.fixture
def lead_id(db: None) -> int:
    draft = LeadDraft("Li Ming", LeadChannel.BRANCH, name_zh="李明", email="li.ming@x.test", may_contact=True)
    return record_lead(actor=SYSTEM, draft=draft, at=NOON)


def upload(content: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("leads.csv", content.encode(), content_type="text/csv")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_pages_answer_in_both_languages_empty_and_full(
    signed_in: SignIn, desk: Desk, lead_id: int, language: str
) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    reader.cookies["django_language"] = language
    reader.post(reverse("console:imports"), {"kind": "leads", "file": upload("name,email\nA,b\n")})
    run_import(import_id=ImportFile.objects.get().pk, at=NOON)
    reader.post(reverse("console:lead", args=[lead_id]), {"action": "convert"})
    addresses = [
        "/leads/",
        "/leads/?state=merged",
        "/leads/new/",
        "/leads/alike/",
        "/leads/conversion/",
        f"/leads/{lead_id}/",
        "/imports/",
        f"/imports/{ImportFile.objects.get().pk}/",
        "/applications/",
        f"/applications/{Application.objects.get().pk}/",
    ]
    for address in addresses:
        answer = reader.get(address)
        assert answer.status_code == 200, address
        text = answer.content.decode()
        assert f'<html lang="{language}"' in text, address
        assert " style=" not in text, address
        assert "li.ming@x.test" not in text, address


def test_a_lead_is_recorded_with_an_amount_as_people_write_it(signed_in: SignIn, desk: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    answer = reader.post(reverse("console:new_lead"), GIVEN)
    assert answer.status_code == 302
    assert Lead.objects.get().loan_wanted_minor == 500_000_00
    refused = reader.post(reverse("console:new_lead"), GIVEN | {"email": "nobody"})
    assert refused.status_code == 422
    assert 'class="errors"' in refused.content.decode()
    assert Lead.objects.count() == 1


def test_how_to_reach_a_lead_is_shown_for_a_logged_reason(signed_in: SignIn, lead_id: int, desk: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    address = reverse("console:lead", args=[lead_id])
    assert "li.ming@x.test" not in reader.post(address, {"action": "reveal", "words": "x"}).content.decode()
    answer = reader.post(address, {"action": "reveal", "words": "to call them back"})
    assert "li.ming@x.test" in answer.content.decode()
    [entry] = Entry.objects.filter(action="leads.reveal_contact")
    assert (entry.reason, entry.inputs) == ("to call them back", {})
    assert signed_in(RoleName.AUDITOR).post(address, {"action": "reveal", "words": "curious"}).status_code == 403


def test_two_leads_are_made_one_by_a_person(signed_in: SignIn, lead_id: int, desk: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    reader.post(reverse("console:new_lead"), GIVEN)
    pair = LeadPairRow.objects.get()
    text = reader.get(reverse("console:lead_pairs")).content.decode()
    assert f'id="pair-{pair.pk}"' in text
    reader.post(reverse("console:decide_pair", args=[pair.pk]), {"decision": str(lead_id)})
    merged = Lead.objects.exclude(id=lead_id).get()
    assert (merged.state, merged.merged_into_id) == ("merged", lead_id)
    again = reader.post(reverse("console:decide_pair", args=[pair.pk]), {"decision": "apart"})
    assert again.status_code == 409


def test_a_file_is_handed_in_followed_and_its_bad_rows_come_back(signed_in: SignIn, desk: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    answer = reader.post(
        reverse("console:imports"), {"kind": "leads", "file": upload("name,email\nA,a@x.test\n=B,nobody\n")}
    )
    one = ImportFile.objects.get()
    assert answer.headers["Location"] == f"/imports/{one.pk}/"
    waiting = reader.get(f"/imports/{one.pk}/").content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    run_import(import_id=one.pk, at=NOON)
    done = reader.get(f"/imports/{one.pk}/").content.decode()
    assert "every 2s" not in done
    file = reader.get(f"/imports/{one.pk}/bad-rows/")
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    assert lines[1][0] == "3"
    assert lines[1][2:] == ["'=B", "nobody"]
    assert Entry.objects.filter(action="imports.open_bad_rows").count() == 1


def test_a_file_that_is_none_is_refused_beside_the_form(signed_in: SignIn, desk: Desk) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    for file in (upload("PK\x03\x04"), upload("surname\nx\n"), None):
        answer = reader.post(reverse("console:imports"), {"kind": "leads"} | ({"file": file} if file else {}))
        assert answer.status_code == 422
        assert 'role="alert"' in answer.content.decode()
    assert reader.post(reverse("console:imports"), {"kind": "gold", "file": upload("a\n")}).status_code == 404
    assert ImportFile.objects.count() == 0


def test_i66_a_manager_does_not_find_the_lead_of_another(signed_in: SignIn, lead_id: int, desk: Desk) -> None:
    Lead.objects.update(owner_id=None)
    manager = signed_in(RoleName.RELATIONSHIP_MANAGER)
    assert manager.get(f"/leads/{lead_id}/").status_code == 200
    signed_in(RoleName.OPERATIONS).post(reverse("console:lead", args=[lead_id]), {"action": "take"})
    assert manager.get(f"/leads/{lead_id}/").status_code == 404
    assert "Li Ming" not in manager.get("/leads/").content.decode()


def test_sales_see_no_trace_of_screening_on_an_application(signed_in: SignIn, lead_id: int, desk: Desk) -> None:
    operations = signed_in(RoleName.OPERATIONS)
    operations.post(reverse("console:lead", args=[lead_id]), {"action": "convert"})
    address = reverse("console:application", args=[Application.objects.get().pk])
    seen, known = operations.get(address).content.decode(), signed_in(RoleName.COMPLIANCE).get(address).content.decode()
    assert "Name screening" in known
    for words in ("Name screening", "Alerts that hold", "screened"):
        assert words not in seen, words


@pytest.mark.parametrize(("language", "words"), [("en", "2 pairs"), ("zh-hans", "2 对")])
def test_today_has_one_entry_for_all_leads_that_look_alike(
    signed_in: SignIn, desk: Desk, lead_id: int, language: str, words: str
) -> None:
    reader = signed_in(RoleName.OPERATIONS)
    reader.cookies["django_language"] = language
    assert "/leads/alike/" not in reader.get("/").content.decode()
    twin = LeadDraft("Li Ming", LeadChannel.BRANCH, name_zh="李明", phone="+852 2123 4567")
    record_lead(actor=SYSTEM, draft=twin, at=NOON)
    record_lead(actor=SYSTEM, draft=LeadDraft("Zhou", LeadChannel.BRANCH, email="li.ming@x.test"), at=NOON)
    text = reader.get("/").content.decode()
    assert text.count('href="/leads/alike/"') == 1
    assert words in text
    assert "/leads/alike/" not in signed_in(RoleName.COMPLIANCE).get("/").content.decode()


def test_who_sees_none_of_the_leads_counts_none_of_their_pairs(signed_in: SignIn, desk: Desk, lead_id: int) -> None:
    twin = LeadDraft("Li Ming", LeadChannel.BRANCH, name_zh="李明", phone="+852 2123 4567")
    record_lead(actor=SYSTEM, draft=twin, at=NOON)
    Lead.objects.filter(id=lead_id).update(owner_id=person("other", RoleName.RELATIONSHIP_MANAGER).user_id)
    for role, count in ((RoleName.OPERATIONS, 1), (RoleName.RELATIONSHIP_MANAGER, 0)):
        reader = signed_in(role)
        assert reader.get(reverse("console:leads")).context["pairs"] == count
        assert reader.get(reverse("console:lead_pairs")).context["count"] == count


@pytest.mark.parametrize(("role", "step"), [(RoleName.COMPLIANCE, "Decide"), (RoleName.OPERATIONS, "Look at it")])
def test_today_names_an_application_once_it_was_handed_in(
    signed_in: SignIn, desk: Desk, lead_id: int, role: RoleName, step: str
) -> None:
    signed_in(RoleName.OPERATIONS).post(reverse("console:lead", args=[lead_id]), {"action": "convert"})
    reader, address = signed_in(role), f'href="/applications/{Application.objects.get().pk}/"'
    assert address not in reader.get("/").content.decode()
    Application.objects.update(state="submitted", submitted_at=NOON, waits_since=NOON)
    text = reader.get("/").content.decode()
    assert address in text
    assert step in text[text.index(address) :]
