"""`reefpoint demo` from outside: what it refuses, what it leaves behind however it ends, what its options change."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from tests.demo_run import EARLY_CLOSE_OUT, REEFPOINT, SLICE, DemoRun, demo_run, processes

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

EVENTS_WAIT = """
    SELECT count(*) >= 5 AND EXISTS (SELECT 1 FROM events_delivery WHERE state = 'pending')
      FROM operations_dayrun WHERE state = 'done'
"""
DRAINED = """
    SELECT NOT EXISTS (SELECT 1 FROM events_delivery WHERE state = 'pending')
       AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs
                        WHERE task_name = 'operations.run_day' AND status IN ('todo', 'doing'))
"""


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_gone(pid: int) -> bool:
    return all(one != pid for one, _, _ in processes())


@pytest.fixture(scope="module")
def finished() -> Iterator[DemoRun]:
    """A small demo that ended well."""
    with demo_run(*SLICE) as run:
        run.end()
        yield run


def sold_accounts(run: DemoRun) -> set[str]:
    return {line.split()[1][2:8] for line in run.lines() if line.startswith("liquidation ")}


def test_the_end_of_a_demo_stops_what_it_started(finished: DemoRun) -> None:
    assert "fingerprint of the books" in finished.said.read_text()
    finished.server.stop()
    with demo_run("--headless", "--from", "2020-03-02", "--to", "2020-03-03", "--clients", "2") as run:
        run.end()
        assert not run.server.status().is_running


def test_another_close_out_line_sells_other_accounts(finished: DemoRun) -> None:
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        run.end()
        assert sold_accounts(run) - sold_accounts(finished)


def test_the_finished_book_can_be_proved_again_and_damage_is_named(finished: DemoRun) -> None:
    assert finished.run("verify", "--demo").returncode == 0
    with psycopg.connect(finished.server.ensure_database("reefpoint_demo")) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE accounts_position SET quantity = quantity + 1 WHERE id = 1")
    damaged = finished.run("verify", "--demo")
    assert damaged.returncode == 1
    assert "accounts.position" in damaged.stdout
    assert "Traceback" not in damaged.stdout
    with psycopg.connect(finished.server.ensure_database("reefpoint_demo")) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE accounts_position SET quantity = quantity - 1 WHERE id = 1")


def test_a_seal_that_left_the_database_differs_from_its_anchor(finished: DemoRun) -> None:
    anchors = finished.home / "demo-anchors.jsonl"
    assert len(anchors.read_text().splitlines()) > 20
    kept = anchors.read_text()
    anchors.write_text(kept.replace('"hash": "', '"hash": "00'))
    damaged = finished.run("verify", "--demo")
    anchors.write_text(kept)
    assert (damaged.returncode, "audit_entry.anchor" in damaged.stdout) == (1, True)


def test_a_price_file_is_judged_line_by_line(finished: DemoRun) -> None:
    url = finished.server.ensure_database("reefpoint_demo")
    file = finished.home.parent / "prices.csv"
    file.write_text(
        "date,symbol,price,currency\n2020-03-24,KO,40.1,USD\n2020-03-24,AAPL,-3,USD\n2020-03-24,NOPE,3,USD\n"
    )
    environment = {**finished.environment, "DATABASE_URL": url}
    said = subprocess.run(
        [REEFPOINT, "import-prices", file], env=environment, capture_output=True, text=True, check=False
    )
    assert said.returncode == 1, said.stderr
    assert "3 lines read" in said.stdout
    assert "negative price" in said.stdout
    assert "unknown symbol" in said.stdout
    file.write_text("date,price,currency\n2020-03-24,40.1,USD\n")
    said = subprocess.run(
        [REEFPOINT, "import-prices", file], env=environment, capture_output=True, text=True, check=False
    )
    assert (said.returncode, "lacks the column symbol" in said.stderr) == (1, True)


def test_a_business_day_is_begun_sold_on_and_ended_by_hand_and_twice_is_once(finished: DemoRun) -> None:
    environment = {**finished.environment, "DATABASE_URL": finished.server.ensure_database("reefpoint_demo")}

    def day(*arguments: str) -> tuple[int, str]:
        command = [REEFPOINT, "day", *arguments]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in said.stderr
        return said.returncode, " ".join((said.stdout + said.stderr).split())

    code, words = day("sell")
    assert (code, "No books are open: begin a day first" in words) == (1, True)
    assert day("begin", "--on", "2020-03-02")[0] == 1  # a day that is past
    for _ in range(2):
        code, words = day("begin", "--on", "2020-03-25")
        assert (code, "The books of 2020-03-25 are open" in words) == (0, True), words
    code, words = day("sell")
    assert (code, "Session 2020-03-25" in words) == (0, True), words
    code, words = day("end")
    assert (code, "can be ended after that" in words) == (1, True), words  # the clock is at the evening before
    with psycopg.connect(environment["DATABASE_URL"]) as connection:
        connection.execute("UPDATE operations_deskclock SET at = '2020-03-25 22:00Z'")
    for _ in range(2):
        code, words = day("end", "--on", "2020-03-25")
        assert (code, "End of 2020-03-25: done" in words, "accrue interest" in words) == (0, True, True), words


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--from", "2023-01-03", "--to", "2023-02-01"), 2, "1990-01-02 to 2022-12-28"),
        (("--from", "2020-06-01", "--to", "2020-05-01"), 2, "a replay needs two"),
        (("--close-out", "NOPE=14000"), 2, "There is no scheme NOPE"),
        (("--close-out", "PRIME"), 2, "CODE=BASIS_POINTS"),
        (("--close-out", "PRIME=12000", "--clients", "1"), 1, "below the legal bound"),
        (("--close-out", "PRIME=15500", "--clients", "1"), 1, "must be below the call line"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_reason(
    finished: DemoRun, arguments: tuple[str, ...], code: int, words: str
) -> None:
    environment = {**finished.environment, "REEFPOINT_HOME": str(finished.home.with_name("refused"))}
    said = subprocess.run(
        [REEFPOINT, "demo", "--headless", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert (said.returncode, words in " ".join(said.stderr.replace("│", " ").split())) == (code, True), said.stderr
    assert "Traceback" not in said.stderr


def test_i25_a_killed_driver_leaves_no_orphans_and_books_that_hold() -> None:
    with demo_run(*SLICE, *EARLY_CLOSE_OUT) as run:
        run.wait_until(EVENTS_WAIT)
        second = run.run("demo", "--headless")
        assert (second.returncode, "A demo runs in" in " ".join(second.stdout.split())) == (1, True)
        children = [run.child("work"), run.child("watch")]

        run.process.kill()
        run.process.wait()

        wait_for(lambda: all(map(is_gone, children)))
        environment = {**run.environment, "DATABASE_URL": run.url()}
        with (
            subprocess.Popen([REEFPOINT, "work"], env=environment) as worker,
            subprocess.Popen([REEFPOINT, "watch"], env=environment) as watch,
            psycopg.connect(run.url(), autocommit=True) as connection,
        ):
            wait_for(lambda: connection.execute(DRAINED).fetchone() == (True,))
            worker.terminate()
            watch.terminate()
        proof = run.run("verify", "--demo")
        assert proof.returncode == 0, proof.stdout


def test_a_demo_that_is_told_to_end_takes_everything_with_it() -> None:
    with demo_run(*SLICE) as run:
        children = [run.child("work"), run.child("watch")]
        run.wait_until("SELECT count(*) > 1 FROM operations_dayrun")

        run.process.send_signal(signal.SIGINT)

        assert run.process.wait(60) == 130
        assert "Stopped." in run.said.read_text()
        assert "Traceback" not in run.said.read_text()
        assert all(map(is_gone, children))
        assert not run.server.status().is_running
