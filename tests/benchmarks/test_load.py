"""The benchmark of loading runs on a desk of its own and leaves the server as it was."""

import os
import subprocess
import sys

import psycopg
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

RUN = """
from reefpoint.benchmarks import load
load.DATABASE = {name!r}
if __name__ == "__main__":
    (table,) = load.measure_load(1_500, 7, None)
    assert table.figures["load.rows_s"] > 0
    assert [line.engine for line in table.lines] == ["reefpoint", "numpy"]
    print(table.positions, *table.facts, sep="\\n")
"""


def test_a_small_desk_is_made_loaded_driven_into_calls_and_dropped(postgres_url: str) -> None:
    name = f"reefpoint_bench_{os.getpid()}"
    environment = {**os.environ, "DATABASE_URL": postgres_url}
    said = subprocess.run(
        [sys.executable, "-c", RUN.format(name=name)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    positions, *facts = said.stdout.splitlines()
    assert 10_000 < int(positions) <= 15_000
    assert any(fact.startswith("1,000 calls on one tick") for fact in facts)
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None
