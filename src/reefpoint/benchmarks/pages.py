"""Pages of a whole desk: what each address that answers a GET costs, on a desk of up to 10,000 clients.

It makes a database of its own on the server of the settings, or on an embedded one, and drops it at the end.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import structlog

from reefpoint.benchmarks.database import database_at_hand
from reefpoint.benchmarks.results import Machine, Table

if TYPE_CHECKING:
    from reefpoint.benchmarks.page_costs import PageCost

DATABASE = "reefpoint_bench_pages"
ACCOUNTS_A_CLIENT = 100
"""A desk has one client for a hundred accounts of the run: 10,000 at the million accounts of the goals."""
GOAL_MS = 200
SHOWN = 40
HEADS = ("address", "queries", "rows", "kB", "CPU ms", "wall p50 ms", "wall p95 ms")


def measure_pages(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Make the desk, and ask for every page of it `rounds` times."""
    del machine
    logging.disable(logging.CRITICAL)
    structlog.configure(processors=[_drop])
    with database_at_hand():
        from reefpoint.benchmarks.big_desk import scratch_database  # noqa: PLC0415 - models exist from here on
        from reefpoint.benchmarks.full_desk import found_full_desk, grow_full_desk  # noqa: PLC0415
        from reefpoint.benchmarks.page_costs import measure_all  # noqa: PLC0415

        with scratch_database(DATABASE):
            clients = accounts // ACCOUNTS_A_CLIENT
            originals = found_full_desk()
            grow_full_desk(originals, clients)
            return [table_of(measure_all(originals, rounds), accounts, clients)]


def _drop(*_: object) -> Mapping[str, object]:
    raise structlog.DropEvent


def table_of(costs: Sequence["PageCost"], accounts: int, clients: int) -> Table:
    """The pages as a table: the dearest in full, the others counted."""
    over = [one for one in costs if one.cpu_ms > GOAL_MS]
    return Table(
        "pages",
        f"Pages of a desk of {clients:,} clients",
        accounts,
        0,
        "one page",
        (),
        facts={
            "Pages, lists and files asked for": f"{len(costs)}, of which {len(over)} take over {GOAL_MS} ms of CPU",
            "Most queries": ", ".join(
                f"{one.address} {one.queries}" for one in sorted(costs, key=lambda one: -one.queries)[:3]
            ),
            "CPU": "of this process and of the database's; a page is asked once before it is timed",
        },
        figures={
            "pages.cpu_ms": max(one.cpu_ms for one in costs),
            "pages.p95_ms": float(sorted(one.wall_p95_ms for one in costs)[-1]),
        },
        listing=(
            HEADS,
            *(
                (
                    one.address, f"{one.queries}", f"{one.rows:,}", f"{one.bytes / 1_000:.0f}", f"{one.cpu_ms:.0f}",
                    f"{one.wall_p50_ms:.0f}", f"{one.wall_p95_ms:.0f}",
                )
                for one in costs[:SHOWN]
            ),
        ),
    )  # fmt: skip
