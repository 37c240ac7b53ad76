"""Reports from a file, scoring again, shadows, a model that fails, and erasure."""

from datetime import timedelta

import pytest
from tests.decisions.scoring.people import AT, WEALTHY, build, tell
from tests.desk import MONDAY, NEXT_MONDAY, SYSTEM, TUESDAY, Desk, noon

from reefpoint.decisions.scoring.adapters import german
from reefpoint.decisions.scoring.models import BureauReport, FeatureSet, Score, ShadowScore
from reefpoint.decisions.scoring.selectors import get_feature_set, latest_score
from reefpoint.decisions.scoring.selectors.proof import verify_scoring
from reefpoint.decisions.scoring.services import UnknownInput, score_cases, score_client
from reefpoint.decisions.scoring.services.erasing import erase_features
from reefpoint.decisions.scoring.services.rescoring import measure_score_drift, rescore_due
from reefpoint.decisions.scoring.types import Cause, Missing
from reefpoint.platform.governance.models import ModelVersion
from reefpoint.platform.governance.services import suspend_version
from reefpoint.platform.governance.types import DriftVerdict
from reefpoint.platform.imports.selectors import get_import
from reefpoint.platform.imports.services import receive_file, run_import
from reefpoint.records.parties.services.consents import record_consent
from reefpoint.records.parties.types import ConsentChannel, ConsentPurpose

pytestmark = pytest.mark.django_db
HEADER = "client_number,report_on,bureau,reference,score,delinquencies_24m,utilisation_pct,total_debt,currency\n"


def receive(desk: Desk, *rows: str) -> tuple[int, int]:
    """Hand a file of reports in and read it. Returns (good, bad)."""
    import_id, _ = receive_file(
        actor=SYSTEM,
        kind="bureau_reports",
        file_name="bureau.csv",
        pieces=[(HEADER + "\n".join(rows) + "\n").encode()],
        on=MONDAY,
        at=AT,
    )
    run_import(import_id=import_id, at=AT)
    found = get_import(SYSTEM, import_id)
    return found.good, found.bad


def consent(client_id: int) -> None:
    record_consent(
        actor=SYSTEM,
        client_id=client_id,
        purpose=ConsentPurpose.CREDIT_CHECK,
        text_version="1",
        channel=ConsentChannel.PAPER,
        at=AT,
    )


def number(client_id: int) -> str:
    return f"C-{client_id:06d}"


def test_a_report_of_a_client_who_consented_becomes_features_with_the_report_as_their_source(desk: Desk) -> None:
    consent(desk.near_client)
    row = f"{number(desk.near_client)},2019-11-20,Experian,R-1,712,,34.5,12000.00,USD"
    assert receive(desk, row) == (1, 0)
    report = BureauReport.objects.get()
    assert b"712" not in bytes(report.blob or b"")
    tell(desk, **WEALTHY)
    found = get_feature_set(build(desk))
    assert (found["bureau_score"].value, found["bureau_utilisation"].value) == (712, 3_450)
    assert found["bureau_debt_to_income"].value == 480
    assert (found["bureau_score"].sources[0].table, found["bureau_score"].sources[0].key) == (
        "scoring_bureau_report",
        str(report.pk),
    )
    assert found["bureau_delinquencies"].missing is Missing.NOT_REPORTED


def test_reports_without_consent_of_strangers_of_the_future_and_taken_before_are_handed_back(desk: Desk) -> None:
    consent(desk.near_client)
    near = number(desk.near_client)
    assert receive(
        desk,
        f"{near},2019-11-20,Experian,R-1,712,0,10,,",
        f"{near},2019-11-20,Experian,R-1,712,0,10,,",
        f"{near},2020-01-01,Experian,R-2,712,0,10,,",
        f"{number(desk.healthy_client)},2019-11-20,Experian,R-3,712,0,10,,",
        "C-999999,2019-11-20,Experian,R-4,712,0,10,,",
        f"{near},20.11.2019,Experian,R-5,712,0,10,,",
        f"{near},2019-11-20,Experian,R-6,=1+1,0,10,,",
        f"{near},2019-11-20,Experian,R-7,1,0,10,5.00,XXX",
    ) == (1, 7)
    assert BureauReport.objects.count() == 1


def test_a_report_of_long_ago_says_nothing_about_today(desk: Desk) -> None:
    consent(desk.near_client)
    receive(desk, f"{number(desk.near_client)},2019-06-01,Experian,R-1,712,0,10,,")
    assert get_feature_set(build(desk))["bureau_score"].missing is Missing.STALE_REPORT


