"""Blocks of a book on Ray workers: the columns stay where they are, prices go out and small figures come back.

A block is loaded once by its worker, from a source that survives the worker: a callable, as a rule a `BlockFile` on a
disk that every machine sees. Marks and scenarios are put into the object store, which brings them to each machine once.
Every figure is a sum of whole numbers over accounts, or belongs to one account, so it is the same to the last bit in
however many blocks the book is cut. (Only a stress run with precision "fast" may depend on the cut: see
`engine/stress.py`.)

A worker that dies, or does not answer in time, is replaced: the new one loads the block and does the work again.
"""

import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import ray
from ray.exceptions import ActorUnavailableError, ObjectLostError, RayActorError

from reefpoint.engine.bands import Band, Lines
from reefpoint.engine.book import Book, Marks
from reefpoint.engine.columns import PRICE_UNITS_MAX, BookError, Int64s, check_column, check_range
from reefpoint.engine.scenarios import Scenarios
from reefpoint.engine.stress import TOTAL_MAX, Precision, StressResult, stress_book
from reefpoint.engine.valuation import Valuation, value_book

log = logging.getLogger(__name__)

Source: TypeAlias = Callable[[], Book]
TRIES = 3
ANSWER_SECONDS_MAX = 600.0
STORE_BYTES = 256 << 20
FOLDER_BYTES_MAX = 40
"""Longest path of Ray's folder: below it come 66 bytes of session and socket, and a socket's path has 107 at most."""

_TOKEN = secrets.token_hex(32)
"""Ray's authentication of this process; Ray reads it once in a process."""

PER_ACCOUNT = ("worst_scenario", "worst_assets_units", "expected_shortfall_units")
"""The columns of `StressResult` that have a row for each account; the others have one for each scenario."""


class BlockLost(RuntimeError):
    """A block could not be computed, however often it was loaded anew. `block` is its number."""

    def __init__(self, block: int, tries: int, error: object) -> None:
        super().__init__(f"block {block} was lost {tries} times, at last by: {error}")
        self.block = block


@dataclass(frozen=True, eq=False)
class BookFigures:
    """A book in all.

    - `totals`: the sum of each amount of `Valuation`, by its name; whole numbers of any size
    - `band_accounts` int64[5], `band_debt_units` (five whole numbers): by `Band`, UNKNOWN first
    - `valuation`: of every account in the order of the blocks, if it was asked for
    """

    totals: dict[str, int]
    band_accounts: Int64s
    band_debt_units: tuple[int, ...]
    valuation: Valuation | None


@contextmanager
def local_ray(folder: Path, *, workers: int, store_bytes: int = STORE_BYTES) -> Iterator[None]:
    """Ray on this machine alone for as long as the context lasts; nothing of it runs afterwards.

    It needs no network, reports nothing to anybody, serves no dashboard, and takes orders only from this process and
    its workers (a random token). All its files lie in `folder`, whose path must be short: `ValueError` if it is not.
    """
    path = str(folder.absolute())
    if len(os.fsencode(path)) > FOLDER_BYTES_MAX:
        raise ValueError(f"Ray makes sockets below {path}: choose a path of at most {FOLDER_BYTES_MAX} bytes")
    surroundings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_TOKEN": _TOKEN,
        "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # of several blocks that fail, the first is raised
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # workers can import whatever we can
    }
    before = {name: os.environ.get(name) for name in (*surroundings, "RAY_AUTH_MODE")}  # Ray sets the mode itself
    os.environ.update(surroundings)
    try:
        ray.init(
            address="local",
            num_cpus=workers,
            num_gpus=0,
            object_store_memory=store_bytes,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            _node_ip_address="127.0.0.1",
            _temp_dir=path,
        )
        yield
    finally:
        ray.shutdown()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class BlockWorkers:
    """One worker for each block of a book. Ray must be running: `local_ray`, or `ray.init` with a cluster's address.

    `sources[i]` loads block i; it and what it needs must be there on every machine. A block's work is tried `tries`
    times in all in one call, each within `seconds_max`; then `BlockLost` names the block. What the engine refuses
    (`BookError`) is not tried again.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        marks: Marks,
        lines: Lines,
        *,
        tries: int = TRIES,
        seconds_max: float = ANSWER_SECONDS_MAX,
    ) -> None:
        room = int(ray.cluster_resources().get("CPU", 0))  # type: ignore[no-untyped-call]
        if len(sources) > room:
            raise ValueError(f"{len(sources)} blocks need as many cores, Ray has {room}")
        self._sources = list(sources)
        self._tries = tries
        self._seconds_max = seconds_max
        self._instruments = marks.instrument_count
        self._terms = ray.put((marks, lines))
        self._workers = [self._new_worker(block) for block in range(len(sources))]

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            ray.kill(worker)
        self._workers = []

    def pids(self) -> list[int]:
        """The process of each block's worker, once all have loaded."""
        return self._ask(lambda worker: worker.pid.remote())

    def replace_marks(self, marks: Marks, lines: Lines) -> None:
        """Send a whole new version of marks and lines; until now the workers had those they began with."""
        self._terms = ray.put((marks, lines))
        self._instruments = marks.instrument_count
        self._ask(lambda worker: worker.take_terms.remote(self._terms))

    def value(self, price_units: Int64s, *, accounts: bool = False) -> BookFigures:
        """Value the book at these prices, int64[S] as in `Marks`; every account's figures too if `accounts`."""
        check_column("price_units", price_units, np.int64, (self._instruments,))
        check_range("price_units", price_units, 0, PRICE_UNITS_MAX)
        sent = ray.put(price_units)
        parts = self._ask(lambda worker: worker.value.remote(sent, accounts))
        return _add_figures(parts)

    def stress(self, scenarios: Scenarios, *, precision: Precision = "exact", accounts: bool = False) -> StressResult:
        """The book under each scenario, as `stress_book` has it.

        The columns of every account are there if `accounts`, else they are empty.
        """
        if scenarios.price_units.shape[1] != self._instruments:
            raise BookError(
                "scenarios", None, f"have {scenarios.price_units.shape[1]} instruments, the marks {self._instruments}"
            )
        sent = ray.put(scenarios)
        return _add_results(self._ask(lambda worker: worker.stress.remote(sent, precision, accounts)))

    def _ask(self, call: Callable[[Any], Any]) -> list[Any]:
        """The answer of each block, in their order."""
        answers: list[Any] = [None] * len(self._workers)
        tries = [1] * len(self._workers)
        asked = {call(worker): block for block, worker in enumerate(self._workers)}
        deadline = {block: time.monotonic() + self._seconds_max for block in asked.values()}
        while asked:
            wait = max(0.0, min(deadline[block] for block in asked.values()) - time.monotonic())
            done, _ = ray.wait(list(asked), num_returns=1, timeout=wait)
            late = [ref for ref, block in asked.items() if deadline[block] <= time.monotonic() and ref not in done]
            for ref in (*done, *late):
                block = asked.pop(ref)
                try:
                    if ref in late:
                        raise TimeoutError(f"no answer in {self._seconds_max:.0f} s")
                    answers[block] = ray.get(ref)
                except (RayActorError, ActorUnavailableError, ObjectLostError, TimeoutError) as error:
                    if tries[block] == self._tries:
                        raise BlockLost(block, self._tries, error) from error
                    log.warning("block %s is loaded anew: %s", block, error)
                    tries[block] += 1
                    ray.kill(self._workers[block])
                    self._workers[block] = self._new_worker(block)
                    asked[call(self._workers[block])] = block
                    deadline[block] = time.monotonic() + self._seconds_max
        return answers

    def _new_worker(self, block: int) -> Any:
        kind = ray.remote(num_cpus=1, max_restarts=0)(_BlockWorker)
        return kind.remote(self._sources[block], self._terms)


