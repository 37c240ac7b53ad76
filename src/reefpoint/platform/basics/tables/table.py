"""A decision table that is proved whole, and its answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.tables.cells import Cell, Column, Value, holds


class HitPolicy(StrEnum):
    """How many rows answer, and what counts of them.

    `UNIQUE`: one row. All others: one row of each group. `COLLECT_SUM` adds their points up, `COLLECT_MIN` takes the
    least of a number, `COLLECT` lists them, `PRIORITY` takes the outcome that stands first among the choices of the
    first output. No policy rests on the order of rows: a row that is moved changes nothing.
    """

    UNIQUE = "unique"
    COLLECT_SUM = "collect_sum"
    COLLECT_MIN = "collect_min"
    COLLECT = "collect"
    PRIORITY = "priority"


Part = tuple[str, str]
"""A column and what of it is meant, written as a cell: (`age`, `[18, 25)`)."""


class MalformedTable(Refusal):
    """A table with a gap, an overlap, or a cell that cannot be read. `cell` says where: `row low, residence`.

    For an editor: `row` and `column` are the place, if there is one; `other` is the row that answers as well; `span` is
    where nothing answers, or two rows do; `why` is a stable code and `figures` what belongs into its sentence, so that
    a surface can say it in another language. What an editor of rows cannot cause has no code.
    """

    code = "malformed_table"

    def __init__(
        self,
        cell: str,
        problem: str | Sentence,
        *,
        row: str = "",
        column: str = "",
        other: str = "",
        span: Sequence[Part] = (),
        why: str = "",
        figures: Mapping[str, str] | None = None,
        **facts: object,
    ) -> None:
        self.problem = problem if isinstance(problem, Sentence) else Sentence(problem, facts)
        super().__init__("{cell}: {problem}", cell=cell, problem=self.problem)
        self.cell, self.row, self.column, self.other = cell, row, column, other
        self.span = tuple(span)
        self.why, self.figures = why, dict(figures or {})


class MissingInput(Refusal):
    """Inputs that are missing or unknown, so that no row may answer. `names` are their columns."""

    code = "missing_input"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("These facts are missing or unknown: {names}.", names=list(names))
        self.names = tuple(names)


@dataclass(frozen=True)
class Row:
    """One line: the conditions by input, each as its text and as what it admits, and the outcome."""

    id: str
    group: str
    cells: Mapping[str, Cell]
    texts: Mapping[str, str]
    then: Mapping[str, Value]


@dataclass(frozen=True)
class Outcome:
    """The rows that answered, one for each group in the order of the table; a unique table has one."""

    rows: tuple[Row, ...]

    def __getitem__(self, name: str) -> Value:
        """An outcome of a unique table."""
        (row,) = self.rows
        return row.then[name]

    def word(self, name: str) -> str:
        """A choice or a text among the outcomes of a unique table."""
        value = self[name]
        assert isinstance(value, str)
        return value

    def total(self, name: str) -> int:
        """The sum of a whole-number outcome over the rows."""
        return sum(self._numbers(name))

    def least(self, name: str) -> int:
        """The smallest of a whole-number outcome over the rows."""
        return min(self._numbers(name))

    def _numbers(self, name: str) -> list[int]:
        return [value for row in self.rows if isinstance(value := row.then[name], int)]


@dataclass(frozen=True)
class DecisionTable:
    """A table that is proved whole: each group of rows gives each possible input exactly one row.

    Make it with `read_table`. All rows of a group rest on the same inputs, and a unique table is one group.
    """

    name: str
    policy: HitPolicy
    inputs: tuple[Column, ...]
    outputs: tuple[Column, ...]
    rows: tuple[Row, ...]
    source: Mapping[str, Any] = field(repr=False)

    def decide(self, inputs: Mapping[str, Value | None]) -> Outcome:
        """The rows that answer. Raises `MissingInput` with every input that is missing or unknown."""
        outcome, missing = self.decide_known(inputs)
        if missing:
            raise MissingInput(missing)
        return outcome

    def decide_known(self, inputs: Mapping[str, Value | None]) -> tuple[Outcome, tuple[str, ...]]:
        """The rows of those groups whose inputs are all known, and the names of the inputs that are not.

        For showing what is known of a case that goes to a person; only `decide` decides.
        """
        missing = tuple(column.name for column in self.inputs if not column.accepts(inputs.get(column.name)))
        known = (row for row in self.rows if set(row.cells).isdisjoint(missing))
        return Outcome(tuple(row for row in known if _matches(row, inputs))), missing

    def foremost(self, rows: Iterable[Row]) -> str:
        """Of the rows that answered under `PRIORITY`: the outcome that stands first among its choices."""
        first = self.outputs[0]
        return min((str(row.then[first.name]) for row in rows), key=first.choices.index)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in the order of the table."""
        return tuple(dict.fromkeys(row.group for row in self.rows))


def _matches(row: Row, inputs: Mapping[str, Value | None]) -> bool:
    return all(holds(cell, inputs[name]) for name, cell in row.cells.items())  # type: ignore[arg-type]
