"""Cures and distances: golden answers, and that one unit less would not do."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import LINES, UNIT, account_of, marks_of

from reefpoint.engine.columns import BP, BookError
from reefpoint.engine.cures import (
    RATIO_MAX_BP,
    Cures,
    deposit_to_reach,
    fall_to_line_bp,
    find_cures,
    limit_days_to_line,
    price_alone_at_line,
    price_alone_at_requirement,
    prices_at_value,
    ratio_at_requirement_bp,
    repayment_to_reach,
    sale_target_bp,
    sale_to_reach,
    value_at_line,
    value_at_requirement,
)
from reefpoint.engine.valuation import value_book

assets_of = st.integers(0, 10**13)
debts = st.integers(1, 10**13)
targets = st.integers(10_001, 40_000)


def test_cn09_three_cures_to_220_percent() -> None:
    cures = find_cures(1_800_000 * UNIT, 1_000_000 * UNIT, 22_000, cost_bp=0)
    assert cures.deposit_units == 400_000 * UNIT
    assert cures.repayment_units == 1_818_181_819
    assert cures.sale_units == 3_333_333_334


def test_an_account_at_its_target_needs_nothing() -> None:
    assert find_cures(150, 100, 15_000, cost_bp=50) == Cures(0, 0, 0)
    assert find_cures(0, 0, 15_000, cost_bp=50) == Cures(0, 0, 0)


@given(assets=assets_of, debt=debts, target=targets)
def test_i22_a_deposit_or_a_repayment_of_one_unit_less_does_not_cure(assets: int, debt: int, target: int) -> None:
    deposit, repayment = deposit_to_reach(assets, debt, target), repayment_to_reach(assets, debt, target)
    assert (assets + deposit) * UNIT >= target * debt
    assert assets * UNIT >= target * (debt - repayment)
    if deposit:
        assert (assets + deposit - 1) * UNIT < target * debt
        assert assets * UNIT < target * (debt - repayment + 1)


@given(assets=assets_of, debt=debts, target=targets, cost=st.integers(0, 10_000))
def test_i10_a_sale_cures_exactly_or_no_sale_can(assets: int, debt: int, target: int, cost: int) -> None:
    def cures(sold: int) -> bool:
        return (assets - sold) * UNIT * UNIT >= target * (debt * UNIT - sold * (UNIT - cost))

    sold = sale_to_reach(assets, debt, target, cost)
    if sold is None:
        assert not cures(assets) or assets * (UNIT - cost) >= debt * UNIT
        assert not cures(0)
    else:
        assert cures(sold)
        assert sold == 0 or not cures(sold - 1)


@given(assets=assets_of, debt=debts, target=targets, cost=st.integers(0, 10_000))
def test_i10_no_sale_reaches_a_target_when_assets_less_the_cost_are_under_the_debt(
    assets: int, debt: int, target: int, cost: int
) -> None:
    if assets * (UNIT - cost) < debt * UNIT and assets * UNIT < target * debt:
        assert sale_to_reach(assets, debt, target, cost) is None


@pytest.mark.parametrize(("limit", "days"), [(1_000, 2), (2_000, 1)])
def test_cn12_days_of_limit_down_from_150_to_under_130_percent(limit: int, days: int) -> None:
    assert limit_days_to_line(1_500 * UNIT, 0, 1_000 * UNIT, 13_000, limit) == days


def test_us02_trigger_is_a_fall_to_the_debit_over_75_percent() -> None:
    line = 13_334
    fall = fall_to_line_bp(20_000 * UNIT, 0, 10_000 * UNIT, line)
    assert fall == 3_333
    assert 20_000 * (10_000 - fall) // 10_000 >= 13_333


@given(
    securities=st.integers(1, 10**13),
    cash=st.integers(0, 10**13),
    debt=debts,
    line=st.integers(10_001, 30_000),
    limit=st.integers(100, 10_000),
)
def test_distances_stop_short_of_the_line_and_one_more_step_goes_under(
    securities: int, cash: int, debt: int, line: int, limit: int
) -> None:
    def is_under(value: int) -> bool:
        return (value + cash) * UNIT < line * debt

    fall, days = fall_to_line_bp(securities, cash, debt, line), limit_days_to_line(securities, cash, debt, line, limit)
    if cash * UNIT >= line * debt:
        assert (fall, days) == (None, None)
        return
    assert fall is not None
    assert (fall < 0) == is_under(securities)
    assert securities * (UNIT - fall) * UNIT + cash * UNIT**2 >= line * debt * UNIT
    assert securities * (UNIT - fall - 1) * UNIT + cash * UNIT**2 < line * debt * UNIT
    value = securities
    for _ in range(days or 0):
        assert not is_under(value)
        value = value * (UNIT - limit) // UNIT
    assert days is None or is_under(value)


def test_no_debt_or_no_securities_have_no_distance() -> None:
    assert fall_to_line_bp(100, 0, 0, 15_000) is None
    assert fall_to_line_bp(0, 100, 100, 15_000) is None
    assert limit_days_to_line(100, 0, 0, 15_000, 1_000) is None
    assert limit_days_to_line(10**9, 0, 1, 15_000, 1) is None


@pytest.mark.parametrize(("assets", "debt", "target"), [(-1, 1, 15_000), (1, -1, 15_000), (1, 1, 10_000)])
def test_negative_amounts_and_targets_that_are_no_cover_are_refused(assets: int, debt: int, target: int) -> None:
    with pytest.raises(BookError):
        find_cures(assets, debt, target, cost_bp=0)


@given(securities=assets_of, cash=assets_of, debt=debts, line=targets)
def test_one_unit_under_the_value_at_a_line_crosses_it(securities: int, cash: int, debt: int, line: int) -> None:
    value = value_at_line(cash, debt, line)
    if value is None:
        assert cash * UNIT >= line * debt
    else:
        assert (value + cash) * UNIT >= line * debt > (value - 1 + cash) * UNIT


@given(price=st.integers(1, 10**7), others=assets_of, quantity=st.integers(1, 10**6), debt=debts, line=targets)
def test_a_name_alone_crosses_a_line_one_unit_under_its_price_there(
    price: int, others: int, quantity: int, debt: int, line: int
) -> None:
    found = price_alone_at_line(price, quantity, others + price * quantity, 0, debt, line)
    if found is None:
        assert others * UNIT >= line * debt
    else:
        assert (others + found * quantity) * UNIT >= line * debt > (others + (found - 1) * quantity) * UNIT


def test_prices_at_a_line_fall_by_the_same_part_and_round_up() -> None:
    assert value_at_line(0, 50_000 * UNIT, 16_000) == 80_000 * UNIT
    assert value_at_line(80_000 * UNIT, 50_000 * UNIT, 16_000) is None
    assert prices_at_value([100 * UNIT, 50 * UNIT + 1], 100_000 * UNIT, 80_000 * UNIT) == [800_000, 400_001]
    assert prices_at_value([], 0, 0) == []
    assert price_alone_at_line(100 * UNIT, 0, 0, 0, 50_000 * UNIT, 16_000) is None


# Maintenance by name


def test_finra_a_long_account_meets_a_quarter_of_its_value_at_133_percent() -> None:
    """FINRA 4210(c)(1): at 25% the trigger is debt / (1 - 0.25)."""
    assert ratio_at_requirement_bp(100_000 * UNIT, 25_000 * UNIT) == 13_334
    assert ratio_at_requirement_bp(100_000, 100_000) == RATIO_MAX_BP


def test_the_sale_that_restores_the_maintenance_reckons_with_the_names_that_ask_the_least() -> None:
    """30,000 at 25% and 60,000 at 50%, owing 54,000: equity is 36,000, asked are 37,500. Selling 6,000 of the first
    frees the 1,500 that are missing: 84,000 to 48,000 is 175%. At no less is any other sale enough.
    """
    held = [(60_000 * UNIT, 5_000), (30_000 * UNIT, 2_500)]
    assert sale_target_bp(held, 54_000 * UNIT, 0) == 17_500
    assert sale_target_bp([(100, 10_000)], 50, 0) == RATIO_MAX_BP


def test_finra_at_a_quarter_a_long_account_is_called_under_four_thirds_of_its_debt() -> None:
    """FINRA 4210(c)(1): 1,000 shares at 100.00 and 60,000 owed are short of 25% under 80.00."""
    assert value_at_requirement(100_000 * UNIT, 0, 60_000 * UNIT, 25_000 * UNIT * BP) == 80_000 * UNIT
    assert price_alone_at_requirement(100 * UNIT, 1_000, 2_500, (40_000 - 25_000) * UNIT * BP) == 80 * UNIT


def test_without_a_way_to_fall_short_there_is_no_price_and_a_full_requirement_is_met_at_none() -> None:
    assert value_at_requirement(100, 60, 60, 25 * BP) is None
    assert value_at_requirement(100, 0, 60, 100 * BP) == 100
    assert price_alone_at_requirement(100, 1, 10_000, 0) is None
    assert price_alone_at_requirement(100, 1, 10_000, -1) == 100
    assert price_alone_at_requirement(100, 1, 0, 100 * BP) is None


@given(
    held=st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(1, 1_000), st.integers(0, 10_000)), min_size=1, max_size=4
    ),
    cash=st.integers(0, 10**9),
    debt=st.integers(1, 10**10),
)
def test_equity_meets_the_requirement_at_the_price_and_not_a_unit_under_it(
    held: list[tuple[int, int, int]], cash: int, debt: int
) -> None:
    """`held`: price, quantity and maintenance of each name."""

    def spare_e8(prices: list[int]) -> int:
        owned = [(price * quantity, rate) for price, (_, quantity, rate) in zip(prices, held, strict=True)]
        return sum(value * (BP - rate) for value, rate in owned) + BP * (cash - debt)

    now = [price for price, _, _ in held]
    for at, (price, quantity, rate) in enumerate(held):
        least = price_alone_at_requirement(price, quantity, rate, spare_e8(now))
        if rate < BP:
            assert spare_e8([*now[:at], least or 0, *now[at + 1 :]]) >= 0
            assert least is None or spare_e8([*now[:at], least - 1, *now[at + 1 :]]) < 0
    worth = sum(price * quantity for price, quantity, _ in held)
    required_e8 = sum(price * quantity * rate for price, quantity, rate in held)
    value = value_at_requirement(worth, cash, debt, required_e8)
    if required_e8 < BP * worth:
        assert (BP * worth - required_e8) * (value or 0) >= BP * worth * (debt - cash)
        assert value is None or (BP * worth - required_e8) * (value - 1) < BP * worth * (debt - cash)


holdings = st.lists(st.tuples(st.integers(1, 10**9), st.integers(0, 10_000)), min_size=1, max_size=5)


@given(held=holdings, share=st.integers(1, 10_000), sold=st.data())
def test_a_sale_to_that_ratio_restores_the_maintenance_in_whichever_order(
    held: list[tuple[int, int]], share: int, sold: st.DataObject
) -> None:
    """Whatever is sold of an account that is short: once it stands at that ratio, nothing is missing."""
    worth, cost = sum(value for value, _ in held), 30
    enough = sum(value * (UNIT - rate) for value, rate in held) // UNIT
    debt = enough + 1 + (worth - enough) * share // UNIT
    target = sale_target_bp(held, debt, cost)
    left, debt_e4 = list(held), debt * UNIT
    for place in sold.draw(st.permutations(range(len(held)))):
        value, rate = left[place]
        quantity = sold.draw(st.integers(0, value))
        left[place] = (value - quantity, rate)
        debt_e4 -= quantity * (UNIT - cost)
    is_at_target = debt_e4 > 0 and sum(value for value, _ in left) * UNIT * UNIT >= target * debt_e4
    if target < RATIO_MAX_BP and is_at_target:
        assert sum(value * (UNIT - rate) for value, rate in left) >= debt_e4


@given(
    quantities=st.lists(st.integers(1, 10**6), min_size=2, max_size=4),
    rates=st.lists(st.integers(0, 10_000), min_size=4, max_size=4),
    cash=st.integers(0, 10**9),
    paid=st.integers(1, 10**9),
)
def test_a_deposit_never_adds_to_what_is_missing_and_a_sale_at_market_does_not_either(
    quantities: list[int], rates: list[int], cash: int, paid: int
) -> None:
    """Missing is requirement less equity; a sale turns a name's value into cash, or repays with it."""
    marks = marks_of([UNIT] * len(quantities))
    marks = replace(marks, maintenance_bp=np.array([rates[: len(quantities)]]))

    def missing(held: list[int], cash: int, debt: int) -> int:
        valued = value_book(account_of(held, cash=cash, debt=debt), marks, LINES)
        return int(valued.requirement_units[0]) - (int(valued.assets_units[0]) - debt)

    sold = [0, *quantities[1:]]
    before, gained = missing(quantities, cash, paid), quantities[0] * UNIT
    assert missing(quantities, cash + paid, paid) < before
    assert missing(sold, cash + gained, paid) <= before
    assert missing(sold, cash, max(paid - gained, 0)) <= before or gained > paid
