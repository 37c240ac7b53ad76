"""What a forced sale fetches under limits, suspensions and jumps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.engine.gap_cases import CALM, EIGHT_DAYS, MARKET, Told, fractions, model_of, random_model

from reefpoint.engine import sale_prices as module
from reefpoint.engine.columns import BookError
from reefpoint.engine.draws import name_keys
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.sale_prices import (
    GapModel,
    HistoricalFactor,
    Horizon,
    StudentFactor,
    sale_prices,
)


def sold_at(returns: tuple[float, ...], *, grace_days: int = 0, **columns: object) -> float:
    horizon = Horizon(days=len(returns), grace_days=grace_days, seed=1)
    return float(fractions(model_of(**columns), Told(returns), horizon)[0, 0])


@pytest.mark.parametrize(
    ("returns", "grace_days", "columns", "expected"),
    [
        pytest.param((-0.05, -0.05), 0, {}, 0.95, id="no limit: sold at the first close"),
        pytest.param((-0.05, -0.05), 1, {}, 0.9025, id="after a day of grace: at the second"),
        pytest.param((-0.05, -0.05), 0, {"beta": 2.0}, 0.90, id="beta doubles the factor"),
        pytest.param((-0.2, 0.2), 0, {"limit": 0.1}, 0.96, id="locked at 0.90, then free at 0.96"),
        pytest.param((-0.2, 0.5), 0, {"limit": 0.1}, 0.99, id="a rise is sold at the ceiling: 1.20 is not to be had"),
        pytest.param((-0.2, -0.2, -0.2), 0, {"limit": 0.1}, 0.512, id="never free: the latent, not the seen 0.729"),
        pytest.param((0.2, 0.0), 0, {"limit": 0.1}, 1.1, id="a ceiling does not keep one from selling"),
        pytest.param((-0.1, 0.05), 0, {"limit": 0.1}, 0.945, id="exactly at the floor is locked; free a day later"),
        pytest.param((-0.5, 0.1), 0, {"limit": 0.2, "suspended_days": 1}, 0.55, id="locked on the day it resumes"),
        pytest.param((-0.05,) * 4, 0, {"limit": 0.1, "suspended_days": 2}, 0.95**4, id="locked, then free"),
        pytest.param((0.5, 0.0), 0, {"suspended_days": 2}, 1.0, id="never traded: the seen, not the latent"),
        pytest.param((-0.5, 0.0), 0, {"suspended_days": 9}, 0.5, id="never traded: the latent if lower"),
        pytest.param((0.1, 0.0), 0, {"jump_chance": 1.0, "jump_size": -0.3}, 0.8, id="a sure jump"),
        pytest.param((-0.99, 0.0), 0, {}, 0.1, id="a day never takes more than 90%"),
    ],
)  # fmt: skip
def test_i18_i19_the_sale_price_worked_by_hand(
    returns: tuple[float, ...], grace_days: int, columns: dict[str, object], expected: float
) -> None:
    assert sold_at(returns, grace_days=grace_days, **columns) == pytest.approx(expected, rel=1e-6)


def test_a_name_resumes_as_late_as_its_chance_says() -> None:
    model = model_of(3, suspended_days=[2, 2, 0], resume_chance=[0.25, 0.0, 0.0])
    first = model.first_days(5, 0, 50_000)
    assert not first[0].any(), "row 0 is of the names that trade"
    assert first[2].min() == module.NEVER
    late = first[1] - 2
    assert late.min() == 0
    for days in range(4):
        share = 0.25 * 0.75**days
        assert abs((late == days).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(late))


def test_the_student_factor_has_the_distribution_and_deviation_stated() -> None:
    drawn = StudentFactor(volatility=0.02, degrees=4, drift=-0.01).draw(1, 4, 0, 20_000).astype(float)
    scale = 0.02 / np.sqrt(2)  # a t of 4 degrees has variance 4 / 2
    assert stats.kstest(drawn.ravel(), stats.t(4, loc=-0.01, scale=scale).cdf).pvalue > 0.001
    assert abs(np.corrcoef(drawn)[np.triu_indices(4, 1)]).max() < 4 / np.sqrt(20_000)


def test_the_historical_factor_draws_each_day_equally_often() -> None:
    days = np.array([-0.08, -0.01, 0.0, 0.01, 0.03])
    drawn = HistoricalFactor(days).draw(1, 3, 0, 20_000)
    values, counts = np.unique(drawn, return_counts=True)
    assert values == pytest.approx(days)
    assert stats.chisquare(counts).pvalue > 0.001


@settings(max_examples=25, deadline=None)
@given(first=st.integers(0, 10_000), cut=st.integers(1, 199), seed=st.integers(0, 2**64 - 1))
def test_any_block_of_paths_has_the_same_bits(first: int, cut: int, seed: int) -> None:
    model, horizon = random_model(30), Horizon(5, 1, seed)
    whole = fractions(model, MARKET, horizon, 200, first)
    parts = [
        fractions(model, MARKET, horizon, cut, first),
        fractions(model, MARKET, horizon, 200 - cut, first + cut),
    ]
    assert np.concatenate(parts, axis=1).tobytes() == whole.tobytes()


@settings(max_examples=25, deadline=None)
@given(order=st.permutations(range(12)), left=st.integers(1, 12))
def test_neither_order_nor_company_moves_a_name(order: list[int], left: int) -> None:
    model, rows = random_model(12), np.array(order[:left])
    assert fractions(model.take(rows), MARKET, EIGHT_DAYS, 64).tobytes() == (
        fractions(model, MARKET, EIGHT_DAYS, 64)[rows].tobytes()
    )


def test_compiled_and_interpreted_sales_have_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = []
    for steps_left in (2**62, -1):
        monkeypatch.setattr(Kernel, "_steps_left", steps_left)
        answers.append(fractions(random_model(7), MARKET, EIGHT_DAYS, 37, 1_000).tobytes())
    assert answers[0] == answers[1]


def test_i19_a_wider_limit_lets_a_falling_name_go_sooner_and_dearer() -> None:
    """Ten per cent a day keeps holders in until the fall is over; without a limit they are out at the first close."""
    fall = Told((-0.12, -0.12, -0.12, -0.12, 0.0, 0.0, 0.0, 0.0))
    model = model_of(3, limit=[0.1, 0.2, np.inf])
    narrow, wide, none = fractions(model, fall, Horizon(8, 0, 1))[:, 0]
    assert narrow < wide == none == pytest.approx(0.88)


def test_the_figures_of_a_name_are_those_of_its_paths() -> None:
    model, paths = random_model(5), 1_000
    drawn = fractions(model, MARKET, EIGHT_DAYS, paths).astype(float)
    figures = sale_prices(model, MARKET, EIGHT_DAYS, paths=paths, levels=(0.01, 0.5))
    ordered = np.sort(drawn, axis=1)
    assert figures.mean == pytest.approx(drawn.mean(axis=1))
    assert figures.standard_error == pytest.approx(drawn.std(axis=1, ddof=1) / np.sqrt(paths))
    assert (figures.quantile == ordered[:, [9, 499]]).all()
    assert figures.tail_mean[:, 0] == pytest.approx(ordered[:, :10].mean(axis=1))


def test_i18_i19_the_share_unsold_is_that_of_names_locked_or_suspended_to_the_end() -> None:
    model = model_of(3, limit=[0.1, np.inf, np.inf], suspended_days=[0, 0, 200])
    figures = sale_prices(model, Told((-0.2,) * 8), EIGHT_DAYS, paths=100)
    assert figures.unsold_share.tolist() == [1.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("beta", np.nan),
        ("beta", np.inf),
        ("volatility", -0.01),
        ("volatility", np.nan),
        ("jump_chance", 1.5),
        ("jump_size", -0.95),
        ("limit", np.nan),
        ("limit", -0.1),
        ("limit", 1.5),
        ("limit", -np.inf),
        ("resume_chance", -0.1),
        ("suspended_days", -1),
        ("suspended_days", 251),
    ],
)
def test_a_parameter_outside_its_range_is_refused_with_its_row(column: str, value: float) -> None:
    good = getattr(model_of(3), column)
    bad = good.copy()
    bad[2] = value
    with pytest.raises(BookError) as refused:
        model_of(3, **{column: bad})
    assert refused.value.column == column
    assert refused.value.row == 2


def test_two_names_with_one_key_are_refused() -> None:
    with pytest.raises(BookError, match=r"key\[0\] is the key of two names"):
        model_of(3, key=name_keys(["A", "B", "A"]))


def test_a_column_of_another_length_or_type_is_refused() -> None:
    model = model_of(2)
    with pytest.raises(BookError, match="beta must have shape"):
        GapModel(**{**vars(model), "beta": np.ones(3)})
    with pytest.raises(BookError, match="volatility must be float64"):
        GapModel(**{**vars(model), "volatility": np.zeros(2, dtype=np.float32)})


@pytest.mark.parametrize(("days", "grace_days"), [(0, 0), (251, 0), (3, 3), (3, -1)])
def test_a_horizon_that_leaves_no_day_to_sell_is_refused(days: int, grace_days: int) -> None:
    with pytest.raises(BookError):
        Horizon(days, grace_days, 1)


@pytest.mark.parametrize("make", [
    lambda: StudentFactor(volatility=np.nan, degrees=4),
    lambda: StudentFactor(volatility=0.02, degrees=2),
    lambda: HistoricalFactor(np.array([])),
    lambda: HistoricalFactor(np.array([0.01, np.nan])),
    lambda: HistoricalFactor(np.array([0.01, -1.0])),
])  # fmt: skip
def test_a_factor_without_sense_is_refused(make: object) -> None:
    with pytest.raises(BookError):
        make()  # type: ignore[operator]


def test_no_names_are_no_work() -> None:
    assert sale_prices(model_of(0), CALM, EIGHT_DAYS, paths=100).mean.tolist() == []
