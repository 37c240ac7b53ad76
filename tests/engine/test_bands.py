"""Bands: lines are strict, worse at once, better with hysteresis."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.cases import LINES, lines_tables

from reefpoint.engine.bands import RATIO_NO_DEBT, RATIO_UNKNOWN, Band, Lines, step_bands
from reefpoint.engine.columns import BookError

ratios = st.one_of(st.integers(9_000, 25_000), st.sampled_from([RATIO_UNKNOWN, RATIO_NO_DEBT, 0]))
bands = st.sampled_from(Band)


def step_band(previous: Band, ratio: int, lines: Lines) -> Band:
    one = np.array([previous], np.int8)
    return Band(int(step_bands(np.array([ratio]), np.zeros(1, np.uint16), lines, one)[0]))


def walk(path: list[int], start: Band = Band.SAFE) -> list[Band]:
    band, seen = start, []
    for ratio in path:
        band = step_band(band, ratio, LINES)
        seen.append(band)
    return seen


def test_worse_at_once_and_better_only_past_the_hysteresis() -> None:
    assert walk([14_999, 15_000, 15_099, 15_100]) == [Band.CALL, Band.CALL, Band.CALL, Band.WARNING]
    assert walk([12_999, 13_100, 15_099, 16_099, 16_100]) == [
        Band.CLOSE_OUT,
        Band.CALL,
        Band.CALL,
        Band.WARNING,
        Band.SAFE,
    ]


@given(line=st.sampled_from([16_000, 15_000, 13_000]), swings=st.lists(st.integers(-99, 99), min_size=2))
def test_i07_a_swing_narrower_than_the_hysteresis_changes_the_band_at_most_once(line: int, swings: list[int]) -> None:
    start = step_band(Band.UNKNOWN, line, LINES)
    seen = [start, *walk([line + swing for swing in swings], start)]
    assert sum(before != after for before, after in pairwise(seen)) <= 1


@given(table=lines_tables(1), previous=bands, low=ratios, high=ratios)
def test_i06_a_worse_ratio_never_has_a_milder_band(table: Lines, previous: Band, low: int, high: int) -> None:
    low, high = sorted((low, high))
    if low != RATIO_UNKNOWN:
        assert step_band(previous, low, table) >= step_band(previous, high, table)


@given(table=lines_tables(1), previous=bands, ratio=ratios)
def test_hysteresis_only_ever_holds_a_band_back(table: Lines, previous: Band, ratio: int) -> None:
    plain, stepped = step_band(Band.UNKNOWN, ratio, table), step_band(previous, ratio, table)
    assert plain <= stepped <= max(plain, previous)
    assert step_band(stepped, ratio, table) == stepped


def test_unknown_comes_at_once_and_leaves_no_memory() -> None:
    assert walk([14_999, RATIO_UNKNOWN, 15_050]) == [Band.CALL, Band.UNKNOWN, Band.WARNING]


def test_each_account_steps_under_its_own_terms() -> None:
    two = Lines(*(np.array(row) * 100 for row in ([160, 180], [150, 170], [130, 140], [150, 170], [0, 0])))
    ratio, terms = np.array([15_500, 15_500]), np.array([0, 1], dtype=np.uint16)
    assert step_bands(ratio, terms, two).tolist() == [Band.WARNING, Band.CALL]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"close_out_bp": 10_000}, "close_out_bp[0]"),
        ({"close_out_bp": 15_000}, "close_out_bp[0]"),
        ({"call_bp": 16_000}, "call_bp[0]"),
        ({"cure_bp": 14_999}, "call_bp[0]"),
        ({"hysteresis_bp": -1}, "hysteresis_bp[0]"),
        ({"warning_bp": 2_000_000}, "warning_bp[0]"),
    ],
)
def test_lines_out_of_order_are_refused_with_their_row(change: dict[str, int], column: str) -> None:
    good = {"warning_bp": 16_000, "call_bp": 15_000, "close_out_bp": 13_000, "cure_bp": 15_000, "hysteresis_bp": 0}
    Lines.of(**good)
    with pytest.raises(BookError) as refusal:
        Lines.of(**{**good, **change})
    assert str(refusal.value).startswith(column)
