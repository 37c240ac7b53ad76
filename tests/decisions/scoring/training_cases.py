"""Training again gives what is shipped, and the desk's own runtimes give what the training libraries give.

One fit of each model; `test_spread` alone trains twenty more.
"""

import json
from typing import Any

import pytest

from reefpoint.decisions.scoring.adapters import german
from reefpoint.decisions.scoring.adapters.shipped import read_data
from reefpoint.decisions.scoring.rules.cards import make_runtime, read_card
from reefpoint.decisions.scoring.rules.trees import MalformedTrees, read_boosted

training = pytest.importorskip("reefpoint.decisions.scoring.adapters.training")
np = pytest.importorskip("numpy")
pytest.importorskip("optbinning", reason="the extra `train` is not installed")
lightgbm = pytest.importorskip("lightgbm", exc_type=(ImportError, OSError), reason="LightGBM cannot be loaded here")

pytestmark = pytest.mark.filterwarnings("ignore")
CASES = [case for case, _ in german.read_german()]


@pytest.fixture(scope="module")
def sample() -> tuple[Any, Any]:
    return training.load_frame()


@pytest.fixture(scope="module")
def booster() -> Any:
    return lightgbm.Booster(model_str=read_data("german_boosted.txt"))


def test_training_again_gives_the_shipped_card_and_its_points_for_every_case(sample: tuple[Any, Any]) -> None:
    fitted = training.fit_card(*sample)
    text = json.dumps(training.card_to_json(fitted, code="german_card"), ensure_ascii=False, indent=1) + "\n"
    assert text == read_data("german_card.json")
    runtime = make_runtime(read_card(text))
    assert [runtime.points(case) for case in CASES] == fitted.score(sample[0]).tolist()


def test_points_that_are_no_whole_numbers_are_equal_to_the_last_bit_missing_and_special_ones_too(
    sample: tuple[Any, Any],
) -> None:
    table, bad = sample[0].copy(), sample[1]
    random = np.random.default_rng(3)
    table["credit_amount"] = table["credit_amount"].astype(float)
    table.loc[random.random(len(table)) < 0.1, "credit_amount"] = np.nan
    table.loc[random.random(len(table)) < 0.1, "duration_in_month"] = -1
    train = random.random(len(table)) < 0.5
    columns = ["credit_amount", "duration_in_month", "purpose", "status_of_existing_checking_account", "housing"]
    fitted = training.fit_card(table.loc[train, columns], bad[train], special=[-1], rounding=False)
    runtime = make_runtime(read_card(json.dumps(training.card_to_json(fitted, code="test", special=[-1]))))
    test = table.loc[~train, columns]
    given = [
        {name: None if value != value else value for name, value in row.items()} for row in test.to_dict("records")
    ]
    own = [runtime.points(case) for case in given]
    assert [one.hex() for one in own if one is not None] == [one.hex() for one in fitted.score(test).tolist()]
    assert any(case["credit_amount"] is None for case in given)
    assert any(case["duration_in_month"] == -1 for case in given)
    chances = fitted.predict_proba(test)[:, 1]
    assert all(
        abs((runtime.probability_bp(points) or 0) - chance * 10_000) < 0.51
        for points, chance in zip(own, chances, strict=True)
        if points is not None
    )


def test_the_challenger_trained_again_is_the_shipped_one(sample: tuple[Any, Any]) -> None:
    assert training.fit_challenger(*sample).model_to_string() == read_data("german_boosted.txt")


def test_scores_and_contributions_are_those_of_lightgbm(sample: tuple[Any, Any], booster: Any) -> None:
    model = read_boosted(read_data("german_boosted.txt"))
    cases = [dict(case) for case in CASES[:120]]
    for number, case in enumerate(cases):
        case.update({"purpose": None} if number % 3 == 0 else {})
        case.update({"credit_amount": None} if number % 4 == 0 else {})
    table = training._worded(sample[0].head(120).astype({"credit_amount": float}))
    table.loc[::3, "purpose"] = None
    table.loc[::4, "credit_amount"] = np.nan
    raw, parts = booster.predict(table, raw_score=True), booster.predict(table, pred_contrib=True)
    rows = [model.row(case) for case in cases]
    assert [model.raw(row) for row in rows] == raw.tolist()
    assert [model.probability(row) for row in rows] == booster.predict(table).tolist()
    own = np.array([model.contributions(row) for row in rows])
    assert np.abs(own - parts).max() < 1e-12
    assert np.abs(own.sum(axis=1) - raw).max() < 1e-9


def test_a_text_that_was_cut_or_changed_is_no_model() -> None:
    text = read_data("german_boosted.txt")
    for spoiled in (
        "",
        text[: len(text) // 2],
        text.replace("objective=binary", "objective=regression"),
        text.replace("left_child=1", "left_child=0", 1),
        text.replace("split_feature=", "split_feature=99 ", 1),
        text.replace("leaf_value=", "leaf_value=nan ", 1),
    ):
        with pytest.raises(MalformedTrees):
            read_boosted(spoiled)


@pytest.mark.slow
def test_spread(sample: tuple[Any, Any]) -> None:
    card, challenger = training.train_german()
    assert card.measures["auc"].mean >= 0.77
    assert card.measures["ks"].mean >= 0.45
    for trained in (card, challenger):
        assert json.loads(read_data(f"{trained.code}.facts.json"))["metrics"] == trained.facts["metrics"]
