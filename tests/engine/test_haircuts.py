"""Haircuts: published figures, golden numbers worked by hand, and what must always hold."""

from dataclasses import replace
from math import ceil, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reefpoint.engine.columns import BookError
from reefpoint.engine.haircuts import (
    HISTORY_MIN,
    HaircutInputs,
    HaircutPolicy,
    ewma_variance,
    find_haircuts,
    history_days,
    liquidation_days,
    scale_haircut,
    volatilities,
)

POLICY = HaircutPolicy()
SWING = 0.02


def swinging(days: int = 300, swing: float = SWING, price: int = 10_000_000) -> np.ndarray:
    """Closes that go up and down by the same factor day after day: every log return is +swing or -swing."""
    return np.array([round(price * (1 + swing) ** (day % 2)) for day in range(days + 1)], dtype=np.int64)


def inputs_of(closes: np.ndarray | None = None, **columns: object) -> HaircutInputs:
    table = np.atleast_2d(swinging() if closes is None else closes)
    usual: dict[str, object] = {
        "size": 0,
        "daily_volume": 1_000_000,
        "spread": 0.0,
        "issue_share": 0.0,
        "pool_share": 0.0,
        "gap_shortfall": 0.0,
        "legal_bp": 0,
    }
    full = {}
    for name, value in {**usual, **columns}.items():
        dtype = np.int64 if name in {"size", "daily_volume", "legal_bp"} else np.float64
        full[name] = np.array(np.broadcast_to(np.asarray(value, dtype=dtype), (len(table),)))
    return HaircutInputs(close_units=table, **full)


@pytest.mark.parametrize(("ten_days", "twenty", "five"), [(15.0, 21.213, 10.607), (6.0, 8.485, 4.243)])
def test_the_square_root_of_time_gives_the_published_supervisory_figures(
    ten_days: float, twenty: float, five: float
) -> None:
    """EU regulation 575/2013, article 224, table 1: the adjustments for 20, 10 and 5 days of liquidation."""
    one_day = ten_days / sqrt(10)
    for days, published in ((20, twenty), (10, ten_days), (5, five)):
        scaled = scale_haircut(np.array([one_day]) * sqrt(days), np.array([days]), 1)
        assert scaled[0] == pytest.approx(published, abs=0.001)


def test_weekly_revaluation_scales_as_basel_says() -> None:
    """H = 15% * sqrt((5 + 10 - 1) / 10) = 17.748%, and daily revaluation changes nothing."""
    assert scale_haircut(np.array([0.15]), np.array([10]), 5)[0] == pytest.approx(0.177482, abs=1e-6)
    assert scale_haircut(np.array([0.15]), np.array([10]), 1)[0] == 0.15


def test_one_step_of_the_ewma_is_the_textbook_example() -> None:
    """Hull, Risk Management and Financial Institutions, example 5.2: 1% before, a move of 2%, decay 0.90: 1.14%."""
    variance = ewma_variance(np.array([0.01**2]), np.array([[0.02]]), np.array([[True]]), 0.9)
    assert variance[0] == pytest.approx(0.00013)
    assert sqrt(variance[0]) == pytest.approx(0.0114, abs=5e-5)


def test_the_ewma_is_its_recursion_day_by_day() -> None:
    closes = np.random.default_rng(1).integers(9_000, 11_000, (1, 300))
    historical, ewma = volatilities(closes, 0.94)
    returns = np.diff(np.log(closes[0]))
    assert historical[0] == pytest.approx(returns.std(ddof=1))
    variance = returns.var(ddof=1)
    for move in returns:
        variance = 0.94 * variance + 0.06 * move**2
    assert ewma[0] == pytest.approx(sqrt(variance))


def test_a_name_listed_later_is_measured_on_its_own_days() -> None:
    late = swinging(260)
    table = np.stack([np.concatenate([np.zeros(200, dtype=np.int64), late]), swinging(460)])
    together, alone = volatilities(table, 0.94), volatilities(late[None, :], 0.94)
    assert [column[0] for column in together] == pytest.approx([column[0] for column in alone])


