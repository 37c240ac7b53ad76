"""Amounts as people type them."""

import pytest

from reefpoint.surfaces.web.amounts import AmountError, parse_money


@pytest.mark.parametrize(
    ("text", "minor"),
    [
        ("500,000", 500_000_00),
        ("500k", 500_000_00),
        ("1.5M", 1_500_000_00),
        ("50万", 500_000_00),
        ("1.2亿", 120_000_000_00),
        (" 12.34 ", 12_34),
        ("0.01", 1),
    ],
)
def test_people_may_type_amounts_their_way(text: str, minor: int) -> None:
    assert parse_money(text) == minor


@pytest.mark.parametrize("text", ["", "0", "-1", "1.234", "1,2.3.4", "٣٣", "1e5", "NaN", "10万亿亿", "1 000 000 b b"])
def test_what_is_not_clearly_an_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError):
        parse_money(text)
