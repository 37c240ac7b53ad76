"""Random numbers by counter: the draw of (seed, name, day, path) is a function of these four and of nothing else.

No state is carried from draw to draw, so any block of paths, any order of names and any number of threads gives the
same bits, and a name that joins moves no other name's draws: a name is known by a key that its caller gives
(`name_keys`), never by its column.

A stream is the SplitMix64 sequence (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
draw number p of a stream is the finaliser of `key + p * GOLDEN`, where the stream's 64-bit key is itself mixed from
seed, purpose, name and day. All streams are windows on one cycle of 2^64; 40,000 streams of a million draws share a
stretch with a chance of 1 in 10,000 (why not 32 bits: docs/decisions/random-numbers-by-counter.md).

Normals are by inverse CDF: 31 bits of magnitude and a sign, so tails reach 6.3 standard deviations; the inverse error
function is Giles's single precision polynomial ("Approximating the erfinv function", GPU Computing Gems 2, 2011), the
logarithm that of Cephes `logf`. The arithmetic is plain IEEE float32 without contraction: it costs 1.3x of what
fused operations would, and in return interpreted, compiled, vector and scalar code give the same bits on any machine.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from reefpoint.engine.columns import BookError, Float64s
from reefpoint.engine.kernel import kernel

UInt64s: TypeAlias = npt.NDArray[np.uint64]
Float32s: TypeAlias = npt.NDArray[np.float32]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
SEED_MAX = 2**64 - 1
PATH_MAX = 2**40
STEPS_A_DRAW = 20
"""One draw, interpreted, costs as much as so many plain loop steps."""


def name_keys(names: Sequence[str]) -> UInt64s:
    """A stable 64-bit key for each name, uint64[N]: the same name has the same key in every book, process and year."""
    digests = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)


def mix64(values: UInt64s) -> UInt64s:
    """The SplitMix64 finaliser, element by element: a bijection of 64 bits in which every bit moves half the others."""
    mixed = (values ^ (values >> np.uint64(30))) * MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * MIX_2
    return mixed ^ (mixed >> np.uint64(31))


def stream_keys(seed: int, purpose: str, keys: UInt64s, days: int) -> UInt64s:
    """The key of the stream of each name and day, uint64[N, days]. Purposes have no stream in common.

    Raises `BookError` for a seed outside 0..2^64-1.
    """
    if not 0 <= seed <= SEED_MAX:
        raise BookError("seed", None, f"is {seed}, not a whole number of 64 bits")
    base = mix64(np.array([seed], dtype=np.uint64) ^ name_keys([purpose]))
    of_name = mix64(base ^ mix64(keys))
    return mix64(of_name[:, None] + np.arange(1, days + 1, dtype=np.uint64) * GOLDEN)


@kernel(inlined=True)
def _draw(key: np.uint64, path: int) -> np.uint64:
    """The 64 bits of draw number `path` of a stream: `mix64` for one number."""
    bits = key + np.uint64(path) * GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * MIX_2
    return bits ^ (bits >> np.uint64(31))


@kernel(inlined=True)
def _minus_log(value: np.float32) -> np.float32:
    """-log(value) for 0 < value <= 1: exponent, and Cephes's polynomial for a mantissa in [sqrt(1/2), sqrt(2)]."""
    image = np.float32(value).view(np.uint32)
    exponent = np.float32(np.int32(image >> np.uint32(23)) - np.int32(127))
    mantissa = np.uint32((image & np.uint32(0x7FFFFF)) | np.uint32(0x3F800000)).view(np.float32)
    is_large = mantissa > np.float32(1.4142135)
    mantissa = mantissa * np.float32(0.5) if is_large else mantissa
    exponent = exponent + np.float32(1.0) if is_large else exponent
    t = mantissa - np.float32(1.0)
    c = np.float32(7.0376836292e-2) * t - np.float32(1.1514610310e-1)
    c = c * t + np.float32(1.1676998740e-1)
    c = c * t - np.float32(1.2420140846e-1)
    c = c * t + np.float32(1.4249322787e-1)
    c = c * t - np.float32(1.6668057665e-1)
    c = c * t + np.float32(2.0000714765e-1)
    c = c * t - np.float32(2.4999993993e-1)
    c = c * t + np.float32(3.3333331174e-1)
    square = t * t
    log = t - np.float32(0.5) * square + c * t * square + np.float32(0.69314718056) * exponent
    return -log if log < np.float32(0.0) else np.float32(0.0)


