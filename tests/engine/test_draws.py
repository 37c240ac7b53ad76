"""Random numbers by counter: what they are a function of, and whether they look random where it matters.

Seeds are fixed, so these tests cannot fail by chance; their bounds are what chance would allow.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from reefpoint.engine import draws
from reefpoint.engine.columns import BookError

NAMES, DAYS, PATHS = 40, 8, 20_000
GOLDEN_KEY = 2698489451228705582
GOLDEN_NORMALS = [-0.21481045, 0.79389793, 0.28506565, 0.93695933, 0.26650348, 0.88335210]
GOLDEN_UNIFORMS = [0.36524081672541797, 0.9149575426708907]


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    """float64[NAMES, DAYS, PATHS]"""
    keys = draws.stream_keys(20, "shock", draws.name_keys([f"NAME {i}" for i in range(NAMES)]), DAYS)
    return draws.normals(keys, 0, PATHS).astype(np.float64)


def test_normals_have_the_moments_of_a_normal(sample: np.ndarray) -> None:
    count = sample.size
    assert abs(sample.mean()) < 4 / np.sqrt(count)
    assert abs(sample.std() - 1) < 4 / np.sqrt(2 * count)
    assert abs(stats.skew(sample, axis=None)) < 4 * np.sqrt(6 / count)
    assert abs(stats.kurtosis(sample, axis=None)) < 4 * np.sqrt(24 / count)


def test_normals_have_the_distribution_of_a_normal(sample: np.ndarray) -> None:
    assert stats.kstest(sample[:, :, :3_000].ravel(), "norm").pvalue > 0.001


@pytest.mark.parametrize("share", [1e-5, 1e-4, 1e-3, 0.999, 0.9999, 0.99999])
def test_as_many_normals_lie_beyond_a_tail_quantile_as_should(sample: np.ndarray, share: float) -> None:
    below = int((sample < stats.norm.ppf(share)).sum())
    expected = share * sample.size
    assert abs(below - expected) < 4 * np.sqrt(expected * (1 - share))


def test_each_stream_alone_is_normal(sample: np.ndarray) -> None:
    p_values = [stats.kstest(stream, "norm").pvalue for stream in sample.reshape(-1, PATHS)]
    assert min(p_values) > 0.001 / len(p_values)
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_the_inverse_reaches_six_standard_deviations_and_is_as_good_as_float32() -> None:
    """The draw's upper 32 bits chosen by hand, by running the finaliser backwards."""
    high = np.array([0, 1, 500, 2**20, 2**30, 2**31 - 1, 2**31, 2**32 - 1], dtype=np.uint64)
    keys = _unmix(high << np.uint64(32))
    out = np.empty((len(high), 1, 1), dtype=np.float32)
    ones = np.ones(len(high), dtype=np.float32)
    draws.fill_shocks(keys[:, None], ones, np.zeros(len(high), dtype=np.uint64), ones, 0, out)
    tail = ((high & np.uint64(2**31 - 1)).astype(float) + 0.5) * 2.0**-32
    expected = np.where(high < 2**31, 1, -1) * stats.norm.isf(tail)
    usual = abs(expected) < 5.3  # Giles fitted his polynomial as far as float32 has numbers below one
    assert out.ravel()[usual] == pytest.approx(expected[usual], rel=3e-6, abs=1e-6)
    assert out.ravel() == pytest.approx(expected, rel=5e-4, abs=1e-6)
    assert expected.max() > 6.3


