"""Collateral in the console and by REST: assessing, asking, and lists written line by line."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse
from tests.surfaces.conftest import CLOSE, SYSTEM, Book, SignIn

from reefpoint.decisions.collateral.models import Assessment
from reefpoint.decisions.collateral.services import assessments
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.publications.models import Publication
from reefpoint.surfaces.api.routers import collateral as calls
from reefpoint.surfaces.console.views import collateral as pages


@pytest.fixture
def officer(book: Book, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A risk officer on the day of the test desk."""
    monkeypatch.setattr(pages, "desk_now", lambda: CLOSE)
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


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("MOON,2020-01-01,,\n", "Line 1: no name MOON is listed."),
        ("AAPL,soon,,\n", "a day is written"),
        ("AAPL,2020-01-02,2020-01-01,\n", "it ends before it begins"),
        ("AAPL,2020-01-01,,\nAAPL,2020-02-01,,\n", "listed twice on the same day"),
    ],
)
def test_a_list_that_cannot_be_is_refused_beside_its_field(officer: Client, lines: str, problem: str) -> None:
    before = Publication.objects.count()
    given = {"lines": lines, "tier": "", "effective_from": "2020-03-16", "reason": "the list"}
    answer = officer.post(reverse("console:collateral_lists"), given)
    assert answer.status_code == 422
    assert problem in answer.content.decode()
    assert (Publication.objects.count(), Approval.objects.count()) == (before, 0)


def test_a_list_is_drafted_and_waits_for_a_second_person(officer: Client) -> None:
    given = {
        "lines": "AAPL,2020-01-01,,large\n\nJPM,2020-01-01,2020-12-31,until the review\n",
        "tier": "",
        "effective_from": "2020-03-16",
        "reason": "the list",
    }
    assert officer.post(reverse("console:collateral_lists"), given).status_code == 302
    draft = Publication.objects.get(kind="collateral.lists", state="draft")
    assert [one["symbol"] for one in draft.content["lists"][0]["names"]] == ["AAPL", "JPM"]
    assert Approval.objects.get().payload["version"] == draft.version


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
