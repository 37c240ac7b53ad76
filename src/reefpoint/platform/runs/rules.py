"""How a run moves, how many one person may have, how long a result is kept, and what is the same run."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.states import StateTable
from reefpoint.platform.runs.types import Inputs, RunState, Value

RUN_STATES = StateTable(
    subject="run",
    initial=RunState.WAITING,
    moves={
        RunState.WAITING: frozenset({RunState.RUNNING}),
        RunState.RUNNING: frozenset({RunState.DONE, RunState.FAILED}),
    },
)

OPEN_MAX = 3
"""How many runs of one person may wait or run at a time."""

ROWS_MAX = 50_000
KEPT = timedelta(days=30)


class TooManyRuns(Refusal):
    """Somebody who has several runs under way asks for one more."""

    code = "too_many_runs"


def digest_of(kind: str, inputs: Inputs) -> str:
    """SHA-256 (hex) by which the same question is known while it is worked on."""
    text = json.dumps([kind, inputs], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def csv_lines(columns: Sequence[str], rows: Sequence[Mapping[str, Value]]) -> Iterator[str]:
    """Rows as the lines of a CSV file, the header first; what a spreadsheet would run as a formula is guarded."""
    for cells in (columns, *([_cell(row.get(name)) for name in columns] for row in rows)):
        line = io.StringIO()
        csv.writer(line).writerow(cells)
        yield line.getvalue()


def _cell(value: Value) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
