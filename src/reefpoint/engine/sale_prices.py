"""What a forced sale fetches: prices over a few days with limits, suspensions and jumps, path by path.

The model of one name, per day d and path (fractions of the price today):

- latent price: L(d) = L(d-1) * (1 + max(r, -90%)), r = beta * factor(d) + volatility * normal + jump
- price seen: L(d) held between S(d-1) * (1 - limit) and S(d-1) * (1 + limit); a suspended name keeps S(d-1)
- sale: at S(d) on the first day d >= grace_days on which the name trades and is not locked at its floor, that is
  L(d) > S(d-1) * (1 - limit); a name without a limit is never locked
- a name that found no such day within `days` is worth the lower of L and S on the last day
- purchase, to end a short: the mirror of it, at S(d) on the first such day not locked at its ceiling, or else at the
  higher of L and S

All holders of a name sell at the same price on a path, whatever the size: the cost of size is the haircut's liquidity
part. The factor is common to all names; the normals and jumps are each name's own, keyed by name, so a book with one
name more sees the same prices for the others. Float32, plain IEEE: the same bits on any threads and blocks of paths.

The limit is a fact of the venue (10% and 20% a day on the mainland boards; none in the US and Hong Kong); volatilities,
betas, jumps and the factor are calibrated outside and are inputs here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from reefpoint.engine.columns import (
    BookError,
    Float64s,
    Int64s,
    check_column,
    check_number,
    check_range,
    check_whole,
    count_rows,
)
from reefpoint.engine.draws import (
    PATH_MAX,
    SEED_MAX,
    Float32s,
    UInt64s,
    fill_shocks,
    jump_threshold,
    normals,
    stream_keys,
    uniforms,
)
from reefpoint.engine.kernel import kernel

Int16s: TypeAlias = npt.NDArray[np.int16]

TILE = 128
"""Paths that are simulated side by side: a row of 512 bytes stays in the nearest cache."""
NAMES_AT_A_TIME = 64
"""Names whose shocks are drawn before they are walked: 64 names * 8 days * 128 paths of float32 are 256 KB."""
DAYS_MAX = 250
NEVER = 2**15 - 1
"""The day on which a name resumes that does not resume: beyond every horizon."""
WORST_RETURN = -0.9
STEPS_A_DAY = 20
ANYTHING = float(np.finfo(np.float32).max)


class Factor(Protocol):
    """The market's daily return, common to all names."""

    def draw(self, seed: int, days: int, first_path: int, paths: int) -> Float32s:
        """float32[days, paths]: the returns of paths first_path.. ; the same for a path whatever block it is in."""


@dataclass(frozen=True)
class StudentFactor:
    """Student t with `degrees` degrees of freedom, scaled to the standard deviation `volatility` and mean `drift`.

    Degrees are whole, 3 to 100 (3 to 5 fit daily index returns); t = z / sqrt(sum of n squared normals / n).
    """

    volatility: float
    degrees: int
    drift: float = 0.0

    def __post_init__(self) -> None:
        check_number("volatility", self.volatility, 0.0, 1.0)
        check_number("drift", self.drift, WORST_RETURN, 1.0)
        check_whole("degrees", self.degrees, 3, 100)

    def draw(self, seed: int, days: int, first_path: int, paths: int) -> Float32s:
        streams = np.arange(self.degrees + 1, dtype=np.uint64)
        draws = normals(stream_keys(seed, "factor", streams, days), first_path, paths)
        squares = np.zeros((days, paths), dtype=np.float32)
        for stream in range(1, self.degrees + 1):
            squares += draws[stream] * draws[stream]
        # The standard deviation of t is sqrt(n / (n - 2)); with the n under the root of t this leaves sqrt(n - 2).
        scale = np.float32(self.volatility * np.sqrt(self.degrees - 2))
        # A sum of squares of exactly zero cannot be told from one too small for float32: a far tail, not an infinity.
        drawn = scale * draws[0] / np.sqrt(np.maximum(squares, np.float32(1e-12))) + np.float32(self.drift)
        limited: Float32s = np.clip(drawn, np.float32(WORST_RETURN), np.float32(10.0))
        return limited


