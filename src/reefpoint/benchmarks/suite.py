"""One run of the benchmarks: each subject at each size in a process of its own.

So a peer's threads and memory end with its subject, what a library reads when it is imported is set before that, and
a subject that fails leaves the others their figures.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from reefpoint.benchmarks.contracts import measure_contracts
from reefpoint.benchmarks.credit import measure_credit
from reefpoint.benchmarks.gap import measure_gap
from reefpoint.benchmarks.liquidation import measure_liquidation
from reefpoint.benchmarks.load import measure_load
from reefpoint.benchmarks.machine import SETTINGS, load_now, measure_machine
from reefpoint.benchmarks.margin import measure_margin
from reefpoint.benchmarks.monitoring import measure_monitoring
from reefpoint.benchmarks.pages import measure_pages
from reefpoint.benchmarks.peers import versions
from reefpoint.benchmarks.results import Machine, Run, Table
from reefpoint.benchmarks.scorecards import measure_scorecards
from reefpoint.benchmarks.screening import measure_screening
from reefpoint.benchmarks.start import measure_start
from reefpoint.benchmarks.stress import measure_stress
from reefpoint.benchmarks.ticks import measure_ticks

P = ParamSpec("P")
R = TypeVar("R")
Measure = Callable[[int, int, Machine], list[Table]]

SUBJECTS: dict[str, Measure] = {
    "margin": measure_margin,
    "ticks": measure_ticks,
    "stress": measure_stress,
    "liquidation": measure_liquidation,
    "gap": measure_gap,
    "monitoring": measure_monitoring,
    "start": measure_start,
    "load": measure_load,
    "screening": measure_screening,
    "contracts": measure_contracts,
    "credit": measure_credit,
    "scorecards": measure_scorecards,
    "pages": measure_pages,
}
"""What can be measured, in the order of the report."""
SMALLEST = 10_000


def sizes(accounts: int) -> list[int]:
    """The books of a run up to `accounts`: every power of ten from `SMALLEST` below it, and `accounts` itself."""
    smaller: list[int] = []
    while (size := SMALLEST * 10 ** len(smaller)) < accounts:
        smaller.append(size)
    return [*smaller, accounts]


def run_benchmarks(
    subjects: Sequence[str], *, accounts: int, rounds: int, on_begin: Callable[[str, int], None] = lambda *_: None
) -> Run:
    """Measure `subjects` on books up to `accounts` accounts; `on_begin` is told each subject and size as it begins."""
    before = load_now()
    tables: list[Table] = []
    failures: dict[str, str] = {}
    machine = _in_a_process(measure_machine, before)
    for subject in subjects:
        for size in sizes(accounts):
            on_begin(subject, size)
            try:
                tables += _in_a_process(SUBJECTS[subject], size, rounds, machine)
            except Exception as error:
                failures[f"{subject} at {size:,} accounts"] = f"{type(error).__name__}: {error}"
    return Run(
        measured_at=datetime.now(UTC).isoformat(timespec="minutes"),
        machine=machine,
        load_after=load_now(),
        versions=versions(),
        rounds=rounds,
        tables=tuple(tables),
        failures=failures,
    )


def _in_a_process(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call `work` in a fresh process, with the settings of the libraries in its environment."""
    os.environ.update(SETTINGS)
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as processes:
        return processes.submit(work, *args, **kwargs).result()
