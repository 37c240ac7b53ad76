"""A NATS server for each test that asks, and Ray for a file of tests; skipped where the extra is not installed."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reefpoint.scale.server import NatsServer, ServerError, find_program

NO_EXTRA = "the extra `scale` is not installed"


@pytest.fixture
def nats_server() -> Iterator[NatsServer]:
    """A running server with empty streams, in a folder with a space in its path."""
    try:
        find_program()
    except ServerError:
        pytest.skip(NO_EXTRA)
    folder = Path(tempfile.mkdtemp(prefix="nats ", dir=os.environ["REEFPOINT_TEST_FOLDER"]))
    with NatsServer(folder, store_bytes_max=1 << 30) as server:
        yield server


@pytest.fixture(scope="module")
def ray_folder() -> Iterator[Path]:
    """The folder of a Ray with room for four workers; afterwards no process of it may be left."""
    workers = pytest.importorskip("reefpoint.scale.workers", reason=NO_EXTRA, exc_type=ModuleNotFoundError)
    # A socket's path is short: the system's temporary folder may be too deep for it (macOS).
    with tempfile.TemporaryDirectory(prefix="rp-", dir="/tmp") as name:
        with workers.local_ray(Path(name), workers=4, store_bytes=100 << 20):
            yield Path(name)
        listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert name not in listed