@dataclass(frozen=True, eq=False)
class HistoricalFactor:
    """Days of the past, drawn with replacement: `returns` float64[N] of an index, finite and above -90%."""

    returns: Float64s

    def __post_init__(self) -> None:
        check_column("returns", self.returns, np.float64, (max(1, count_rows("returns", self.returns)),))
        _check_numbers("returns", self.returns, WORST_RETURN, 10.0)

    def draw(self, seed: int, days: int, first_path: int, paths: int) -> Float32s:
        drawn = uniforms(stream_keys(seed, "factor", np.zeros(1, dtype=np.uint64), days)[0], first_path, paths)
        return self.returns.astype(np.float32)[(drawn * len(self.returns)).astype(np.int64)]


@dataclass(frozen=True, eq=False)
class GapModel:
    """How each name moves and when it can be sold; one row a name, in the order of the marks.

    - `key` uint64[S]: the name's own stream (`draws.name_keys`), no two alike
    - `beta` float64[S]: -10..10, to the factor
    - `volatility` float64[S]: 0..1, standard deviation of the name's own daily return
    - `jump_chance` float64[S]: 0..1 a day; `jump_size` float64[S]: -90%..1000%, added to the day's return
    - `limit` float64[S]: the day's price limit as a fraction, 0..1, or inf where there is none
    - `suspended_days` int64[S]: days from today that the name surely does not trade (0: it trades)
    - `resume_chance` float64[S]: 0..1, chance that a suspended name resumes on the first day after these, and on each
      day after that; of no effect on a name that trades
    """

    key: UInt64s
    beta: Float64s
    volatility: Float64s
    jump_chance: Float64s
    jump_size: Float64s
    limit: Float64s
    suspended_days: Int64s
    resume_chance: Float64s

    def __post_init__(self) -> None:
        names = (count_rows("key", self.key),)
        check_column("key", self.key, np.uint64, names)
        check_column("suspended_days", self.suspended_days, np.int64, names)
        for field in fields(self):
            if field.name not in {"key", "suspended_days"}:
                check_column(field.name, getattr(self, field.name), np.float64, names)
        _check_numbers("beta", self.beta, -10.0, 10.0)
        _check_numbers("volatility", self.volatility, 0.0, 1.0)
        _check_numbers("jump_chance", self.jump_chance, 0.0, 1.0)
        _check_numbers("jump_size", self.jump_size, WORST_RETURN, 10.0)
        _check_numbers("limit", np.where(self.limit == np.inf, 0.0, self.limit), 0.0, 1.0)
        _check_numbers("resume_chance", self.resume_chance, 0.0, 1.0)
        check_range("suspended_days", self.suspended_days, 0, DAYS_MAX)
        values, first, counts = np.unique(self.key, return_index=True, return_counts=True)
        if len(values) < len(self.key):
            raise BookError("key", int(first[counts > 1][0]), "is the key of two names, which would move together")

    @property
    def name_count(self) -> int:
        return len(self.key)

    def take(self, rows: Int64s) -> "GapModel":
        """The model of some of the names, which move as they do among all."""
        return GapModel(*(np.ascontiguousarray(getattr(self, field.name)[rows]) for field in fields(self)))

    @cached_property
    def columns(self) -> tuple[Float32s, Float32s, Float32s, UInt64s, Float32s, Float32s]:
        """For the kernels: beta, volatility, jump size, jump threshold, and the steps down and up to the limits."""
        single = (self.beta, self.volatility, self.jump_size)
        beta, volatility, jump_size = (np.ascontiguousarray(column, dtype=np.float32) for column in single)
        floor = np.maximum(1.0 - self.limit, -ANYTHING).astype(np.float32)
        ceiling = np.minimum(1.0 + self.limit, ANYTHING).astype(np.float32)
        return beta, volatility, jump_size, jump_threshold(self.jump_chance), floor, ceiling

    @cached_property
    def suspended(self) -> Int64s:
        """int64: the rows of the names that do not trade today."""
        return np.flatnonzero(self.suspended_days > 0)

    def first_days(self, seed: int, first_path: int, paths: int) -> Int16s:
        """int16[suspended + 1, paths]: the day (0 is the first) on which a name trades again; row 0, all zero, is for
        the names that never stopped.

        Geometric by inverse CDF: a name resumes k days late when (1 - chance)^(k+1) <= 1 - u < (1 - chance)^k.
        """
        rows = self.suspended
        first = np.zeros((len(rows) + 1, paths), dtype=np.int16)
        drawn = uniforms(stream_keys(seed, "resume", self.key[rows], 1)[:, 0], first_path, paths)
        with np.errstate(divide="ignore", invalid="ignore"):
            late = np.floor(np.log1p(-drawn) / np.log1p(-self.resume_chance[rows])[:, None])
        late[self.resume_chance[rows] == 1.0] = 0.0
        late[self.resume_chance[rows] == 0.0] = NEVER
        first[1:] = np.minimum(self.suspended_days[rows][:, None] + late, NEVER)
        return first


