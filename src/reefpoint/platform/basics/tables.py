"""Decision tables: rows of conditions in exact cells, proved whole when they are made.

A table that leaves an input without an answer, gives one two answers, or has a cell that cannot be read is never made:
`MalformedTable` names the cell. An input that is missing, of another type or outside what its column declares raises
`MissingInput` instead of matching a row: there is no default row and no silent zero (I61, I62). Numbers are whole or
exact decimals; a float is refused wherever it stands.

Cells of conditions are text, so that a second person approves what they read:
`-` anything; `[0, 25)`, `(3, 7]`, `>= 5`, `> 5`, `<= 5`, `< 5`, `= 5` numbers; `a, b` and `not a, b` choices; `true`,
`false`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import pairwise
from typing import Any

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence

Value = Decimal | int | str | bool


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


class Kind(StrEnum):
    """What a column holds. Text is for outcomes alone: no condition rests on wording."""

    WHOLE = "whole"
    EXACT = "exact"
    CHOICE = "choice"
    FLAG = "flag"
    TEXT = "text"


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


class Unreadable(ValueError):
    """A cell that cannot be read: the sentence, its stable code, and what belongs into it."""

    def __init__(self, problem: str, why: str, **figures: object) -> None:
        self.sentence = Sentence(problem, figures)
        super().__init__(str(self.sentence))
        self.why, self.figures = why, {name: str(value) for name, value in figures.items()}


class MissingInput(Refusal):
    """Inputs that are missing or unknown, so that no row may answer. `names` are their columns."""

    code = "missing_input"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("These facts are missing or unknown: {names}.", names=list(names))
        self.names = tuple(names)


Cut = tuple[int, Decimal, int]
"""A place between numbers: (-1 | 0 | 1 for below all, at, above all; the number; 0 just before it, 1 just after)."""

_BELOW_ALL: Cut = (-1, Decimal(0), 0)
_ABOVE_ALL: Cut = (1, Decimal(0), 0)


@dataclass(frozen=True)
class Span:
    """The numbers from one cut to another."""

    start: Cut
    end: Cut

    def covers(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end

    def holds(self, number: Decimal | int) -> bool:
        return self.start <= (0, Decimal(number), 0) < self.end


Cell = Span | frozenset[Value]
"""What one condition admits: numbers of a span, or the values of a set."""


@dataclass(frozen=True)
class Column:
    """One input or outcome. Numbers may have bounds, both inclusive; a choice lists every value there is."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    low: Decimal | int | None = None
    high: Decimal | int | None = None

    @property
    def is_number(self) -> bool:
        return self.kind in {Kind.WHOLE, Kind.EXACT}

    def everything(self) -> Cell:
        """All that the column can hold."""
        if self.is_number:
            start = _BELOW_ALL if self.low is None else (0, Decimal(self.low), 0)
            return Span(start, _ABOVE_ALL if self.high is None else self._after(self.high))
        return frozenset(self.choices) if self.kind is Kind.CHOICE else frozenset({True, False})

    def accepts(self, value: object) -> bool:
        """Whether a value is one of this column: exact type, within its bounds or choices."""
        match self.kind:
            case Kind.WHOLE:
                is_typed = isinstance(value, int) and not isinstance(value, bool)
            case Kind.EXACT:
                is_typed = (
                    isinstance(value, int | Decimal) and not isinstance(value, bool) and Decimal(value).is_finite()
                )
            case Kind.FLAG:
                is_typed = isinstance(value, bool)
            case _:
                is_typed = isinstance(value, str)
        return is_typed and (self.kind is Kind.TEXT or _holds(self.everything(), value))  # type: ignore[arg-type]

    def read_cell(self, text: object) -> Cell:
        """A condition of this column from its text. Raises `ValueError` with what is wrong."""
        if not isinstance(text, str):
            raise Unreadable("{text!r} is not text; write conditions as text", "not_text", text=text)
        if text.strip() == "-":
            return self.everything()
        cell = self._read_span(text) if self.is_number else self._read_set(text)
        everything = self.everything()
        if isinstance(cell, Span) and isinstance(everything, Span) and not everything.covers(cell):
            raise Unreadable("{text} reaches beyond what {column} can hold", "beyond", text=text, column=self.name)
        return cell

    def read_value(self, value: object) -> Value:
        """An outcome of this column from its JSON value; exact numbers come as text. Raises `ValueError`."""
        if self.kind is Kind.EXACT and isinstance(value, str):
            value = _number(value)
        if not self.accepts(value):
            raise Unreadable("{text!r} is not a value of {column}", "not_a_value", text=value, column=self.name)
        return value  # type: ignore[return-value]  # `accepts` has looked at its type

    def _read_set(self, text: str) -> Cell:
        if self.kind is Kind.FLAG:
            if text.strip() not in {"true", "false"}:
                raise Unreadable("{text} is neither true nor false", "no_flag", text=text)
            return frozenset({text.strip() == "true"})
        is_not, named = text.strip().startswith("not "), text.strip().removeprefix("not ")
        values = [part.strip() for part in named.split(",")]
        if odd := sorted({value for value in values if value not in self.choices}):
            raise Unreadable("{column} has no value {text!r}", "no_such_value", text=odd[0], column=self.name)
        if len(set(values)) < len(values):
            raise Unreadable("{text} names a value twice", "named_twice", text=text)
        kept = frozenset(self.choices) - frozenset(values) if is_not else frozenset(values)
        if not kept:
            raise Unreadable("{text} admits nothing", "admits_nothing", text=text)
        return kept

    def _read_span(self, text: str) -> Span:
        start, end = _BELOW_ALL, _ABOVE_ALL
        if found := _BETWEEN.fullmatch(text.strip()):
            opening, low, high, closing = found.groups()
            start = self._start(_number(low), is_open=opening == "(")
            end = self._end(_number(high), is_open=closing == ")")
        elif found := _COMPARED.fullmatch(text.strip()):
            sign, number = found[1], _number(found[2])
            if sign in {">", ">=", "="}:
                start = self._start(number, is_open=sign == ">")
            if sign in {"<", "<=", "="}:
                end = self._end(number, is_open=sign == "<")
        else:
            raise Unreadable("{text!r} is not a range of numbers", "no_range", text=text)
        if start >= end:
            raise Unreadable("{text} admits nothing", "admits_nothing", text=text)
        everything = self.everything()
        assert isinstance(everything, Span)
        return Span(everything.start if start == _BELOW_ALL else start, everything.end if end == _ABOVE_ALL else end)

    def _start(self, number: Decimal, *, is_open: bool) -> Cut:
        return self._after(number) if is_open else (0, self._fitting(number), 0)

    def _end(self, number: Decimal, *, is_open: bool) -> Cut:
        return (0, self._fitting(number), 0) if is_open else self._after(number)

    def _after(self, number: Decimal | int) -> Cut:
        """The place just after a number: for whole numbers that is just before the next one."""
        fitting = self._fitting(Decimal(number))
        return (0, fitting + 1, 0) if self.kind is Kind.WHOLE else (0, fitting, 1)

    def _fitting(self, number: Decimal) -> Decimal:
        if self.kind is Kind.WHOLE and number != number.to_integral_value():
            raise Unreadable("{text} is not whole", "not_whole", text=number)
        return number


