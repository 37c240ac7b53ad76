"""From a database to calls: loading a book, and how long after a tick its calls are committed.

It needs a PostgreSQL (the one of the settings, or the embedded one) and makes a database of its own there, with a
synthetic desk, which it drops at the end.
"""

from reefpoint.benchmarks.database import database_at_hand
from reefpoint.benchmarks.results import Machine, Table

DATABASE = "reefpoint_bench"
STORMS = (1_000, 10_000, 100_000)
"""Accounts that one tick puts in call; a desk has those storms that are at most a tenth of it, and the first
always: of all its accounts, where they are fewer."""


def measure_load(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Load a desk of that many accounts into the watch, and drive ticks through it."""
    storms = [min(storm, accounts) for storm in STORMS if storm <= max(STORMS[0], accounts // 10)]
    with database_at_hand():
        from reefpoint.benchmarks.watch_runs import measure_watch  # noqa: PLC0415 - models exist from here on

        return measure_watch(DATABASE, accounts, storms=storms, rounds=rounds)
