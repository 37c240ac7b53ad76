"""What a fill costs: rounding never favours the riskier side, and splitting never pays."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reefpoint.records.execution.rules import (
    ORDER_STATES,
    PaperBrokerTerms,
    executed_price_units,
    fill_amounts,
    fill_fee_minor,
    fillable_quantity,
    net_minor,
    order_number,
    session_capacity,
)
from reefpoint.records.execution.types import OrderState, Side

QUANTITIES = st.integers(1, 200_000)
PRICES = st.integers(201, 50_000_000)  # from two cents to 5,000.00, in 1e-4 units
TERMS = st.builds(
    PaperBrokerTerms,
    slippage_bp=st.integers(0, 300),
    fee_per_share_units=st.integers(0, 100),
    fee_bp=st.integers(0, 50),
    fee_minimum_minor=st.integers(0, 2_000),
)
STANDARD = PaperBrokerTerms()


def net(side: Side, quantity: int, price: int, terms: PaperBrokerTerms = STANDARD) -> int:
    amounts = fill_amounts(side, quantity, price, terms)
    return net_minor(side, amounts.gross_minor, amounts.fee_minor)


@given(st.lists(st.integers(1, 5_000), min_size=2, max_size=8), PRICES)
def test_i22_many_small_sales_never_beat_one_large(parts: list[int], price: int) -> None:
    assert sum(net(Side.SELL, part, price) for part in parts) <= net(Side.SELL, sum(parts), price)


@given(st.lists(st.integers(1, 5_000), min_size=2, max_size=8), PRICES, TERMS)
def test_i22_many_small_purchases_never_cost_less_than_one_large(
    parts: list[int], price: int, terms: PaperBrokerTerms
) -> None:
    assert sum(net(Side.BUY, part, price, terms) for part in parts) <= net(Side.BUY, sum(parts), price, terms)


@given(QUANTITIES, PRICES, TERMS)
def test_i22_fees_and_costs_round_up_and_proceeds_down(quantity: int, price: int, terms: PaperBrokerTerms) -> None:
    exact_price = Fraction(price)
    sold, bought = (fill_amounts(side, quantity, price, terms) for side in (Side.SELL, Side.BUY))
    assert sold.price_units <= exact_price * (10_000 - terms.slippage_bp) / 10_000 < sold.price_units + 1
    assert bought.price_units - 1 < exact_price * (10_000 + terms.slippage_bp) / 10_000 <= bought.price_units
    assert sold.gross_minor <= Fraction(quantity * sold.price_units, 100) < sold.gross_minor + 1
    assert bought.gross_minor - 1 < Fraction(quantity * bought.price_units, 100) <= bought.gross_minor
    exact_fee = Fraction(quantity * terms.fee_per_share_units, 100) + Fraction(
        quantity * bought.price_units * terms.fee_bp, 1_000_000
    )
    assert bought.fee_minor == max(terms.fee_minimum_minor, -(-exact_fee.numerator // exact_fee.denominator))


@given(QUANTITIES, st.integers(1, 50_000_000), TERMS)
def test_no_sale_ever_costs_the_client_cash(quantity: int, price: int, terms: PaperBrokerTerms) -> None:
    assert net(Side.SELL, quantity, price, terms) >= 0


@given(QUANTITIES, PRICES)
def test_buying_and_selling_again_always_loses(quantity: int, price: int) -> None:
    assert net(Side.BUY, quantity, price) + net(Side.SELL, quantity, price) < 0


@given(QUANTITIES, PRICES)
def test_a_better_price_never_brings_less(quantity: int, price: int) -> None:
    assert net(Side.SELL, quantity, price + 1) >= net(Side.SELL, quantity, price)


def test_the_tariff_by_hand() -> None:
    # 1,000 shares at 25.00 less 5 bp: 24.9875; fee 5.00 + 2.49875
    amounts = fill_amounts(Side.SELL, 1_000, 250_000, STANDARD)
    assert (amounts.price_units, amounts.gross_minor, amounts.fee_minor) == (249_875, 2_498_750, 750)
    assert fill_fee_minor(1, 250_000, STANDARD) == 100
    assert executed_price_units(Side.SELL, 1, 5) == 0
    assert executed_price_units(Side.BUY, 1, 5) == 2


@given(st.integers(1, 10_000), st.integers(-50, 10_000), st.integers(1, 200))
def test_i20_a_fill_stays_within_capacity_and_in_whole_lots(wanted: int, left: int, lot: int) -> None:
    filled = fillable_quantity(wanted, left, lot)
    assert 0 <= filled <= min(wanted, max(left, 0))
    assert filled == wanted or filled % lot == 0
    assert filled == wanted or max(left, 0) - filled < lot


def test_capacity_is_a_tenth_of_the_assumed_volume_rounded_down() -> None:
    assert session_capacity(100_009, STANDARD.participation_bp) == 10_000


@pytest.mark.parametrize("state", list(OrderState))
def test_an_order_leaves_no_final_state_and_never_goes_back(state: OrderState) -> None:
    nexts = ORDER_STATES.moves[state]
    assert ORDER_STATES.is_final(state) == (state in {OrderState.FILLED, OrderState.REJECTED, OrderState.CANCELLED})
    assert OrderState.NEW not in nexts
    assert state is OrderState.NEW or OrderState.SENT not in nexts


def test_orders_have_names() -> None:
    assert order_number(17) == "O-000017"
    assert order_number(12_345_678) == "O-12345678"