def test_the_volatility_part_worked_by_hand() -> None:
    """Returns of +-ln(1.02) = 1.98%; 99%: 2.3263; five days: 2.3263 * 1.98% * sqrt(5) = 10.3%, rounded up to 15%."""
    found = find_haircuts(inputs_of(), replace(POLICY, floor_bp=0))
    daily = log(1.02) * sqrt(300 / 299)
    assert found.historical[0] == pytest.approx(daily, rel=1e-6)
    assert found.volatility[0] == pytest.approx(2.326348 * daily * sqrt(5), rel=1e-6)
    assert (found.liquidity[0], found.concentration[0], found.gap[0]) == (0, 0, 0)
    assert found.haircut_bp.tolist() == [1_500]


def test_every_part_worked_by_hand() -> None:
    found = find_haircuts(
        inputs_of(size=900_000, spread=0.004, issue_share=0.03, pool_share=0.3, gap_shortfall=0.4),
        replace(POLICY, revaluation_days=2),
    )
    daily = found.historical[0]
    assert found.days.tolist() == [9]  # 900,000 at a tenth of a million a day
    volatility = 2.326348 * daily * sqrt(2 + 9 - 1)
    assert found.volatility[0] == pytest.approx(volatility, rel=1e-6)
    assert found.liquidity[0] == pytest.approx(0.002 + daily * sqrt(0.9))
    assert found.concentration[0] == pytest.approx((0.03 - 0.01) + 0.25 * (0.3 - 0.1))
    assert found.gap[0] == pytest.approx(0.4 - volatility, rel=1e-5)
    total = found.volatility[0] + found.liquidity[0] + found.concentration[0] + found.gap[0]
    assert found.total[0] == pytest.approx(total)
    assert found.haircut_bp[0] == ceil(total * 20) * 500


@pytest.mark.parametrize(
    ("size", "volume", "days"),
    [
        (0, 0, 5),  # nothing to sell
        (1, 0, 60),  # does not trade
        (500_000, 1_000_000, 5),
        (500_001, 1_000_000, 6),
        (6_000_000, 1_000_000, 60),
        (6_000_001, 1_000_000, 60),
    ],
)
def test_how_long_a_sale_takes(size: int, volume: int, days: int) -> None:
    assert liquidation_days(np.array([size]), np.array([volume]), POLICY).tolist() == [days]


@pytest.mark.parametrize(
    ("total", "step", "haircut"), [(0.15, 500, 1_500), (0.1500001, 500, 2_000), (0.02, 500, 1_500), (0.31, 1, 3_100)]
)
def test_the_sum_is_rounded_up_to_the_step_and_not_under_the_floor(total: float, step: int, haircut: int) -> None:
    """The sum is brought about by the gap part, which fills up what volatility leaves."""
    quiet = inputs_of(np.where(swinging() > 10_000_000, 10_000_001, 10_000_000), gap_shortfall=total)
    assert find_haircuts(quiet, replace(POLICY, step_bp=step)).haircut_bp.tolist() == [haircut]


def test_a_name_that_cannot_be_sold_is_not_lent_against() -> None:
    found = find_haircuts(inputs_of(swinging(swing=0.08), size=10**9, daily_volume=0), POLICY)
    assert found.haircut_bp.tolist() == [10_000]
    capped = find_haircuts(inputs_of(swinging(swing=0.08), size=10**9), replace(POLICY, cap_bp=7_000))
    assert capped.haircut_bp.tolist() == [7_000]


@pytest.mark.parametrize(("legal", "haircut"), [(0, 1_500), (3_000, 3_000), (3_333, 3_333), (10_000, 10_000)])
def test_what_the_exchange_asks_comes_before_every_figure_of_ones_own(legal: int, haircut: int) -> None:
    """30% for a constituent of an index, all of it for a name under risk warning: also above the desk's cap."""
    found = find_haircuts(inputs_of(legal_bp=legal), replace(POLICY, cap_bp=2_000))
    assert found.haircut_bp.tolist() == [haircut]


names = st.fixed_dictionaries(
    {
        "size": st.integers(0, 10**8),
        "daily_volume": st.integers(0, 10**7),
        "spread": st.floats(0, 0.5),
        "issue_share": st.floats(0, 1),
        "pool_share": st.floats(0, 1),
        "gap_shortfall": st.floats(0, 1),
    }
)


