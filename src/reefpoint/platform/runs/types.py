"""What can be worked on for long, and how far it has come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from reefpoint.platform.basics.actors import Actor

Value = str | int | bool | None
Inputs = Mapping[str, Any]
"""What a run is asked with, as JSON values."""

Progress = Callable[[int, int], None]
"""Told by the work now and then: so many parts done, of so many."""


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Outcome:
    """What came of a run: some figures, and rows that all have the columns of the kind."""

    summary: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Value]] = ()


@dataclass(frozen=True)
class Task:
    """What the work is given: who asked, with what, on which business date and at which instant."""

    actor: Actor
    inputs: Inputs
    on: date
    at: datetime
    progress: Progress


@dataclass(frozen=True)
class RunKind:
    """One kind of long work, which only reads: killed, it begins anew and does no harm.

    `right` is asked for. `size` counts what will be looked at; up to `at_once` it is worked within the call that asks,
    which must take less than two seconds then. `columns` are those of the rows, in the order of the CSV file.
    """

    name: str
    right: str
    columns: tuple[str, ...]
    size: Callable[[Inputs], int]
    at_once: int
    work: Callable[[Task], Outcome]


@dataclass(frozen=True)
class RunView:
    """A run as its page shows it. `problem` says in words why it came to nothing, `problem_code` in a stable code."""

    id: int
    kind: str
    state: RunState
    done: int
    of: int
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    on: date
    finished_at: datetime | None
    kept_until: date
    summary: Mapping[str, Any]
    rows: Sequence[Mapping[str, Value]]
    rows_count: int
    problem: str
    problem_code: str

    @property
    def is_over(self) -> bool:
        return self.state in {RunState.DONE, RunState.FAILED}

    @property
    def done_bp(self) -> int:
        """How much is done, in basis points."""
        return 10_000 if self.state is RunState.DONE else self.done * 10_000 // self.of if self.of else 0
