"""How candidates are compared: same answer first, then interleaved rounds, medians of CPU and wall time."""

import gc
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from reefpoint.benchmarks.results import Line, Timing
from reefpoint.engine.kernel import INTERPRETED_STEPS, kernel

Answer = Mapping[str, npt.NDArray[Any]]

ROUNDS_MIN = 7
SLICE_S = 0.02
"""A candidate that is quicker than this is run several times in each of its turns, so that a turn can be timed."""
RUNS_MAX = 10_000
REST_S = 0.05
"""Before each turn, so that threads which the candidate before it left working are not counted as this one's CPU."""


@dataclass(frozen=True)
class Candidate:
    """One way to do the work. `run` is timed; `read` turns what it returned into columns to compare, and is not.

    - `tolerance`: how far a column may be from the first candidate's, relative to its largest value; 0 means equal bits
    - `measured_part`: the part of the whole work that `run` does (more than 1: it does that many)
    - `is_repeated`: whether runs may be added to a turn; not for one that follows a stream, a part further at each run
    """

    name: str
    engine: str
    run: Callable[[], Any]
    read: Callable[[Any], Answer]
    tolerance: float = 0.0
    measured_part: float = 1.0
    is_repeated: bool = True


class WrongAnswer(AssertionError):
    """A candidate gave another answer than the engine: its time would mean nothing."""


def check_answers(candidates: Sequence[Candidate]) -> None:
    """Run every candidate once and hold its answer against the first one's, column by column.

    Raises `WrongAnswer` naming the candidate, the column and the first row that differs.
    """
    first = candidates[0]
    expected = first.read(first.run())
    for candidate in candidates[1:]:
        answer = candidate.read(candidate.run())
        if missing := expected.keys() - answer.keys():
            raise WrongAnswer(f"{candidate.name} does not give {', '.join(sorted(missing))}")
        for name, column in expected.items():
            _check_column(f"{candidate.name}: {name}", column, answer[name], candidate.tolerance)


def measure(candidates: Sequence[Candidate], *, rounds: int) -> tuple[Line, ...]:
    """Time every candidate once in each round, after `check_answers`, and take the medians of the rounds."""
    if rounds < ROUNDS_MIN:
        raise ValueError(f"{rounds} rounds: a median needs at least {ROUNDS_MIN}")
    _nothing.run(INTERPRETED_STEPS + 1)
    check_answers(candidates)
    runs = [_runs_in_a_turn(candidate.run) if candidate.is_repeated else 1 for candidate in candidates]
    turns: list[list[tuple[float, float]]] = [[] for _ in candidates]
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for candidate, count, taken in zip(candidates, runs, turns, strict=True):
                taken.append(_take_turn(candidate.run, count))
    finally:
        gc.enable()
    return tuple(
        Line(candidate.name, candidate.engine, _median_of(taken), candidate.measured_part)
        for candidate, taken in zip(candidates, turns, strict=True)
    )


@kernel
def _nothing() -> None:
    """Uses up what a process may interpret: from then on every kernel of the engine runs compiled."""


def _take_turn(run: Callable[[], Any], count: int) -> tuple[float, float]:
    """CPU and wall seconds of one run, over `count` runs in a row."""
    time.sleep(REST_S)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - cpu) / count, (time.perf_counter() - wall) / count


def _runs_in_a_turn(run: Callable[[], Any]) -> int:
    run()
    _, wall = _take_turn(run, 1)
    return max(1, min(RUNS_MAX, math.ceil(SLICE_S / max(wall, 1e-9))))


def _median_of(taken: list[tuple[float, float]]) -> Timing:
    cpu = [seconds for seconds, _ in taken]
    return Timing(median(cpu), median(wall for _, wall in taken), len(taken), (min(cpu), max(cpu)))


def _check_column(name: str, expected: npt.NDArray[Any], given: npt.NDArray[Any], tolerance: float) -> None:
    given = np.asarray(given)
    if given.shape != expected.shape:
        raise WrongAnswer(f"{name} has shape {given.shape}, not {expected.shape}")
    if tolerance == 0:
        is_wrong = np.asarray(given != expected)
    else:
        reach = tolerance * max(float(np.abs(expected).max(initial=0)), 1.0)
        is_wrong = ~(np.abs(given.astype(np.float64) - expected.astype(np.float64)) <= reach)
    if is_wrong.any():
        row = int(np.flatnonzero(is_wrong)[0])
        raise WrongAnswer(f"{name}[{row}] is {given.flat[row]}, not {expected.flat[row]}")
