"""Scorecards: what can be written at all, and what a case comes to."""

import copy
import json
from typing import Any

import pytest

from reefpoint.decisions.scoring.adapters.shipped import MODELS, read_data
from reefpoint.decisions.scoring.rules.cards import MalformedCard, make_runtime, read_card
from reefpoint.decisions.scoring.rules.features import DEFINITIONS

EXPERT = json.loads(read_data("margin_expert.json"))
BEST = {
    "liquid_assets": 200_000_000,
    "annual_income": 30_000_000,
    "trading_years": 20,
    "debt_to_liquid": 0,
    "volatility": 1_500,
    "concentration": 2_000,
    "sale_days": 100,
    "beta": 70,
    "bureau_delinquencies": 0,
    "calls_expired": 0,
    "overdue_days": 0,
    "group_debt": 0,
}


def test_every_shipped_model_can_be_read() -> None:
    for model in MODELS:
        model.kind.check(model.artifact())
        assert model.facts()["limitations"]


def test_the_expert_card_asks_for_features_that_there_are_and_claims_no_odds() -> None:
    card = read_card(json.dumps(EXPERT))
    assert {one.name for one in card.characteristics} <= set(DEFINITIONS)
    assert card.is_expert
    assert card.pdo is None
    assert all(bin_.points == one.neutral or bin_.reason_zh for one in card.characteristics for bin_ in one.bins)


def test_the_best_case_has_a_thousand_points_and_nothing_to_say_against_it() -> None:
    outcome = make_runtime(read_card(json.dumps(EXPERT))).score(BEST)
    assert (outcome.points, outcome.grade, outcome.reasons, outcome.probability_bp) == (1000, "A", (), None)


def test_the_four_costliest_reasons_are_named_in_their_order() -> None:
    worst = BEST | {"volatility": 9_000, "concentration": 10_000, "liquid_assets": 0, "beta": 300, "trading_years": 0}
    outcome = make_runtime(read_card(json.dumps(EXPERT))).score(worst)
    assert [(one.code, one.points_lost) for one in outcome.reasons] == [
        ("volatility", 160),
        ("concentration", 130),
        ("liquid_assets", 90),
        ("trading_years", 55),
    ]
    assert (outcome.points, outcome.grade) == (515, "D")


def test_i61_a_missing_key_fact_refers_and_another_has_points_of_its_own() -> None:
    runtime = make_runtime(read_card(json.dumps(EXPERT)))
    without_income = runtime.score(BEST | {"annual_income": None})
    assert (without_income.points, without_income.grade, without_income.missing) == (None, "", ("annual_income",))
    assert runtime.points(BEST | {"annual_income": None}) is None
    without_report = runtime.score(BEST | {"bureau_delinquencies": None})
    assert (without_report.points, without_report.missing) == (955, ())
    assert without_report.reasons[0].name == "No recent bureau report"


@pytest.mark.parametrize(
    ("edge", "points"), [(24_999, 130), (25_000, 105), (39_999, 105)], ids=["below", "at", "above"]
)
def test_a_bin_begins_at_its_lower_edge(edge: int, points: int) -> None:
    parts = make_runtime(read_card(json.dumps(EXPERT))).score(BEST | {"concentration": edge // 10}).parts
    assert next(part.points for part in parts if part.name == "concentration") == points


def _bins(card: dict[str, Any]) -> list[dict[str, Any]]:
    return card["characteristics"][0]["bins"]


SPOILED = {
    "a gap": (lambda card: _bins(card)[1].update(low=6_000_000), "no bin holds 5000000"),
    "an overlap": (lambda card: _bins(card)[1].update(low=4_000_000), "two bins hold 4000000"),
    "no end": (lambda card: _bins(card)[-1].update(high=9_000_000_000), "ends above all"),
    "an empty bin": (
        lambda card: (_bins(card)[0].update(high=25_000_000), _bins(card)[1].update(low=25_000_000)),
        "empty",
    ),
    "points that are text": (lambda card: _bins(card)[0].update(points="20"), "not a number"),
    "points that are nothing": (lambda card: _bins(card)[0].update(points=float("nan")), "not a number"),
    "an unknown cell": (lambda card: _bins(card)[0].update(note="x"), "not known"),
    "a missing cell": (lambda card: _bins(card)[0].pop("reason"), "missing"),
    "a name twice": (lambda card: card["characteristics"].append(card["characteristics"][0]), "stands once"),
    "grades out of order": (lambda card: card["grades"][1].update(least=900), "begins below"),
    "no last grade": (lambda card: card["grades"][4].update(least=0), "last one"),
    "an expert who claims odds": (
        lambda card: card.update(scale={"pdo": 20, "anchor_points": 500, "anchor_odds": 1}),
        "claims no odds",
    ),
    "another format": (lambda card: card.update(format=2), "format"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_i62_a_card_that_is_not_whole_cannot_be_read(name: str) -> None:
    spoil, problem = SPOILED[name]
    card = copy.deepcopy(EXPERT)
    spoil(card)
    with pytest.raises(MalformedCard, match=problem):
        read_card(json.dumps(card))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', "[" * 100_000])
def test_i69_what_is_no_card_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(MalformedCard):
        read_card(text)


def test_words_that_no_bin_lists_refer_where_the_card_gives_them_no_points() -> None:
    runtime = make_runtime(read_card(read_data("german_card.json")))
    assert runtime.score({"purpose": "yacht"}).missing
