"""A small demo as a process of its own, watched and disturbed from outside."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.conftest import TEST_FOLDER

from reefpoint.flows.operations.selectors.digest import BOOK_LINES
from reefpoint.platform.database.embedded import EmbeddedPostgres

REEFPOINT = Path(sys.executable).with_name("reefpoint")
SLICE = ("--headless", "--clients", "14", "--seed", "90", "--from", "2020-03-05", "--to", "2020-03-24")
EARLY_CLOSE_OUT = ("--close-out", "STANDARD=15900", "--close-out", "PRIME=14900", "--close-out", "CAUTIOUS=17900")
WAIT_SECONDS_MAX = 400


class DemoRun:
    """A demo in a data folder of its own."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.server = EmbeddedPostgres(home)
        kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL"}}
        self.environment = {**kept, "REEFPOINT_HOME": str(home), "PYTHONUNBUFFERED": "1", "COLUMNS": "120"}
        self.said = home.parent / "said"
        with self.said.open("wb") as output:
            self.process = subprocess.Popen(
                [REEFPOINT, "demo", *arguments],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                preexec_fn=_heeds_interrupts,  # noqa: PLW1509 - no thread of ours is running
            )

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command in the same data folder."""
        return subprocess.run(
            [REEFPOINT, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def end(self) -> str:
        """Wait for the end; it must have gone well. Returns the fingerprint of its books."""
        code = self.process.wait(WAIT_SECONDS_MAX)
        text = self.said.read_text()
        assert code == 0, text
        found = re.search(r"fingerprint of the books\s*│\s*(\w{12})", text)
        assert found is not None, text
        return found[1]

    def url(self) -> str:
        """The demo's database, while its server runs."""
        password = (self.home / "postgres.password").read_text()
        return f"postgresql://reefpoint:{password}@127.0.0.1:{self.server.status().port}/reefpoint_demo"

    def lines(self) -> list[str]:
        """What the finished books say."""
        with psycopg.connect(self.server.ensure_database("reefpoint_demo")) as connection:
            return sorted(line for (line,) in connection.execute(BOOK_LINES).fetchall())

    def wait_until(self, sql: str) -> None:
        """Return the moment that a query says true; a database that is not there yet, or away, is asked again."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                with psycopg.connect(self.url(), autocommit=True) as connection:
                    while time.monotonic() < deadline:
                        row = connection.execute(sql.encode()).fetchone()
                        if row and row[0]:
                            return
                        assert self.process.poll() is None, self.said.read_text()
                        time.sleep(0.002)
            except (psycopg.Error, FileNotFoundError):
                assert self.process.poll() is None, self.said.read_text()
                time.sleep(0.05)
        raise AssertionError(f"it never came to: {sql}")

    def child(self, command: str) -> int:
        """The pid of the crew's `work` or `watch`, waiting for one that is being started again."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while time.monotonic() < deadline:
            for pid, parent, said in processes():
                if parent == self.process.pid and said.endswith(f"reefpoint.surfaces.cli {command}"):
                    return pid
            time.sleep(0.05)
        raise AssertionError(f"there is no {command}")

    def kill_database(self) -> None:
        """End PostgreSQL as a power cut would, with everything that belongs to it."""
        postmaster = self.server.status().pid
        assert postmaster is not None
        for pid in (postmaster, *(pid for pid, parent, _ in processes() if parent == postmaster)):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def _heeds_interrupts() -> None:
    """Whoever is started in the background by a shell ignores Ctrl-C, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def processes() -> list[tuple[int, int, str]]:
    """pid, parent and command line of everything that runs."""
    listed = subprocess.run(["ps", "-Awwo", "pid=,ppid=,command="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return [(int(row[0]), int(row[1]), row[2].strip()) for row in rows if len(row) == 3]


@contextmanager
def demo_run(*arguments: str) -> Iterator[DemoRun]:
    """Start a demo; whatever is left of it at the end goes."""
    home = Path(tempfile.mkdtemp(prefix="a demo ", dir=os.environ[TEST_FOLDER])) / "home"
    home.parent.chmod(0o711)
    run = DemoRun(home, *arguments)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
        run.server.remove()