@kernel(inlined=True)
def _normal(high: np.uint32) -> np.float32:
    """The standard normal of 32 bits: one of sign (set: negative), 31 of magnitude."""
    # The tail probability, in (0, 1/2], to full float32 precision near zero.
    tail = np.float32(np.int32(high & np.uint32(0x7FFFFFFF))) * np.float32(2.0**-32) + np.float32(2.0**-33)
    w = _minus_log(np.float32(4.0) * tail * (np.float32(1.0) - tail))
    # Giles: one polynomial for the middle, one for the tails.
    a = w - np.float32(2.5)
    middle = np.float32(2.81022636e-08) * a + np.float32(3.43273939e-07)
    middle = middle * a - np.float32(3.5233877e-06)
    middle = middle * a - np.float32(4.39150654e-06)
    middle = middle * a + np.float32(0.00021858087)
    middle = middle * a - np.float32(0.00125372503)
    middle = middle * a - np.float32(0.00417768164)
    middle = middle * a + np.float32(0.246640727)
    middle = middle * a + np.float32(1.50140941)
    b = np.sqrt(w) - np.float32(3.0)
    outer = np.float32(-0.000200214257) * b + np.float32(0.000100950558)
    outer = outer * b + np.float32(0.00134934322)
    outer = outer * b - np.float32(0.00367342844)
    outer = outer * b + np.float32(0.00573950773)
    outer = outer * b - np.float32(0.0076224613)
    outer = outer * b + np.float32(0.00943887047)
    outer = outer * b + np.float32(1.00167406)
    outer = outer * b + np.float32(2.83297682)
    erfinv = (middle if w < np.float32(5.0) else outer) * (np.float32(1.0) - np.float32(2.0) * tail)
    normal = np.float32(1.41421356) * erfinv
    return normal if high < np.uint32(0x80000000) else -normal


@kernel
def _fill_uniforms(keys: UInt64s, first_path: int, out: Float64s) -> None:
    """out[s, j] = draw number first_path + j of the stream keys[s], in [0, 1) with 32 bits."""
    for s in range(len(keys)):
        for j in range(out.shape[1]):
            out[s, j] = np.float64(_draw(keys[s], first_path + j) >> np.uint64(32)) * 2.0**-32


@kernel
def _fill_shocks(
    keys: UInt64s, volatility: Float32s, jump_below: UInt64s, jump_size: Float32s, first_path: int, out: Float32s
) -> None:
    """out[s, d, j] = volatility[s] * normal + (jump_size[s] if a jump), by draw first_path + j of stream keys[s, d].

    The upper 32 bits of a draw are the normal, the lower 32 the jump: it happens when they are less than jump_below[s]
    (0..2^32).
    """
    for s in range(keys.shape[0]):
        # Read out of the loop: for all the compiler knows, the row that is written could be one of these columns.
        scale = volatility[s]
        below = jump_below[s]
        size = jump_size[s]
        for d in range(keys.shape[1]):
            key = keys[s, d]
            row = out[s, d]
            for j in range(len(row)):
                bits = _draw(key, first_path + j)
                jump = size if (bits & np.uint64(0xFFFFFFFF)) < below else np.float32(0.0)
                row[j] = scale * _normal(np.uint32(bits >> np.uint64(32))) + jump


def uniforms(keys: UInt64s, first_path: int, paths: int) -> Float64s:
    """float64[len(keys), paths] in [0, 1): draws first_path.. of each stream."""
    out = np.empty((len(keys), paths))
    _fill_uniforms.run(out.size * STEPS_A_DRAW, keys, first_path, out)
    return out


def fill_shocks(
    keys: UInt64s,
    volatility: Float32s,
    jump_below: UInt64s,
    jump_size: Float32s,
    first_path: int,
    out: Float32s,
) -> None:
    """Write the shocks of N names: `keys` uint64[N, H], the rest [N], `out` float32[N, H, paths]."""
    _fill_shocks.run(out.size * STEPS_A_DRAW, keys, volatility, jump_below, jump_size, first_path, out)


def jump_threshold(chance: Float32s | Float64s) -> UInt64s:
    """The threshold for the lower 32 bits of a draw that makes a jump happen with this chance, uint64[N]."""
    return np.rint(np.asarray(chance, dtype=np.float64) * 2.0**32).astype(np.uint64)


def normals(keys: UInt64s, first_path: int, paths: int) -> Float32s:
    """Standard normal draws first_path.. of each stream, float32[*keys.shape, paths]."""
    flat = keys.reshape(-1, 1)
    out = np.empty((len(flat), 1, paths), dtype=np.float32)
    ones, zeros = np.ones(len(flat), dtype=np.float32), np.zeros(len(flat), dtype=np.float32)
    fill_shocks(flat, ones, np.zeros(len(flat), dtype=np.uint64), zeros, first_path, out)
    return out.reshape(*keys.shape, paths)
