"""Columns and the cells in them: what a condition admits, read from its text.

Cells of conditions are text, so that a second person approves what they read:
`-` anything; `[0, 25)`, `(3, 7]`, `>= 5`, `> 5`, `<= 5`, `< 5`, `= 5` numbers; `a, b` and `not a, b` choices; `true`,
`false`.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from reefpoint.platform.basics.sentences import Sentence

Value = Decimal | int | str | bool


class Kind(StrEnum):
    """What a column holds. Text is for outcomes alone: no condition rests on wording."""

    WHOLE = "whole"
    EXACT = "exact"
    CHOICE = "choice"
    FLAG = "flag"
    TEXT = "text"


class Unreadable(ValueError):
    """A cell that cannot be read: the sentence, its stable code, and what belongs into it."""

    def __init__(self, problem: str, why: str, **figures: object) -> None:
        self.sentence = Sentence(problem, figures)
        super().__init__(str(self.sentence))
        self.why, self.figures = why, {name: str(value) for name, value in figures.items()}


Cut = tuple[int, Decimal, int]
"""A place between numbers: (-1 | 0 | 1 for below all, at, above all; the number; 0 just before it, 1 just after)."""

BELOW_ALL: Cut = (-1, Decimal(0), 0)
ABOVE_ALL: Cut = (1, Decimal(0), 0)


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
            start = BELOW_ALL if self.low is None else (0, Decimal(self.low), 0)
            return Span(start, ABOVE_ALL if self.high is None else self._after(self.high))
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
        return is_typed and (self.kind is Kind.TEXT or holds(self.everything(), value))  # type: ignore[arg-type]

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
        start, end = BELOW_ALL, ABOVE_ALL
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
        return Span(everything.start if start == BELOW_ALL else start, everything.end if end == ABOVE_ALL else end)

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


def holds(cell: Cell, value: Value) -> bool:
    if isinstance(cell, Span):
        assert isinstance(value, int | Decimal)
        return cell.holds(value)
    return value in cell
