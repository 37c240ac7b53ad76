"""One account under stress: the terms behind what the runs over the whole book say of it."""

from datetime import datetime

import pytest
from tests.desk import MONDAY, Desk, noon

from reefpoint.engine.bands import Band
from reefpoint.insight.collateral.selectors import explain_account_gap
from reefpoint.insight.stress.rules import usual_scenarios
from reefpoint.insight.stress.selectors.accounts import explain_account_stress
from reefpoint.insight.stress.selectors.runs import stress_desk
from reefpoint.insight.stress.types import ScenarioChoice
from reefpoint.platform.basics.errors import NotFound

AT: datetime = noon(MONDAY)


def test_an_account_is_told_as_the_run_over_the_book_counts_it(desk: Desk) -> None:
    choice = ScenarioChoice(
        falls_bp=(1_000, 6_000), market_falls_bp=(3_000,), currency_falls_bp=(1_000,), with_history=True
    )
    book = stress_desk(choice, at=AT)
    told = [explain_account_stress(desk.risk, account, choice, at=AT) for account in (desk.near, desk.healthy)]
    for place, outcome in enumerate(book.outcomes):
        assert [one.scenarios[place].name for one in told] == [outcome.name] * 2
        assert sum(one.scenarios[place].shortfall_minor for one in told) == outcome.shortfall_minor
        counts = {total.band: total.accounts for total in outcome.bands}
        assert counts == {band: sum(one.scenarios[place].band is band for one in told) for band in counts}
    worst = {one.number: one for one in book.worst_accounts}
    near = told[0]
    assert near.worst is not None
    assert near.number in worst
    figures = worst[near.number]
    assert (near.worst.name, near.worst.assets_minor) == (figures.scenario, figures.assets_minor)
    assert (near.worst.shortfall_minor, near.expected_shortfall_minor) == (
        figures.shortfall_minor,
        figures.expected_shortfall_minor,
    )
    assert near.cash_minor + sum(one.moved_value_minor for one in near.positions) == near.worst.assets_minor
    assert near.expected_shortfall_minor == -(-near.shortfall_sum_minor // near.valued)


def test_an_account_without_a_price_is_unknown_in_every_scenario(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    desk.receive(desk.near, desk.instruments["NEWCO"], 10, MONDAY)
    told = explain_account_stress(desk.risk, desk.near, usual_scenarios(), at=AT)
    assert {one.band for one in told.scenarios} == {Band.UNKNOWN}
    assert (told.worst, told.positions, told.expected_shortfall_minor) == (None, (), None)
    assert explain_account_gap(desk.risk, desk.near, at=AT, paths=100).is_unknown


def test_who_may_not_see_an_account_is_told_nothing_of_it(desk: Desk) -> None:
    with pytest.raises(NotFound):
        explain_account_stress(desk.manager, desk.near, ScenarioChoice(), at=AT)
    with pytest.raises(NotFound):
        explain_account_stress(desk.risk, 10**9, ScenarioChoice(), at=AT)
    with pytest.raises(NotFound):
        explain_account_gap(desk.risk, 10**9, at=AT, paths=100)
