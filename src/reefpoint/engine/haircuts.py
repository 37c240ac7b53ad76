"""Haircuts from volatility, liquidation time, liquidity, concentration and gap risk: each part shown, then added.

With s the daily volatility of a name, Q the shares to sell, V its average daily volume, p the participation (the part
of the volume that the desk may be), all parts as fractions of the price:

- days: T = max(days_min, ceil(Q / (p * V))), at most days_max; no volume means days_max
- volatility: z * s * sqrt(N + T - 1), where z is the normal quantile of the confidence and N the days between
  revaluations; s is the greater of the historical deviation and the EWMA. It is the one-day z * s brought to T days by
  the square root of time and from daily to N-daily revaluation by H = H(T) * sqrt((N + T - 1) / T): Basel framework,
  CRE22, own-estimates haircuts (one-tailed 99%, at least a year of history)
- historical deviation: of the daily log returns around their mean, with n - 1
- EWMA: v(t) = decay * v(t-1) + (1 - decay) * r(t)^2, begun with the historical variance (J.P. Morgan/Reuters,
  RiskMetrics Technical Document, 4th ed., 1996: decay 0.94 for daily returns)
- liquidity: half the spread + impact * s * sqrt(Q / V), the square-root law of impact (Almgren, Thum, Hauptmann, Li,
  "Direct estimation of equity market impact", 2005)
- concentration: issue_slope * (share of the issue - issue_free), if positive, + the same for the share of the pool
- gap: expected shortfall of the sale price in the gap model (`sale_prices`) less the volatility part, if positive

The sum is rounded up to a step and held between a floor and a cap; what law or exchange ask of the name comes before
both (Shanghai and Shenzhen: at least 30% for index constituents, 35% for other A shares, 100% for names under risk
warning; margin trading rules, 2016 revision, art. 35). What the haircut is worth is not proven here: these
are estimates of a model, to be validated, approved and watched like any other.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from reefpoint.engine.columns import (
    BP,
    BookError,
    Bools,
    Float64s,
    Int64s,
    check_column,
    check_number,
    check_range,
    check_whole,
    count_rows,
)

HISTORY_MIN = 250
"""Fewest daily returns of a name: a year (CRE22). Less is refused, never filled up."""
YEARS_MAX = 250 * 40
SHARES_MAX = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class HaircutPolicy:
    """The parameters; those without a source in the module's text are the operator's to set.

    - `confidence`: 0.5..0.9999, one-tailed
    - `decay`: of the EWMA, above 0, below 1
    - `participation`: above 0, at most 1
    - `days_min`, `days_max`: 1..250, bounds of the liquidation time
    - `revaluation_days`: 1..250, days between revaluations (1: daily)
    - `impact`: 0..10; `issue_slope`, `pool_slope`: 0..10; `issue_free`, `pool_free`: 0..1
    - `step_bp` 1..10,000; `floor_bp` <= `cap_bp`, 0..10,000
    """

    confidence: float = 0.99
    decay: float = 0.94
    participation: float = 0.1
    days_min: int = 5
    days_max: int = 60
    revaluation_days: int = 1
    impact: float = 1.0
    issue_slope: float = 1.0
    issue_free: float = 0.01
    pool_slope: float = 0.25
    pool_free: float = 0.1
    step_bp: int = 500
    floor_bp: int = 1_500
    cap_bp: int = 10_000

    def __post_init__(self) -> None:
        bounds = {
            "confidence": (0.5, 0.9999),
            "decay": (1e-6, 1 - 1e-6),
            "participation": (1e-6, 1.0),
            "days_min": (1, 250),
            "days_max": (self.days_min, 250),
            "revaluation_days": (1, 250),
            "impact": (0.0, 10.0),
            "issue_slope": (0.0, 10.0),
            "issue_free": (0.0, 1.0),
            "pool_slope": (0.0, 10.0),
            "pool_free": (0.0, 1.0),
            "step_bp": (1, BP),
            "floor_bp": (0, BP),
            "cap_bp": (self.floor_bp, BP),
        }
        for name, (low, high) in bounds.items():
            if isinstance(low, int):
                check_whole(name, getattr(self, name), low, int(high))
            else:
                check_number(name, getattr(self, name), low, high)


@dataclass(frozen=True, eq=False)
class HaircutInputs:
    """What is known of each name, one row a name.

    - `close_units` int64[S, D]: daily closes, oldest first, > 0; 0 only before the first close of a name that was
      listed later. At least `HISTORY_MIN` + 1 closes a name
    - `size` int64[S]: shares to sell, >= 0; `daily_volume` int64[S]: shares a day, >= 0 (0: it does not trade)
    - `spread` float64[S]: 0..1, bid to ask as a fraction of the price
    - `issue_share`, `pool_share` float64[S]: 0..1, of the shares issued, and of the pool's collateral by value
    - `gap_shortfall` float64[S]: 0..1, expected shortfall of the fall to the sale price in the gap model; 0 without one
    - `legal_bp` int64[S]: 0..10,000, the least haircut that law or exchange allow

    Refused with `BookError` and the row: another dtype or shape, NaN, infinite, negative, a gap in the closes, too
    short a history, and closes that never move (they are no prices).
    """

    close_units: Int64s
    size: Int64s
    daily_volume: Int64s
    spread: Float64s
    issue_share: Float64s
    pool_share: Float64s
    gap_shortfall: Float64s
    legal_bp: Int64s

    def __post_init__(self) -> None:
        names = (count_rows("size", self.size),)
        if not isinstance(self.close_units, np.ndarray) or self.close_units.ndim != 2:
            raise BookError("close_units", None, "must be a table of names by days")
        check_column("close_units", self.close_units, np.int64, (*names, self.close_units.shape[1]))
        check_range("close_units (days)", np.array([self.close_units.shape[1]]), HISTORY_MIN + 1, YEARS_MAX)
        check_range("close_units", self.close_units, 0, int(np.iinfo(np.int64).max))
        for name, most in (("size", SHARES_MAX), ("daily_volume", SHARES_MAX), ("legal_bp", BP)):
            check_column(name, getattr(self, name), np.int64, names)
            check_range(name, getattr(self, name), 0, most)
        for name in ("spread", "issue_share", "pool_share", "gap_shortfall"):
            _check_fractions(name, getattr(self, name), names)
        _refuse("close_units", self._has_holes, "has a day without a close after its first one")
        short = history_days(self.close_units) < HISTORY_MIN
        _refuse("close_units", short, f"has fewer than {HISTORY_MIN} returns")
        held = np.where(self.close_units == 0, self.close_units.max(axis=1, keepdims=True, initial=0), self.close_units)
        _refuse("close_units", held.max(axis=1) <= held.min(axis=1), "never moves: these are not prices")

    @property
    def _has_holes(self) -> Bools:
        is_listed = self.close_units > 0
        return np.asarray((is_listed[:, :-1] & ~is_listed[:, 1:]).any(axis=1))


@dataclass(frozen=True, eq=False)
class Haircuts:
    """The haircut of each name and how it came about; all of length S.

    `historical`, `ewma`: daily deviations. `days` int64: the liquidation time. `volatility`, `liquidity`,
    `concentration`, `gap`: the parts, fractions of the price; `total` their sum. `haircut_bp` int64: the sum rounded up
    to the step, not under the floor, not over the cap, and never under what law asks.
    """

    historical: Float64s
    ewma: Float64s
    days: Int64s
    volatility: Float64s
    liquidity: Float64s
    concentration: Float64s
    gap: Float64s
    total: Float64s
    haircut_bp: Int64s

    def __len__(self) -> int:
        return len(self.haircut_bp)


def history_days(close_units: Int64s) -> Int64s:
    """int64[S]: the daily returns that each row of closes gives, without looking whether they are whole."""
    days: Int64s = np.maximum((close_units > 0).sum(axis=1) - 1, 0)
    return days


def find_haircuts(inputs: HaircutInputs, policy: HaircutPolicy) -> Haircuts:
    """The haircut of every name from its parts (formulas: see the module)."""
    historical, ewma = volatilities(inputs.close_units, policy.decay)
    daily = np.maximum(historical, ewma)
    days = liquidation_days(inputs.size, inputs.daily_volume, policy)
    one_day = NormalDist().inv_cdf(policy.confidence) * daily
    volatility = scale_haircut(one_day * np.sqrt(days), days, policy.revaluation_days)
    # A name that trades so little that days_max is not enough is taken to trade just that much.
    volume_days = np.minimum(_ratio(inputs.size, inputs.daily_volume), policy.days_max * policy.participation)
    liquidity = inputs.spread / 2.0 + policy.impact * daily * np.sqrt(volume_days)
    concentration = policy.issue_slope * np.maximum(inputs.issue_share - policy.issue_free, 0.0)
    concentration = concentration + policy.pool_slope * np.maximum(inputs.pool_share - policy.pool_free, 0.0)
    gap = np.maximum(inputs.gap_shortfall - volatility, 0.0)
    total = volatility + liquidity + concentration + gap
    # Rounded to a millionth of a basis point first: 15% that comes out of the sum as 15.000000000000002% is 15%.
    steps = np.ceil(np.round(total * BP / policy.step_bp, 6))
    haircut = np.clip(steps * policy.step_bp, policy.floor_bp, policy.cap_bp).astype(np.int64)
    haircut = np.maximum(haircut, inputs.legal_bp)
    return Haircuts(historical, ewma, days, volatility, liquidity, concentration, gap, total, haircut)


def volatilities(close_units: Int64s, decay: float) -> tuple[Float64s, Float64s]:
    """Historical and EWMA deviation of the daily log returns, float64[S] each; closes as in `HaircutInputs`."""
    is_return = close_units[:, :-1] > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = np.where(is_return, np.diff(np.log(close_units.astype(np.float64)), axis=1), 0.0)
    count = is_return.sum(axis=1)
    mean = returns.sum(axis=1) / count
    centred = np.where(is_return, returns - mean[:, None], 0.0)
    variance = (centred**2).sum(axis=1) / (count - 1)
    return np.sqrt(variance), np.sqrt(ewma_variance(variance, returns, is_return, decay))


def ewma_variance(start: Float64s, returns: Float64s, is_return: Bools, decay: float) -> Float64s:
    """v = decay * v + (1 - decay) * r^2, from `start` float64[S] over the `returns` float64[S, D] that `is_return`."""
    age = np.arange(returns.shape[1] - 1, -1, -1)
    weights = (1.0 - decay) * decay**age
    recent = np.where(is_return, returns, 0.0) ** 2 @ weights
    variance: Float64s = start * decay ** is_return.sum(axis=1) + recent
    return variance


def liquidation_days(size: Int64s, daily_volume: Int64s, policy: HaircutPolicy) -> Int64s:
    """int64[S]: the days that selling `size` takes at the participation; `days_max` for a name that does not trade."""
    needed = np.ceil(np.round(_ratio(size, daily_volume) / policy.participation, 9))
    return np.clip(needed, policy.days_min, policy.days_max).astype(np.int64)


def scale_haircut(haircut: Float64s, days: Int64s, revaluation_days: int) -> Float64s:
    """H * sqrt((N + T - 1) / T): a T-day haircut under daily revaluation, for revaluation every N days (CRE22)."""
    return haircut * np.sqrt((revaluation_days + days - 1) / days)


def _ratio(size: Int64s, daily_volume: Int64s) -> Float64s:
    """size / volume: 0 for nothing to sell, infinite for a name that does not trade."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(size == 0, 0.0, size / daily_volume)


def _check_fractions(name: str, values: Float64s, shape: tuple[int, ...]) -> None:
    check_column(name, values, np.float64, shape)
    bad = np.flatnonzero(~((values >= 0.0) & (values <= 1.0)))
    if len(bad):
        raise BookError(name, int(bad[0]), f"is {values[bad[0]]}, not within 0..1")


def _refuse(name: str, is_bad: npt.ArrayLike, problem: str) -> None:
    if len(rows := np.flatnonzero(is_bad)):
        raise BookError(name, int(rows[0]), problem)
