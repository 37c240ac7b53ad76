"""A decision table from its JSON form, or all that is wrong with it."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.tables.cells import Cell, Column, Kind, Unreadable, Value
from reefpoint.platform.basics.tables.proving import prove_group
from reefpoint.platform.basics.tables.table import DecisionTable, HitPolicy, MalformedTable, Row


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
        prove_group(group, [row for row in rows if row.group == group], inputs)
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
            prove_group(group, [row for row in rows if row.group == group], inputs)
        except MalformedTable as error:
            found.append(error)
    return tuple(found) or (first,)
