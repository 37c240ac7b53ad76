"""What came of who was scored: the definition of a default, what it says of a model, and what the desk records."""

from datetime import date, timedelta

import pytest
from tests.decisions.scoring.people import AT, WEALTHY, build, tell
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.margin.models import MarginSnapshot
from reefpoint.decisions.margin.types import Band
from reefpoint.decisions.scoring.models import Score, ScoreOutcome, ShadowScore
from reefpoint.decisions.scoring.rules.outcomes import (
    WINDOW_DAYS,
    CalibrationVerdict,
    Case,
    Cause,
    Exposure,
    Outcome,
    auc_bp,
    calibrate,
    judge,
    wilson_bp,
)
from reefpoint.decisions.scoring.selectors.outcomes import report_outcomes, versions_to_act_on
from reefpoint.decisions.scoring.selectors.proof import verify_scoring
from reefpoint.decisions.scoring.services import score_client
from reefpoint.decisions.scoring.services.outcomes import record_outcomes
from reefpoint.decisions.scoring.services.rescoring import measure_score_drift
from reefpoint.platform.governance.models import DriftReading
from reefpoint.platform.governance.types import DriftVerdict

SCORED = date(2019, 1, 2)
LAST = SCORED + timedelta(days=WINDOW_DAYS)
AFTER = LAST + timedelta(days=1)


@pytest.mark.parametrize(
    ("today", "found", "outcome"),
    [
        (AFTER, Exposure(None, None, None), None),
        (LAST, Exposure(SCORED, None, None), None),
        (AFTER, Exposure(SCORED, None, None), Outcome(Cause.NONE, LAST)),
        (date(2019, 3, 1), Exposure(SCORED, None, date(2019, 2, 1)), Outcome(Cause.DEFICIT, date(2019, 2, 1))),
        (date(2019, 3, 1), Exposure(SCORED, date(2019, 4, 1), None), None),
        (AFTER, Exposure(SCORED, date(2019, 5, 2), date(2019, 5, 3)), Outcome(Cause.PAST_DUE, date(2019, 5, 2))),
        (AFTER + timedelta(days=9), Exposure(SCORED, AFTER, None), Outcome(Cause.NONE, LAST)),
    ],
)
def test_a_case_is_bad_within_its_window_good_after_it_and_open_before(
    today: date, found: Exposure, outcome: Outcome | None
) -> None:
    assert judge(SCORED, today, found) == outcome


def cases(grade: str, count: int, bad: int, expected_bp: int | None) -> list[Case]:
    return [Case(grade, 500, expected_bp, number < bad) for number in range(count)]


def test_a_grade_is_held_against_what_was_claimed_and_few_cases_say_nothing() -> None:
    rows = calibrate(
        [
            *cases("A", 100, 2, 200),
            *cases("B", 100, 20, 500),
            *cases("C", 100, 1, 1_500),
            *cases("D", 29, 29, 10),
            *cases("E", 40, 4, None),
        ]
    )
    assert [(row.grade, row.verdict) for row in rows] == [
        ("A", CalibrationVerdict.OK),
        ("B", CalibrationVerdict.ACT),
        ("C", CalibrationVerdict.INVESTIGATE),
        ("D", CalibrationVerdict.INSUFFICIENT),
        ("E", CalibrationVerdict.NO_CLAIM),
    ]
    assert (rows[1].observed_bp, rows[1].low_bp, rows[1].high_bp) == (2_000, 1_334, 2_888)


def test_the_interval_is_wilson_s_and_the_area_counts_ties_half() -> None:
    assert wilson_bp(0, 10) == (0, 2_775)  # Wilson (1927): 0 of 10 is 0 to 27.75%
    risk, bad = [1.0] * 10 + [2.0] * 10, [False] * 10 + [True] * 10
    assert auc_bp(risk, bad) == 10_000
    assert auc_bp([1.0] * 20, bad) == 5_000
    assert auc_bp(risk[1:], bad[1:]) is None