@dataclass(frozen=True)
class Horizon:
    """How the desk sells: nothing before `grace_days` have passed (the deadline of the call), all by the end of `days`.

    `grace_days` 0: sale may begin on the first day. `seed` 0..2^64-1 names the run.
    """

    days: int
    grace_days: int
    seed: int

    def __post_init__(self) -> None:
        check_whole("days", self.days, 1, DAYS_MAX)
        check_whole("grace_days", self.grace_days, 0, self.days - 1)
        check_whole("seed", self.seed, 0, SEED_MAX)


@kernel
def _walk_names(
    shocks: Float32s,
    beta: Float32s,
    floor: Float32s,
    ceiling: Float32s,
    mark: Float32s,
    first_day_row: Int64s,
    first_day: Int16s,
    factor: Float32s,
    grace_days: int,
    buys: bool,
    out: Float32s,
    unsold: Int64s,
) -> None:
    """out[s, j] = mark[s] * what a share of name s fetches on path j, or costs if it `buys`; unsold[s] += the paths
    without a day to trade.

    shocks float32[N, days, T], factor float32[days, T], first_day int16[R, T] read in row first_day_row[s].
    """
    paths = out.shape[1]
    latent = np.empty(paths, dtype=np.float32)
    seen = np.empty(paths, dtype=np.float32)
    sale = np.empty(paths, dtype=np.float32)
    one = np.float32(1.0)
    zero = np.float32(0.0)
    worst = np.float32(WORST_RETURN)
    for s in range(out.shape[0]):
        slope = beta[s]
        down = floor[s]
        up = ceiling[s]
        opens = first_day[first_day_row[s]]
        for j in range(paths):
            latent[j] = one
            seen[j] = one
            sale[j] = -one
        for d in range(shocks.shape[1]):
            market = factor[d]
            own = shocks[s, d]
            is_late = d >= grace_days
            for j in range(paths):
                move = slope * market[j] + own[j]
                move = move if move > worst else worst
                value = latent[j] * (one + move)
                low = seen[j] * down
                high = seen[j] * up
                price = value if value > low else low
                price = price if price < high else high
                trades = opens[j] <= d
                seen[j] = price if trades else seen[j]
                is_free = value < high if buys else value > low
                ends = is_late & trades & is_free & (sale[j] < zero)
                sale[j] = price if ends else sale[j]
                latent[j] = value
        left = 0
        row = out[s]
        factor_of = mark[s]
        for j in range(paths):
            rest = latent[j] if (latent[j] < seen[j]) != buys else seen[j]
            row[j] = factor_of * (sale[j] if sale[j] >= zero else rest)
            left += 1 if sale[j] < zero else 0
        unsold[s] += left


@dataclass(frozen=True, eq=False)
class PathBlock:
    """What is common to all names on a block of paths: the factor, float32[days, T], and the days of resuming."""

    first_path: int
    factor: Float32s
    first_day: Int16s


def path_block(model: GapModel, factor: Factor, horizon: Horizon, first_path: int, paths: int) -> PathBlock:
    """The common part of paths first_path..first_path + paths."""
    check_whole("first_path", first_path, 0, PATH_MAX)
    drawn = factor.draw(horizon.seed, horizon.days, first_path, paths)
    return PathBlock(first_path, drawn, model.first_days(horizon.seed, first_path, paths))


def shock_keys(model: GapModel, horizon: Horizon) -> UInt64s:
    """uint64[S, days]: the stream of each name and day."""
    return stream_keys(horizon.seed, "shock", model.key, horizon.days)


