"""Collateral in the console and by REST: assessing, asking, and lists written line by line."""

import html
import re
from collections.abc import Iterator

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from tests.surfaces.conftest import CLOSE, SYSTEM, Book, SignIn

from reefpoint.decisions.collateral.models import Assessment
from reefpoint.decisions.collateral.selectors.house import LISTS
from reefpoint.decisions.collateral.services import assessments
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.publications.models import Publication
from reefpoint.platform.publications.services import publish_approved
from reefpoint.surfaces.api.routers import collateral as calls
from reefpoint.surfaces.console.views import collateral as pages
from reefpoint.surfaces.console.views import collateral_lists as lists
from reefpoint.surfaces.console.views import tables


@pytest.fixture
def officer(book: Book, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A risk officer on the day of the test desk."""
    monkeypatch.setattr(pages, "desk_now", lambda: CLOSE)
    monkeypatch.setattr(tables, "desk_now", lambda: CLOSE)
    monkeypatch.setattr(lists, "desk_now", lambda: CLOSE)
    monkeypatch.setattr(calls, "now", lambda: CLOSE)
    monkeypatch.setattr(assessments.assumptions, "PATHS", 1_000)
    return signed_in(RoleName.RISK_OFFICER)


def assess() -> int:
    return assess_names(actor=SYSTEM, on=CLOSE.date(), at=CLOSE, paths=1_000)


def test_an_assessment_is_made_shown_with_its_effect_and_asked_for_with_a_reason(officer: Client) -> None:
    answer = officer.post(reverse("console:assess_collateral"))
    made = Assessment.objects.get()
    assert answer["Location"] == reverse("console:assessment", args=[made.pk])
    shown = officer.get(answer["Location"]).content.decode()
    assert "What it would do to the book" in shown
    assert "AAPL" in shown
    asked = reverse("console:request_release", args=[made.pk])
    assert officer.post(asked, {"reason": " "}).status_code == 422
    assert not Approval.objects.filter(kind="collateral.publish").exists()
    assert officer.post(asked, {"reason": "the quarter's review"}).status_code == 302
    approval = Approval.objects.get(kind="collateral.publish")
    assert approval.payload["assessment_id"] == made.pk
    assert officer.get(reverse("console:approval", args=[approval.pk])).status_code == 200


def list_form(*rows: tuple[str, str, str, str], **given: str) -> dict[str, str]:
    """What the editor of a list sends."""
    fields = {"rows": str(len(rows)), "tier": "", "effective_from": "2020-03-16", "reason": "the list"}
    for index, row in enumerate(rows):
        fields |= {f"{column}-{index}": cell for column, cell in zip(lists.COLUMNS, row, strict=True)}
    return {**fields, "step": "publish", **given}


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([("MOON", "2020-01-01", "", "")], "No name MOON is listed."),
        ([("AAPL", "soon", "", "")], "This is not a date."),
        ([("AAPL", "2020-01-02", "2020-01-01", "")], "It ends before it begins."),
        ([("AAPL", "2020-01-01", "", ""), ("AAPL", "2020-02-01", "", "")], "It is listed twice on the same day."),
    ],
)
def test_a_list_that_cannot_be_is_refused_beside_its_field(
    officer: Client, rows: list[tuple[str, str, str, str]], problem: str
) -> None:
    before = Publication.objects.count()
    answer = officer.post(reverse("console:collateral_lists"), list_form(*rows))
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert (Publication.objects.count(), Approval.objects.count()) == (before, 0)


def test_a_list_is_typed_tried_on_the_book_waits_for_a_second_person_and_is_compared_with_the_one_before(
    officer: Client, signed_in: SignIn
) -> None:
    address = reverse("console:collateral_lists")
    file = SimpleUploadedFile("names.csv", b"symbol,since,until,note\nJPM,2020-01-01,2020-12-31,until the review\n")
    shown = officer.post(address, {**list_form(step="load"), "file": file}).content.decode()
    assert 'value="JPM"' in shown
    only_jpm = ("JPM", "2020-01-01", "2020-12-31", "until the review")
    shown = officer.post(address, list_form(only_jpm, step="preview")).content.decode()
    assert shown.count("100.00%") == 2  # Apple, by the list and in all
    assert officer.post(address, list_form(only_jpm)).status_code == 302
    draft = Publication.objects.get(kind="collateral.lists", state="draft")
    assert [one["symbol"] for one in draft.content["lists"][0]["names"]] == ["JPM"]
    approval = Approval.objects.get()
    assert approval.payload["version"] == draft.version
    decision = {"decision": "approve", "payload_hash": approval.payload_hash}
    signed_in(RoleName.CREDIT_OFFICER).post(reverse("console:decide", args=[approval.pk]), decision)
    publish_approved(actor=SYSTEM, kind=LISTS, approval_id=approval.pk, at=CLOSE)
    compared = officer.get(reverse("console:collateral_lists_compare")).content.decode()
    assert "2020-01-01 – 2020-12-31 · until the review" in compared
    by_rest = officer.get("/api/v1/collateral/lists/compare", {"before": draft.version - 1, "after": draft.version})
    assert [(one["symbol"], one["move"]) for one in by_rest.json()] == [("JPM", "came")]
    missing = officer.get("/api/v1/collateral/lists/compare", {"before": 1, "after": 99})
    assert missing.status_code == 404


def test_the_file_of_listings_says_kind_board_and_state(officer: Client) -> None:
    head, first, *_ = officer.get(reverse("console:listings"), {"format": "csv"}).content.decode().splitlines()
    columns = dict(zip(head.removeprefix("\ufeff").split(","), first.split(","), strict=True))
    assert (columns["Kind"], columns["Board"], columns["State"]) == ("Share", "Main board", "Traded")


def test_the_list_of_names_as_csv(officer: Client) -> None:
    rows = officer.get(reverse("console:collateral"), {"format": "csv"}).content.decode().splitlines()
    assert len(rows) == 3
    assert rows[1].startswith("AAPL,")


def test_names_assessments_and_effects_by_rest(officer: Client, book: Book) -> None:
    made = assess()
    names = officer.get("/api/v1/collateral/names").json()
    assert {one["symbol"]: (one["is_accepted"], one["haircut_bp"]) for one in names}["AAPL"] == (True, None)
    found = officer.get(f"/api/v1/collateral/assessments/{made}").json()
    apple = next(one for one in found["names"] if one["symbol"] == "AAPL")
    assert apple["haircut_bp"] == max(apple[f"{part}_bp"] for part in ("regulation", "house", "model", "list"))
    assert officer.get(f"/api/v1/collateral/assessments/{made}/effect").json()["accounts"] == 2
    assert officer.get("/api/v1/collateral/assessments/999999").status_code == 404
    opened = officer.get(f"/api/v1/collateral/names/{book.desk.instruments['AAPL']}").json()
    assert (opened["haircut_bp"], opened["pending"]) == (None, [])


def editor_fields(answer: HttpResponse) -> dict[str, str]:
    """What the editor's form would send back: the fields of the part it shows, and the other parts as carried."""
    fields = {}
    for tag in re.findall(r"<(?:input|textarea)[^>]*>", answer.content.decode()):
        name, value = (re.search(rf' {key}="([^"]*)"', tag) for key in ("name", "value"))
        if name and 'type="file"' not in tag:
            fields[name[1]] = html.unescape(value[1]) if value else ""
    return fields


def test_house_rules_are_edited_part_by_part_and_go_to_a_second_person_as_one_version(officer: Client) -> None:
    haircuts = reverse("console:house_editor", args=["haircuts"])
    figures = reverse("console:house_editor", args=["figures"])
    fields = editor_fields(officer.get(haircuts))
    gap = {**fields, "w-daily_turnover-7": ">= 200000000", "step": "check"}
    assert "No row answers: " in officer.post(haircuts, gap).content.decode()
    fields["t-haircut_bp-7"] = "3500"
    fields = editor_fields(officer.post(figures, {**fields, "step": "go"}))
    assert (fields["part"], fields["f-ramp-step_bp"], fields["f-caps-issuer_bp"]) == ("figures", "5", "60")
    wrong = officer.post(figures, {**fields, "f-ramp-step_bp": "0", "step": "check"})
    assert wrong.status_code == 422
    assert "This must be from 0.01% to 100.00%." in wrong.content.decode()
    fields |= {"f-ramp-step_bp": "7.5", "f-caps-issuer_bp": "", "effective_from": "2020-03-17", "reason": "wider"}
    shown = officer.post(figures, {**fields, "step": "preview"}).content.decode()
    assert "Names whose haircut would change" in shown
    assert officer.post(figures, {**fields, "step": "publish"}).status_code == 302
    drafted = Publication.objects.get(kind="collateral.house", state="draft").content
    assert drafted["ramp"] == {"notice_sessions": 3, "step_bp": 750}
    assert drafted["caps"]["issuer_bp"] is None
    assert drafted["haircuts"]["rows"][7]["then"] == {"haircut_bp": 3500}


def test_the_rows_of_a_house_table_leave_and_return_as_a_file(officer: Client) -> None:
    address = reverse("console:house_editor", args=["suspension"])
    fields = editor_fields(officer.get(address))
    saved = officer.post(address, {**fields, "step": "save"}).content.decode("utf-8-sig")
    assert saved.splitlines()[:2] == ["id,when sessions,then cut_bp", "days,< 5,0"]
    file = SimpleUploadedFile("rows.csv", saved.replace('weeks,"[5, 20)",1000', 'weeks,"[5, 20)",1500').encode())
    loaded = officer.post(address, {**fields, "step": "load", "file": file})
    assert editor_fields(loaded)["t-cut_bp-1"] == "1500"
    bad = SimpleUploadedFile("rows.csv", b"a,b\n1,2\n")
    assert officer.post(address, {**fields, "step": "load", "file": bad}).status_code == 422
