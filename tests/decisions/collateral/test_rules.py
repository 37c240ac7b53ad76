"""Tables and lists as they are read, what law asks, and how a cut takes force."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reefpoint.decisions.collateral.adapters.shipped import read_shipped_house, read_shipped_lists
from reefpoint.decisions.collateral.rules import (
    compare_lists,
    legal_haircut,
    plan_steps,
    read_house,
    read_lists,
    sessions_needed,
)
from reefpoint.decisions.collateral.types import EligibilityList, Listed, Ramp, Step
from reefpoint.engine.haircuts import HaircutInputs, HaircutPolicy, find_haircuts
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.records.market.types import Board, InstrumentKind, ListingView
from reefpoint.records.products.adapters.packs import read_pack_file

TODAY = date(2026, 11, 23)
SHARE = ListingView(
    1, "600000", "XSHG", InstrumentKind.SHARE, Board.MAIN, False, False, False, 1_000, 10, True, None, "", None, ""
)
BPS = st.integers(0, 10_000)


def days(count: int) -> list[date]:
    return [TODAY + timedelta(days=number) for number in range(count)]


def house(**changes: object) -> dict[str, Any]:
    return {**deepcopy(read_shipped_house()), **changes}


# what law asks


@pytest.mark.parametrize(
    ("listing", "haircut_bp", "rule"),
    [
        (replace(SHARE, is_index_member=True), 3_000, "cn.haircut.index_stock"),
        (SHARE, 3_500, "cn.haircut.other_a_share"),
        (replace(SHARE, kind=InstrumentKind.ETF), 1_000, "cn.haircut.etf"),
        (replace(SHARE, kind=InstrumentKind.GOVERNMENT_BOND), 500, "cn.haircut.cash_mgmt_mmf_tbond"),
        (replace(SHARE, kind=InstrumentKind.BOND), 2_000, "cn.haircut.other_fund_bond"),
        (replace(SHARE, kind=InstrumentKind.WARRANT), 10_000, "cn.haircut.warrant"),
        (replace(SHARE, is_index_member=True, has_risk_warning=True), 10_000, "cn.haircut.st_delisting"),
        (replace(SHARE, is_index_member=True, is_pe_excluded=True), 10_000, "cn.haircut.pe_rule"),
    ],
)
def test_the_exchanges_conversion_rates_bound_each_kind_of_name(
    listing: ListingView, haircut_bp: int, rule: str
) -> None:
    found = legal_haircut(listing, read_pack_file("CN"), TODAY)
    assert (found.haircut_bp, found.rules[0].id, found.is_missing) == (haircut_bp, rule, False)
    assert "实施细则" in found.rules[0].source or "SSE" in found.rules[0].article


def test_i61_a_rule_that_should_speak_and_is_not_on_record_is_never_zero() -> None:
    pack = read_pack_file("CN")
    without = replace(pack, rules=tuple(one for one in pack.rules if one.id != "cn.haircut.other_a_share"))
    found = legal_haircut(SHARE, without, TODAY)
    assert (found.haircut_bp, found.is_missing) == (10_000, True)


def test_the_packs_of_the_united_states_and_hong_kong_name_no_haircut() -> None:
    for place in ("US", "HK"):
        assert legal_haircut(SHARE, read_pack_file(place), TODAY).haircut_bp == 0


# the house's tables and lists


def test_what_comes_with_the_program_can_be_read() -> None:
    shipped = read_house(read_shipped_house())
    inputs = {"kind": "share", "board": "main", "has_risk_warning": False, "is_suspended": False}
    assert shipped.haircuts.decide({**inputs, "daily_turnover": 99_999_999})["haircut_bp"] == 4_000
    assert shipped.haircuts.decide({**inputs, "has_risk_warning": True, "daily_turnover": 0})["haircut_bp"] == 10_000
    assert shipped.suspension.decide({"sessions": 60})["cut_bp"] == 5_000
    assert read_lists(read_shipped_lists()) == ()


def _without_row(table: Mapping[str, Any], row: str) -> dict[str, Any]:
    return {**table, "rows": [one for one in table["rows"] if one["id"] != row]}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (house(haircuts=_without_row(read_shipped_house()["haircuts"], "main-thin")), "no row answers"),
        (house(suspension=_without_row(read_shipped_house()["suspension"], "weeks")), "no row answers"),
        (house(suspension=read_shipped_house()["haircuts"]), "a unique table over sessions"),
        (house(ramp={"notice_sessions": 3, "step_bp": 0}), "ramp, step_bp"),
        (house(ramp={"notice_sessions": 3}), "ramp, step_bp"),
        (house(unmodelled_bp=10_001), "unmodelled_bp"),
        (house(caps={**read_shipped_house()["caps"], "boards_bp": {"moon": 1}}), "the boards are"),
        (house(more=1), "house rules, more"),
    ],
)
def test_i62_house_rules_with_a_hole_an_overlap_or_a_bad_cell_are_refused(content: Any, problem: str) -> None:
    with pytest.raises(MalformedTable, match=problem):
        read_house(content)


def line(symbol: str, since: str, until: str | None = None) -> dict[str, Any]:
    return {"symbol": symbol, "since": since, "until": until, "note": ""}


def lists(*lines: Mapping[str, Any], tier: str = "") -> dict[str, Any]:
    return {"lists": [{"tier": tier, "names": list(lines)}]}


def test_a_name_is_accepted_from_its_first_day_to_its_last() -> None:
    (found,) = read_lists(lists(line("A", "2026-11-23", "2026-11-25"), line("A", "2026-12-01")))
    accepted = [on for on in days(10) if found.accepts("A", on)]
    assert accepted == [
        date(2026, 11, 23),
        date(2026, 11, 24),
        date(2026, 11, 25),
        date(2026, 12, 1),
        date(2026, 12, 2),
    ]
    assert not found.accepts("B", TODAY)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lists(line("A", "2026-11-23", "2026-11-22")), "ends before it begins"),
        (lists(line("A", "2026-11-23"), line("A", "2026-12-01")), "twice on the same day"),
        (lists(line("A", "tomorrow")), "a day is written"),
        (lists(line("", "2026-11-23")), "no symbol"),
        ({"lists": [{"tier": "", "names": []}, {"tier": "", "names": []}]}, "a tier stands twice"),
        ({"lists": "all"}, "not a list"),
    ],
)
def test_i62_a_list_that_contradicts_itself_is_refused(content: Any, problem: str) -> None:
    with pytest.raises(MalformedTable, match=problem):
        read_lists(content)


# how a cut takes force

RAMPS = st.builds(Ramp, st.integers(0, 10), st.integers(100, 3_000))


def test_a_cut_waits_for_its_notice_and_then_rises_by_its_step() -> None:
    steps = plan_steps(now_bp=4_000, pending=(), target_bp=5_200, days=days(30), ramp=Ramp(3, 500))
    assert steps == (Step(days(9)[3], 4_500), Step(days(9)[4], 5_000), Step(days(9)[5], 5_200))


def test_what_lends_more_counts_at_once_and_what_changes_nothing_is_no_step() -> None:
    assert plan_steps(now_bp=4_000, pending=(), target_bp=3_000, days=days(30), ramp=Ramp(3, 500)) == (
        Step(TODAY, 3_000),
    )
    assert plan_steps(now_bp=4_000, pending=(), target_bp=4_000, days=days(30), ramp=Ramp(3, 500)) == ()


def test_a_milder_target_stops_a_running_ramp_today_and_a_harder_one_goes_on_from_it() -> None:
    pending = [Step(days(9)[number], 4_000 + 500 * number) for number in (1, 2, 3, 4)]
    milder = plan_steps(now_bp=4_000, pending=pending, target_bp=4_700, days=days(30), ramp=Ramp(3, 500))
    assert milder == (Step(TODAY, 4_000), Step(days(9)[3], 4_500), Step(days(9)[4], 4_700))
    harder = plan_steps(now_bp=4_000, pending=pending, target_bp=7_000, days=days(30), ramp=Ramp(3, 500))
    assert harder[:2] == (Step(days(9)[3], 5_500), Step(days(9)[4], 6_000))


@given(now=BPS, target=BPS, ramp=RAMPS)
def test_i30_a_ramp_never_steps_beyond_its_daily_step_and_ends_at_its_target(now: int, target: int, ramp: Ramp) -> None:
    steps = plan_steps(now_bp=now, pending=(), target_bp=target, days=days(sessions_needed(ramp)), ramp=ramp)
    last = now
    for step in steps:
        assert step.haircut_bp - last <= ramp.step_bp
        last = step.haircut_bp
    assert last == target
    if target > now:
        assert steps[0].effective_on == days(20)[ramp.notice_sessions]


@given(start=BPS, first=BPS, second=BPS, ramp=RAMPS)
def test_i30_a_ramp_that_follows_on_a_running_one_never_jumps_either(
    start: int, first: int, second: int, ramp: Ramp
) -> None:
    calendar = days(2 * sessions_needed(ramp))
    running = plan_steps(now_bp=start, pending=(), target_bp=first, days=calendar, ramp=ramp)
    now = next((one.haircut_bp for one in reversed(running) if one.effective_on <= TODAY), start)
    pending = [one for one in running if one.effective_on > TODAY]
    then = plan_steps(now_bp=now, pending=pending, target_bp=second, days=calendar, ramp=ramp)
    in_force, last = [], now
    for day in calendar:
        later = [one.haircut_bp for one in then if one.effective_on <= day]
        earlier = [one.haircut_bp for one in running if one.effective_on <= day]
        in_force.append((later or earlier or [start])[-1])
    for haircut_bp in in_force:
        assert haircut_bp - last <= ramp.step_bp
        last = haircut_bp
    assert last == second


# the model


@given(st.floats(1.0, 4.0))
def test_the_models_haircut_grows_with_volatility(factor: float) -> None:
    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 0.01, 300)

    def haircut(scale: float) -> int:
        closes = (1e8 * np.exp(np.cumsum(np.append(0.0, returns * scale)))).astype(np.int64)[None, :]
        none, zero = np.zeros(1), np.zeros(1, dtype=np.int64)
        inputs = HaircutInputs(closes, zero + 1_000, zero + 10**6, none, none, none, none, zero)
        return int(find_haircuts(inputs, HaircutPolicy(step_bp=1, floor_bp=0)).haircut_bp[0])

    assert haircut(factor) >= haircut(1.0)


def test_two_versions_of_a_list_differ_in_names_days_and_haircuts() -> None:
    def listed(*names: tuple[str, str]) -> tuple[Listed, ...]:
        return tuple(Listed(symbol, date(2020, 1, 1), None, note) for symbol, note in names)

    before = [EligibilityList("", listed(("AAPL", ""), ("JPM", ""), ("MSFT", ""), ("XOM", "")))]
    after = [
        EligibilityList("", listed(("AAPL", ""), ("JPM", "review"), ("MSFT", ""))),
        EligibilityList("prime", listed(("GE", ""))),
    ]
    found = compare_lists(before, after, {"AAPL": 3_000, "MSFT": 3_000}, {"AAPL": 3_500, "MSFT": 3_000})
    assert [(one.tier, one.symbol, one.move.value) for one in found] == [
        ("", "AAPL", "haircut"),
        ("", "JPM", "changed"),
        ("", "XOM", "went"),
        ("prime", "GE", "came"),
    ]
    assert (found[0].haircut_before_bp, found[0].haircut_after_bp) == (3_000, 3_500)
