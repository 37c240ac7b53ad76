"""A scheme played over past prices: the desk's own rules, every unit accounted for."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.desk import MONDAY, Desk, noon

from reefpoint.decisions.collateral.adapters.shipped import read_shipped_house
from reefpoint.decisions.collateral.rules import read_house as read_house_rules
from reefpoint.decisions.collateral.selectors.assessments import get_assessment
from reefpoint.decisions.collateral.selectors.house import HOUSE
from reefpoint.decisions.collateral.services.assessments import assess_names
from reefpoint.decisions.collateral.types import Ramp
from reefpoint.decisions.margin.models import MarginState
from reefpoint.decisions.margin.services.calls import expire_due_calls
from reefpoint.decisions.margin.services.collateral import draft_and_request, request_haircut_release
from reefpoint.decisions.margin.services.snapshots import snapshot_margin
from reefpoint.decisions.margin.types import Band, CallCause
from reefpoint.decisions.pricing.models import RateProposal
from reefpoint.decisions.pricing.rules import effective_day
from reefpoint.decisions.pricing.selectors.grid import GRID
from reefpoint.decisions.pricing.services import apply_due_rates
from reefpoint.insight.simulation.rules.checks import SimulationRefused
from reefpoint.insight.simulation.rules.playing import play
from reefpoint.insight.simulation.selectors import list_names, load_history, load_policy, simulate
from reefpoint.insight.simulation.types import (
    CallEnd,
    Conduct,
    HaircutChange,
    Happenings,
    History,
    Policy,
    RateChange,
    SaleCause,
    SimRate,
    SimulationRun,
    Source,
    Suspension,
)
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import approve
from reefpoint.platform.publications.services import use_publication
from reefpoint.records.accounts.selectors.loans import list_loans
from reefpoint.records.execution.models import Fill
from reefpoint.records.execution.services import end_session_orders
from reefpoint.records.market.adapters.exchange_calendar import load_exchange_calendar
from reefpoint.records.market.selectors.calendar import next_session, session_close
from reefpoint.records.market.types import VENUE, InstrumentView
from reefpoint.records.products.selectors import load_demo_schemes
from reefpoint.records.products.types import Fee, FeeBasis, FeeMoment, RateKind, SchemeTerms

CALENDAR = load_exchange_calendar(VENUE)
SCHEMES = {draft.code: draft.terms for draft in load_demo_schemes()}
STANDARD = SCHEMES["STANDARD"]
FLOATING = replace(STANDARD, rate_kind=RateKind.FLOATING, rate_reset_days=30, rate_notice_days=2)
APPLE = InstrumentView(1, "AAPL", "Apple", "苹果", "USD", VENUE, "Test", 1, 6_000, 1_000_000, False)
COKE = InstrumentView(2, "KO", "Coca-Cola", "可口可乐", "USD", VENUE, "Test", 1, 6_000, 1_000_000, False)
LOAN = 50_000_00


def _cuts() -> dict[str, Any]:
    """House rules that cut a suspended name by a tenth from its fifth session on, and by a half from its sixth."""
    house = read_shipped_house()
    rows = [
        (f"{at}", when, cut)
        for at, when, cut in (("few", "< 5", 0), ("five", "[5, 6)", 1_000), ("more", ">= 6", 5_000))
    ]
    table = {
        **house["suspension"],
        "rows": [{"id": i, "when": {"sessions": w}, "then": {"cut_bp": c}} for i, w, c in rows],
    }
    return {**house, "suspension": table}


CUTS = _cuts()
HOUSE_RULES = read_house_rules(CUTS)


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


# What happens besides the closes


def halted(symbol: str, since: date, until: date | None) -> Happenings:
    return Happenings(suspensions=(Suspension(symbol, since, until),))


def test_a_suspended_name_is_worth_its_last_price_less_the_house_s_cut_and_is_not_sold() -> None:
    """Suspended from the Tuesday on, at 100.00: a tenth less after five sessions, half after six, when it is decided to
    sell; it is sold on the first session on which it trades again, at that session's close.
    """
    days = CALENDAR.days[CALENDAR.days.index(MONDAY) :]
    past = history(100, 0, 0, 0, 0, 0, 0, 0, 71, 71)
    halt = halted("AAPL", days[1], days[8])
    run = play(
        STANDARD,
        past,
        CALENDAR,
        holdings={"AAPL": 1_000},
        loan_minor=LOAN,
        happenings=halt,
        policy=Policy(house=HOUSE_RULES),
    )
    worth = [day.market_minor // 100 for day in run.days[:8]]
    assert worth == [100_000] * 6 + [90_000, 50_000]
    assert [day.held_back for day in run.days[1:8]] == [("AAPL",)] * 7
    assert {day.lendable_minor for day in run.days[1:8]} == {0}
    assert min(sale.on for sale in run.sales) == days[8]
    assert {sale.price_units for sale in run.sales} == {709_645}  # 71.00 less five basis points
    assert_conserved(run)


def test_a_name_at_its_limit_is_not_sold_and_the_other_is() -> None:
    """On the mainland a fall of a tenth is the limit: at it nobody buys, so what else is held is sold."""
    days = CALENDAR.days[CALENDAR.days.index(MONDAY) :]
    past = replace(history(100, 60, 54, 53, coke=50), limits_bp=(1_000, None))
    run = play(STANDARD, past, CALENDAR, holdings={"AAPL": 1_000, "KO": 100}, loan_minor=LOAN)
    assert {sale.symbol for sale in run.sales if sale.on == days[2]} == {"KO"}
    assert run.days[2].held_back == ("AAPL",)
    assert {sale.symbol for sale in run.sales if sale.on == days[3]} == {"AAPL"}
    assert_conserved(run)


@pytest.mark.parametrize(
    ("kind", "reset", "notice", "effective"),
    [
        (RateKind.FIXED, 0, 0, None),
        (RateKind.FLOATING, 30, 3, date(2019, 11, 29)),
        (RateKind.RESET, 7, 3, date(2019, 12, 2)),
        (RateKind.RESET, 7, 7, date(2019, 12, 9)),
    ],
)
def test_a_new_rate_holds_from_the_day_that_the_terms_allow(
    kind: RateKind, reset: int, notice: int, effective: date | None
) -> None:
    terms = replace(STANDARD, rate_kind=kind, rate_reset_days=reset, rate_notice_days=notice, rate_cap_bp=900)
    told = Happenings(rates=(RateChange(date(2019, 11, 26), 1_200),))
    run = played(*[100] * 12, terms=terms, happenings=told)
    assert run.rates == (SimRate(date(2019, 11, 26), effective, 900),)
    assert [day.on for day in run.days if day.rate_bp == 900][:1] == ([effective] if effective else [])


def test_a_second_rate_waits_for_the_first_and_the_law_s_cap_bounds_both() -> None:
    terms = replace(STANDARD, rate_kind=RateKind.FLOATING, rate_reset_days=30, rate_notice_days=5)
    told = Happenings(rates=(RateChange(date(2019, 11, 26), 2_000), RateChange(date(2019, 11, 27), 700)))
    run = played(*[100] * 9, terms=terms, happenings=told, policy=Policy(rate_cap_bp=750))
    assert [(one.effective_on, one.rate_bp) for one in run.rates] == [(date(2019, 12, 1), 750), (None, 700)]
    assert [day.rate_bp for day in run.days] == [650] * 4 + [750] * 5


def test_a_haircut_comes_with_notice_and_in_steps_and_calls_nobody() -> None:
    """From 30% to 45% by 5% a session after three: what is lent falls, the ratio does not."""
    terms = replace(STANDARD, default_haircut_bp=3_000, haircuts_bp=(), haircut_notice_sessions=3)
    asked = Happenings(haircuts=(HaircutChange(date(2019, 11, 26), "AAPL", 4_500),))
    run = played(*[100] * 9, terms=terms, happenings=asked, policy=Policy(ramp=Ramp(1, 500)))
    lent = [day.lendable_minor for day in run.days]
    assert lent == [70_000_00] * 4 + [65_000_00, 60_000_00] + [55_000_00] * 3
    (told,) = run.haircuts
    assert [step.haircut_bp for step in told.steps] == [3_500, 4_000, 4_500]
    assert (run.calls, run.days_over_lent) == ((), 0)


def test_the_most_that_the_desk_would_have_lent_is_told_and_refuses_nothing() -> None:
    """At 100.00 the initial line of 200% allows 50,000; the loan of 60,000 is played and said to be beyond it."""
    run = played(100, 100, 100, loan_minor=60_000_00, terms=replace(STANDARD, initial_bp=20_000, fees=()))
    assert (run.is_beyond_rules, run.days[0].debt_minor > run.most_minor) == (True, True)
    within = played(100, 100, 100, loan_minor=run.most_minor, terms=replace(STANDARD, initial_bp=20_000, fees=()))
    assert not within.is_beyond_rules


@pytest.mark.parametrize(
    ("happenings", "match"),
    [
        (halted("ZZZ", MONDAY, None), "ZZZ is not in the portfolio"),
        (halted("AAPL", MONDAY - timedelta(days=3), None), "outside the period"),
        (Happenings(rates=(RateChange(MONDAY, 10_001),)), "rate is from 0 to 100%"),
        (Happenings(haircuts=(HaircutChange(MONDAY, "AAPL", 10_001),)), "haircut is from 0 to 100%"),
    ],
)
def test_what_cannot_happen_is_refused_in_words(happenings: Happenings, match: str) -> None:
    with pytest.raises(SimulationRefused, match=match):
        played(100, 100, happenings=happenings)


# The living desk is the measure

PATHS = (
    ("100", "79", "78.50", "79.20", "80", "81", "70", "71", "69", "60"),
    ("100", "90", "71", "68", "75", "79", "60", "58", "59", "61"),
    ("100", "84", "78", "83", "84.90", "77", "76", "75", "74", "72"),
)


@pytest.mark.parametrize("dollars", PATHS)
def test_the_desk_calls_and_sells_on_the_same_days_for_the_same_amounts(desk: Desk, dollars: tuple[str, ...]) -> None:
    """The near account on the living desk, day by day, and the same loan played: one and the same story."""
    past = history(*map(float, dollars))
    for number, on in enumerate(past.days):
        if number:
            desk.prices(on, session_close(VENUE, on), AAPL=dollars[number], JPM="100", KO="50")
        _close_the_session(desk, on)
    run = play(STANDARD, past, CALENDAR, holdings={"AAPL": 1_000}, loan_minor=LOAN)
    assert run.sales, "a story without a sale proves little"
    assert_lived(desk, desk.near, run)


@pytest.mark.parametrize("dollars", PATHS)
def test_the_desk_tells_the_same_story_with_a_new_rate_a_suspension_and_a_haircut(
    desk: Desk, dollars: tuple[str, ...]
) -> None:
    """A floating loan told of a new rate on the Tuesday, Coca-Cola suspended from then until the eighth session under a
    policy that cuts it from the second session on, and a haircut of Apple that rises by steps: on the desk and played.
    """
    past = history(*map(float, dollars))
    tuesday, resumed = past.days[1], past.days[7]
    account_id = desk.open_account({"AAPL": 900, "KO": 200}, LOAN, scheme=desk.publish_scheme("FLOAT", FLOATING))
    _publish_house(desk, CUTS)
    target_bp = 0
    for number, on in enumerate(past.days):
        if on == tuesday:
            desk.suspend("KO", is_suspended=True, at=noon(on))
            _tell_rate(account_id, 1_000, on)
            target_bp = _put_haircut_in_force(desk, "AAPL", on)
        if on == resumed:
            desk.suspend("KO", is_suspended=False, at=noon(on))
        if number:
            known = {"JPM": "100"} | ({} if tuesday <= on < resumed else {"KO": "50"})
            desk.prices(on, session_close(VENUE, on), AAPL=dollars[number], **known)
        _close_the_session(desk, on)
    told = RateChange(tuesday, 1_000)
    holdings = {"AAPL": 900, "KO": 200}
    run = simulate(
        FLOATING, holdings, LOAN, past.days[0], past.days[-1], source=Source.RECORDED, happenings=Happenings((told,))
    )
    assert run.rates == (SimRate(tuesday, tuesday + timedelta(days=2), 1_000),)
    assert run.days[1].held_back == ("KO",)
    assert run.sales, "a story without a sale proves little"
    assert_lived(desk, account_id, run)
    assert run.days[-1].lendable_minor == MarginState.objects.get(account_id=account_id).lendable_minor
    typed = Happenings(
        (told,), (HaircutChange(tuesday, "AAPL", target_bp),), halted("KO", tuesday, resumed).suspensions
    )
    policy = load_policy("US", past.days[-1])
    same = play(FLOATING, past, CALENDAR, holdings=holdings, loan_minor=LOAN, happenings=typed, policy=policy)
    assert same.days == run.days, "what was typed and what is on record come to the same"
    assert desk.account(account_id).debt_minor != _without(past, holdings), "the new rate shows in the debt"


@pytest.mark.parametrize(
    "dollars",
    [
        ("100", "90", "90", "90", "90", "89", "88"),
        ("100", "92", "90", "93", "89", "95", "85", "85", "85", "70", "69"),
    ],
)
def test_the_desk_calls_and_sells_for_maintenance_on_the_same_days(desk: Desk, dollars: tuple[str, ...]) -> None:
    """Apple asks for 45% of its value, which is 181.82%: above every line of the scheme but the one to draw down."""
    terms = replace(STANDARD, maintenances_bp=(("AAPL", 4_500),))
    past = history(*map(float, dollars))
    account_id = desk.open_account({"AAPL": 1_000}, LOAN, scheme=desk.publish_scheme("NAMED", terms))
    for number, on in enumerate(past.days):
        if number:
            desk.prices(on, session_close(VENUE, on), AAPL=dollars[number], JPM="100", KO="50")
        _close_the_session(desk, on)
    run = play(terms, past, CALENDAR, holdings={"AAPL": 1_000}, loan_minor=LOAN)
    assert CallCause.MAINTENANCE in {call.cause for call in run.calls}
    assert run.sales, "a story without a sale proves little"
    assert_lived(desk, account_id, run)
    assert_conserved(run)


def _without(past: History, holdings: dict[str, int]) -> int:
    return play(FLOATING, past, CALENDAR, holdings=holdings, loan_minor=LOAN).days[-1].debt_minor


def _approve(desk: Desk, approval_id: int, on: date) -> None:
    payload_hash = get_approval(approval_id).payload_hash
    approve(actor=desk.approver, approval_id=approval_id, payload_hash=payload_hash, at=noon(on))
    desk.drain()


def _publish_house(desk: Desk, content: dict[str, Any]) -> None:
    approval_id = draft_and_request(
        actor=desk.risk, kind=HOUSE, content=content, effective_from=MONDAY, reason="a test", at=noon(MONDAY)
    )
    _approve(desk, approval_id, MONDAY)


def _put_haircut_in_force(desk: Desk, symbol: str, on: date) -> int:
    assessment_id = assess_names(
        actor=desk.risk, on=on, at=noon(on), instrument_ids=[desk.instruments[symbol]], paths=1_000
    )
    asked = request_haircut_release(actor=desk.risk, assessment_id=assessment_id, reason="a test", on=on, at=noon(on))
    _approve(desk, asked, on)
    return get_assessment(assessment_id).names[0].haircut_bp


def _tell_rate(account_id: int, rate_bp: int, on: date) -> None:
    """A proposal as `propose_rates` would write it, for a client whose grade nobody knows here."""
    (loan,) = list_loans(account_id)
    effective = effective_day("floating", loan.drawn_on, FLOATING.rate_reset_days, FLOATING.rate_notice_days, on)
    assert effective is not None
    RateProposal.objects.create(
        loan_id=loan.id,
        grid_id=use_publication(kind=GRID, on=on, at=noon(on)).id,
        old_bp=loan.rate_bp,
        new_bp=rate_bp,
        inputs={},
        answer="{}",
        proposed_on=on,
        proposed_at=noon(on),
        proposed_by="tests",
        effective_on=effective,
    )


def assert_lived(desk: Desk, account_id: int, run: SimulationRun) -> None:
    """The calls, sales and debt of a play are those of an account on the desk, to the cent."""
    lived = [
        (call.opened_on, call.amount_minor, call.state, call.deadline_at.date()) for call in desk.calls(account_id)
    ]
    assert [(call.opened_on, call.amount_minor, call.end.value, call.deadline_on) for call in run.calls] == lived
    fills = Fill.objects.filter(order__account_id=account_id).order_by("traded_on", "id")
    sold = [(fill.traded_on, fill.quantity, fill.price_units, fill.gross_minor) for fill in fills]
    assert [(sale.on, sale.quantity, sale.price_units) for sale in run.sales] == [one[:3] for one in sold]
    assert sum(sale.value_minor for sale in run.sales) >= sum(one[3] for one in sold)
    assert run.days[-1].debt_minor == desk.account(account_id).debt_minor


def _close_the_session(desk: Desk, on: date) -> None:
    at = session_close(VENUE, on)
    desk.sell_out(on, at)
    end_session_orders(on=on, at=at)
    desk.drain()
    expire_due_calls(actor=desk.risk, at=at)
    desk.drain()
    apply_due_rates(actor=desk.operations, on=on, at=at)
    desk.accrue(on, next_session(VENUE, on))
    desk.drain()
    snapshot_margin(actor=desk.operations, on=on, at=at)
    desk.drain()
