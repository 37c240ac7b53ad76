"""Start: a new process to its first valuation, with compiled kernels in the cache; and what memory a book takes.

`python -m reefpoint.benchmarks.start FOLDER` is that process: it loads the columns from a folder and values the book.
"""

import gc
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

from reefpoint.benchmarks.books import LINES, SyntheticBook, draw_book, take_accounts
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
        facts={
            "Memory of a watch with its book": f"{by_position:.1f} bytes a position, {by_account:.0f} bytes an account"
        },
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
    """Bytes a position and bytes an account that a watch holds, its own copy of the book among them.

    Accounts stand by size: as many small ones as large ones, with few and with many positions, make two sums of which
    the two parts follow.
    """
    half = drawn.book.account_count // 2
    small, large = (take_accounts(drawn.book, np.arange(first, first + half)) for first in (0, half))
    held_by_small, held_by_large = _bytes_of_watching(small, drawn), _bytes_of_watching(large, drawn)
    by_position = (held_by_large - held_by_small) / (large.position_count - small.position_count)
    return by_position, (held_by_small - by_position * small.position_count) / half


def _bytes_of_watching(book: Book, drawn: SyntheticBook) -> int:
    tracemalloc.start()
    try:
        watch = Watch(book, drawn.marks, drawn.lines)
        watch.decide()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


if __name__ == "__main__":
    valued = value_book(*load_book(Path(sys.argv[1])), LINES)
    print(valued.assets_units.sum())  # noqa: T201 - the answer of this process