def _unmix(bits: np.ndarray) -> np.ndarray:
    """The value that `mix64` maps to these bits: each of its three steps is undone."""

    def undo_shift(values: np.ndarray, by: int) -> np.ndarray:
        undone = values.copy()
        for _ in range(64 // by + 1):
            undone = values ^ (undone >> np.uint64(by))
        return undone

    first, second = (np.uint64(pow(int(m), -1, 2**64)) for m in (draws.MIX_1, draws.MIX_2))
    return undo_shift(undo_shift(undo_shift(bits, 31) * second, 27) * first, 30)


def test_neighbours_are_independent_between_paths_days_and_names(sample: np.ndarray) -> None:
    four = 4 / np.sqrt(sample.size)
    for power in (1, 2):  # of the values, and of their sizes
        values = sample**power - (power == 2)
        scale = values.var()
        for lag in (1, 2, 128):
            assert abs((values[:, :, lag:] * values[:, :, :-lag]).mean()) / scale < four * 1.02
        assert abs((values[:, 1:] * values[:, :-1]).mean()) / scale < four * 1.08
        assert abs((values[1:] * values[:-1]).mean()) / scale < four * 1.02


def test_no_two_streams_are_correlated_at_the_same_path(sample: np.ndarray) -> None:
    correlation = np.corrcoef(sample.reshape(-1, PATHS))
    pairs = correlation[np.triu_indices(len(correlation), 1)] * np.sqrt(PATHS)
    assert abs(pairs).max() < stats.norm.isf(0.001 / len(pairs))
    assert pairs.std() == pytest.approx(1, abs=0.02)


def test_no_two_streams_of_a_large_run_are_windows_on_each_other() -> None:
    """40,000 streams of 5,000 names and 8 days: their places on the cycle of 2^64 are farther apart than 2^24 draws."""
    keys = draws.stream_keys(7, "shock", draws.name_keys([f"N{i}" for i in range(5_000)]), 8).ravel()
    place = np.sort(keys * np.uint64(pow(int(draws.GOLDEN), -1, 2**64)))
    assert int(np.diff(place).min()) > 2**24


def test_one_bit_of_a_name_key_or_seed_moves_half_the_bits_of_the_stream_key() -> None:
    key = draws.name_keys(["600519"])
    base = draws.stream_keys(1, "shock", key, 1)
    flips = [draws.stream_keys(1, "shock", key ^ np.uint64(1 << bit), 1) for bit in range(64)]
    flips += [draws.stream_keys(1 ^ (1 << bit), "shock", key, 1) for bit in range(64)]
    moved = np.array([int(base[0, 0] ^ flip[0, 0]).bit_count() for flip in flips])
    assert abs(moved.mean() - 32) < 4 * 4 / np.sqrt(len(moved))
    assert moved.min() > 12


def test_jumps_happen_as_often_as_stated_and_apart_from_the_normal() -> None:
    keys = draws.stream_keys(3, "shock", draws.name_keys(["A"]), 1)
    chance = np.array([0.01])
    out = np.empty((1, 1, 1_000_000), dtype=np.float32)
    draws.fill_shocks(keys, np.zeros(1, dtype=np.float32), draws.jump_threshold(chance), np.float32([-0.2]), 0, out)
    jumped = out[0, 0] != 0
    assert set(out[0, 0, jumped].tolist()) == {float(np.float32(-0.2))}
    assert abs(jumped.mean() - 0.01) < 4 * np.sqrt(0.01 * 0.99 / 1e6)
    normal = draws.normals(keys, 0, 1_000_000)[0, 0, jumped]
    assert stats.kstest(normal, "norm").pvalue > 0.001


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0), (1.0, 2**32), (0.5, 2**31)])
def test_a_jump_of_chance_nought_never_and_of_chance_one_always_happens(chance: float, expected: int) -> None:
    assert int(draws.jump_threshold(np.array([chance]))[0]) == expected


@settings(max_examples=30, deadline=None)
@given(first=st.integers(0, 2**33), cut=st.integers(1, 29))
def test_any_block_of_paths_gives_the_same_draws(first: int, cut: int) -> None:
    keys = draws.stream_keys(9, "shock", draws.name_keys(["A", "B"]), 2)
    whole = draws.normals(keys, first, 30)
    parts = [draws.normals(keys, first, cut), draws.normals(keys, first + cut, 30 - cut)]
    assert np.concatenate(parts, axis=2).tobytes() == whole.tobytes()


def test_a_name_has_its_draws_whoever_stands_beside_it() -> None:
    many = draws.normals(draws.stream_keys(9, "shock", draws.name_keys(["A", "B", "C"]), 2), 0, 50)
    alone = draws.normals(draws.stream_keys(9, "shock", draws.name_keys(["C"]), 2), 0, 50)
    assert many[2].tobytes() == alone[0].tobytes()


def test_draws_are_what_they_were_when_this_was_written() -> None:
    """A changed generator would change every stored figure without a word."""
    key = draws.name_keys(["600519"])
    assert int(key[0]) == GOLDEN_KEY
    keys = draws.stream_keys(42, "shock", key, 2)
    assert draws.normals(keys, 1, 3).ravel().tolist() == pytest.approx(GOLDEN_NORMALS, rel=1e-6)
    assert draws.uniforms(keys[0][:1], 0, 2).ravel().tolist() == GOLDEN_UNIFORMS


def test_compiled_and_interpreted_draws_have_the_same_bits() -> None:
    keys = draws.stream_keys(9, "shock", draws.name_keys(["A", "B"]), 2)
    volatility, size = np.float32([0.02, 0.03]), np.float32([-0.1, 0.2])
    below = draws.jump_threshold(np.array([0.1, 0.5]))
    compiled, interpreted = (np.empty((2, 2, 700), dtype=np.float32) for _ in range(2))
    draws._fill_shocks.compiled(keys, volatility, below, size, 2**33, compiled)
    with np.errstate(over="ignore"):
        draws._fill_shocks.py_func(keys, volatility, below, size, 2**33, interpreted)
    assert compiled.tobytes() == interpreted.tobytes()
    flat, plain = np.empty((2, 50)), np.empty((2, 50))
    draws._fill_uniforms.compiled(keys[0], 7, flat)
    with np.errstate(over="ignore"):
        draws._fill_uniforms.py_func(keys[0], 7, plain)
    assert flat.tobytes() == plain.tobytes()


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_that_is_not_64_bits_is_refused(seed: int) -> None:
    with pytest.raises(BookError, match="seed"):
        draws.stream_keys(seed, "shock", draws.name_keys(["A"]), 1)
