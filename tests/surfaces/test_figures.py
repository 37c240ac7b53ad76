"""Figures as people read them."""

import pytest

from reefpoint.surfaces.web import figures


@pytest.mark.parametrize(
    ("minor", "text"),
    [
        (0, "0.00"),
        (5, "0.05"),
        (123456789, "1,234,567.89"),
        (-150, "−1.50"),
        (None, "–"),
        (10**15, "10,000,000,000,000.00"),
    ],
)
def test_money_is_shown_in_full_without_a_float(minor: int | None, text: str) -> None:
    assert figures.money_text(minor) == text


def test_a_currency_without_cents_is_shown_without_them() -> None:
    assert (figures.money_text(123_456, "JPY"), figures.money_text(123_456, "HKD")) == ("123,456", "1,234.56")


@pytest.mark.parametrize(
    ("minor", "western", "chinese"),
    [
        (99_999, "999", "999"),
        (123_456_00, "123K", "12.3万"),
        (1_234_567_89, "1.23M", "123万"),
        (-9_876_543_210_00, "−9.87B", "−98.7亿"),
        (None, "–", "–"),
    ],
)
def test_brief_money_steps_by_thousands_or_by_ten_thousands(minor: int | None, western: str, chinese: str) -> None:
    assert figures.money_brief(minor, chinese=False) == western
    assert figures.money_brief(minor, chinese=True) == chinese


@pytest.mark.parametrize(("units", "text"), [(412_000, "41.20"), (412_050, "41.205"), (1, "0.0001"), (None, "–")])
def test_a_price_shows_two_decimals_or_as_many_as_it_has(units: int | None, text: str) -> None:
    assert figures.price_text(units) == text


def test_a_ratio_in_basis_points_reads_as_percent() -> None:
    assert figures.percent_text(14_235) == "142.35%"
    assert figures.percent_text(-5) == "−0.05%"


def test_a_gain_has_a_plus_and_nothing_has_none() -> None:
    assert figures.signed_text("1.00", 100) == "+1.00"
    assert figures.signed_text("0.00", 0) == "0.00"


def test_a_spark_line_stays_in_its_box_and_needs_two_points() -> None:
    line = figures.spark([15_000, 14_000, 13_000], level=14_500)
    assert line is not None
    assert line.points == "3.0,3.0 40.0,12.0 77.0,21.0"
    assert line.level_y == "7.5"
    assert figures.spark([1]) is None
