"""The cases of training, in a process of their own: what optbinning brings and the planner's solver share names of
functions, so that one process loads either the one or the other.
"""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CASES = Path(__file__).with_name("training_cases.py")
OK, NOTHING_RAN = 0, 5


@pytest.mark.slow
@pytest.mark.skipif(find_spec("optbinning") is None, reason="the extra `train` is not installed")
def test_what_is_trained_again_is_what_is_shipped_and_the_runtime_says_the_same() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:xdist", "-rs", str(CASES)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode == NOTHING_RAN:
        pytest.skip(run.stdout)
    assert run.returncode == OK, run.stdout
