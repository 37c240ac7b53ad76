"""The processes of a running desk, kept alive: what dies is started again, the embedded PostgreSQL too.

The crew ends with the process that leads it, even when that is killed: each child holds the reading end of a pipe
whose other end only the leader has, and takes the end of the pipe for its own.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType

from reefpoint.platform.database.binaries import DatabaseError
from reefpoint.platform.database.embedded import EmbeddedPostgres

LOOK_SECONDS = 0.2
STOP_SECONDS_MAX = 10
QUIET_RESTARTS = 3
LOG_LINES = 5
IN_A_CREW = "REEFPOINT_IN_A_CREW"


class Crew:
    """Runs `reefpoint` commands as child processes of this one, with their output in `home/logs`.

    Use it as a context. `server` is the embedded PostgreSQL to keep alive, None when the database is not ours. `tell`
    is given a sentence about a child that dies again and again. Children keep the file descriptors `inherit` open.
    """

    def __init__(
        self,
        home: Path,
        server: EmbeddedPostgres | None,
        *,
        tell: Callable[[str], None] = lambda _: None,
        inherit: Collection[int] = (),
    ) -> None:
        self._logs = home / "logs"
        self._server = server
        self._tell = tell
        self._inherit = tuple(inherit)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._arguments: dict[str, list[str]] = {}
        self._restarts: Counter[str] = Counter()
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
                child.wait()

    def start(self, name: str, *arguments: str) -> None:
        """Start `reefpoint ARGUMENTS` under a name, and keep it running."""
        (self._logs / f"{name}.log").unlink(missing_ok=True)
        self._arguments[name] = list(arguments)
        self._children[name] = self._run(name)

    def _run(self, name: str) -> subprocess.Popen[bytes]:
        with (self._logs / f"{name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program with our own words
                [sys.executable, "-m", "reefpoint.surfaces.cli", *self._arguments[name]],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE,
                env={**os.environ, IN_A_CREW: "1"},
                pass_fds=self._inherit,
                start_new_session=True,
            )

    def _keep(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            try:
                if self._server is not None and not self._server.status().is_running:
                    self._server.start()
            except DatabaseError as problem:
                self._tell(f"PostgreSQL does not start: {problem}")
                continue
            for name, child in list(self._children.items()):
                if child.poll() is not None and not self._stop.is_set():
                    self._restart(name, child)

    def _restart(self, name: str, dead: subprocess.Popen[bytes]) -> None:
        """Start a child again; of one that dies more than a few times, tell how its log ends."""
        assert dead.stdin is not None
        dead.stdin.close()
        self._restarts[name] += 1
        if self._restarts[name] > QUIET_RESTARTS:
            lines = (self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-LOG_LINES:]
            self._tell(f"{name} died {self._restarts[name]} times; its log ends:\n" + "\n".join(lines))
        self._children[name] = self._run(name)


def end_with_the_leader() -> None:
    """In a child of a crew: end as on SIGTERM once the leader is gone, and by force if that takes too long."""
    if os.environ.pop(IN_A_CREW, None) is None:
        return

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS_MAX)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
