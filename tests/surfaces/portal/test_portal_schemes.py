"""What a client may be offered, side by side, and played over past prices."""

import pytest
from tests.surfaces.portal.conftest import Applicant, NewApplicant

from reefpoint.records.accounts.selectors.accounts import load_accounts

pytestmark = pytest.mark.django_db
PLAY = {"portfolio": "JPM 100", "loan": "5000", "since": "2020-01-02", "until": "2020-04-30"}


@pytest.fixture
def fang(applicant: NewApplicant) -> Applicant:
    """Somebody who has filled in everything, and bears the highest risk."""
    made = applicant("Fang")
    made.complete()
    return made


def test_whoever_may_be_offered_schemes_sees_them_side_by_side(fang: Applicant) -> None:
    text = fang.text("schemes/").partition("<main")[2]
    assert "Side by side" in text
    for words in ("Standard", "Cautious", "6.50%", "8.00%", "160.00%", "0.10% of the amount drawn, at a drawdown"):
        assert words in text, words


def test_whom_a_scheme_does_not_fit_is_told_so_and_cannot_play_it(applicant: NewApplicant) -> None:
    made = applicant("Ming")
    made.begin()
    text = made.text("schemes/").partition("<main")[2]
    assert "Nothing may be offered to you yet" in text
    assert "The risk questionnaire has not been answered." in text
    assert "data-chart" not in made.text("schemes/simulate/")


def test_before_an_application_the_page_says_where_to_begin(applicant: NewApplicant) -> None:
    assert "Begin with an application" in applicant("Lei").text("schemes/")


def test_two_schemes_are_played_on_ones_own_portfolio(fang: Applicant) -> None:
    page = fang.browser.get("/portal/schemes/simulate/", PLAY)
    text = page.content.decode()
    assert page.status_code == 200
    assert text.count('data-chart="margin"') == 1
    assert "Cost in money" in text
    assert load_accounts() != []
    wrong = fang.browser.get("/portal/schemes/simulate/", {**PLAY, "portfolio": "JPM"})
    assert (wrong.status_code, "One name a line" in wrong.content.decode()) == (422, True)


def test_the_page_reads_in_chinese(fang: Applicant) -> None:
    fang.browser.cookies["django_language"] = "zh-hans"
    text = fang.text("schemes/").partition("<main")[2]
    assert "可向您提供的方案" in text
    assert "0.10%（按提款金额），提款时收取" in text