class _BlockWorker:
    """What runs in a worker's process: one block, resident."""

    def __init__(self, source: Source, terms: tuple[Marks, Lines]) -> None:
        self._book = source()
        self.take_terms(terms)

    def pid(self) -> int:
        return os.getpid()

    def take_terms(self, terms: tuple[Marks, Lines]) -> None:
        marks, self._lines = terms
        # Own copies: what comes from the object store is read-only, for which every kernel would be compiled again.
        self._marks = Marks(**{field.name: getattr(marks, field.name).copy() for field in fields(Marks)})

    def value(self, price_units: Int64s, accounts: bool) -> BookFigures:
        valued = value_book(self._book, replace(self._marks, price_units=price_units.copy()), self._lines)
        band = valued.band - min(Band)
        debt = self._book.debt_units
        return BookFigures(
            {name: exact_sum(getattr(valued, name)) for name in _amounts(valued)},
            np.bincount(band, minlength=len(Band)),
            tuple(exact_sum(debt[band == each]) for each in range(len(Band))),
            valued if accounts else None,
        )

    def stress(self, scenarios: Scenarios, precision: Precision, accounts: bool) -> StressResult:
        result = stress_book(self._book, self._marks, self._lines, scenarios, precision=precision)
        return result if accounts else replace(result, **{name: getattr(result, name)[:0] for name in PER_ACCOUNT})


def exact_sum(column: Int64s) -> int:
    """The sum of an int64 column as a whole number of any size: up to 2^32 rows cannot overflow."""
    return (int((column >> 32).sum()) << 32) + int((column & 0xFFFF_FFFF).sum())


def _amounts(valued: Valuation) -> list[str]:
    return [field.name for field in fields(valued) if field.name.endswith("_units")]


def _add_figures(parts: list[BookFigures]) -> BookFigures:
    whole = [part.valuation for part in parts if part.valuation is not None]
    return BookFigures(
        {name: sum(part.totals[name] for part in parts) for name in parts[0].totals},
        np.sum([part.band_accounts for part in parts], axis=0),
        tuple(map(sum, zip(*(part.band_debt_units for part in parts), strict=True))),
        _join(whole) if whole else None,
    )


def _add_results(parts: list[StressResult]) -> StressResult:
    """Amounts of the scenarios add up in int64, which is checked; accounts stand in the order of the blocks."""
    columns = {}
    for field in fields(StressResult):
        of_blocks = [getattr(part, field.name) for part in parts]
        if field.name in PER_ACCOUNT:
            columns[field.name] = np.concatenate(of_blocks)
            continue
        if sum(int(column.max(initial=0)) for column in of_blocks) >= TOTAL_MAX:
            raise BookError(field.name, None, "adds up to more than an int64 holds")
        columns[field.name] = np.sum(of_blocks, axis=0)
    return StressResult(**columns)


def _join(parts: list[Valuation]) -> Valuation:
    return Valuation(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Valuation)))
