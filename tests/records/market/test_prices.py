"""Prices are judged line by line; nothing is lost and nothing is believed twice."""

import pytest
from tests.records.market.conftest import MONDAY, TUESDAY, record, tick

from reefpoint.records.market.selectors import latest_prices, list_held


def test_an_accepted_price_is_the_latest(names: dict[str, int]) -> None:
    result = record(tick("AAA", "100"), tick("BBB", 41.2), key="monday")
    assert (result.accepted, result.held, result.rejected) == (2, 0, 0)
    prices = latest_prices()
    assert prices[names["AAA"]].price_units == 1_000_000
    assert prices[names["BBB"]].price_units == 412_000


@pytest.mark.parametrize(("price", "is_held"), [("80", True), ("120", True), ("81", False), ("99", False)])
def test_i13_a_price_outside_its_band_is_held(names: dict[str, int], price: str, is_held: bool) -> None:
    record(tick("AAA", "100"), key="monday")
    result = record(tick("AAA", price, TUESDAY), key="tuesday", on=TUESDAY)
    assert result.held == is_held
    assert result.accepted == (not is_held)
    assert len(list_held()) == is_held
    assert latest_prices()[names["AAA"]].on == (MONDAY if is_held else TUESDAY)