@settings(max_examples=60, deadline=None)
@given(name=names, worse=names)
def test_whatever_makes_a_name_riskier_never_makes_its_haircut_smaller(
    name: dict[str, float], worse: dict[str, float]
) -> None:
    before = find_haircuts(inputs_of(**name), POLICY)
    for column, value in worse.items():
        is_volume = column == "daily_volume"
        riskier = {**name, column: min(name[column], value) if is_volume else max(name[column], value)}
        assert find_haircuts(inputs_of(**riskier), POLICY).haircut_bp[0] >= before.haircut_bp[0], column
    wilder = find_haircuts(inputs_of(swinging(swing=0.05), **name), POLICY)
    assert wilder.haircut_bp[0] >= before.haircut_bp[0]


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(names, min_size=1, max_size=5))
def test_parts_add_up_and_names_do_not_touch_each_other(rows: list[dict[str, float]]) -> None:
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    together = find_haircuts(inputs_of(np.stack([swinging()] * len(rows)), **columns), POLICY)
    assert (together.total == together.volatility + together.liquidity + together.concentration + together.gap).all()
    assert (together.haircut_bp % POLICY.step_bp == 0).all()
    assert ((together.haircut_bp >= together.total * 10_000 - 1e-6) | (together.haircut_bp == POLICY.cap_bp)).all()
    for row, name in enumerate(rows):
        assert find_haircuts(inputs_of(**name), POLICY).haircut_bp[0] == together.haircut_bp[row]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("size", -1),
        ("daily_volume", -1),
        ("spread", -0.1),
        ("spread", np.nan),
        ("spread", np.inf),
        ("issue_share", 1.1),
        ("pool_share", np.nan),
        ("gap_shortfall", -np.inf),
        ("legal_bp", 10_001),
    ],
)
def test_a_figure_that_cannot_be_is_refused_with_its_row(column: str, value: float) -> None:
    with pytest.raises(BookError) as refused:
        inputs_of(np.stack([swinging()] * 3), **{column: [0, 0, value]})
    assert (refused.value.column, refused.value.row) == (column, 2)


def test_too_short_a_history_is_refused_and_never_taken_for_calm() -> None:
    full = swinging(HISTORY_MIN)
    assert history_days(full[None, :]).tolist() == [HISTORY_MIN]
    late = full.copy()
    late[0] = 0
    with pytest.raises(BookError, match=r"close_units\[1\] has fewer than 250 returns"):
        inputs_of(np.stack([full, late]))
    with pytest.raises(BookError, match="below 251"):
        inputs_of(swinging(HISTORY_MIN - 1))


def test_a_hole_in_the_closes_and_closes_that_never_move_are_refused() -> None:
    hole, still, negative = swinging(), np.full(301, 10_000, dtype=np.int64), swinging()
    hole[150], negative[7] = 0, -1
    for closes, problem in ((hole, "without a close"), (still, "never moves"), (negative, "below 0")):
        with pytest.raises(BookError, match=problem):
            inputs_of(closes)


@pytest.mark.parametrize("closes", [swinging().astype(float), swinging()[None, None, :], None])
def test_closes_that_are_no_table_of_whole_numbers_are_refused(closes: object) -> None:
    with pytest.raises(BookError, match="close_units"):
        HaircutInputs(closes, *(np.zeros(1, dtype=np.int64),) * 2, *(np.zeros(1),) * 4, np.zeros(1, dtype=np.int64))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 1.0},
        {"confidence": float("nan")},
        {"decay": 1.0},
        {"participation": 0.0},
        {"days_min": 0},
        {"days_max": 4},
        {"step_bp": 0},
        {"floor_bp": -1},
        {"cap_bp": 1_000},
        {"impact": -1.0},
    ],
)
def test_a_policy_without_sense_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(BookError):
        replace(POLICY, **change)  # type: ignore[arg-type]


def test_no_names_are_no_work() -> None:
    empty = inputs_of(np.empty((0, 300), dtype=np.int64))
    assert len(find_haircuts(empty, POLICY)) == 0
