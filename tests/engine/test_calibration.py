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
    assert fit.volatility == pytest.approx(own, rel=0.1)
    assert fit.factor.std() == pytest.approx(0.012, rel=0.1)


def test_a_line_is_fitted_as_by_hand() -> None:
    """Two names, one with twice the other's moves: the factor is 1.5 times the smaller, so betas are 2/3 and 4/3."""
    moves = np.tile([0.01, -0.01, 0.02, -0.02], 70)
    fit = fit_factor(closes_of(np.stack([moves, 2 * moves])))
    assert fit.factor == pytest.approx(1.5 * moves, abs=1e-8)
    assert fit.beta == pytest.approx([2 / 3, 4 / 3], rel=1e-5)
    assert fit.volatility == pytest.approx([0, 0], abs=1e-6)


def test_a_name_with_too_few_days_is_left_out_and_holes_are_no_returns() -> None:
    closes = closes_of(np.random.default_rng(1).normal(0, 0.01, (3, 400)))
    whole = fit_factor(closes[:2])
    closes[2, :151] = 0
    closes[2, 300] = 0
    fit = fit_factor(closes)
    assert fit.is_fitted.tolist() == [True, True, False]
    assert np.isnan(fit.beta[2])
    assert np.isnan(fit.volatility[2])
    assert fit.factor[:150] == pytest.approx(whole.factor[:150])


def test_what_are_no_prices_is_refused() -> None:
    closes = closes_of(np.random.default_rng(1).normal(0, 0.01, (2, 300)))
    closes[1, 7] = -1
    with pytest.raises(BookError, match="below 0"):
        fit_factor(closes)
    with pytest.raises(BookError, match="never moves"):
        fit_factor(np.full((2, 300), 5, dtype=np.int64))
    with pytest.raises(BookError, match="must be int64"):
        fit_factor(closes.astype(float))
