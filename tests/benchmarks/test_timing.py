"""Candidates are timed only if they give the engine's answer."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from reefpoint.benchmarks.timing import Answer, Candidate, WrongAnswer, check_answers, measure

ENGINE = np.array([1, 2, 3])


def candidate(name: str, column: np.ndarray[Any, Any], *, tolerance: float = 0.0) -> Candidate:
    return Candidate(name, "Peer", lambda: column, lambda found: {"assets": found}, tolerance)


def test_a_candidate_that_is_one_off_in_one_row_is_not_timed() -> None:
    planted = ENGINE.copy()
    planted[2] += 1
    with pytest.raises(WrongAnswer, match=r"planted: assets\[2\] is 4, not 3"):
        measure([candidate("engine", ENGINE), candidate("planted", planted)], rounds=7)


def test_a_candidate_that_loses_a_row_is_not_timed() -> None:
    with pytest.raises(WrongAnswer, match=r"has shape \(2,\)"):
        check_answers([candidate("engine", ENGINE), candidate("short", ENGINE[:2])])


def test_a_candidate_that_lacks_a_column_is_not_timed() -> None:
    lacking = Candidate("lacking", "Peer", lambda: None, lambda _: {})
    with pytest.raises(WrongAnswer, match="lacking does not give assets"):
        check_answers([candidate("engine", ENGINE), lacking])


def test_a_tolerance_is_a_part_of_the_largest_value_and_no_more() -> None:
    expected = candidate("engine", np.array([0.0, 1_000.0]))
    check_answers([expected, candidate("near", np.array([0.9, 1_000.0]), tolerance=1e-3)])
    with pytest.raises(WrongAnswer):
        check_answers([expected, candidate("far", np.array([1.1, 1_000.0]), tolerance=1e-3)])


def test_not_a_number_is_wrong_under_any_tolerance() -> None:
    with pytest.raises(WrongAnswer):
        check_answers([candidate("engine", np.array([1.0])), candidate("nan", np.array([np.nan]), tolerance=1.0)])


def test_a_median_needs_seven_rounds() -> None:
    with pytest.raises(ValueError, match="at least 7"):
        measure([candidate("engine", ENGINE)], rounds=6)


def test_medians_tell_work_from_waiting_and_slow_from_quick() -> None:
    def spin(seconds: float) -> Callable[[], None]:
        def run() -> None:
            end = time.process_time() + seconds
            while time.process_time() < end:
                pass

        return run

    def read(_: object) -> Answer:
        return {}

    quick, slow, waiting = measure(
        [
            Candidate("quick", "Peer", spin(0.002), read),
            Candidate("slow", "Peer", spin(0.02), read),
            Candidate("waiting", "Peer", lambda: time.sleep(0.02), read),
        ],
        rounds=7,
    )
    assert slow.cpu_s > 5 * quick.cpu_s
    assert waiting.wall_s > 5 * waiting.cpu_s
    assert slow.timing.rounds == 7


def test_figures_of_a_part_are_scaled_to_the_whole() -> None:
    (line,) = measure(
        [Candidate("part", "Peer", lambda: sum(range(10_000)), lambda _: {}, measured_part=0.01)], rounds=7
    )
    assert line.cpu_s == pytest.approx(100 * line.timing.cpu_s)
