"""The gap loss against NumPy: the same losses on the same shocks, several times as fast (ratios of CPU time only)."""

import numpy as np
import pytest

from reefpoint.benchmarks.gap import PEER_PATHS, SEED, _Given, _Own, draw_work, lose_in_numpy
from reefpoint.benchmarks.timing import Candidate, check_answers, measure

ACCOUNTS = 30_000
RATIO_MIN = 4.0
"""Half of what was measured at this size, where most of the work is the names; a million accounts give 25."""


@pytest.mark.slow
def test_it_is_many_times_as_fast_as_numpy_with_the_same_losses() -> None:
    work = draw_work(ACCOUNTS)
    ours = Candidate(
        "gap_loss",
        "ours",
        lambda: work.lose(PEER_PATHS),
        lambda lost: {"path_loss_units": lost.path_loss_units, "expected_units": lost.expected_units},
    )
    given = Candidate("NumPy on the same shocks", "NumPy", lambda: lose_in_numpy(work, _Given(work)), dict, 1e-4)
    check_answers([ours, given])
    generator = np.random.default_rng(SEED)
    own = Candidate("NumPy", "NumPy", lambda: lose_in_numpy(work, _Own(work, generator)), lambda _: {})
    lines = measure([Candidate("gap_loss", "ours", ours.run, lambda _: {}), own], rounds=7)
    ratio = lines[1].cpu_s / lines[0].cpu_s
    assert ratio > RATIO_MIN, f"{ratio:.1f} times as fast as NumPy"
