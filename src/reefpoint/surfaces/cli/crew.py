"""The processes of a running desk, kept alive: what dies is started again, the embedded PostgreSQL too."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

from reefpoint.platform.database.embedded import EmbeddedPostgres

LOOK_SECONDS = 0.5
STOP_SECONDS_MAX = 10


class Crew:
    """Runs `reefpoint` commands as child processes of this one, with their output in `home/logs`.

    Use it as a context. `server` is the embedded PostgreSQL to keep alive, None when the database is not ours.
    """

    def __init__(self, home: Path, server: EmbeddedPostgres | None) -> None:
        self._logs = home / "logs"
        self._server = server
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._arguments: dict[str, list[str]] = {}
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Crew":
        self._logs.mkdir(exist_ok=True)
        self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._keeper.join()
        for child in self._children.values():
            child.send_signal(signal.SIGTERM)
        for child in self._children.values():
            try:
                child.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                child.kill()

    def start(self, name: str, *arguments: str) -> None:
        """Start `reefpoint ARGUMENTS` under a name, and keep it running."""
        self._arguments[name] = list(arguments)
        self._children[name] = self._run(name)

    def pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self._children.items()}

    def _run(self, name: str) -> subprocess.Popen[bytes]:
        with (self._logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program with our own words
                [sys.executable, "-m", "reefpoint.surfaces.cli", *self._arguments[name]],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=os.environ,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            if self._server is not None and not self._server.status().is_running:
                self._server.start()
            for name, child in list(self._children.items()):
                if child.poll() is not None:
                    self._children[name] = self._run(name)
