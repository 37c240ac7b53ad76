"""From a database to calls: loading a book, and how long after a tick its calls are committed.

It needs a PostgreSQL (the one of the settings, or the embedded one) and makes a database of its own there, with a
synthetic desk, which it drops at the end.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from reefpoint.benchmarks.results import Machine, Table
from reefpoint.platform.database.embedded import EmbeddedPostgres

DATABASE = "reefpoint_bench"
STORMS = (1_000, 10_000, 100_000)
"""Accounts that one tick puts in call; a desk has those storms that are at most a tenth of it, and the first always."""


def measure_load(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Load a desk of that many accounts into the watch, and drive ticks through it."""
    if "DATABASE_URL" in os.environ:
        return _measure(accounts, rounds)
    with TemporaryDirectory(prefix="reefpoint-bench-") as home:
        Path(home).chmod(0o711)  # the account that runs PostgreSQL for root passes through
        server = EmbeddedPostgres(Path(home, "home"))
        try:
            os.environ["DATABASE_URL"] = server.start()
            return _measure(accounts, rounds)
        finally:
            server.remove()


def _measure(accounts: int, rounds: int) -> list[Table]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reefpoint.config.settings")
    os.environ.setdefault("REEFPOINT_SECRET_KEY", "of a process that serves nothing")

    import django  # noqa: PLC0415 - the settings must know the database first

    django.setup()
    from reefpoint.benchmarks.watch_runs import measure_watch  # noqa: PLC0415 - models exist from here on

    storms = [storm for storm in STORMS if storm <= max(STORMS[0], accounts // 10)]
    return measure_watch(DATABASE, accounts, storms=storms, rounds=rounds)
