"""The `reefpoint` command as a user runs it: as processes of their own, in a data folder of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.error import HTTPError

import psycopg
import pytest

from reefpoint.platform.database.embedded import EmbeddedPostgres

pytestmark = pytest.mark.slow

REEFPOINT = Path(sys.executable).with_name("reefpoint")
START_SECONDS_MAX = 60

Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(own_home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REEFPOINT_SECRET_KEY"}}
    return {**kept, "REEFPOINT_HOME": str(own_home), "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def reefpoint(environment: dict[str, str]) -> Command:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [REEFPOINT, *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


def read_until(output: IO[str] | None, words: str) -> str:
    assert output is not None
    for line in output:
        if words in line:
            return line
    raise AssertionError(f"the command ended without saying {words!r}")


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=START_SECONDS_MAX) as answer:
            return int(answer.status)
    except HTTPError as answer:
        return answer.code


@contextmanager
def running(command: str, environment: dict[str, str], *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A `reefpoint` command that goes on; killed at the end if it still does."""
    program = [REEFPOINT, command, *arguments]
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def have_a_job_done(url: str) -> None:
    """Put a harmless job into the queue, and wait until some worker has done it."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args) VALUES ('builtin', %s, %s) RETURNING id",
            ["builtin:procrastinate.builtin_tasks.remove_old_jobs", '{"max_hours": 1}'],
        ).fetchone()
        waiting = "SELECT 1 FROM procrastinate_jobs WHERE id = %s"  # a job that succeeded is deleted
        deadline = time.monotonic() + START_SECONDS_MAX
        while connection.execute(waiting, row).fetchone() is not None:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_help_teaches_without_loading_django() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from reefpoint.surfaces.cli.main import app;"
        "print(CliRunner().invoke(app, ['--help']).output); sys.exit(bool({'django', 'numpy'} & set(sys.modules)))"
    )

    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert said.returncode == 0
    assert all(word in said.stdout for word in ("serve", "work", "migrate", "check-config", "DATABASE_URL"))


def test_the_database_is_started_found_and_stopped(reefpoint: Command, own_home: Path) -> None:
    assert "no database" in reefpoint("db", "status").stdout
    assert "runs on port" in reefpoint("db", "start").stdout
    assert reefpoint("db", "status").returncode == 0
    with psycopg.connect(reefpoint("db", "url").stdout.strip()) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("reefpoint",)
    assert reefpoint("db", "stop").returncode == 0
    stopped = reefpoint("db", "status")
    assert (stopped.returncode, str(own_home) in stopped.stdout) == (3, True)


def test_a_database_of_yours_is_left_to_you(environment: dict[str, str], reefpoint: Command) -> None:
    environment["DATABASE_URL"] = "postgresql://me@elsewhere/desk"

    for command in ("start", "stop", "status"):
        assert "yours to start and stop" in reefpoint("db", command).stdout
    assert not Path(environment["REEFPOINT_HOME"]).exists()


def test_a_refusal_is_one_sentence(environment: dict[str, str], reefpoint: Command) -> None:
    environment["PGBIN"] = "/nowhere"

    said = reefpoint("db", "start")

    assert said.returncode == 1
    assert said.stdout.startswith("reefpoint: there is no PostgreSQL server at /nowhere/postgres")
    assert "Traceback" not in said.stdout


def test_tables_are_made_then_the_console_answers_beside_a_taken_port(
    reefpoint: Command, environment: dict[str, str]
) -> None:
    early = reefpoint("serve")
    assert (early.returncode, "reefpoint migrate" in early.stdout) == (1, True)
    assert reefpoint("check-config").returncode == 1
    assert "up to date" in reefpoint("migrate").stdout
    assert "(0 changes made)" in reefpoint("migrate").stdout
    assert "Everything is in order" in reefpoint("check-config").stdout

    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        with running("serve", environment, "--port", str(taken)) as server:
            address = read_until(server.stdout, "Reefpoint is at").split()[3]
            assert str(taken) not in address
            assert status_of(address) < 500
            server.send_signal(signal.SIGINT)
            assert server.wait(START_SECONDS_MAX) in {0, 128 + signal.SIGINT}  # 0 where a shell has SIGINT ignored


def test_i25_the_worker_outlives_its_database_and_ends_cleanly_when_told(
    reefpoint: Command, environment: dict[str, str], own_home: Path
) -> None:
    reefpoint("migrate")
    url = reefpoint("db", "url").stdout.strip()
    with running("work", environment) as worker:
        have_a_job_done(url)
        postmaster = EmbeddedPostgres(own_home).status().pid
        assert postmaster is not None
        os.kill(postmaster, signal.SIGKILL)
        while EmbeddedPostgres(own_home).status().is_running:
            time.sleep(0.1)

        assert reefpoint("db", "url").stdout.strip() == url
        have_a_job_done(url)

        worker.send_signal(signal.SIGTERM)
        assert worker.wait(START_SECONDS_MAX) == 0
