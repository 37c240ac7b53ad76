"""What somebody is shown before anything is signed: cost, lines, prices of call and sale, loss as large as gain.

The example is 1,000 Apple at 100.00 and a loan of 50,000.00 under STANDARD: a dollar of price is two points of ratio,
so it is warned under 87.50, called under 80.00 and sold out under 72.50, as the near account of the desk is.
"""

from dataclasses import replace
from datetime import date

import pytest
from tests.desk import HALF_DAY, MONDAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, close, noon

from reefpoint.decisions.margin.selectors.standing import NoUsablePrice
from reefpoint.decisions.margin.services.snapshots import snapshot_margin
from reefpoint.decisions.margin.types import Band
from reefpoint.flows.origination.selectors.overview import (
    ExampleRefused,
    indicative_overview,
    list_offered_schemes,
)
from reefpoint.flows.origination.types.overview import Overview, OverviewLineName, Standing, WhyNot
from reefpoint.records.parties.selectors.licences import list_licences
from reefpoint.records.parties.services import LicenceRefused, end_licence
from reefpoint.records.products.selectors import SchemeVersionNotFound, load_demo_schemes

LOAN = 50_000_00


def example(
    desk: Desk,
    holdings: dict[str, int] | None = None,
    loan_minor: int = LOAN,
    *,
    scheme: str = "STANDARD",
    on: date = MONDAY,
) -> Overview:
    shares = {"AAPL": 1_000} if holdings is None else holdings
    return indicative_overview(scheme_code=scheme, holdings=shares, loan_minor=loan_minor, on=on, at=noon(on))


def test_cost_is_what_servicing_would_charge(desk: Desk) -> None:
    cost = example(desk).cost
    assert (cost.rate_bp, cost.day_count) == (650, "ACT/360")
    assert cost.interest_day_minor == 903  # 50,000.00 x 6.50% / 360 = 9.0277..., rounded up
    assert cost.interest_year_minor == 329_514  # x 365 = 3,295.1388...
    assert cost.drawdown_fee_minor == 50_00
    assert cost.first_year_minor == 334_514


def test_lines_say_how_far_prices_may_fall_and_to_which_value(desk: Desk) -> None:
    overview = example(desk)
    assert overview.ratio_bp == 20_000
    assert [(line.name.value, line.line_bp, line.fall_bp, line.value_minor) for line in overview.lines] == [
        ("initial", 20_000, 0, 100_000_00),
        ("warning", 17_500, 1_250, 87_500_00),
        ("call", 16_000, 2_000, 80_000_00),
        ("close_out", 14_500, 2_750, 72_500_00),
    ]
    assert overview.line(OverviewLineName.CALL).limit_days == 3  # 90, 81, 72.9


def test_the_price_that_an_overview_names_is_the_price_at_which_the_desk_calls_and_sells(desk: Desk) -> None:
    [apple] = example(desk).holdings
    assert (apple.call_price_units, apple.close_out_price_units) == (80_0000, 72_5000)
    assert (apple.call_alone_units, apple.close_out_alone_units) == (80_0000, 72_5000)
    desk.prices(TUESDAY, AAPL="80.00", JPM="100", KO="50")
    assert desk.band(desk.near) is not Band.CALL
    desk.prices(WEDNESDAY, AAPL="79.99", JPM="100", KO="50")
    assert desk.band(desk.near) is Band.CALL
    desk.prices(HALF_DAY, AAPL="72.49", JPM="100", KO="50")
    assert desk.is_enforced(desk.near)


def test_what_would_be_called_and_sold_is_what_the_engine_plans(desk: Desk) -> None:
    overview = example(desk)
    assert overview.call_minor == 2_941_18  # 50,000.00 - 80,000.00 / 170%, rounded up
    assert overview.call_deadline_sessions == 2
    [apple] = overview.holdings
    assert apple.sold_quantity == 249
    price = 72_4999  # the highest under the line
    kept = (1_000 - 249) * price
    owed = LOAN * 100 - 249 * price * (10_000 - 30) // 10_000
    assert kept * 100 >= 170 * owed - 200 * 100
    assert overview.sold_minor == 249 * price // 100


def test_a_second_name_falls_alone_further_than_with_the_others(desk: Desk) -> None:
    apple, coke = example(desk, {"AAPL": 800, "KO": 400}).holdings
    assert (apple.call_price_units, coke.call_price_units) == (80_0000, 40_0000)
    assert apple.call_alone_units == 75_0000
    assert coke.call_alone_units is None  # all of it lost leaves 80,000.00: the call line just holds
    assert apple.share_bp == 8_000


def test_loss_is_shown_as_large_as_gain_and_down_to_nothing(desk: Desk) -> None:
    outcomes = example(desk).outcomes
    changes = [outcome.change_bp for outcome in outcomes]
    assert changes == sorted(changes)
    assert [-change for change in reversed(changes)] == changes
    worst, best = outcomes[0], outcomes[-1]
    cost = 334_514
    assert (worst.own_minor, worst.result_minor) == (-LOAN - cost, -100_000_00 - cost)
    assert (best.own_minor, best.result_minor) == (150_000_00 - cost, 100_000_00 - cost)
    assert [outcome.standing for outcome in outcomes[:5]] == [
        Standing.SOLD,
        Standing.SOLD,
        Standing.SOLD,
        Standing.WARNED,
        Standing.SAFE,
    ]
    assert next(one for one in outcomes if one.change_bp == 0).result_minor == -cost


