"""Sale plans: the least that cures, in lots, proven against brute force and the bound."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.engine.cases import UNIT, account_of, column, marks_of

from reefpoint.engine.bands import RATIO_NO_DEBT
from reefpoint.engine.book import Book, Marks, one_account
from reefpoint.engine.columns import BookError
from reefpoint.engine.liquidation import SalePlan, plan_sale
from reefpoint.engine.plans import PlanOutcome

TARGET = 15_000
CENT = 100


def plan_of(
    account: Book,
    marks: Marks,
    *,
    cost: list[int] | int = 0,
    sellable: list[int] | None = None,
    preference: list[int] | None = None,
    target: int = TARGET,
    grain: int = CENT,
) -> SalePlan:
    count = account.position_count
    return plan_sale(
        account,
        marks,
        sellable=account.quantity.astype(np.int64) if sellable is None else column(*sellable),
        cost_bp=column(*(cost if isinstance(cost, list) else [cost] * count)),
        target_bp=target,
        preference=None if preference is None else column(*preference),
        grain_units=grain,
    )


def sold(plan: SalePlan) -> dict[int, int]:
    return {line.instrument: line.quantity for line in plan.lines}


def test_cn09_selling_a_third_of_a_million_brings_180_percent_to_220() -> None:
    account = account_of([18_000_000], debt=1_000_000 * UNIT)
    plan = plan_of(account, marks_of([UNIT // 10]), target=22_000)
    assert plan.outcome is PlanOutcome.CURES
    assert sold(plan) == {0: 3_333_334}
    assert (plan.bound_units, plan.ratio_after_bp) == (3_333_333_334, 22_000)


def test_costs_come_on_top_and_the_cheapest_name_goes_first() -> None:
    account = account_of([1_000, 1_000], debt=14_000 * UNIT)
    plan = plan_of(account, marks_of([10 * UNIT, 10 * UNIT]), cost=[80, 20])
    free = plan_of(account, marks_of([10 * UNIT, 10 * UNIT]))
    assert sold(plan) == {1: 202}
    assert sold(free) == {0: 200}
    line = plan.lines[0]
    assert (line.value_units, line.cost_units, line.proceeds_units) == (2_020 * UNIT, 40_400, 2_015 * UNIT + 9_600)
    assert plan.debt_after_units == 14_000 * UNIT - line.proceeds_units


def test_the_contracts_order_goes_before_cost() -> None:
    account = account_of([100, 1_000], debt=760 * UNIT)
    marks = marks_of([UNIT, UNIT])
    assert sold(plan_of(account, marks, cost=[0, 50], preference=[2, 1])) == {1: 82}
    assert sold(plan_of(account, marks, cost=[50, 0], preference=[1, 2])) == {0: 82}


def test_a_name_whose_sale_would_widen_the_gap_is_left_alone_even_if_it_is_preferred() -> None:
    account = account_of([100, 100], debt=140 * UNIT)
    plan = plan_of(account, marks_of([UNIT, UNIT]), cost=[5_000, 0], sellable=[100, 20], preference=[1, 2])
    assert (plan.outcome, sold(plan)) == (PlanOutcome.CURES, {1: 20})


def test_equal_costs_go_by_instrument_number() -> None:
    plan = plan_of(account_of([5, 5, 5], debt=11 * UNIT), marks_of([UNIT] * 3), cost=10)
    assert list(sold(plan)) == [0]


def test_own_cash_repays_first_and_only_as_much_as_is_needed() -> None:
    plan = plan_of(account_of([100], cash=60 * UNIT, debt=110 * UNIT), marks_of([UNIT]))
    assert (plan.outcome, plan.cash_applied_units, plan.lines) == (PlanOutcome.CASH_CURES, 10 * UNIT, ())
    assert (plan.assets_after_units, plan.debt_after_units) == (150 * UNIT, 100 * UNIT)
    more = plan_of(account_of([100], cash=20 * UNIT, debt=100 * UNIT), marks_of([UNIT]))
    assert (more.outcome, more.cash_applied_units, sold(more)) == (PlanOutcome.CURES, 20 * UNIT, {0: 40})


def test_an_account_at_its_target_is_left_alone() -> None:
    assert plan_of(account_of([150], debt=100 * UNIT), marks_of([UNIT])).outcome is PlanOutcome.NOT_NEEDED
    free = plan_of(account_of([150], debt=0), marks_of([UNIT]))
    assert (free.outcome, free.ratio_after_bp) == (PlanOutcome.NOT_NEEDED, RATIO_NO_DEBT)


def test_i10_when_assets_less_the_cost_are_under_the_debt_the_plan_says_that_selling_cannot_help() -> None:
    plan = plan_of(account_of([100], debt=99 * UNIT), marks_of([UNIT]), cost=200)
    assert (plan.outcome, sold(plan), plan.bound_units) == (PlanOutcome.CANNOT_HELP, {0: 100}, None)
    assert (plan.deficit_units, plan.debt_after_units) == (1 * UNIT, 1 * UNIT)
    assert not plan.reaches_target


def test_a_capped_account_sells_all_it_may_and_says_what_is_still_needed() -> None:
    plan = plan_of(account_of([140], debt=100 * UNIT), marks_of([UNIT]), sellable=[10])
    assert (plan.outcome, sold(plan)) == (PlanOutcome.FALLS_SHORT, {0: 10})
    assert (plan.assets_after_units, plan.debt_after_units) == (130 * UNIT, 90 * UNIT)
    assert plan.deposit_still_needed_units == 5 * UNIT


def test_i12_i18_stale_and_suspended_names_are_not_sold_and_do_not_keep_others_from_it() -> None:
    account = account_of([50, 50, 50], debt=110 * UNIT)
    marks = marks_of([UNIT] * 3, stale=(0,), suspended=(1,))
    assert sold(plan_of(account, marks)) == {2: 30}
    blocked = plan_of(account, marks_of([UNIT] * 3, stale=(0, 1, 2)))
    assert (blocked.outcome, blocked.lines) == (PlanOutcome.NOTHING_TO_SELL, ())


def test_i17_nothing_is_planned_for_an_account_that_cannot_be_valued() -> None:
    plan = plan_of(account_of([50, 1], debt=110 * UNIT), marks_of([UNIT, 0]))
    assert (plan.outcome, plan.lines, plan.ratio_before_bp) == (PlanOutcome.UNKNOWN, (), -1)


def test_i23_odd_lots_leave_with_the_last_lot_and_alone_when_they_are_all_there_is() -> None:
    marks = marks_of([UNIT], lot=100)
    assert sold(plan_of(account_of([250], debt=200 * UNIT), marks)) == {0: 100}
    assert sold(plan_of(account_of([250], debt=217 * UNIT), marks)) == {0: 250}
    assert sold(plan_of(account_of([60], debt=50 * UNIT), marks)) == {0: 60}
    assert plan_of(account_of([250], debt=217 * UNIT), marks, sellable=[240]).outcome is PlanOutcome.FALLS_SHORT
    assert sold(plan_of(account_of([250], debt=217 * UNIT), marks, sellable=[240])) == {0: 100}


def test_a_plan_that_repays_everything_leaves_the_rest_as_cash() -> None:
    plan = plan_of(account_of([1], debt=14 * UNIT), marks_of([20 * UNIT]))
    assert (plan.debt_after_units, plan.ratio_after_bp, plan.assets_after_units) == (0, RATIO_NO_DEBT, 6 * UNIT)


def test_a_later_name_closes_when_its_lots_are_smaller() -> None:
    account = account_of([10, 1_000], debt=14_000 * UNIT)
    plan = plan_of(account, marks_of([1_000 * UNIT, 10 * UNIT]), cost=[10, 20])
    assert sold(plan) == {0: 2, 1: 1}
    assert plan.bound_units is not None
    assert plan.sold_units < 3_000 * UNIT


holdings = st.integers(0, 12)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Book, Marks, dict[str, object]]:
    """A small account somewhere between drowned and nearly at its target."""
    count = draw(st.integers(1, 3))
    held = [draw(holdings) for _ in range(count)]
    unit_prices = [draw(st.integers(1, 60)) * draw(st.sampled_from([1, 77, UNIT])) for _ in range(count)]
    worth = sum(q * p for q, p in zip(held, unit_prices, strict=True))
    cash = draw(st.integers(0, max(worth // 4, 1)))
    debt = max((worth + cash) * 10_000 // draw(st.integers(9_000, 15_100)), 1)
    marks = marks_of(
        unit_prices,
        lot=[draw(st.integers(1, 5)) for _ in range(count)],
        stale=tuple(draw(st.sets(st.integers(0, count - 1), max_size=1))),
    )
    options: dict[str, object] = {
        "cost": [draw(st.sampled_from([0, 5, 30, 80, 400, 3_500])) for _ in range(count)],
        "sellable": [draw(st.integers(0, q + 2)) for q in held],
        "preference": draw(st.one_of(st.none(), st.lists(st.integers(0, 2), min_size=count, max_size=count))),
        "grain": draw(st.sampled_from([1, CENT])),
    }
    return account_of(held, cash=cash, debt=debt), marks, options


def allowed(account: Book, marks: Marks, options: dict[str, object]) -> list[list[int]]:
    """Quantities that may be sold of each position: lots that leave nothing or a lot, or all."""
    choices = []
    for i, cap in enumerate(options["sellable"]):  # type: ignore[arg-type, var-annotated]
        held, lot = int(account.quantity[i]), int(marks.lot[i])
        if marks.is_stale[i]:
            choices.append([0])
            continue
        lots = [q for q in range(lot, held, lot) if q <= cap and held - q >= lot]
        choices.append([0, *lots] + ([held] if 0 < held <= cap else []))
    return choices


def state(plan: SalePlan, marks: Marks, quantities: tuple[int, ...], options: dict[str, object]) -> tuple[int, int]:
    """(assets, debt) after the plan's cash and these sales, from first principles."""
    grain: int = options["grain"]  # type: ignore[assignment]
    assets, debt = plan.assets_before_units - plan.cash_applied_units, plan.debt_before_units - plan.cash_applied_units
    proceeds = 0
    for i, quantity in enumerate(quantities):
        value = quantity * int(marks.price_units[i])
        cost = -(-value * options["cost"][i] // UNIT)  # type: ignore[index]
        proceeds += (value - cost) // grain * grain
        assets -= value
    repaid = min(debt, proceeds)
    return assets + proceeds - repaid, debt - repaid


@settings(max_examples=400, deadline=None)
@given(case=cases())
def test_every_plan_is_lawful_and_as_it_says(case: tuple[Book, Marks, dict[str, object]]) -> None:
    account, marks, options = case
    plan = plan_of(account, marks, **options)  # type: ignore[arg-type]
    quantities = tuple(sold(plan).get(i, 0) for i in range(account.position_count))
    choices = allowed(account, marks, options)
    assert all(q in choice for q, choice in zip(quantities, choices, strict=True)), "I11, I23"
    assert 0 <= plan.cash_applied_units <= min(account.cash_units[0], account.debt_units[0])
    assert (plan.assets_after_units, plan.debt_after_units) == state(plan, marks, quantities, options)
    after = plan.assets_after_units * UNIT >= TARGET * plan.debt_after_units
    assert after == plan.reaches_target
    assert (plan.deposit_still_needed_units == 0) == after
    if plan.outcome is PlanOutcome.CURES:
        for i, quantity in enumerate(quantities):
            if quantity:
                fewer = max(q for q in choices[i] if q < quantity)
                less = (*quantities[:i], fewer, *quantities[i + 1 :])
                assets, debt = state(plan, marks, less, options)
                assert assets * UNIT < TARGET * debt, "I11: less one step would leave it short"
        assert plan.bound_units is not None
        assert plan.bound_units <= plan.sold_units
        assert plan.over_bound_bp is not None
        assert plan.over_bound_bp >= 0
    if plan.outcome in {PlanOutcome.FALLS_SHORT, PlanOutcome.CANNOT_HELP}:
        assert quantities == tuple(max(choice) for choice in choices)
        mid_assets, mid_debt = state(plan, marks, (0,) * len(quantities), options)
        rises = plan.assets_after_units * mid_debt > mid_assets * plan.debt_after_units
        assert rises == (plan.outcome is PlanOutcome.FALLS_SHORT), "I10"


@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_the_bound_and_the_outcome_hold_against_every_possible_sale(
    case: tuple[Book, Marks, dict[str, object]],
) -> None:
    account, marks, options = case
    plan = plan_of(account, marks, **options)  # type: ignore[arg-type]
    assume(plan.outcome not in {PlanOutcome.NOT_NEEDED, PlanOutcome.CASH_CURES})
    best = None
    for quantities in product(*allowed(account, marks, options)):
        assets, debt = state(plan, marks, quantities, options)
        if assets * UNIT >= TARGET * debt:
            value = sum(q * int(p) for q, p in zip(quantities, marks.price_units, strict=True))
            best = value if best is None else min(best, value)
    if best is None:
        assert not plan.reaches_target
    elif not plan.reaches_target:
        rounding: int = options["grain"] * account.position_count  # type: ignore[operator]
        assert plan.deposit_still_needed_units * UNIT < TARGET * rounding
    else:
        assert plan.bound_units is not None
        assert plan.bound_units <= best <= plan.sold_units


@given(case=cases(), seed=st.integers(0, 2**16))
def test_i28_the_order_of_positions_does_not_change_the_plan(
    case: tuple[Book, Marks, dict[str, object]], seed: int
) -> None:
    account, marks, options = case
    order = np.random.default_rng(seed).permutation(account.position_count)
    shuffled = one_account(
        instrument=account.instrument[order],
        quantity=account.quantity[order],
        cash_units=int(account.cash_units[0]),
        debt_units=int(account.debt_units[0]),
    )
    moved = {
        name: [values[i] for i in order] if isinstance(values, list) else values for name, values in options.items()
    }
    assert plan_of(shuffled, marks, **moved) == plan_of(account, marks, **options)  # type: ignore[arg-type]


@given(quantity=st.integers(1, 10_000), parts=st.integers(2, 6), price=st.integers(1, 10**6), cost=st.integers(0, 900))
def test_i22_k_small_sales_never_bring_more_than_one_large(quantity: int, parts: int, price: int, cost: int) -> None:
    def proceeds(count: int) -> int:
        account = account_of([count], debt=2 * count * price)
        return plan_of(account, marks_of([price]), cost=cost).proceeds_units

    assert parts * proceeds(quantity) <= proceeds(parts * quantity)


def test_the_bound_is_the_optimum_of_the_linear_relaxation() -> None:
    account = account_of([10, 10, 10], debt=230 * UNIT)
    plan = plan_of(account, marks_of([10 * UNIT] * 3), cost=[50, 10, 30])
    gap = Fraction(3, 2) * 230 - 300
    cheapest = 100 * (Fraction(3, 2) * Fraction(999, 1000) - 1)
    second = (gap - cheapest) / (Fraction(3, 2) * Fraction(997, 1000) - 1) if gap > cheapest else 0
    value = 100 + second if second else gap / (Fraction(3, 2) * Fraction(999, 1000) - 1)
    assert plan.bound_units == -(-value * UNIT // 1)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"sellable": [1, -1]}, "sellable[1] is -1"),
        ({"sellable": [1]}, "sellable must have shape (2,)"),
        ({"cost": [0, 10_001]}, "cost_bp[1] is 10001"),
        ({"preference": [1]}, "preference must have shape (2,)"),
        ({"target": 10_000}, "target_bp is 10000"),
        ({"grain": 0}, "grain_units is 0"),
    ],
)
def test_a_bad_input_is_refused_and_named(change: dict[str, object], where: str) -> None:
    with pytest.raises(BookError) as refusal:
        plan_of(account_of([1, 1]), marks_of([1, 1]), **change)  # type: ignore[arg-type]
    assert where in str(refusal.value)