def snapshot(account_id: int, on: date, assets_minor: int, debt_minor: int, band: Band) -> None:
    MarginSnapshot.objects.create(
        account_id=account_id, on=on, at=noon(on), assets_minor=assets_minor, debt_minor=debt_minor, band=band.value
    )


@pytest.mark.django_db
def test_the_desk_records_each_first_score_once_and_a_day_without_a_price_is_no_deficit(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score = score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    again = score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    assert again.id > score.id
    snapshot(desk.near, MONDAY + timedelta(days=1), 0, 50_000_00, Band.UNKNOWN)
    snapshot(desk.near, MONDAY + timedelta(days=2), 90_000_00, 50_000_00, Band.SAFE)
    assert record_outcomes(actor=SYSTEM, on=MONDAY + timedelta(days=2), at=AT) == 0
    snapshot(desk.near, MONDAY + timedelta(days=3), 49_000_00, 50_000_00, Band.CLOSE_OUT)
    assert record_outcomes(actor=SYSTEM, on=MONDAY + timedelta(days=3), at=AT) == 1
    assert record_outcomes(actor=SYSTEM, on=MONDAY + timedelta(days=700), at=AT) == 0
    (outcome,) = ScoreOutcome.objects.all()
    assert (outcome.score_id, outcome.cause, outcome.on) == (score.id, Cause.DEFICIT, MONDAY + timedelta(days=3))
    assert verify_scoring() == []


@pytest.mark.django_db
def test_principal_owed_ninety_days_after_maturity_is_a_default_and_a_repaid_year_is_none(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score = score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    snapshot(desk.near, MONDAY + timedelta(days=2), 90_000_00, 50_000_00, Band.SAFE)
    matures = MONDAY + timedelta(days=365)  # as STANDARD lends
    assert record_outcomes(actor=SYSTEM, on=matures + timedelta(days=90), at=AT) == 0
    assert record_outcomes(actor=SYSTEM, on=matures + timedelta(days=91), at=AT) == 1
    assert ScoreOutcome.objects.get().cause == Cause.PAST_DUE
    report = report_outcomes(SYSTEM, Score.objects.get(id=score.id).model_version_id or 0)
    assert (report.cases, report.bad, report.past_due, report.auc_bp) == (1, 1, 1, None)
    assert [row.verdict for row in report.grades] == [CalibrationVerdict.INSUFFICIENT]
    assert versions_to_act_on() == set()


@pytest.mark.django_db
def test_a_challenger_stands_beside_the_champion_on_the_same_cases(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score = Score.objects.get(id=score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT).id)
    assert score.model_version_id is not None
    ShadowScore.objects.create(
        score=score, model_version_id=score.model_version_id, probability_bp=300, contributions=[]
    )
    snapshot(desk.near, MONDAY + timedelta(days=3), 49_000_00, 50_000_00, Band.CLOSE_OUT)
    record_outcomes(actor=SYSTEM, on=MONDAY + timedelta(days=3), at=AT)
    (beside,) = report_outcomes(SYSTEM, score.model_version_id).shadows
    assert (beside.cases, beside.bad, beside.auc_bp, beside.champion_auc_bp) == (1, 1, None, None)


@pytest.mark.django_db
def test_each_feature_of_the_card_has_a_reading_of_drift_in_the_bins_of_the_card(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    measure_score_drift(actor=SYSTEM, on=MONDAY, at=AT)
    readings = DriftReading.objects.filter(measure__startswith="feature:")
    assert readings.count() == 12
    assert set(readings.values_list("verdict", flat=True)) == {DriftVerdict.INSUFFICIENT}
    income = readings.get(measure="feature:annual_income")
    assert (income.current, income.missing_bp) == (1, 0)
    assert readings.get(measure="feature:bureau_delinquencies").missing_bp == 10_000