def fill_sale_prices(
    model: GapModel,
    horizon: Horizon,
    keys: UInt64s,
    block: PathBlock,
    rows: slice,
    mark: Float32s,
    out: Float32s,
    unsold: Int64s,
    *,
    buys: bool = False,
) -> None:
    """Write out[i, j] = mark * fraction of the names `rows`, for each path of the block; `keys` from `shock_keys`.

    What a share fetches, or what it costs if it `buys`.

    `mark` float32, `out` float32[rows, T], `unsold` int64, all of the length of `rows`.
    """
    beta, volatility, jump_size, jump_below, floor, ceiling = model.columns
    paths = out.shape[1]
    row_of = np.zeros(model.name_count, dtype=np.int64)
    row_of[model.suspended] = np.arange(1, len(model.suspended) + 1)
    shocks = np.empty((NAMES_AT_A_TIME, horizon.days, paths), dtype=np.float32)
    for start in range(rows.start, rows.stop, NAMES_AT_A_TIME):
        part = slice(start, min(start + NAMES_AT_A_TIME, rows.stop))
        drawn = shocks[: part.stop - start]
        here = slice(start - rows.start, part.stop - rows.start)
        fill_shocks(keys[part], volatility[part], jump_below[part], jump_size[part], block.first_path, drawn)
        _walk_names.run(
            drawn.size * STEPS_A_DAY,
            drawn,
            beta[part],
            floor[part],
            ceiling[part],
            mark[here],
            row_of[part],
            block.first_day,
            block.factor,
            horizon.grace_days,
            buys,
            out[here],
            unsold[here],
        )


@dataclass(frozen=True, eq=False)
class SalePrices:
    """What a share of each name fetches, as a fraction of its price today.

    - `levels` float64[Q]: the probabilities asked for
    - `mean`, `standard_error` float64[S]; `quantile` float64[S, Q] (the smallest value with at least that share of
      paths at or under it)
    - `tail_mean` float64[S, Q]: the mean of the lowest share q of the paths: one less it is the expected shortfall
    - `unsold_share` float64[S]: paths on which no day could be sold on
    """

    levels: Float64s
    mean: Float64s
    standard_error: Float64s
    quantile: Float64s
    tail_mean: Float64s
    unsold_share: Float64s


def sale_prices(
    model: GapModel, factor: Factor, horizon: Horizon, *, paths: int, levels: tuple[float, ...] = (0.01, 0.05, 0.5)
) -> SalePrices:
    """The distribution of each name's sale price over paths 0..paths. Raises `BookError` for a level outside (0, 1)."""
    check_whole("paths", paths, 1, PATH_MAX)
    _check_numbers("levels", np.array(levels), 1.0 / paths, 1.0)
    names = model.name_count
    keys = shock_keys(model, horizon)
    block = path_block(model, factor, horizon, 0, paths)
    mean, deviation = np.empty(names), np.empty(names)
    quantile, tail_mean = np.empty((names, len(levels))), np.empty((names, len(levels)))
    unsold = np.zeros(names, dtype=np.int64)
    for rows in _blocks_of(names, NAMES_AT_A_TIME):
        ones = np.ones(rows.stop - rows.start, dtype=np.float32)
        fractions = np.empty((len(ones), paths), dtype=np.float32)
        fill_sale_prices(model, horizon, keys, block, rows, ones, fractions, unsold[rows])
        ordered = np.sort(fractions, axis=1).astype(np.float64)
        mean[rows], deviation[rows] = ordered.mean(axis=1), ordered.std(axis=1, ddof=min(1, paths - 1))
        for column, level in enumerate(levels):
            count = int(np.ceil(level * paths))
            quantile[rows, column] = ordered[:, count - 1]
            tail_mean[rows, column] = ordered[:, :count].mean(axis=1)
    return SalePrices(np.array(levels), mean, deviation / np.sqrt(paths), quantile, tail_mean, unsold / paths)


def _blocks_of(count: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _check_numbers(name: str, values: Float64s, low: float, high: float) -> None:
    bad = ~((values >= low) & (values <= high))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise BookError(name, row, f"is {values[row]}, not within {low}..{high}")
