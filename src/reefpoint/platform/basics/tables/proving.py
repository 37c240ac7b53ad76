"""The proofs of a decision table: no gap, no overlap, and an outcome that goes one way with an input."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.basics.tables.cells import ABOVE_ALL, BELOW_ALL, Cell, Column, Cut, Kind, Span, Value, holds
from reefpoint.platform.basics.tables.table import DecisionTable, MalformedTable, Part, Row


def prove_group(group: str, rows: Sequence[Row], inputs: Sequence[Column]) -> None:
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
        kept = frozenset(index for index, row in rows.items() if holds(row.cells[column.name], value))
        if kept not in seen:
            seen.add(kept)
            word = str(value).lower() if isinstance(value, bool) else str(value)
            yield word, word, kept


def _in_words(start: Cut, end: Cut) -> str:
    if start == BELOW_ALL:
        return "whatever" if end == ABOVE_ALL else f"below {end[1]}"
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