_NUMBER = r"-?\d+(?:\.\d+)?"
_BETWEEN = re.compile(rf"([\[(])\s*({_NUMBER})\s*,\s*({_NUMBER})\s*([\])])", re.ASCII)
_COMPARED = re.compile(rf"(>=|<=|>|<|=)\s*({_NUMBER})", re.ASCII)


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise Unreadable("{text!r} is not a number", "no_number", text=text) from None
    if not number.is_finite():
        raise Unreadable("{text!r} is not a number", "no_number", text=text)
    return number


def _holds(cell: Cell, value: Value) -> bool:
    if isinstance(cell, Span):
        assert isinstance(value, int | Decimal)
        return cell.holds(value)
    return value in cell


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
    return all(_holds(cell, inputs[name]) for name, cell in row.cells.items())  # type: ignore[arg-type]


# Reading and proving


def read_table(data: Mapping[str, Any]) -> DecisionTable:
    """A table from its JSON form, proved whole. Raises `MalformedTable` naming the cell or the input.

    `{name, policy, inputs: [{name, kind, choices?, low?, high?}], outputs: [...], rows: [{id, group?, when, then}]}`.
    """
    _check_keys("table", data, {"name", "policy", "inputs", "outputs", "rows"})
    try:
        policy = HitPolicy(data["policy"])
    except ValueError:
        raise MalformedTable("policy", "{given!r} is not a hit policy", given=data["policy"]) from None
    inputs, outputs = _read_columns("inputs", data["inputs"]), _read_columns("outputs", data["outputs"])
    if any(column.kind is Kind.TEXT for column in inputs):
        raise MalformedTable("inputs", "no condition can rest on free text")
    rows = tuple(_read_row(row, policy, inputs, outputs) for row in _list("rows", data["rows"]))
    if not rows:
        raise MalformedTable("rows", "the table has no row", why="no_row")
    if policy is HitPolicy.PRIORITY and outputs[0].kind is not Kind.CHOICE:
        raise MalformedTable(f"outputs, {outputs[0].name}", "the first outcome needs choices, in order of priority")
    if twice := _first_twice(row.id for row in rows):
        raise MalformedTable(f"row {twice}", "two rows have this id", row=twice, why="id_twice", figures={"row": twice})
    table = DecisionTable(str(data["name"]), policy, inputs, outputs, rows, data)
    for group in table.groups:
        _prove_group(group, [row for row in rows if row.group == group], inputs)
    if unused := [column.name for column in inputs if not any(column.name in row.cells for row in rows)]:
        raise MalformedTable(
            f"input {unused[0]}", "no row rests on it", why="unused_input", figures={"input": unused[0]}
        )
    return table


