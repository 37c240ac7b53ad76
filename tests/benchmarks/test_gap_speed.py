"""The gap loss against NumPy: the same answer up to the Monte Carlo error, several times as fast."""

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import pytest
from tests.benchmarks.gap_reference import numpy_gap_loss
from tests.engine.gap_cases import random_book, random_model

from reefpoint.engine.gap import gap_loss
from reefpoint.engine.kernel import Kernel
from reefpoint.engine.sale_prices import Horizon, StudentFactor

ACCOUNTS, NAMES, PATHS = 4_000, 400, 512
ROUNDS = 7
RATIO_MIN = 8.0
"""Half of the 16 measured on this small book; the full size gives 36 (see docs/engine.md)."""


@pytest.mark.slow
def test_it_is_many_times_as_fast_as_numpy_with_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kernel, "_steps_left", -1)
    book, marks = random_book(ACCOUNTS, NAMES)
    model = random_model(NAMES)
    model = type(model)(**{**vars(model), "suspended_days": np.zeros(NAMES, dtype=np.int64)})
    factor, horizon = StudentFactor(volatility=0.02, degrees=4, drift=-0.01), Horizon(days=8, grace_days=2, seed=7)

    def ours() -> np.ndarray:
        return gap_loss(book, marks, model, factor, horizon, paths=PATHS, levels=(0.95,)).path_loss_units

    def theirs() -> np.ndarray:
        return numpy_gap_loss(book, marks, model, factor, horizon, PATHS)[0]

    mine, reference = ours().astype(float), theirs()
    error = np.hypot(mine.std(), reference.std()) / np.sqrt(PATHS)
    assert abs(mine.mean() - reference.mean()) < 4 * error
    times: dict[Callable[[], np.ndarray], list[float]] = {ours: [], theirs: []}
    for _ in range(ROUNDS):
        for run, taken in times.items():
            before = time.process_time()
            run()
            taken.append(time.process_time() - before)
    ratio = median(times[theirs]) / median(times[ours])
    assert ratio > RATIO_MIN, f"{ratio:.1f} times as fast as NumPy"
