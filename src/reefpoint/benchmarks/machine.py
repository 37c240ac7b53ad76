"""The machine of a run: what it is, how busy it is, and what it can do at most.

The two limits are measured by loops as plain as they can be, so that "times the limit" in the report compares the
engine with this machine and not with a data sheet.
"""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import numpy.typing as npt

from reefpoint.benchmarks.results import Machine
from reefpoint.engine.columns import Int64s
from reefpoint.engine.kernel import kernel

Float32s = npt.NDArray[np.float32]

THREADS = 2
"""Threads that a peer may use, and that the engine's own second line uses."""
IDLE_LOAD_MAX = 0.5
"""Load average above which figures are taken with a warning."""

READ_BYTES = 256 * 2**20
"""Eight times the largest cache that we have seen: what is read comes from memory."""
LANES = 32_768
"""Numbers in each of the two columns of the multiply-add loop: together they stay in a second-level cache, as the
scenario prices of the popular names do."""
PASSES = 1_000
ROUNDS = 9

SETTINGS = {
    "OMP_NUM_THREADS": str(THREADS),
    "OMP_WAIT_POLICY": "passive",  # a spinning OpenMP worker made the next serial kernel 1.8 times slower
    "POLARS_MAX_THREADS": str(THREADS),
    "NUMBA_NUM_THREADS": str(THREADS),
}
"""What the libraries read when they are imported: set before a subject's process starts."""


@kernel
def _read_all(numbers: Int64s) -> int:
    """Add up all numbers: eight bytes read for one addition."""
    total = 0
    for i in range(len(numbers)):
        total += numbers[i]
    return total


def _multiply_add(left: Float32s, right: Float32s, weights: Float32s) -> float:
    """Two columns times each weight, added up: one load for each multiply-add, and enough sums for all registers."""
    total = np.float32(0)
    for weight in weights:
        first = second = np.float32(0)
        for i in range(len(left)):
            first += left[i] * weight
            second += right[i] * weight
        total += first - second
    return float(total)


def measure_machine(load: float) -> Machine:
    """Describe the machine and measure its limits. Takes about three seconds."""
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gb=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        read_gb_s=_measure_reading(),
        multiply_adds_g_s=_measure_multiply_adds(),
        load=load,
    )


def load_now() -> float:
    """Load average of the last minute."""
    return os.getloadavg()[0]


def _measure_reading() -> float:
    numbers = np.ones(READ_BYTES // 8, dtype=np.int64)
    _read_all.compiled(numbers)
    return READ_BYTES / _median_seconds(lambda: _read_all.compiled(numbers)) / 1e9


def _measure_multiply_adds() -> float:
    from numba import njit  # noqa: PLC0415 - as the engine's kernels: a second of start-up that a small run never needs

    # Reassociation lets the sums be kept in many registers; the engine's own loops may not do that.
    loop = njit(fastmath={"reassoc", "contract", "nsz"})(_multiply_add)
    left, right = np.linspace(0, 1, LANES, dtype=np.float32), np.linspace(1, 2, LANES, dtype=np.float32)
    weights = np.linspace(0, 1, PASSES, dtype=np.float32)
    loop(left, right, weights)
    return 2 * LANES * PASSES / _median_seconds(lambda: loop(left, right, weights)) / 1e9


def _median_seconds(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        before = process_time()
        work()
        taken.append(process_time() - before)
    return median(taken)


def _processor() -> str:
    """The model of the processor, by Linux's own list where there is one."""
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        for line in listed.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def cpu_with_database() -> float:
    """CPU seconds of this process and of the database's process that serves it, where Linux tells."""
    from django.db import connection  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        told = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not told.exists():
        return process_time()
    fields = told.read_text().rpartition(")")[2].split()
    return process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