def _read_columns(place: str, data: object) -> tuple[Column, ...]:
    columns = tuple(_read_column(place, entry) for entry in _list(place, data))
    if not columns:
        raise MalformedTable(place, "there is none")
    if twice := _first_twice(column.name for column in columns):
        raise MalformedTable(f"{place}, {twice}", "it stands twice")
    return columns


def _read_column(place: str, data: object) -> Column:
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str) or not data["name"]:
        raise MalformedTable(place, "a column needs a name")
    cell = f"{place}, {data['name']}"
    _check_keys(cell, data, {"name", "kind"}, {"choices", "low", "high"})
    try:
        kind = Kind(data["kind"])
    except ValueError:
        raise MalformedTable(cell, "{given!r} is not a kind of value", given=data["kind"]) from None
    choices = tuple(_list(cell, data.get("choices", [])))
    if (kind is Kind.CHOICE) is not bool(choices) or not all(isinstance(choice, str) for choice in choices):
        raise MalformedTable(cell, "a choice lists its values as text, and nothing else does")
    if twice := _first_twice(choices):
        raise MalformedTable(cell, "the value {twice} stands twice", twice=twice)
    bounds = {name: _read_bound(cell, kind, data[name]) for name in ("low", "high") if data.get(name) is not None}
    low, high = bounds.get("low"), bounds.get("high")
    if low is not None and high is not None and low > high:
        raise MalformedTable(cell, "nothing lies between {low} and {high}", low=low, high=high)
    return Column(data["name"], kind, choices, low, high)


def _read_bound(cell: str, kind: Kind, value: object) -> Decimal | int:
    try:
        bound = Column("bound", kind).read_value(value)
    except ValueError as error:
        raise MalformedTable(cell, _sentence(error)) from None
    if isinstance(bound, str | bool):
        raise MalformedTable(cell, "only numbers have bounds")
    return bound


def _read_row(data: object, policy: HitPolicy, inputs: Sequence[Column], outputs: Sequence[Column]) -> Row:
    if not isinstance(data, Mapping) or not isinstance(data.get("id"), str) or not data["id"]:
        raise MalformedTable("rows", "a row needs an id", why="no_id")
    place = f"row {data['id']}"
    _check_keys(place, data, {"id", "when", "then"}, {"group"})
    group, when, then = data.get("group", ""), data["when"], data["then"]
    if not isinstance(group, str) or bool(group) is (policy is HitPolicy.UNIQUE):
        raise MalformedTable(
            place,
            "rows have a group where one of each group answers, and only there",
            row=str(data["id"]),
            why="no_group",
        )
    if not isinstance(when, Mapping) or not isinstance(then, Mapping):
        raise MalformedTable(place, "a row has conditions and an outcome")
    names = {column.name for column in inputs}
    _check_keys(place, when, names if policy is HitPolicy.UNIQUE else set(), names)
    _check_keys(place, then, {column.name for column in outputs})
    cells = {column.name: _read(str(data["id"]), column, when[column.name]) for column in inputs if column.name in when}
    outcome: dict[str, Value] = {}
    for column in outputs:
        try:
            outcome[column.name] = column.read_value(then[column.name])
        except ValueError as error:
            raise _cell_error(place, str(data["id"]), column.name, error) from None
    return Row(data["id"], group, cells, {name: str(when[name]) for name in cells}, outcome)