def test_a_loan_that_would_not_be_given_says_why_and_how_much_would(desk: Desk) -> None:
    overview = example(desk, loan_minor=70_000_00)
    assert overview.why_not == (WhyNot.BELOW_INITIAL, WhyNot.ABOVE_LENDABLE, WhyNot.TOO_CONCENTRATED)
    assert not overview.is_lendable
    assert overview.loan_most_minor == 50_000_00
    assert example(desk, {"AAPL": 30}, 100_00).loan_most_minor == 1_000_00  # 3,000.00 less the least equity


def offer_with_maintenance(desk: Desk, apple_bp: int) -> int:
    """STANDARD, but Apple asks for so much own money and may be all of it. Its version's id."""
    standard = next(draft.terms for draft in load_demo_schemes() if draft.code == "STANDARD")
    terms = replace(standard, maintenances_bp=(("AAPL", apple_bp),), concentration_cap_bp=10_000)
    return desk.publish_scheme("NAMED", terms)


def test_where_the_names_ask_for_more_the_overview_names_the_price_at_which_the_desk_calls_for_it(desk: Desk) -> None:
    """At 45% of Apple's value, 50,000.00 owed on 1,000 shares are called for under 50,000 / 0.55 = 90,909.09."""
    account_id = desk.open_account({"AAPL": 1_000}, LOAN, scheme=offer_with_maintenance(desk, 4_500))
    overview = example(desk, scheme="NAMED")
    [apple] = overview.holdings
    assert (overview.requirement_minor, overview.requirement_fall_bp, overview.call_fall_bp) == (45_000_00, 909, 909)
    assert (apple.call_price_units, apple.call_alone_units, apple.close_out_price_units) == (90_9091, 90_9091, 72_5000)
    assert [one.standing for one in overview.outcomes if -2_000 <= one.change_bp <= 0] == [
        Standing.CALLED,
        Standing.CALLED,
        Standing.SAFE,
    ]
    for on, price, calls in ((TUESDAY, "90.91", 0), (WEDNESDAY, "90.90", 1)):
        desk.prices(on, AAPL=price, JPM="100", KO="50")
        snapshot_margin(actor=SYSTEM, on=on, at=close(on))
        assert len(desk.calls(account_id)) == calls


def test_no_more_is_offered_than_the_names_leave_of_own_money(desk: Desk) -> None:
    offer_with_maintenance(desk, 6_000)
    overview = example(desk, scheme="NAMED", loan_minor=40_000_01)
    assert (overview.why_not, overview.loan_most_minor) == ((WhyNot.BELOW_MAINTENANCE,), 40_000_00)
    assert example(desk, scheme="NAMED", loan_minor=40_000_00).why_not == ()


def test_an_amount_is_divided_into_whole_lots_and_the_rest_is_cash(desk: Desk) -> None:
    overview = indicative_overview(
        scheme_code="STANDARD",
        amount_minor=100_050_00,
        mix_bp={"AAPL": 4_000, "JPM": 4_000, "KO": 2_000},
        loan_minor=30_000_00,
        on=MONDAY,
        at=noon(MONDAY),
    )
    assert [(one.symbol, one.quantity) for one in overview.holdings] == [("AAPL", 400), ("JPM", 400), ("KO", 400)]
    assert (overview.value_minor, overview.cash_minor) == (100_000_00, 50_00)
    assert overview.own_minor == 70_050_00
    assert overview.is_lendable


@pytest.mark.parametrize(
    "holdings",
    [{}, {"AAPL": 0}, {"AAPL": -5}, {"AAPL": 10**10}, {"GME": 1}, {"AAPL\x00": 1}, {"AAPL": 10**9, "KO": 10**9}],
)
def test_an_example_that_is_none_is_refused(desk: Desk, holdings: dict[str, int]) -> None:
    with pytest.raises(ExampleRefused):
        example(desk, holdings)


@pytest.mark.parametrize("loan", [0, -1, 10**15])
def test_a_loan_that_is_none_is_refused(desk: Desk, loan: int) -> None:
    with pytest.raises(ExampleRefused):
        example(desk, loan_minor=loan)


def test_a_mix_must_be_the_whole(desk: Desk) -> None:
    for mix in ({"AAPL": 9_999}, {"AAPL": 11_000, "KO": -1_000}):
        with pytest.raises(ExampleRefused):
            indicative_overview(
                scheme_code="STANDARD", amount_minor=1_000_00, mix_bp=mix, loan_minor=1_00, on=MONDAY, at=noon(MONDAY)
            )


def test_nothing_is_shown_without_a_current_price(desk: Desk) -> None:
    desk.list_name("PFE")
    with pytest.raises(NoUsablePrice):
        example(desk, {"PFE": 10})


def test_i68_nothing_is_offered_without_a_licence(desk: Desk) -> None:
    [licence] = list_licences()
    assert example(desk).licence_number == "TEST-1"
    end_licence(actor=SYSTEM, licence_id=licence.id, valid_to=MONDAY, reason="revoked", at=noon(MONDAY))
    example(desk)
    with pytest.raises(LicenceRefused):
        indicative_overview(
            scheme_code="STANDARD", holdings={"AAPL": 10}, loan_minor=100_00, on=TUESDAY, at=noon(TUESDAY)
        )


def test_only_schemes_in_force_are_offered(desk: Desk) -> None:
    assert [scheme.code for scheme in list_offered_schemes(MONDAY)] == ["CAUTIOUS", "STANDARD"]
    assert list_offered_schemes(date(2019, 11, 24)) == []
    with pytest.raises(SchemeVersionNotFound):
        example(desk, scheme="PRIME")
