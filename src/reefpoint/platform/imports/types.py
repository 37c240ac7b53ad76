"""What can be imported, and how far an import has come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.vault.types import SealedTable

Row = Mapping[str, str]
"""One row of a file: text by column, spaces around it taken off; a column that is missing reads as empty."""


class ImportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True)
class ImportColumn:
    """A column of a file; surfaces have the words that say what belongs in it."""

    name: str
    is_required: bool = False
    chars_max: int = 160


@dataclass(frozen=True)
class RowProblem:
    """Why a row is not taken: a stable code, and the column if it is one column's fault."""

    code: str
    column: str = ""


@dataclass(frozen=True)
class NumberedRow:
    """A good row with its line in the file; the header is line 1."""

    line: int
    row: Row


@dataclass(frozen=True)
class BatchFacts:
    """What a kind is told beside the rows: which import and batch this is, and when it was handed in."""

    import_id: int
    batch: int
    on: date
    at: datetime


Check = Callable[[Row], list[RowProblem]]
Take = Callable[[Actor, BatchFacts, Sequence[NumberedRow]], Mapping[int, RowProblem]]


@dataclass(frozen=True)
class ImportKind:
    """One kind of file. `right` is asked for at the upload.

    `check` is pure. `take` writes a batch of good rows in the caller's transaction, a fixed number of statements, and
    returns those that it could not take after all, by line: an address that belongs to somebody else, say.
    """

    name: str
    right: str
    columns: tuple[ImportColumn, ...]
    check: Check
    take: Take

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.is_required)


@dataclass(frozen=True)
class ImportView:
    """An import as its page shows it. `rows` is known from the upload on; `bad_until` ends the file of bad rows."""

    id: int
    kind: str
    file_name: str
    state: ImportState
    rows: int
    good: int
    bad: int
    received_at: datetime
    finished_at: datetime | None
    bad_until: date
    requested_by_name: str
    has_bad_file: bool

    @property
    def done_bp(self) -> int:
        """Rows looked at, in basis points of all."""
        return (self.good + self.bad) * 10_000 // self.rows if self.rows else 10_000


@dataclass(frozen=True)
class BadRow:
    """A row that was not taken, as it stood in the file."""

    line: int
    problems: tuple[RowProblem, ...]
    cells: tuple[str, ...]


SEALED_TABLES = (
    SealedTable("imports_chunk", "import:{import_file_id}:chunk:{number}"),
    SealedTable("imports_badchunk", "import:{import_file_id}:bad:{number}"),
)
"""Where this app keeps sealed rows."""