def _read(row: str, column: Column, text: object) -> Cell:
    try:
        return column.read_cell(text)
    except ValueError as error:
        raise _cell_error(f"row {row}", row, column.name, error) from None


def _cell_error(place: str, row: str, column: str, error: ValueError) -> MalformedTable:
    why = error.why if isinstance(error, Unreadable) else ""
    figures = {**error.figures, "column": column} if isinstance(error, Unreadable) else None
    return MalformedTable(f"{place}, {column}", _sentence(error), row=row, column=column, why=why, figures=figures)


def _sentence(error: ValueError) -> str | Sentence:
    return error.sentence if isinstance(error, Unreadable) else str(error)


def _check_keys(place: str, data: Mapping[str, Any], needed: set[str], allowed: Iterable[str] = ()) -> None:
    if not isinstance(data, Mapping):
        raise MalformedTable(place, "it is not a map")
    if absent := sorted(needed - set(data)):
        raise MalformedTable(f"{place}, {absent[0]}", "the cell is missing")
    if odd := sorted(str(key) for key in set(data) - needed - set(allowed)):
        raise MalformedTable(f"{place}, {odd[0]}", "there is no such column")


def _list(place: str, data: object) -> list[Any]:
    if not isinstance(data, list | tuple):
        raise MalformedTable(place, "it is not a list")
    return list(data)


def _first_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def _prove_group(group: str, rows: Sequence[Row], inputs: Sequence[Column]) -> None:
    """Raise `MalformedTable` unless each input has exactly one of these rows, with an input that has not."""
    used = set(rows[0].cells)
    for row in rows:
        if odd := sorted(used ^ set(row.cells)):
            raise MalformedTable(
                f"row {row.id}, {odd[0]}",
                "the rows of a group rest on the same inputs",
                row=row.id,
                column=odd[0],
                why="other_inputs",
                figures={"input": odd[0], "group": group},
            )
    columns = [column for column in inputs if column.name in used]
    if not columns:
        raise MalformedTable(f"row {rows[0].id}", "it rests on nothing", row=rows[0].id, why="rests_on_nothing")
    proved: set[tuple[int, frozenset[int]]] = set()

    def walk(depth: int, active: frozenset[int], path: tuple[str, ...], span: tuple[Part, ...]) -> None:
        if not active:
            rest = [f"any {column.name}" for column in columns[depth:]]
            raise MalformedTable(group or "table", "no row answers {names}", span=span, names=", ".join([*path, *rest]))
        if (depth, active) in proved:
            return
        if depth == len(columns):
            if len(active) > 1:
                first, second = [rows[index].id for index in sorted(active)][:2]
                raise MalformedTable(
                    f"row {second}",
                    "it overlaps row {first} at {names}",
                    row=second,
                    other=first,
                    span=span,
                    first=first,
                    names=", ".join(path),
                )
        else:
            name = columns[depth].name
            for word, text, kept in _parts(columns[depth], {index: rows[index] for index in active}):
                walk(depth + 1, kept, (*path, f"{name} {word}"), (*span, (name, text)))
        proved.add((depth, active))

    walk(0, frozenset(range(len(rows))), (), ())


def _parts(column: Column, rows: Mapping[int, Row]) -> Iterator[tuple[str, str, frozenset[int]]]:
    """The parts of a column that these rows tell apart: an example in words, all of it as a cell, who admits it."""
    everything = column.everything()
    seen: set[frozenset[int]] = set()
    if isinstance(everything, Span):
        spans = {index: cell for index, row in rows.items() if isinstance(cell := row.cells[column.name], Span)}
        cuts = sorted({everything.start, everything.end, *(cut for s in spans.values() for cut in (s.start, s.end))})
        for start, end in pairwise(cuts):
            kept = frozenset(index for index, span in spans.items() if span.covers(Span(start, end)))
            if kept not in seen:
                seen.add(kept)
                yield _in_words(start, end), _as_cell(column, Span(start, end)), kept
        return
    for value in column.choices or (True, False):
        kept = frozenset(index for index, row in rows.items() if _holds(row.cells[column.name], value))
        if kept not in seen:
            seen.add(kept)
            word = str(value).lower() if isinstance(value, bool) else str(value)
            yield word, word, kept


