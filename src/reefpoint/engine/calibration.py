"""The gap model's volatilities from daily closes: one market factor, and each name's own movement around it.

- return of a name on a day: close / close of the day before - 1, where it has both
- factor: the mean return of the names that have one that day, each counted alike
- beta = cov(return, factor) / var(factor), on the name's own days (ordinary least squares)
- volatility of what is left, return - mean - beta * (factor - its mean): the greater of its standard deviation, with
  n - 2, and its EWMA (`haircuts`)
- the days of the factor are scaled up by EWMA / standard deviation where that is more than one, so that days of calm
  are drawn as they would be in today's market (Hull and White, "Incorporating volatility updating into the historical
  simulation method for value-at-risk", 1998, but never scaled down)

Limits, suspensions and jumps are not estimated: a few years hold too few of them. They are the caller's assumptions.
"""

from dataclasses import dataclass

import numpy as np

from reefpoint.engine.columns import BookError, Bools, Float64s, Int64s, check_column, check_number, check_range
from reefpoint.engine.haircuts import HISTORY_MIN, ewma_variance
from reefpoint.engine.sale_prices import WORST_RETURN


@dataclass(frozen=True, eq=False)
class FactorFit:
    """What closes say of S names.

    - `factor` float64[N]: the market's return on each day on which any name has one, oldest first, scaled to today,
      at worst -90%
    - `beta`, `volatility` float64[S]; NaN for a name that is not fitted
    - `is_fitted` bool[S]: it has at least `HISTORY_MIN` returns
    """

    factor: Float64s
    beta: Float64s
    volatility: Float64s
    is_fitted: Bools


def fit_factor(close_units: Int64s, decay: float = 0.94) -> FactorFit:
    """The fit of int64[S, D] closes, days in common and oldest first, 0 where a name has none; `decay` of the EWMA.

    Raises `BookError` for negative closes, and when the factor never moves.
    """
    if not isinstance(close_units, np.ndarray) or close_units.ndim != 2:
        raise BookError("close_units", None, "must be a table of names by days")
    check_column("close_units", close_units, np.int64, close_units.shape)
    check_range("close_units", close_units, 0, int(np.iinfo(np.int64).max))
    check_number("decay", decay, 0.0, 1.0)
    before, after = close_units[:, :-1], close_units[:, 1:]
    is_return = (before > 0) & (after > 0)
    returns = np.where(is_return, after / np.where(is_return, before, 1) - 1.0, 0.0)
    names_a_day = is_return.sum(axis=0)
    is_day = names_a_day > 0
    market = np.zeros(len(names_a_day))
    market[is_day] = returns.sum(axis=0)[is_day] / names_a_day[is_day]
    is_fitted = np.asarray(is_return.sum(axis=1) >= HISTORY_MIN)
    beta, volatility = np.full(len(close_units), np.nan), np.full(len(close_units), np.nan)
    for row in np.flatnonzero(is_fitted):
        own, common = returns[row, is_return[row]], market[is_return[row]]
        own, common = own - own.mean(), common - common.mean()
        spread = common @ common
        if spread == 0.0:
            raise BookError("close_units", int(row), "has a factor that never moves: these are not prices")
        beta[row] = (own @ common) / spread
        left = own - beta[row] * common
        volatility[row] = _greater_deviation(left, len(left) - 2, decay)
    factor = market[is_day]
    if len(factor) > 1 and factor.std() > 0.0:
        factor = factor * (_greater_deviation(factor - factor.mean(), len(factor) - 1, decay) / factor.std(ddof=1))
    return FactorFit(np.maximum(factor, WORST_RETURN), beta, volatility, is_fitted)


def _greater_deviation(centred: Float64s, freedom: int, decay: float) -> float:
    """The greater of standard deviation and EWMA of one row of deviations from the mean."""
    variance = centred @ centred / freedom
    recent = ewma_variance(np.array([variance]), centred[None, :], np.ones((1, len(centred)), dtype=np.bool_), decay)
    return float(np.sqrt(max(variance, recent[0])))
