"""The seeded desk under prices that might be."""

from datetime import datetime

import pytest
from tests.desk import MONDAY, TUESDAY, Desk, noon

from reefpoint.decisions.collateral.selectors import model
from reefpoint.decisions.margin.selectors.standing import measure_all
from reefpoint.engine.bands import Band
from reefpoint.insight.stress.rules import FALLS_BP, WINDOWS, ScenarioRefused, read_scenarios
from reefpoint.insight.stress.selectors.runs import find_breaking_fall, measure_sensitivities, stress_desk
from reefpoint.insight.stress.types import MoveKind, ScenarioChoice, ScenarioOutcome, StressReport
from reefpoint.records.accounts.selectors.accounts import load_accounts
from reefpoint.records.market.selectors.instruments import list_instruments

AT: datetime = noon(MONDAY)


def outcome(report: StressReport, name: str) -> ScenarioOutcome:
    return next(one for one in report.outcomes if one.name == name)


def bands(one: ScenarioOutcome) -> list[int]:
    return [total.accounts for total in one.bands]


def test_today_is_the_first_scenario_and_what_the_board_says(desk: Desk) -> None:
    report = stress_desk(ScenarioChoice(), at=AT)
    standings = measure_all(load_accounts(), at=AT)
    assert [one.name for one in report.outcomes] == ["today"]
    assert [sum(one.band == band for one in standings) for band in range(4)] == bands(report.outcomes[0])
    assert report.debt_minor == sum(one.debt_minor for one in standings)
    assert report.outcomes[0].shortfall_minor == 0
    assert report.worst_accounts == ()


def test_a_fall_moves_accounts_through_the_bands_and_shows_who_is_short(desk: Desk) -> None:
    near = desk.account(desk.near)
    report = stress_desk(ScenarioChoice(falls_bp=(1_000, 2_500, 6_000)), at=AT)
    assert [bands(one) for one in report.outcomes] == [[2, 0, 0, 0], [2, 0, 0, 0], [1, 0, 1, 0], [1, 0, 0, 1]]
    shortfall = near.debt_minor - near.cash_minor - 1_000 * 40_00
    deepest = outcome(report, "all -60.00%")
    assert deepest.shortfall_minor == shortfall
    assert deepest.bands[-1].debt_minor == near.debt_minor
    (worst,) = report.worst_accounts
    assert (worst.number, worst.scenario, worst.shortfall_minor) == (near.number, "all -60.00%", shortfall)
    assert worst.expected_shortfall_minor == -(-shortfall // 4)


def test_losses_are_told_by_scheme_and_by_pool(desk: Desk) -> None:
    cautious = desk.open_account({"AAPL": 1_000}, 40_000_00, scheme="CAUTIOUS", client_id=desk.healthy_client)
    report = stress_desk(ScenarioChoice(falls_bp=(7_000,)), at=AT)
    deepest = report.outcomes[-1]
    assert [one.code for one in deepest.by_scheme] == ["CAUTIOUS", "STANDARD"]
    assert [one.code for one in deepest.by_pool] == ["MAIN"]
    for losses in (deepest.by_scheme, deepest.by_pool):
        assert sum(one.shortfall_minor for one in losses) == deepest.shortfall_minor > 0
        assert sum(one.debt_minor for one in losses) == report.debt_minor
    account = desk.account(cautious)
    assert deepest.by_scheme[0].shortfall_minor == account.debt_minor - account.cash_minor - 1_000 * 30_00


def test_history_is_done_to_todays_prices_and_says_where_a_proxy_stood_in(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    desk.prices(MONDAY, NEWCO="10")
    desk.receive(desk.near, desk.instruments["NEWCO"], 10, MONDAY)
    report = stress_desk(ScenarioChoice(with_history=True), at=AT)
    assert [one.name for one in report.outcomes[1:]] == [window.name for window in WINDOWS]
    assert report.not_covered == ()
    assert outcome(report, "2020 pandemic").proxies == ("NEWCO",)
    assert bands(outcome(report, "2000-2002 dot-com"))[3] == 1  # Apple fell by four fifths


def test_when_the_market_falls_each_name_follows_by_its_beta(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    desk.prices(MONDAY, NEWCO="10")
    report = stress_desk(ScenarioChoice(market_falls_bp=(3_000, 9_900)), at=AT)
    assert [one.name for one in report.outcomes] == ["today", "market -30.00% by beta", "market -99.00% by beta"]
    assert report.outcomes[1].proxies == ("NEWCO",)
    assert bands(report.outcomes[0])[3] < bands(report.outcomes[1])[3]
    near = desk.account(desk.near)
    # Apple's beta is over one: it keeps a hundredth of its price, and no more is taken
    assert report.worst_accounts[0].assets_minor == near.cash_minor + 1_000 * 1_00


def test_without_history_the_market_is_left_out_and_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "load_us20", lambda first, last: [])
    report = stress_desk(ScenarioChoice(market_falls_bp=(1_000,)), at=AT)
    assert ([one.name for one in report.outcomes], report.not_covered) == (["today"], ("the market by beta",))
    assert MoveKind.MARKET not in {one.kind for one in measure_sensitivities(at=AT).effects}


def test_the_largest_names_gap_one_at_a_time(desk: Desk) -> None:
    report = stress_desk(ScenarioChoice(with_gaps=True), at=AT)
    assert [one.name for one in report.outcomes] == ["today", "AAPL alone -50%", "JPM alone -50%"]
    assert [bands(one)[3] for one in report.outcomes] == [0, 1, 0]


def test_a_table_of_a_persons_own(desk: Desk) -> None:
    rows = read_scenarios(["scenario,target,shock", "mine,*,-1", "mine,AAPL,-60.5%", "theirs,Test,5"])
    report = stress_desk(ScenarioChoice(rows=rows), at=AT)
    assert [one.name for one in report.outcomes] == ["today", "mine", "theirs"]
    near = desk.account(desk.near)
    assert report.outcomes[1].shortfall_minor == near.debt_minor - near.cash_minor - 1_000 * 39_50


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "no scenarios"),
        (["scenario,target,shock"], "no scenarios"),
        (["a,b,c", "mine,*,-1"], "Line 1 must be the heading"),
        (["scenario,target,shock", "mine,*,-1", "mine,AAPL"], "Line 3 has 2 columns"),
        (["scenario,target,shock", "mine,*,-1", "mine,NOPE,-5"], "Line 3 is for 'NOPE'"),
        (["scenario,target,shock", "mine,*,nan"], "Line 2 has the shock 'nan'"),
        (["scenario,target,shock", "mine,*,-100"], "Line 2 has the shock"),
        (["scenario,target,shock", "mine,*,-1", "mine,*,-2"], "Line 3 is the second for"),
        (["scenario,target,shock", "today,*,-1"], "'today'"),
    ],
)
def test_a_table_that_cannot_be_is_refused_with_its_line(desk: Desk, lines: list[str], problem: str) -> None:
    with pytest.raises(ScenarioRefused, match=problem):
        stress_desk(ScenarioChoice(rows=read_scenarios(lines)), at=AT)