def test_a_call_a_worse_band_or_a_changed_profile_scores_a_scored_client_again_and_only_those(desk: Desk) -> None:
    assert rescore_due(actor=SYSTEM, on=MONDAY, at=AT) == {}
    tell(desk, **WEALTHY)
    score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    assert rescore_due(actor=SYSTEM, on=MONDAY, at=AT) == {}
    desk.prices(TUESDAY, AAPL="78.00", JPM="100.00", KO="50.00")
    assert desk.calls(desk.near)
    later = noon(TUESDAY) + timedelta(minutes=1)
    assert rescore_due(actor=SYSTEM, on=TUESDAY, at=later) == {Cause.CALL: 1}
    assert rescore_due(actor=SYSTEM, on=TUESDAY, at=later) == {}
    found = latest_score(desk.near_client, TUESDAY)
    assert found is not None
    assert found.cause is Cause.CALL
    assert set(Score.objects.values_list("client_id", flat=True)) == {desk.near_client}


def test_a_score_is_made_anew_after_a_month(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    later = MONDAY + timedelta(days=30)
    assert rescore_due(actor=SYSTEM, on=later, at=noon(later)) == {Cause.SCHEDULE: 1}


def test_the_proof_makes_every_set_and_score_again(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    score_cases(actor=SYSTEM, cases=[german.read_german()[0][0]], on=MONDAY, at=AT)
    assert verify_scoring() == []


def test_shadows_answer_beside_the_champion_with_what_each_input_adds(desk: Desk) -> None:
    case = german.read_german()[0][0]
    (score,) = score_cases(actor=SYSTEM, cases=[case], on=MONDAY, at=AT)
    assert (score.client_id, score.model, score.points is not None) == (None, "german_card", True)
    shadow = ShadowScore.objects.get(score_id=score.id)
    assert shadow.model_version.model.code == "german_boosted"
    assert shadow.probability_bp is not None
    assert [name for name, _ in shadow.contributions] == [*german.WORDS, "expected"]


def test_a_case_with_strange_inputs_is_refused_and_nothing_is_kept() -> None:
    for strange in ({"age_in_years": 30}, {"duration_in_month": "12"}, {"purpose": 1}, {"duration_in_month": True}):
        with pytest.raises(UnknownInput):
            score_cases(actor=SYSTEM, cases=[strange], on=MONDAY, at=AT)
    assert not Score.objects.exists()


def test_scores_of_the_sample_itself_have_not_drifted_and_those_of_few_clients_say_nothing(desk: Desk) -> None:
    score_cases(actor=SYSTEM, cases=[case for case, _ in german.read_german()[:250]], on=MONDAY, at=AT)
    score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    assert measure_score_drift(actor=SYSTEM, on=MONDAY, at=AT) == {
        "margin_expert": DriftVerdict.INSUFFICIENT,
        "german_card": DriftVerdict.OK,
    }


def test_i61_without_a_card_that_can_be_trusted_everybody_is_referred(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    set_id = build(desk)
    score_client(actor=SYSTEM, feature_set_id=set_id, at=AT)
    for version_id in ModelVersion.objects.filter(use="margin").values_list("id", flat=True):
        suspend_version(actor=SYSTEM, version_id=version_id, reason="it is wrong", at=AT)
    score = score_client(actor=SYSTEM, feature_set_id=set_id, at=AT)
    assert (score.points, score.grade, score.missing, score.model) == (None, "", ("no_model",), "")


def test_erasure_leaves_no_figure_of_a_client_unless_a_law_keeps_some(desk: Desk) -> None:
    consent(desk.near_client)
    receive(desk, f"{number(desk.near_client)},2019-11-20,Experian,R-1,712,0,10,,")
    tell(desk, **WEALTHY)
    set_id = build(desk)
    score = score_client(actor=SYSTEM, feature_set_id=set_id, at=AT)
    erase_features(actor=SYSTEM, client_id=desk.near_client, kept=["account"], at=AT)
    assert get_feature_set(set_id).known
    erase_features(actor=SYSTEM, client_id=desk.near_client, kept=[], at=AT)
    assert get_feature_set(set_id).values == ()
    assert FeatureSet.objects.filter(blob__isnull=False).count() == 0
    assert BureauReport.objects.filter(blob__isnull=False).count() == 0
    row = Score.objects.get(id=score.id)
    assert (row.reasons, row.missing, row.points) == ([], [], score.points)
    assert verify_scoring() == []
    assert rescore_due(actor=SYSTEM, on=NEXT_MONDAY + timedelta(days=60), at=noon(NEXT_MONDAY)) == {}
