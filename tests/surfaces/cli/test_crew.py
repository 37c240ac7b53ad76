"""The crew keeps its processes alive, says which one cannot live, and takes them with it."""

import time
from pathlib import Path

import pytest
from tests.demo_run import processes

from reefpoint.surfaces.cli.crew import QUIET_RESTARTS, Crew

pytestmark = pytest.mark.slow


def test_a_child_that_dies_again_and_again_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    told: list[str] = []
    with Crew(tmp_path, None, tell=told.append) as crew:
        crew.start("broken", "no-such-command")
        deadline = time.monotonic() + 60
        while not told:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert told[0].startswith(f"broken died {QUIET_RESTARTS + 1} times; its log ends:")
    assert "No such command" in told[0]
    assert not any("no-such-command" in command for _, _, command in processes())
