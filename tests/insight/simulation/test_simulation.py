"""A scheme played over past prices: the desk's own rules, every unit accounted for."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desk import MONDAY, Desk

from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.types import Band
from reefpoint.flows.liquidation.models import LiquidationPlan
from reefpoint.insight.simulation.rules import SimulationRefused, play
from reefpoint.insight.simulation.selectors import list_names, load_history, simulate
from reefpoint.insight.simulation.types import CallEnd, Conduct, History, SaleCause, SimulationRun, Source
from reefpoint.records.execution.models import Fill
from reefpoint.records.execution.services import end_session_orders
from reefpoint.records.market.adapters.exchange_calendar import load_exchange_calendar
from reefpoint.records.market.selectors.calendar import next_session, session_close
from reefpoint.records.market.types import VENUE, InstrumentView
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.types import Fee, FeeBasis, FeeMoment, SchemeTerms

CALENDAR = load_exchange_calendar(VENUE)
SCHEMES = {draft.code: draft.terms for draft in load_demo_schemes()}
STANDARD = SCHEMES["STANDARD"]
APPLE = InstrumentView(1, "AAPL", "Apple", "苹果", "USD", VENUE, "Test", 1, 6_000, 1_000_000, False)
COKE = InstrumentView(2, "KO", "Coca-Cola", "可口可乐", "USD", VENUE, "Test", 1, 6_000, 1_000_000, False)
LOAN = 50_000_00


def history(*dollars: float, coke: float = 50) -> History:
    """Apple at these closes from the Monday on, Coca-Cola unmoved beside it."""
    days = CALENDAR.days[CALENDAR.days.index(MONDAY) :][: len(dollars)]
    closes = tuple((round(one * 10_000), round(coke * 10_000)) for one in dollars)
    return History((APPLE, COKE), tuple(days), closes)


def played(*dollars: float, terms: SchemeTerms = STANDARD, loan_minor: int = LOAN, **more: Any) -> SimulationRun:
    return play(terms, history(*dollars), CALENDAR, holdings={"AAPL": 1_000}, loan_minor=loan_minor, **more)


def assert_conserved(run: SimulationRun) -> None:
    ends = run.client_end_units + run.lender_end_units + run.sale_cost_units
    assert ends == run.start_units + run.price_change_units


# What happens, by hand


def test_a_call_that_nobody_answers_is_sold_for_after_its_deadline() -> None:
    """Under 80.00 is a call; cured at 85.00; two sessions to answer; sold at the close after the deadline."""
    run = played(100, 79, 79, 79, 79, 79, 79)
    (call,) = run.calls
    assert (call.opened_on, call.end, call.ended_on) == (date(2019, 11, 26), CallEnd.EXPIRED, date(2019, 11, 29))
    assert call.amount_minor == 353_845  # 50,009.03 of debt against 79,000.00, to 170%
    assert {sale.on for sale in run.sales} == {date(2019, 12, 2)}
    assert {sale.cause for sale in run.sales} == {SaleCause.CALL_EXPIRED}
    assert run.days[-1].ratio_bp is not None
    assert run.days[-1].ratio_bp >= STANDARD.target_bp - 20
    assert run.days[-1].band is Band.WARNING
    assert_conserved(run)


def test_a_fall_under_the_close_out_line_is_sold_on_the_next_session_without_a_call() -> None:
    run = played(100, 70, 70, 70)
    assert run.calls == ()
    assert {(sale.on, sale.cause) for sale in run.sales} == {(date(2019, 11, 27), SaleCause.CLOSE_OUT)}
    assert_conserved(run)


def test_a_client_who_pays_its_call_is_cured_in_the_morning_and_nothing_is_sold() -> None:
    run = played(100, 79, 79, 79, 79, conduct=Conduct.PAYS)
    (call,) = run.calls
    assert (call.end, call.ended_on) == (CallEnd.CURED, date(2019, 11, 27))
    assert [(paid.on, paid.amount_minor) for paid in run.payments] == [
        (date(2019, 11, 27), 354_748)
    ]  # two days' interest
    assert run.sales == ()
    assert_conserved(run)


def test_a_price_that_jumps_past_the_debt_leaves_a_shortfall_with_the_lender() -> None:
    run = played(100, 40, 40, 40)
    assert run.days[-1].market_minor == 0
    assert run.shortfall_minor > 9_900_00
    assert run.lender_end_minor == -run.shortfall_minor + run.interest_minor + run.fees_minor
    assert run.client_end_minor == LOAN - 50_00  # the loan it took out, its fee off
    assert_conserved(run)


def test_cost_is_interest_fees_and_what_sales_lose() -> None:
    run = played(100, 100, 100)
    assert run.interest_minor == 3_612  # 50,000.00 x 6.50% x 4 days / 360: to the Friday after Thanksgiving
    assert run.fees_minor == 50_00
    assert run.sale_cost_minor == 0
    assert run.client_result_minor == -run.cost_minor
    assert run.lender_end_minor == run.cost_minor


def test_a_missing_close_calls_and_sells_nobody() -> None:
    whole = history(100, 79, 60, 79)
    holes = replace(whole, closes=(whole.closes[0], whole.closes[1], (0, 500_000), whole.closes[3]))
    run = play(STANDARD, holes, CALENDAR, holdings={"AAPL": 1_000}, loan_minor=LOAN)
    assert run.sales == ()
    assert run.days[2].ratio_bp is None
    assert run.days[2].band is Band.UNKNOWN
    assert_conserved(run)


def test_a_late_loan_bears_the_penalty_rate_and_its_fee() -> None:
    fee = Fee("late", "Late fee", "逾期费", FeeMoment.LATE, FeeBasis.FLAT, amount_minor=25_00)
    terms = replace(STANDARD, tenor_days=2, grace_days=1, fees=(fee,), penalty_rate_bp=1_300)
    run = played(*[100] * 5, terms=terms)  # matures on Wednesday, late on the Friday after Thanksgiving
    days = {"at 6.50%": 4, "at 13.00%": 3 + 1}
    assert run.fees_minor == 25_00
    assert run.interest_minor == -(-LOAN * (days["at 6.50%"] * 650 + days["at 13.00%"] * 1_300) // 3_600_000)


# What holds whatever the prices

MOVES = st.lists(st.integers(-1_500, 1_500), min_size=3, max_size=40)
LINES = st.integers(1, 1_500)


def path(moves: list[int]) -> list[float]:
    prices = [100.0]
    for move in moves:
        prices.append(max(round(prices[-1] * (1 + move / 10_000), 2), 0.01))
    return prices


@settings(max_examples=60, deadline=None)
@given(MOVES, st.sampled_from(sorted(SCHEMES)), st.sampled_from(Conduct), st.integers(1_00, 60_000_00))
def test_every_unit_is_accounted_for(moves: list[int], code: str, conduct: Conduct, loan_minor: int) -> None:
    run = played(*path(moves), terms=SCHEMES[code], loan_minor=loan_minor, conduct=conduct)
    assert_conserved(run)
    assert run.lender_end_minor == run.interest_minor + run.fees_minor - run.shortfall_minor
    assert sum(sale.cost_minor for sale in run.sales) >= run.sale_cost_minor >= 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 800), min_size=3, max_size=30))
def test_prices_that_never_fall_call_and_sell_nobody(moves: list[int]) -> None:
    run = played(*path(moves))
    assert (run.calls, run.sales, run.shortfall_minor) == ((), (), 0)


@settings(max_examples=40, deadline=None)
@given(MOVES, LINES)
def test_a_stricter_call_line_never_calls_later(moves: list[int], stricter_bp: int) -> None:
    strict = replace(STANDARD, call_bp=STANDARD.call_bp + stricter_bp, warning_bp=STANDARD.warning_bp + 1_500)
    strict = replace(strict, cure_bp=strict.call_bp + 1_000, target_bp=strict.call_bp + 1_000)
    first = [run.calls[0].opened_on for run in (played(*path(moves)),) if run.calls]
    stricter = [run.calls[0].opened_on for run in (played(*path(moves), terms=strict),) if run.calls]
    assert not first or stricter[0] <= first[0]


# Past prices


def test_march_2020_under_two_schemes_side_by_side(db: None) -> None:
    """The scheme with the higher call line calls first, and both account for every unit."""
    period = (date(2020, 1, 2), date(2020, 6, 30))
    runs = {
        code: simulate(SCHEMES[code], {"JPM": 1_000, "XOM": 1_000}, 80_000_00, *period)
        for code in ("PRIME", "CAUTIOUS")
    }
    assert all(run.days[0].on == period[0] for run in runs.values())
    called = {code: run.calls[0].opened_on for code, run in runs.items()}
    assert called == {"CAUTIOUS": date(2020, 3, 5), "PRIME": date(2020, 3, 9)}
    for run in runs.values():
        assert_conserved(run)


def test_the_packaged_names_are_those_of_the_file_and_others_are_refused() -> None:
    assert len(list_names(Source.PACKAGED)) == 20
    with pytest.raises(SimulationRefused, match="no prices of ZZZ"):
        load_history(Source.PACKAGED, ["ZZZ"], MONDAY, MONDAY + timedelta(days=9))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"holdings": {}}, "at least one name"),
        ({"holdings": {"JPM": 0}}, "above zero"),
        ({"loan_minor": 0}, "loan must be above zero"),
        ({"until": date(2020, 1, 2)}, "before the last"),
        ({"until": date(2020, 1, 3), "since": date(2020, 1, 3) - timedelta(days=1), "holdings": {"ZZZ": 1}}, "ZZZ"),
        ({"since": date(1990, 1, 2), "until": date(2022, 12, 30)}, "sessions"),
        ({"terms": replace(STANDARD, accepted_symbols=("KO",))}, "lends nothing on JPM"),
        ({"holdings": {"JPM": 10**17}}, "too large"),
        ({"terms": replace(STANDARD, rate_bp=20_000)}, "too large"),
        ({"terms": replace(STANDARD, tenor_days=10**12)}, "not one that can be played"),
        ({"terms": replace(STANDARD, close_out_bp=9_000)}, "contradict"),
        ({"since": date(2023, 1, 2), "until": date(2023, 2, 2)}, "two sessions"),
    ],
)
def test_what_cannot_be_played_is_refused_in_words(db: None, change: dict[str, Any], match: str) -> None:
    play_that = {
        "terms": STANDARD,
        "holdings": {"JPM": 100},
        "loan_minor": 1_000_00,
        "since": date(2020, 1, 2),
        "until": date(2020, 3, 2),
    }
    with pytest.raises(SimulationRefused, match=match):
        simulate(**{**play_that, **change})


# The living desk is the measure


@pytest.mark.parametrize(
    "dollars",
    [
        ("100", "79", "78.50", "79.20", "80", "81", "70", "71", "69", "60"),
        ("100", "90", "71", "68", "75", "79", "60", "58", "59", "61"),
        ("100", "84", "78", "83", "84.90", "77", "76", "75", "74", "72"),
    ],
)
def test_the_desk_calls_and_sells_on_the_same_days_for_the_same_amounts(desk: Desk, dollars: tuple[str, ...]) -> None:
    """The near account on the living desk, day by day, and the same loan played: one and the same story."""
    past = history(*map(float, dollars))
    for number, on in enumerate(past.days):
        if number:
            desk.prices(on, session_close(VENUE, on), AAPL=dollars[number], JPM="100", KO="50")
        _close_the_session(desk, on)
    run = play(STANDARD, past, CALENDAR, holdings={"AAPL": 1_000}, loan_minor=LOAN)
    lived = [(call.opened_on, call.amount_minor, call.state, call.deadline_at.date()) for call in desk.calls(desk.near)]
    assert [(call.opened_on, call.amount_minor, call.end.value, call.deadline_on) for call in run.calls] == lived
    fills = Fill.objects.filter(order__account_id=desk.near).order_by("traded_on", "id")
    sold = [(fill.traded_on, fill.quantity, fill.price_units, fill.gross_minor) for fill in fills]
    assert [(sale.on, sale.quantity, sale.price_units) for sale in run.sales] == [one[:3] for one in sold]
    assert sum(sale.value_minor for sale in run.sales) >= sum(one[3] for one in sold)
    account = desk.account(desk.near)
    assert run.days[-1].debt_minor == account.debt_minor
    assert run.sales, "a story without a sale proves little"
    assert LiquidationPlan.objects.exists()


def _close_the_session(desk: Desk, on: date) -> None:
    at = session_close(VENUE, on)
    desk.sell_out(on, at)
    end_session_orders(on=on, at=at)
    desk.drain()
    expire_due_calls(actor=desk.risk, at=at)
    desk.drain()
    desk.accrue(on, next_session(VENUE, on))
    desk.drain()
