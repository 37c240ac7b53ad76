"""Mean, value at risk and expected shortfall of simulated losses, each with its Monte Carlo standard error.

With n paths, losses in order x(1) <= .. <= x(n), and k = ceil(level * n):

- VaR = x(k), the smallest loss that at least the share `level` of the paths do not pass
- ES = (sum of x(i), i > k, + (k - level * n) * x(k)) / ((1 - level) * n): the mean of the worst 1 - level
  (Acerbi and Tasche, "On the coherence of expected shortfall", 2002); never below VaR
- standard errors: of the mean, sd / sqrt(n); of VaR, half the distance between the order statistics one binomial
  standard deviation to each side, which assumes no shape; of ES, sqrt((var of the losses beyond VaR +
  level * (ES - VaR)^2) / ((1 - level) * n)) (Manistre and Hancock, "Variance of the CTE estimator", 2005)

They say how far the figure may be off by the number of paths, never how far the model is off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reefpoint.engine.columns import BookError, Float64s, Int64s, check_column

TAIL_PATHS_MIN = 10
"""Fewest paths beyond a level: with less the tail is a few accidents."""


@dataclass(frozen=True, eq=False)
class Tails:
    """Figures of N loss distributions, in the units of the losses.

    `expected`, `expected_error` float64[N]; the others float64[N, levels], in the order of `levels`.
    """

    levels: tuple[float, ...]
    expected: Float64s
    expected_error: Float64s
    value_at_risk: Float64s
    value_at_risk_error: Float64s
    expected_shortfall: Float64s
    expected_shortfall_error: Float64s


def check_levels(levels: Sequence[float], paths: int) -> None:
    """Refuse a level outside (0, 1), or one beyond which fewer than `TAIL_PATHS_MIN` of the paths lie."""
    for row, level in enumerate(levels):
        if not 0.0 < level < 1.0:
            raise BookError("levels", row, f"is {level}, not between 0 and 1")
        if (1.0 - level) * paths < TAIL_PATHS_MIN * (1 - 1e-9):
            need = int(np.ceil(round(TAIL_PATHS_MIN / (1.0 - level), 6)))
            raise BookError("levels", row, f"is {level}: that takes at least {need:,} paths, not {paths:,}")


def measure_tails(losses: Int64s, levels: Sequence[float]) -> Tails:
    """The tails of each row of `losses`, int64[N, paths]."""
    if not isinstance(losses, np.ndarray) or losses.ndim != 2:
        raise BookError("losses", None, "must be a table of rows by paths")
    check_column("losses", losses, np.int64, losses.shape)
    paths = losses.shape[1]
    check_levels(levels, paths)
    ordered = np.sort(losses, axis=1).astype(np.float64)
    spread = min(1, paths - 1)
    error = ordered.std(axis=1, ddof=spread) / np.sqrt(paths)
    shape = (len(losses), len(levels))
    risk, risk_error, shortfall, shortfall_error = (np.empty(shape) for _ in range(4))
    for column, level in enumerate(levels):
        # Rounded first: 0.99 * 1,000 in floating point is a hair over 990.
        rank = int(np.ceil(round(level * paths, 6)))
        aside = int(np.ceil(np.sqrt(paths * level * (1.0 - level))))
        beyond = ordered[:, rank:]
        worst = (1.0 - level) * paths
        at = ordered[:, rank - 1]
        mean = (beyond.sum(axis=1) + (rank - level * paths) * at) / worst
        mean = np.maximum(mean, at)  # rounding must not put it under
        variance = beyond.var(axis=1, ddof=1) if beyond.shape[1] > 1 else np.zeros(len(losses))
        high, low = min(rank + aside, paths) - 1, max(rank - aside, 1) - 1
        risk[:, column], shortfall[:, column] = at, mean
        risk_error[:, column] = (ordered[:, high] - ordered[:, low]) / 2.0
        shortfall_error[:, column] = np.sqrt((variance + level * (mean - at) ** 2) / worst)
    return Tails(tuple(levels), ordered.mean(axis=1), error, risk, risk_error, shortfall, shortfall_error)