def test_an_account_without_a_price_is_counted_apart(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    desk.receive(desk.near, desk.instruments["NEWCO"], 1, MONDAY)
    report = stress_desk(ScenarioChoice(FALLS_BP), at=AT)
    assert {one.unknown_accounts for one in report.outcomes} == {1}
    assert {sum(bands(one)) for one in report.outcomes} == {1}


def test_the_fall_that_breaks_a_limit_is_found_to_the_basis_point(desk: Desk) -> None:
    near = desk.account(desk.near)
    found = find_breaking_fall(limit_minor=5_000_00, at=AT)
    assert found.is_smallest
    assert found.fall_bp is not None
    assert found.loss_before_minor <= 5_000_00 < found.loss_minor
    assert found.loss_minor == near.debt_minor - near.cash_minor - 10 * (10_000 - found.fall_bp) * 100
    assert found.accounts == ((near.number, found.loss_minor),)
    with pytest.raises(ScenarioRefused, match="negative"):
        find_breaking_fall(limit_minor=-1, at=AT)
    assert find_breaking_fall(limit_minor=10**12, at=AT).fall_bp is None


def test_one_name_one_sector_or_the_market_may_be_what_falls(desk: Desk) -> None:
    limit = 5_000_00
    everything = find_breaking_fall(limit_minor=limit, at=AT)
    apple = find_breaking_fall(limit_minor=limit, at=AT, falling="AAPL")
    assert apple.falling == "AAPL"
    assert apple.fall_bp == everything.fall_bp, "the near account holds nothing else"
    sector = next(one.sector for one in list_instruments() if one.symbol == "AAPL")
    assert find_breaking_fall(limit_minor=limit, at=AT, falling=sector).fall_bp is not None
    assert find_breaking_fall(limit_minor=limit, at=AT, falling="KO").fall_bp is None
    market = find_breaking_fall(limit_minor=limit, at=AT, falling="market")
    assert market.fall_bp is not None
    fallen = stress_desk(ScenarioChoice(market_falls_bp=(market.fall_bp - 1, market.fall_bp)), at=AT).outcomes
    assert [one.shortfall_minor for one in fallen[1:]] == [market.loss_before_minor, market.loss_minor]
    with pytest.raises(ScenarioRefused, match="NOPE is no symbol, no sector and no currency"):
        find_breaking_fall(limit_minor=limit, at=AT, falling="NOPE")


def test_one_percent_of_everything_of_each_sector_and_of_each_name(desk: Desk) -> None:
    desk.prices(TUESDAY, AAPL="87.60", JPM="100", KO="50")  # the near account is a hair over its warning line, 175%
    report = measure_sensitivities(at=noon(TUESDAY))
    assert [(one.kind, one.code) for one in report.effects] == [
        (MoveKind.EVERYTHING, "all"),
        (MoveKind.MARKET, "all"),
        (MoveKind.SECTOR, "Test"),
        (MoveKind.NAME, "AAPL"),
        (MoveKind.NAME, "JPM"),
    ]
    everything, market, sector, apple, _ = report.effects
    assert everything.market_minor == sector.market_minor == -(11_000 * 87_60 + 1_000 * 100_00) // 100
    assert apple.market_minor == -11_000 * 87_60 // 100
    for one in (everything, sector, apple):
        assert {change.band: change.accounts for change in one.bands if change.accounts} == {
            Band.SAFE: -1,
            Band.WARNING: 1,
        }
        assert one.shortfall_minor == 0
    assert market.market_minor < 0


def test_a_stress_run_writes_nothing(desk: Desk) -> None:
    before = desk.books()
    stress_desk(ScenarioChoice(FALLS_BP, with_history=True, with_gaps=True), at=noon(TUESDAY))
    find_breaking_fall(limit_minor=1, at=AT)
    measure_sensitivities(at=AT)
    assert desk.books() == before


def test_an_empty_desk_has_nothing_to_lose(db: None) -> None:
    report = stress_desk(ScenarioChoice(FALLS_BP, with_gaps=True), at=AT)
    assert (report.accounts, report.debt_minor) == (0, 0)
    assert {one.shortfall_minor for one in report.outcomes} == {0}
