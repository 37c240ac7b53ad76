"""Mean, VaR and expected shortfall of simulated losses, and how sure they are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reefpoint.engine.columns import BookError
from reefpoint.engine.tails import measure_tails


def losses(*rows: range) -> np.ndarray:
    return np.array([list(row) for row in rows], dtype=np.int64)


def test_losses_of_1_to_1000_have_the_tails_that_one_counts_by_hand() -> None:
    tails = measure_tails(losses(range(1000, 0, -1)), (0.95, 0.9505, 0.99))
    assert tails.expected.tolist() == [500.5]
    assert tails.value_at_risk.tolist() == [[950, 951, 990]]
    # worst 50 paths: 951..1000; worst 49.5: 952..1000 and half of 951; worst 10: 991..1000
    assert tails.expected_shortfall[0] == pytest.approx([975.5, (49 * 976 + 951 / 2) / 49.5, 995.5])


def test_a_loss_that_never_varies_has_itself_for_every_tail_and_no_error() -> None:
    tails = measure_tails(np.full((2, 500), 7, dtype=np.int64), (0.95,))
    assert tails.expected.tolist() == [7, 7]
    assert tails.value_at_risk.tolist() == tails.expected_shortfall.tolist() == [[7], [7]]
    assert not tails.expected_error.any()
    assert not tails.value_at_risk_error.any()
    assert not tails.expected_shortfall_error.any()


def test_the_stated_errors_are_those_of_repeated_simulations() -> None:
    drawn = np.random.default_rng(3).standard_t(4, size=(400, 2_000)) * 1e6
    tails = measure_tails(drawn.astype(np.int64), (0.95, 0.99))
    for figure, error in (
        (tails.expected, tails.expected_error),
        (tails.value_at_risk[:, 0], tails.value_at_risk_error[:, 0]),
        (tails.value_at_risk[:, 1], tails.value_at_risk_error[:, 1]),
        (tails.expected_shortfall[:, 0], tails.expected_shortfall_error[:, 0]),
        (tails.expected_shortfall[:, 1], tails.expected_shortfall_error[:, 1]),
    ):
        assert figure.std() == pytest.approx(error.mean(), rel=0.25)
    # 400 estimates of the quantile of t(4) stand around the true one
    assert tails.value_at_risk[:, 1].mean() == pytest.approx(stats.t.ppf(0.99, 4) * 1e6, rel=0.02)


@given(values=st.lists(st.integers(0, 2**50), min_size=100, max_size=200))
def test_a_worse_level_is_never_milder_and_es_never_under_var(values: list[int]) -> None:
    tails = measure_tails(np.array([values], dtype=np.int64), (0.5, 0.8, 0.9))
    risk, shortfall = tails.value_at_risk[0], tails.expected_shortfall[0]
    assert (np.diff(risk) >= 0).all()
    assert (np.diff(shortfall) >= -1e-9 * shortfall[1:]).all()
    assert (shortfall >= risk).all()
    assert tails.expected[0] <= shortfall[0] * (1 + 1e-12)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 1.5, float("nan")])
def test_a_level_that_is_no_probability_is_refused(level: float) -> None:
    with pytest.raises(BookError, match=r"levels\[1\]"):
        measure_tails(losses(range(1000)), (0.95, level))


def test_a_level_that_so_few_paths_cannot_tell_is_refused_and_says_how_many_could() -> None:
    with pytest.raises(BookError, match=r"takes at least 1,000 paths, not 999"):
        measure_tails(losses(range(999)), (0.99,))
    measure_tails(losses(range(1000)), (0.99,))
