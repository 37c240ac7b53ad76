"""Features and scores of a client on a desk that works."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from tests.decisions.scoring.people import AT, WEALTHY, build, tell
from tests.desk import MONDAY, SYSTEM, Desk

from reefpoint.decisions.scoring.models import FeatureSet, Score
from reefpoint.decisions.scoring.rules import features, transforms
from reefpoint.decisions.scoring.selectors import get_feature_set, get_score, latest_score
from reefpoint.decisions.scoring.selectors.reading import open_sets
from reefpoint.decisions.scoring.services import UnknownHolding, score_client
from reefpoint.decisions.scoring.types import Missing

pytestmark = pytest.mark.django_db


def test_each_value_says_which_rows_it_came_from(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    found = get_feature_set(build(desk))
    assert found["annual_income"].value == 250_000_00
    assert found["annual_income"].sources[0].table == "parties_profile"
    assert found["annual_income"].sources[0].key == f"{desk.near_client}:1"
    assert found["portfolio_value"].value == 100_000_00
    assert found["portfolio_value"].sources[0].key.startswith("AAPL")
    assert found["debt_to_liquid"].value == 500
    assert found["concentration"].value == 10_000
    assert found["sale_days"].value == 1
    assert all(one.sources or one.missing for one in found.values)


def test_i61_what_is_not_known_is_missing_with_its_reason_and_never_zero(desk: Desk) -> None:
    found = get_feature_set(build(desk))
    assert found["annual_income"].value is None
    assert found["annual_income"].missing is Missing.NOT_ASKED
    assert found["bureau_delinquencies"].missing is Missing.NO_REPORT
    assert found["calls"].missing is Missing.TOO_YOUNG
    tell(desk, trading_years=0)
    again = get_feature_set(build(desk))
    assert (again["trading_years"].value, again["annual_income"].missing) == (0, Missing.NOT_SAID)


def test_i61_missing_key_facts_refer_a_client_and_give_no_points(desk: Desk) -> None:
    score = score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    assert score.is_referred
    assert (score.points, score.grade, score.reasons) == (None, "", ())
    assert {"liquid_assets", "annual_income", "trading_years"} <= set(score.missing)


def test_a_score_has_a_grade_at_most_four_reasons_and_its_version(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    score = score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    assert score.points is not None
    assert (score.model, score.model_version, score.is_expert) == ("margin_expert", 1, True)
    assert score.grade in set("ABCDE")
    assert score.probability_bp is None
    assert 1 <= len(score.reasons) <= 4
    assert score.reasons[0].code == "concentration"
    assert score.reasons[0].points_lost == 130
    assert get_score(score.id) == score
    assert latest_score(desk.near_client, MONDAY) == score
    assert latest_score(desk.near_client, MONDAY - timedelta(days=1)) is None


def test_the_same_facts_on_the_same_day_are_one_set(desk: Desk) -> None:
    assert build(desk) == build(desk)
    assert FeatureSet.objects.count() == 1


def test_what_is_offered_counts_in_place_of_what_is_held(desk: Desk) -> None:
    desk.prices(MONDAY, KO="50.00")
    offered = get_feature_set(build(desk, portfolio=[(desk.instruments["KO"], 100), (desk.instruments["AAPL"], 100)]))
    assert offered["portfolio_value"].value == 15_000_00
    assert offered["concentration"].value == 6_667


def test_a_portfolio_of_strange_names_is_refused_and_nothing_is_built(desk: Desk) -> None:
    for portfolio in ([(999_999, 1)], [(desk.instruments["KO"], 0)]):
        with pytest.raises(UnknownHolding):
            build(desk, portfolio=portfolio)
    assert not FeatureSet.objects.exists()


def test_i60_a_set_comes_from_its_stored_facts_again_byte_for_byte(desk: Desk) -> None:
    tell(desk, **WEALTHY)
    row = FeatureSet.objects.get(id=build(desk))
    stored = open_sets([row])[0]
    again = transforms.compute(stored["facts"])
    assert features.to_bytes(features.values_to_json(again)) == features.to_bytes(stored["values"])
    assert features.content_hash(again) == row.content_hash


def test_a_score_is_never_changed(desk: Desk) -> None:

    score = score_client(actor=SYSTEM, feature_set_id=build(desk), at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Score.objects.filter(id=score.id).update(points=999, grade="A")
