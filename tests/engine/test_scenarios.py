"""Scenarios: exact prices, and refusals that name the row."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import column

from reefpoint.engine.columns import PRICE_UNITS_MAX, BookError
from reefpoint.engine.scenarios import (
    E8,
    SHOCK_E8_MAX,
    Scenarios,
    ShockRow,
    Window,
    along,
    factor_scenarios,
    fall_scenarios,
    sector_loadings,
    shock_prices,
    table_scenarios,
    window_scenarios,
)

SYMBOLS, SECTORS = ["AAA", "BBB", "CCC"], ["Energy", "Energy", "Health"]


@given(price=st.integers(0, PRICE_UNITS_MAX), shock=st.integers(1 - E8, SHOCK_E8_MAX))
def test_a_price_under_a_shock_is_rounded_once_and_down(price: int, shock: int) -> None:
    exact = Fraction(price * (E8 + shock), E8)
    expected = max(1, exact.numerator // exact.denominator) if price else 0
    if expected > PRICE_UNITS_MAX:
        with pytest.raises(BookError, match="larger than a price may be"):
            shock_prices(column(price), np.array([[shock]]), ["one"])
    else:
        assert shock_prices(column(price), np.array([[shock]]), ["one"]).price_units.tolist() == [[expected]]


def test_falls_of_everything() -> None:
    scenarios = fall_scenarios(column(1_000_000, 15, 0), [0, 1_000, 9_999, -500])
    assert scenarios.names == ("today", "all -10.00%", "all -99.99%", "all +5.00%")
    assert scenarios.price_units.tolist() == [[1_000_000, 15, 0], [900_000, 13, 0], [100, 1, 0], [1_050_000, 15, 0]]


@pytest.mark.parametrize("fall", [10_000, 10_001, -990_001])
def test_a_fall_that_no_share_can_make_is_refused(fall: int) -> None:
    with pytest.raises(BookError, match=r"shock_e8\[1\] \(all"):
        fall_scenarios(column(100), [500, fall])


def test_factors_move_names_by_their_loadings() -> None:
    loadings, sectors = sector_loadings(SECTORS)
    assert sectors == ("Energy", "Health")
    scenarios = factor_scenarios(column(100, 200, 300), loadings, np.array([[-0.1, 0.0], [0.0, 0.5]]), ["oil", "drug"])
    assert scenarios.price_units.tolist() == [[90, 180, 300], [100, 200, 450]]
    own = np.array([[0.0, -0.5, 0.0]])
    with_own = factor_scenarios(column(100, 200, 300), loadings, np.array([[-0.1, 0.0]]), ["oil"], own)
    assert with_own.price_units.tolist() == [[90, 80, 300]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1.0, -7.5])
def test_a_factor_move_that_is_no_number_or_takes_all_is_refused(bad: float) -> None:
    moves = np.array([[-0.1], [bad]])
    with pytest.raises(BookError, match=r"(moves|shock_e8)\[1\]"):
        factor_scenarios(column(100), np.array([[1.0]]), moves, ["good", "bad"])
    with pytest.raises(BookError, match=r"(loadings|shock_e8)\[0\]"):
        factor_scenarios(column(100), np.array([[bad]]), np.array([[1.0]]), ["one"])


CLOSES = np.array([[100, 0, 50], [80, 10, 50], [40, 20, 49]], dtype=np.int64)


def test_a_window_of_history_is_done_to_todays_prices() -> None:
    scenarios, is_proxy = window_scenarios(column(1_000, 1_000, 1_000), CLOSES, [Window("fall", 1, 2)], SECTORS)
    assert scenarios.price_units.tolist() == [[500, 2_000, 980]]
    assert not is_proxy.any()


def test_a_name_without_history_moves_with_its_sector_or_with_all() -> None:
    scenarios, is_proxy = window_scenarios(column(1_000, 1_000, 1_000), CLOSES, [Window("fall", 0, 2)], SECTORS)
    assert scenarios.price_units.tolist() == [[400, 400, 980]]
    assert is_proxy.tolist() == [[False, True, False]]
    alone, _ = window_scenarios(column(1_000, 1_000, 1_000), CLOSES, [Window("fall", 0, 2)], ["A", "B", "C"])
    assert alone.price_units.tolist() == [[400, 400, 980]]  # of two middle ones, the worse


@given(before=st.integers(1, PRICE_UNITS_MAX), after=st.integers(1, PRICE_UNITS_MAX))
def test_the_return_of_a_window_is_exact_to_the_last_digit(before: int, after: int) -> None:
    if after >= 100 * before:
        return
    closes = np.array([[before], [after]])
    scenarios, _ = window_scenarios(column(10**6), closes, [Window("w", 0, 1)], [""])
    assert scenarios.price_units.tolist() == [[max(1, 10**6 * max(1, after * E8 // before) // E8)]]


@pytest.mark.parametrize("window", [Window("w", 1, 1), Window("w", 2, 1), Window("w", 0, 3), Window("w", -1, 2)])
def test_a_window_that_is_not_in_the_table_is_refused(window: Window) -> None:
    with pytest.raises(BookError, match=r"windows\[1\] \(w\) must go from"):
        window_scenarios(column(1, 1, 1), CLOSES, [Window("good", 1, 2), window], SECTORS)


def test_a_window_in_which_no_name_has_both_closes_is_refused() -> None:
    closes = np.array([[0, 0, 1], [1, 1, 0]], dtype=np.int64)
    with pytest.raises(BookError, match=r"windows\[0\] \(w\) has no name"):
        window_scenarios(column(1, 1, 1), closes, [Window("w", 0, 1)], SECTORS)


def test_a_table_names_symbols_sectors_or_everything() -> None:
    rows = [
        ShockRow("oil", "Energy", "-20"),
        ShockRow("oil", "BBB", "-50.5%"),
        ShockRow("all", "*", " -1.000001 "),
        ShockRow("all", "CCC", "+3"),
    ]
    scenarios = table_scenarios(column(10_000_000, 1_000, 1_000), SYMBOLS, SECTORS, rows)
    assert scenarios.names == ("oil", "all")
    assert scenarios.price_units.tolist() == [[8_000_000, 495, 1_000], [9_899_999, 989, 1_030]]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (ShockRow("s", "ZZZ", "-5"), "no symbol and no sector"),
        (ShockRow("s", "AAA", "-6"), "is the second for AAA in s"),
        (ShockRow("", "AAA", "-6"), "has no scenario name"),
        *(
            (ShockRow("t", "AAA", bad), "has the shock")
            for bad in ("", "x", "nan", "-inf", "1e9", "-100", "-100.5", "1e-7")
        ),
    ],
)
def test_a_bad_row_of_a_table_is_refused_by_number(row: ShockRow, problem: str) -> None:
    with pytest.raises(BookError, match=r"rows\[1\] .*" + problem):
        table_scenarios(column(1, 1, 1), SYMBOLS, SECTORS, [ShockRow("s", "AAA", "-5"), row])


def test_tables_that_are_empty_or_misshapen_are_refused() -> None:
    with pytest.raises(BookError, match="rows is empty"):
        table_scenarios(column(1), ["AAA"], ["Energy"], [])
    with pytest.raises(BookError, match="names is empty"):
        Scenarios((), np.ones((0, 1), dtype=np.int64))
    with pytest.raises(BookError, match=r"names\[1\] is 'a'"):
        Scenarios(("a", "a"), np.ones((2, 1), dtype=np.int64))
    with pytest.raises(BookError, match="must be int64"):
        Scenarios(("a",), np.ones((1, 1)))  # type: ignore[arg-type]
    with pytest.raises(BookError, match=r"price_units\[1\] is -1"):
        Scenarios(("a",), np.array([[1, -1]]))


def test_along_a_direction_a_name_may_fall_to_its_least_price() -> None:
    scenarios = along(column(1_000, 1_000, 0), column(-E8, E8 // 2, -E8), [0, 3_333, 10_000])
    assert scenarios.price_units.tolist() == [[1_000, 1_000, 0], [666, 1_166, 0], [1, 1_500, 0]]
    with pytest.raises(BookError, match=r"steps_bp\[0\] is 10001"):
        along(column(1), column(0), [10_001])
    with pytest.raises(BookError, match=r"direction_e8\[0\]"):
        along(column(1), column(-E8 - 1), [1])
