"""A desk whose accounts have two home currencies: each valued in its own, sums in one at one version of the rates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from math import ceil

import pytest
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.margin.selectors.parts import NoReportingRate
from reefpoint.insight.collateral.selectors import find_gap_loss
from reefpoint.insight.stress.rules import ScenarioRefused, read_scenarios
from reefpoint.insight.stress.selectors.runs import find_breaking_fall, measure_sensitivities, stress_desk
from reefpoint.insight.stress.types import MoveKind, ScenarioChoice, StressReport
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import approve
from reefpoint.records.accounts.models import MarginAccount
from reefpoint.records.ledger.services import OtherCurrency
from reefpoint.records.market.services.fx import record_fx
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.services import draft_scheme_version, publishing, request_publication

AT: datetime = noon(MONDAY)
RATE = "0.8"


def rates(desk: Desk, rate: str = RATE) -> None:
    record_fx(actor=SYSTEM, source="ECB", key=desk.key("fx"), base="USD", rates={"HKD": rate}, on=MONDAY, at=AT)


def scheme_in_hong_kong(desk: Desk) -> int:
    """A scheme of accounts in Hong Kong dollars that takes the same American names."""
    standard = next(draft for draft in load_demo_schemes() if draft.code == "STANDARD")
    draft = replace(standard, code="HK", name="Hong Kong", terms=replace(standard.terms, currency="HKD"))
    version_id = draft_scheme_version(actor=desk.risk, draft=draft, effective_from=MONDAY, at=AT)
    request_publication(actor=desk.risk, version_id=version_id, reason="a desk", at=AT)
    for approval in list_pending(desk.approver):
        approve(actor=desk.approver, approval_id=approval.id, payload_hash=approval.payload_hash, at=AT)
    return version_id


@pytest.fixture
def mixed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> int:
    """Beside the desk's dollar accounts one whose money is Hong Kong dollars of 80 cents: 1,000 Apple at 125, owing
    50,000 and its fees. The books are kept in one currency, so the scheme is published past that refusal, and the
    account opened in dollars and made over.
    """
    monkeypatch.setattr(publishing, "find_currency_problems", lambda _: [])
    rates(desk)
    account_id = desk.open_account({"AAPL": 1_000}, 50_000_00)
    desk.drain()
    version_id = scheme_in_hong_kong(desk)
    MarginAccount.objects.filter(id=account_id).update(currency="HKD", scheme_version_id=version_id)
    return account_id


def shortfall(report: StressReport, name: str) -> int:
    return next(one.shortfall_minor for one in report.outcomes if one.name == name)


def test_sums_are_of_dollars_and_each_account_keeps_its_own_money(desk: Desk, mixed: int) -> None:
    report = stress_desk(ScenarioChoice(falls_bp=(7_000,)), at=AT)
    home, near = desk.account(mixed), desk.account(desk.near)
    assert (report.currency, report.accounts) == ("USD", 3)
    assert report.fx_name.startswith("FX-")
    short = {
        desk.near: near.debt_minor - near.cash_minor - 30_000_00,
        mixed: home.debt_minor - home.cash_minor - 37_500_00,
    }
    in_dollars = ceil(short[mixed] * 4 / 5)
    assert shortfall(report, "all -70.00%") == short[desk.near] + in_dollars
    worst = {one.number: (one.currency, one.shortfall_minor) for one in report.worst_accounts}
    assert worst == {near.number: ("USD", short[desk.near]), home.number: ("HKD", short[mixed])}
    by_scheme = {one.code: one.shortfall_minor for one in report.outcomes[1].by_scheme}
    assert by_scheme == {"STANDARD": short[desk.near], "HK": in_dollars}
    (pool,) = report.outcomes[1].by_pool
    assert pool.shortfall_minor == short[desk.near] + in_dollars
    in_hong_kong = stress_desk(ScenarioChoice(falls_bp=(7_000,)), at=AT, currency="HKD")
    assert shortfall(in_hong_kong, "all -70.00%") == ceil(short[desk.near] * 5 / 4) + short[mixed]


def test_a_currency_is_a_scenario_of_its_own_and_part_of_a_persons_table(desk: Desk, mixed: int) -> None:
    rows = read_scenarios(["scenario,target,shock", "peg,fx:HKD,200", "both,fx:USD,-50", "both,*,-20"])
    report = stress_desk(ScenarioChoice(currency_falls_bp=(1_000,), rows=rows), at=AT)
    names = [one.name for one in report.outcomes]
    assert names == ["today", "HKD -10.00%", "USD -10.00%", "peg", "both"]
    home = desk.account(mixed)
    # when the Hong Kong dollar trebles, Apple is worth 41.6666 of them and each of them 2.40
    owed = home.debt_minor - home.cash_minor - 41_666_60
    assert shortfall(report, "peg") == ceil(owed * 12 / 5)
    # Apple at 80 and the American dollar at half: 50 of the others, of 1.60 each
    assert shortfall(report, "both") == ceil(max(0, home.debt_minor - home.cash_minor - 50_000_00) * 8 / 5)
    assert shortfall(report, "HKD -10.00%") == 0
    with pytest.raises(ScenarioRefused, match="Line 2 is for 'fx:XXX'"):
        stress_desk(ScenarioChoice(rows=read_scenarios(["scenario,target,shock", "x,fx:XXX,-5"])), at=AT)
    twice = read_scenarios(["scenario,target,shock", "x,fx:HKD,-5", "x,fx:HKD,-6"])
    with pytest.raises(ScenarioRefused, match="Line 3 is the second for fx:HKD"):
        stress_desk(ScenarioChoice(rows=twice), at=AT)


def test_how_far_a_currency_may_fall_is_found_to_the_basis_point(desk: Desk, mixed: int) -> None:
    prices = find_breaking_fall(limit_minor=5_000_00, at=AT)
    assert prices.loss_before_minor <= 5_000_00 < prices.loss_minor
    assert prices.is_smallest
    dollar = find_breaking_fall(limit_minor=5_000_00, at=AT, falling="USD")
    assert dollar.fall_bp is not None
    assert 6_000 < dollar.fall_bp < 7_000
    assert [number for number, _ in dollar.accounts] == [desk.account(mixed).number]
    assert not dollar.is_smallest
    with pytest.raises(ScenarioRefused, match=r"CNY is no symbol, no sector and no currency .* HKD, USD"):
        find_breaking_fall(limit_minor=1, at=AT, falling="CNY")


def test_one_percent_of_each_currency_is_a_sensitivity(desk: Desk, mixed: int) -> None:
    report = measure_sensitivities(at=AT)
    moves = {(one.kind, one.code): one.market_minor for one in report.effects}
    everything = -(11_000 * 100 + 1_000 * 100 + 1_000 * 100) * 100 // 100
    assert moves[MoveKind.EVERYTHING, "all"] == everything
    assert moves[MoveKind.NAME, "AAPL"] == -12_000 * 100
    # Apple of the account abroad is worth the same in dollars whatever a Hong Kong dollar is; rounding costs a cent
    assert (MoveKind.CURRENCY, "USD") not in moves or abs(moves[MoveKind.CURRENCY, "USD"]) < 100


def test_gap_losses_of_both_currencies_add_up_on_the_same_paths(desk: Desk, mixed: int) -> None:
    report = find_gap_loss(at=AT, paths=1_000)
    assert (report.currency, report.accounts, report.unknown_accounts) == ("USD", 3, 0)
    assert {one.code: one.currency for one in report.by_scheme} == {"HK": "USD", "STANDARD": "USD"}
    assert report.total.debt_minor == sum(one.debt_minor for one in report.by_scheme)
    assert sum(one.expected_minor for one in report.by_scheme) == pytest.approx(report.total.expected_minor, abs=2)


@pytest.mark.parametrize(
    "run",
    [
        lambda: stress_desk(ScenarioChoice(), at=AT, currency="CNY"),
        lambda: measure_sensitivities(at=AT, currency="CNY"),
        lambda: find_breaking_fall(limit_minor=1, at=AT, currency="XXX"),
        lambda: find_gap_loss(at=AT, paths=1_000, currency="CNY"),
    ],
)
def test_a_currency_without_a_rate_is_refused_in_a_sentence(desk: Desk, mixed: int, run: Callable[[], object]) -> None:
    with pytest.raises(NoReportingRate, match=r"no rate from HKD, USD to CNY|is no currency of the desk"):
        run()


def test_no_account_is_opened_outside_the_currency_of_the_books(desk: Desk, mixed: int) -> None:
    desk.drain()
    with pytest.raises(OtherCurrency, match="kept in USD: nothing can be opened in HKD"):
        desk.open_account({"AAPL": 1}, 0, scheme="HK")
    assert not MarginAccount.objects.filter(currency="HKD").exclude(id=mixed).exists()
