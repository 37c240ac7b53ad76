"""A NATS server of our own: started from its wheel, private to one folder, safe to kill at any moment.

What is kept in the folder:

    nats.conf    the server's settings and its password (mode 0600); written anew at each start
    nats.json    the password, and the port of the last start, which the next one takes again if it is free
    nats.lock    held by the server process itself for as long as it lives, so a reused pid deceives nobody
    nats.pid     its number
    nats.log     what it said
    jetstream/   the streams

The server listens on 127.0.0.1 alone. Several servers as a cluster are a matter of its own configuration: see
docs/scaling.md.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

HOST = "127.0.0.1"
USER = "reefpoint"
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15
POLL_SECONDS = 0.02
STORE_BYTES_MAX = 16 << 30
"""How much the streams of one server may reserve on disk."""
PAYLOAD_BYTES_MAX = 1 << 20
"""Longest message that the server takes; `scale/messages.py` stays below."""


class ServerError(RuntimeError):
    """The NATS server did not start or stop; the message ends with its log."""


class NatsServer:
    """The one NATS server of a folder. Any number of programs may hold one of these at the same time.

    `sync_always` writes each message through to the disk before it is acknowledged, so that it outlives a power cut.
    Without it an acknowledged message outlives the death of the server, but not that of the machine in the seconds
    that follow (`SYNC_INTERVAL`); a cluster with three replicas makes up for that.
    """

    SYNC_INTERVAL = "5s"

    def __init__(self, folder: Path, *, store_bytes_max: int = STORE_BYTES_MAX, sync_always: bool = False) -> None:
        self.folder = folder.absolute()
        self.store_bytes_max = store_bytes_max
        self.sync_always = sync_always
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "NatsServer":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where clients connect, password included. The same after a restart unless another program took the port."""
        kept = self._kept()
        return f"nats://{USER}:{kept['password']}@{HOST}:{kept['port']}"

    @property
    def pid(self) -> int | None:
        """The server's process, None when it does not run."""
        if not self.folder.exists():
            return None
        with self._lock() as file:
            return None if file is not None else self._recorded_pid()

    def start(self) -> str:
        """Start the server unless it runs, and return its URL once it takes messages.

        What was acknowledged before a crash is in its streams. Raises `ServerError` with the end of the log.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            with self._lock() as file:
                if file is not None:
                    port = self._kept()["port"]
                    if not self._spawn(file, port) and not self._spawn(file, -1):
                        raise ServerError(f"the NATS server did not start:\n{self._log_end()}")
            if _has_jetstream(self._kept()["port"]):
                return self.url
            time.sleep(POLL_SECONDS)
        raise ServerError(f"the NATS server has not become ready in {START_SECONDS_MAX} s:\n{self._log_end()}")

    def stop(self) -> None:
        """Stop the server, and wait until it is gone. Does nothing when it does not run."""
        for kind in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid
            if pid is None:
                break
            os.kill(pid, kind)
            deadline = time.monotonic() + STOP_SECONDS_MAX
            while self.pid is not None and time.monotonic() < deadline:
                self._reap()
                time.sleep(POLL_SECONDS)
        self._reap()
        if self.pid is not None:
            raise ServerError(f"the NATS server {self.pid} did not stop:\n{self._log_end()}")

    def _spawn(self, lock: int, port: int | str) -> bool:
        """Start the process on a port (-1: the system's choice). False when it ended before it listened."""
        self._reap()
        ports = self.folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir()
        config = self.folder / "nats.conf"
        _write_private(config, self._settings(port))
        with (self.folder / "nats.log").open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own program and file
                [str(find_program()), "-c", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # an interrupt from the keyboard is for our program, which then stops it
                pass_fds=(lock,),
            )
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline and self._child.poll() is None:
            listening = self._listening_port()
            if listening is not None:
                _write_private(self.folder / "nats.json", json.dumps({**self._kept(), "port": listening}))
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _settings(self, port: int | str) -> str:
        quoted = json.dumps
        return f"""
host: {HOST}
port: {port}
pid_file: {quoted(str(self.folder / "nats.pid"))}
ports_file_dir: {quoted(str(self.folder / "ports"))}
max_payload: {PAYLOAD_BYTES_MAX}
authorization {{ user: {USER}, password: {quoted(self._kept()["password"])} }}
jetstream {{
  store_dir: {quoted(str(self.folder))}
  max_memory_store: {64 << 20}
  max_file_store: {self.store_bytes_max}
  sync_interval: {"always" if self.sync_always else self.SYNC_INTERVAL}
}}
"""

    def _listening_port(self) -> int | None:
        """The port that the server wrote down when it began to listen."""
        for path in (self.folder / "ports").glob("*.ports"):
            try:
                return int(json.loads(path.read_text())["nats"][0].rsplit(":", 1)[1])
            except (ValueError, KeyError):  # half written
                return None
        return None

    @contextmanager
    def _lock(self) -> Iterator[int | None]:
        """The lock's descriptor, to be handed to the server; None when a living server holds it."""
        with (self.folder / "nats.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
            else:
                yield file.fileno()

    def _kept(self) -> dict[str, int | str]:
        path = self.folder / "nats.json"
        if not path.exists():
            _write_private(path, json.dumps({"port": -1, "password": secrets.token_urlsafe(24)}))
        kept: dict[str, int | str] = json.loads(path.read_text())
        return kept

    def _recorded_pid(self) -> int | None:
        try:
            return int((self.folder / "nats.pid").read_text())
        except (FileNotFoundError, ValueError):
            return None

    def _reap(self) -> None:
        if self._child is not None:
            self._child.poll()

    def _log_end(self) -> str:
        log = self.folder / "nats.log"
        return log.read_text(errors="replace")[-2000:] if log.exists() else "(no log)"


def find_program() -> Path:
    """The `nats-server` of the wheel, or else one on the search path; `ServerError` when there is neither."""
    beside = Path(sysconfig.get_path("scripts"), "nats-server")
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise ServerError("there is no nats-server: install the extra `scale`")
    return Path(found)


def _has_jetstream(port: int | str) -> bool:
    """Whether a server greets us at this port and offers JetStream."""
    try:
        with socket.create_connection((HOST, int(port)), timeout=1) as connection:
            greeting = connection.makefile("rb").readline()
    except OSError:
        return False
    kind, _, said = greeting.partition(b" ")
    return kind == b"INFO" and bool(json.loads(said).get("jetstream"))


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.rename(path)