def _in_words(start: Cut, end: Cut) -> str:
    if start == _BELOW_ALL:
        return "whatever" if end == _ABOVE_ALL else f"below {end[1]}"
    return f"{start[1]}" if start[2] == 0 else f"just above {start[1]}"


def _as_cell(column: Column, span: Span) -> str:
    """A span as it would be written in a cell of this column."""
    (_, low, is_after_low), (_, high, is_after_high) = span.start, span.end
    everything = column.everything()
    assert isinstance(everything, Span)
    is_from, is_to = span.start != everything.start, span.end != everything.end
    if not is_from and not is_to:
        return "-"
    is_next = high == low + 1 if column.kind is Kind.WHOLE else high == low
    if span.start[0] == span.end[0] == 0 and is_next:
        return f"= {low}"
    if not is_from:
        return f"{'<=' if is_after_high else '<'} {high}"
    if not is_to:
        return f"{'>' if is_after_low else '>='} {low}"
    return f"{'(' if is_after_low else '['}{low}, {high}{']' if is_after_high else ')'}"


# What an editor and a publication ask beyond


def find_problems(data: Mapping[str, Any]) -> tuple[MalformedTable, ...]:
    """All that is wrong with a table: each cell that cannot be read, else the first gap or overlap of each group."""
    try:
        read_table(data)
        return ()
    except MalformedTable as error:
        first = error
    try:
        policy = HitPolicy(data["policy"])
        inputs, outputs = _read_columns("inputs", data["inputs"]), _read_columns("outputs", data["outputs"])
        entries = _list("rows", data["rows"])
    except (MalformedTable, ValueError, KeyError, TypeError):
        return (first,)
    rows: list[Row] = []
    found: list[MalformedTable] = []
    for entry in entries:
        try:
            rows.append(_read_row(entry, policy, inputs, outputs))
        except MalformedTable as error:
            found.append(error)
    if found:
        return tuple(found)
    for group in dict.fromkeys(row.group for row in rows):
        try:
            _prove_group(group, [row for row in rows if row.group == group], inputs)
        except MalformedTable as error:
            found.append(error)
    return tuple(found) or (first,)


def prove_monotone(
    table: DecisionTable, column: str, output: str, *, order: Sequence[Value] = (), is_rising: bool
) -> None:
    """Raise `MalformedTable` unless an outcome never falls (never rises) as an input goes up, all else being equal.

    `order` lists the values of a choice from least to greatest; numbers have their own. An outcome that is a choice is
    compared by its place among the choices. Groups that do not rest on the column say nothing. What holds for each
    group holds for the sum and for the least of them.
    """
    declared = next(one for one in table.outputs if one.name == output)

    def rank(row: Row) -> int | Decimal:
        value = row.then[output]
        if declared.kind is Kind.CHOICE:
            return declared.choices.index(str(value))
        assert isinstance(value, int | Decimal)
        return value

    for low in table.rows:
        for high in table.rows:
            if low.group != high.group or column not in low.cells or rank(low) == rank(high):
                continue
            if (rank(low) < rank(high)) is is_rising or not _comes_before(low.cells[column], high.cells[column], order):
                continue
            if all(_meet(low.cells[name], high.cells[name]) for name in low.cells if name != column):
                told = {"low": low.id, "cause": column}
                raise MalformedTable(
                    f"row {high.id}, {output}",
                    Sentence("it falls from row {low} as {cause} gets higher", told)
                    if is_rising
                    else Sentence("it rises from row {low} as {cause} gets higher", told),
                    row=high.id,
                    column=output,
                    other=low.id,
                    why="falls" if is_rising else "rises",
                    figures={"row": high.id, "other": low.id, "output": output, "input": column},
                )


def _comes_before(low: Cell, high: Cell, order: Sequence[Value]) -> bool:
    """Whether something in `low` is less than something in `high`."""
    if isinstance(low, Span) and isinstance(high, Span):
        return low.start < high.start or low.end < high.end
    assert isinstance(low, frozenset)
    assert isinstance(high, frozenset)
    return min(map(order.index, low)) < max(map(order.index, high))


def _meet(one: Cell, other: Cell) -> bool:
    if isinstance(one, Span) and isinstance(other, Span):
        return max(one.start, other.start) < min(one.end, other.end)
    assert isinstance(one, frozenset)
    assert isinstance(other, frozenset)
    return not one.isdisjoint(other)
