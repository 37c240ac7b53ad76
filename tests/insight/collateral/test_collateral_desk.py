"""Haircuts and gap loss of the seeded desk."""

from datetime import datetime

import pytest
from tests.desk import MONDAY, Desk, noon

from reefpoint.decisions.collateral.selectors import assumptions as rules
from reefpoint.decisions.collateral.selectors import model
from reefpoint.decisions.collateral.selectors.assumptions import ASSUMPTIONS, NotEnoughHistory, RunRefused
from reefpoint.decisions.collateral.selectors.model import propose_haircuts
from reefpoint.decisions.collateral.types import HaircutProposal, HaircutReport
from reefpoint.decisions.margin.models import MarginState
from reefpoint.engine.haircuts import HaircutPolicy
from reefpoint.insight.collateral.selectors import explain_account_gap, find_gap_loss
from reefpoint.records.market.models import Price

AT: datetime = noon(MONDAY)


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that lose two thirds in a day, every tenth day: an account at 200% is then often short."""
    monkeypatch.setattr(rules, "JUMP_CHANCE", 0.1)
    monkeypatch.setattr(rules, "JUMP_SIZE", -0.66)


def proposal(report: HaircutReport, symbol: str) -> HaircutProposal:
    return next(one for one in report.proposals if one.symbol == symbol)


def test_each_name_has_a_proposal_with_parts_that_add_up_beside_what_is_in_force(desk: Desk) -> None:
    report = propose_haircuts(at=AT, paths=1_000)
    apple = proposal(report, "AAPL")
    assert apple.parts is not None
    assert apple.proposed_bp is not None
    parts = apple.parts
    assert parts.total == pytest.approx(parts.volatility + parts.liquidity + parts.concentration + parts.gap)
    assert apple.proposed_bp >= parts.total * 10_000 - 1e-6
    assert apple.proposed_bp % HaircutPolicy().step_bp == 0
    assert apple.shares == 11_000, "what all accounts hold"
    assert apple.current_bp is not None
    assert not apple.is_own_history  # the desk has one session of closes; the packaged history stands in
    assert apple.returns == rules.WINDOW_SESSIONS - 1
    # Apple's daily deviation over the two years before was 1.7%
    assert 0.012 < parts.historical < 0.025
    assert report.assumptions == ASSUMPTIONS


def test_a_greater_part_of_the_pool_asks_for_more(desk: Desk) -> None:
    before = proposal(propose_haircuts(at=AT, paths=1_000), "AAPL")
    desk.open_account({"AAPL": 100_000}, 40_000_00)
    after = proposal(propose_haircuts(at=AT, paths=1_000), "AAPL")
    assert before.parts is not None
    assert after.parts is not None
    assert after.parts.concentration > before.parts.concentration
    assert after.parts.liquidity > before.parts.liquidity


def test_a_name_without_a_year_of_closes_gets_no_proposal_and_the_reason(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    desk.prices(MONDAY, NEWCO="10")
    newco = proposal(propose_haircuts(at=AT, paths=1_000), "NEWCO")
    assert (newco.proposed_bp, newco.parts) == (None, None)
    assert newco.why_not == "0 daily returns, 250 needed"


def test_nothing_is_written(desk: Desk) -> None:
    before = list(MarginState.objects.values()), Price.objects.count()
    propose_haircuts(at=AT, paths=1_000)
    find_gap_loss(at=AT, paths=1_000)
    assert (list(MarginState.objects.values()), Price.objects.count()) == before


def test_prices_of_the_future_are_not_looked_at(desk: Desk) -> None:
    """The packaged history knows the crash of 2020; a desk of November 2019 does not."""
    calm = propose_haircuts(at=AT, paths=1_000)
    later = propose_haircuts(at=noon(MONDAY).replace(year=2020, month=4, day=1), paths=1_000)
    for one, other in zip(calm.proposals, later.proposals, strict=True):
        if one.parts and other.parts:
            assert other.parts.ewma > 1.5 * one.parts.ewma


def test_the_gap_loss_of_the_parts_is_that_of_the_whole(desk: Desk, wild: None) -> None:
    desk.open_account({"AAPL": 1_000}, 40_000_00, scheme="CAUTIOUS", client_id=desk.healthy_client)
    report = find_gap_loss(at=AT, paths=2_000)
    total = report.total
    assert report.accounts == 3
    assert report.unknown_accounts == 0
    assert total.expected_minor > 0
    assert total.expected_error_minor < total.expected_minor
    assert total.value_at_risk_minor[0] <= total.value_at_risk_minor[1] <= total.expected_shortfall_minor[1]
    for parts in (report.by_scheme, report.by_pool):
        assert sum(part.debt_minor for part in parts) == total.debt_minor
        assert sum(part.expected_minor for part in parts) == pytest.approx(total.expected_minor, abs=len(parts))
    worst = report.worst_accounts[0]
    assert worst.code == desk.account(desk.near).number
    assert sum(one.expected_minor for one in report.worst_accounts) == pytest.approx(total.expected_minor, abs=3)


def test_the_loss_of_an_account_is_that_of_the_run_and_adds_up(desk: Desk, wild: None) -> None:
    report = find_gap_loss(at=AT, paths=1_000)
    told = explain_account_gap(desk.risk, desk.near, at=AT, paths=1_000)
    (figures,) = [one for one in report.worst_accounts if one.code == told.number]
    assert (told.expected_minor, told.paths) == (figures.expected_minor, 1_000)
    assert 0 < told.losing_paths < 1_000
    left = told.debt_minor - told.cash_minor - sum(one.proceeds_minor for one in told.positions)
    assert left == pytest.approx(told.losing_mean_minor, abs=100)
    assert told.losing_mean_minor * told.losing_paths / 1_000 == pytest.approx(told.expected_minor, abs=2)
    assert told.worst_loss_minor >= told.losing_mean_minor


def test_the_same_seed_gives_the_same_report_on_any_number_of_threads(desk: Desk) -> None:
    one, four = (find_gap_loss(at=AT, paths=1_000, threads=threads) for threads in (1, 4))
    assert one == four
    assert find_gap_loss(at=AT, paths=1_000, seed=2) != one


def test_waiting_longer_before_selling_loses_more(desk: Desk, wild: None) -> None:
    early, late = (find_gap_loss(at=AT, paths=2_000, days=20, grace_days=grace) for grace in (0, 19))
    assert late.total.expected_minor > 2 * early.total.expected_minor > 0


def test_an_account_without_a_price_is_counted_apart_and_a_name_without_history_is_told(desk: Desk) -> None:
    desk.instruments["NEWCO"] = desk.list_name("NEWCO")
    desk.receive(desk.near, desk.instruments["NEWCO"], 1, MONDAY)
    report = find_gap_loss(at=AT, paths=1_000)
    assert report.unknown_accounts == 1
    assert report.proxies == ("NEWCO",)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"paths": 999}, "takes at least 1,000 paths"),
        ({"days": 0}, "days"),
        ({"grace_days": 8}, "grace_days"),
        ({"seed": -1}, "seed"),
    ],
)
def test_a_run_that_cannot_be_is_refused(desk: Desk, options: dict[str, int], problem: str) -> None:
    with pytest.raises(RunRefused, match=problem):
        find_gap_loss(at=AT, **{"paths": 1_000, **options})  # type: ignore[arg-type]


def test_a_desk_without_any_history_is_told_to_import_closes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "load_us20", lambda first, last: [])
    with pytest.raises(NotEnoughHistory, match="import more closes"):
        propose_haircuts(at=AT)
