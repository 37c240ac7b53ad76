"""One factor and the rest, from closes."""

import numpy as np
import pytest

from reefpoint.engine.calibration import fit_factor
from reefpoint.engine.columns import BookError


def closes_of(returns: np.ndarray, start: int = 10**9) -> np.ndarray:
    """int64[S, D + 1] from float64[S, D] daily returns."""
    path = np.cumprod(1 + returns, axis=1)
    return np.round(start * np.concatenate([np.ones((len(returns), 1)), path], axis=1)).astype(np.int64)


def test_betas_and_volatilities_that_were_put_in_come_out() -> None:
    rng = np.random.default_rng(5)
    beta, own = np.linspace(0.5, 1.5, 21), np.linspace(0.01, 0.03, 21)
    market = rng.normal(0, 0.012, 2_000)
    fit = fit_factor(closes_of(beta[:, None] * market + own[:, None] * rng.normal(size=(21, 2_000))))
    assert fit.is_fitted.all()
    assert fit.beta == pytest.approx(beta, abs=0.15)
    assert ((fit.volatility > 0.9 * own) & (fit.volatility < 1.6 * own)).all(), "EWMA may only make it more"
    assert np.corrcoef(fit.factor, market)[0, 1] > 0.9  # 21 names do not average out all of their own
    steady = fit_factor(closes_of(beta[:, None] * market + own[:, None] * rng.normal(size=(21, 2_000))), 0.9999)
    assert steady.volatility == pytest.approx(own, rel=0.1)
    assert steady.factor.std() == pytest.approx(0.012, rel=0.1)


def test_a_line_is_fitted_as_by_hand() -> None:
    """Two names, one with twice the other's moves: the factor is 1.5 times the smaller, so betas are 2/3 and 4/3."""
    moves = np.tile([0.01, -0.01, 0.02, -0.02], 70)
    fit = fit_factor(closes_of(np.stack([moves, 2 * moves])))
    assert fit.factor == pytest.approx(1.5 * moves, rel=0.2)
    assert fit.beta == pytest.approx([2 / 3, 4 / 3], rel=1e-5)
    assert fit.volatility == pytest.approx([0, 0], abs=1e-6)


def test_in_a_storm_the_days_of_calm_are_scaled_to_it_and_in_calm_nothing_is_scaled_down() -> None:
    moves = np.tile([0.01, -0.01], 200)
    storm, calm = moves.copy(), moves.copy()
    storm[-60:] *= 4
    calm[-60:] /= 4
    stormy, quiet = fit_factor(closes_of(storm[None, :])), fit_factor(closes_of(calm[None, :]))
    assert abs(stormy.factor[:100]).max() == pytest.approx(0.04 * 0.01 / storm.std(), rel=0.03)
    assert abs(stormy.factor[-60:]).max() > 0.05
    assert quiet.factor[:100] == pytest.approx(calm[:100], rel=0.01, abs=1e-7)


def test_a_name_with_too_few_days_is_left_out_and_holes_are_no_returns() -> None:
    closes = closes_of(np.random.default_rng(1).normal(0, 0.01, (3, 400)))
    whole = fit_factor(closes[:2])
    closes[2, :151] = 0
    closes[2, 300] = 0
    fit = fit_factor(closes)
    assert fit.is_fitted.tolist() == [True, True, False]
    assert np.isnan(fit.beta[2])
    assert np.isnan(fit.volatility[2])
    assert np.sign(fit.factor[:150]).tolist() == np.sign(whole.factor[:150]).tolist()
    assert len(fit.factor) == len(whole.factor)


def test_what_are_no_prices_is_refused() -> None:
    closes = closes_of(np.random.default_rng(1).normal(0, 0.01, (2, 300)))
    closes[1, 7] = -1
    with pytest.raises(BookError, match="below 0"):
        fit_factor(closes)
    with pytest.raises(BookError, match="never moves"):
        fit_factor(np.full((2, 300), 5, dtype=np.int64))
    with pytest.raises(BookError, match="must be int64"):
        fit_factor(closes.astype(float))
