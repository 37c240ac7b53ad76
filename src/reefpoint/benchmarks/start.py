"""Start: a new process to its first valuation, with compiled kernels in the cache; and what memory a book takes.

`python -m reefpoint.benchmarks.start FOLDER` is that process: it loads the columns from a folder and values the book.
"""

import os
import subprocess
import sys
import time
import tracemalloc
from dataclasses import fields
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from reefpoint.benchmarks.books import LINES, SyntheticBook, draw_book
from reefpoint.benchmarks.results import Line, Machine, Table, Timing
from reefpoint.benchmarks.timing import WrongAnswer
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.valuation import value_book
from reefpoint.engine.watch import Watch

RECORDS = {"book": Book, "marks": Marks}


def measure_start(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Start a process on a book of `accounts` accounts, and count the bytes of the book and its watch."""
    del machine  # no limit of the machine bounds this work
    drawn = draw_book(accounts)
    by_position, by_account = _bytes_of_a_watch(drawn)
    expected = str(value_book(drawn.book, drawn.marks, drawn.lines).assets_units.sum())
    with TemporaryDirectory() as folder:
        save_book(drawn, Path(folder))
        commands = {
            "A process to its first valuation, warm cache": ["-m", "reefpoint.benchmarks.start", folder],
            "Python and NumPy alone": ["-c", "import numpy"],
        }
        answer = _run(commands["A process to its first valuation, warm cache"])[2]
        if answer != expected:
            raise WrongAnswer(f"the process values the book at {answer}, not {expected}")
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(_run(command)[:2])
    lines = tuple(
        Line(name, name, Timing(median(cpu for cpu, _ in took), median(wall for _, wall in took), rounds))
        for name, took in taken.items()
    )
    table = Table(
        "start",
        "Start and memory",
        accounts,
        drawn.book.position_count,
        "one process",
        lines,
        facts={"Memory of book and watch": f"{by_position:.1f} bytes a position and {by_account:.0f} bytes an account"},
    )
    return [table.with_figures({"start.wall_s": lines[0].wall_s, "start.position_bytes": by_position})]


def save_book(drawn: SyntheticBook, folder: Path) -> None:
    """One file a column."""
    for name in RECORDS:
        record = getattr(drawn, name)
        for field in fields(record):
            np.save(folder / f"{name}.{field.name}.npy", getattr(record, field.name))


def load_book(folder: Path) -> tuple[Book, Marks]:
    """The columns that `save_book` wrote."""
    book, marks = (
        record(**{field.name: np.load(folder / f"{name}.{field.name}.npy") for field in fields(record)})
        for name, record in RECORDS.items()
    )
    assert isinstance(book, Book)
    assert isinstance(marks, Marks)
    return book, marks


def _run(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds, wall seconds and output of a Python process."""
    before, wall = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True)  # noqa: S603
    taken, after = time.perf_counter() - wall, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, taken, done.stdout.strip()


def _bytes_of_a_watch(drawn: SyntheticBook) -> tuple[float, float]:
    """Bytes a position and bytes an account that a book with its watch holds.

    An array by position has at least two bytes for each, more than any array by account: that tells them apart.
    """
    positions = drawn.book.position_count
    tracemalloc.start()
    try:
        watch = Watch(drawn.book, drawn.marks, drawn.lines)
        watch.decide()
        blocks = [trace.size for trace in tracemalloc.take_snapshot().traces]
    finally:
        tracemalloc.stop()
    own = [getattr(drawn.book, field.name).nbytes for field in fields(drawn.book)]
    sizes = [size for size in (*blocks, *own) if size > 1_000]
    large = sum(size for size in sizes if size >= 2 * positions)
    return large / positions, (sum(sizes) - large) / drawn.book.account_count


if __name__ == "__main__":
    valued = value_book(*load_book(Path(sys.argv[1])), LINES)
    print(valued.assets_units.sum())  # noqa: T201 - the answer of this process
