"""A file that a worker reads when it is killed is read to its end by the next: nothing twice, nothing lost (I25)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection
from tests.conftest import TEST_FOLDER
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.flows.origination.models import Lead, LeadNote
from reefpoint.platform.imports.models import Chunk, ImportFile
from reefpoint.platform.imports.selectors import verify_imports
from reefpoint.platform.imports.services import receive_file, stream_bad_rows

ROWS = 12_000
WAIT_SECONDS_MAX = 120
OUR_JOBS = "procrastinate_jobs, procrastinate_events, procrastinate_periodic_defers, procrastinate_workers"


@pytest.fixture
def no_jobs_stay(live_desk: Desk) -> Iterator[None]:
    """Jobs are in no table of a Django model, so that nothing else would take them away."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {OUR_JOBS} CASCADE")


@contextmanager
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    """`reefpoint work` on the database of this test."""
    facts = connection.settings_dict
    password = f":{facts['PASSWORD']}" if facts["PASSWORD"] else ""
    url = f"postgresql://{facts['USER']}{password}@{facts['HOST']}:{facts['PORT']}/{facts['NAME']}"
    folder = Path(os.environ[TEST_FOLDER], "import-kills")
    with subprocess.Popen(
        [Path(sys.executable).with_name("reefpoint"), "work"],
        env={**os.environ, "DATABASE_URL": url, "REEFPOINT_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def wait_until(is_so: Callable[[ImportFile], bool], import_id: int) -> ImportFile:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        imported = ImportFile.objects.get(id=import_id)
        if is_so(imported):
            return imported
        time.sleep(0.02)
    raise AssertionError("the import never came so far")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_i25_a_killed_worker_leaves_an_import_to_the_next_without_doubles(live_desk: Desk, no_jobs_stay: None) -> None:
    rows = "".join(
        f"Person {number * 7919 % 10007},{'nobody' if number % 100 == 50 else f'p{number}@x.test'}\n"
        for number in range(ROWS)
    )
    content = f"name,email\n{rows}".encode()
    import_id, _ = receive_file(
        actor=SYSTEM, kind="leads", file_name="leads.csv", pieces=[content], on=MONDAY, at=noon(MONDAY)
    )
    with worker() as first:
        at_the_kill = wait_until(lambda imported: imported.chunks_done >= 1, import_id)
        os.kill(first.pid, signal.SIGKILL)
    assert (at_the_kill.state, at_the_kill.chunks_done < at_the_kill.chunks) == ("running", True)
    assert verify_imports() == []
    with worker():
        done = wait_until(lambda imported: imported.state == "done", import_id)
    assert (done.good, done.bad, Chunk.objects.count()) == (ROWS - 120, 120, 0)
    assert Lead.objects.count() == LeadNote.objects.count() == ROWS - 120
    assert Lead.objects.values("email_digest").distinct().count() == ROWS - 120
    bad = list(stream_bad_rows(SYSTEM, import_id, at=noon(MONDAY), words=lambda problem: problem.code))
    assert [line.split(",")[:2] for line in bad[1:3]] == [["52", "not_an_email"], ["152", "not_an_email"]]
    assert len(bad) == 1 + 120
