"""Facts of activities as columns, each computed when a rule first asks, and how most of them are made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np

from reefpoint.decisions.monitoring.rules.columns import DAY_SECONDS, Activities
from reefpoint.decisions.monitoring.rules.expressions import Column, Kind
from reefpoint.decisions.monitoring.types import KIND_CODES, UNKNOWN, ActivityKind
from reefpoint.engine.columns import Bools, Int64s
from reefpoint.engine.windows import Partition, make_partition, window_distinct, window_sum

Settings: TypeAlias = Mapping[str, int]


class FactSheet:
    """The facts of a set of activities, each computed when it is first asked for and then kept."""

    def __init__(self, rows: Activities) -> None:
        self.rows = rows
        self._columns: dict[tuple[str, tuple[int, ...]], Column] = {}
        self._parts: dict[tuple[str, ...], Partition] = {}
        self._flows: dict[tuple[str, ...], Int64s] = {}

    def column(self, fact: "Fact", settings: Settings) -> Column:
        """A fact of every row; `settings` are the rule's parameters."""
        key = (fact.name, tuple(settings[parameter] for parameter in fact.parameters))
        if key not in self._columns:
            self._columns[key] = fact.compute(self, settings)
        return self._columns[key]

    def part(self, *keys: str) -> Partition:
        """The rows by these columns."""
        if keys not in self._parts:
            in_time = None if keys[0] == "client" else self._in_time
            self._parts[keys] = make_partition(*(getattr(self.rows, key) for key in keys), in_time=in_time)
        return self._parts[keys]

    @cached_property
    def _in_time(self) -> Int64s:
        """The rows of all clients in one order of time."""
        return np.lexsort((self.rows.id, self.rows.at)).astype(np.int64)

    @cached_property
    def row_number(self) -> Int64s:
        return np.arange(len(self.rows), dtype=np.int64)

    def is_kind(self, *kinds: ActivityKind) -> Bools:
        found: Bools = self.rows.kind == KIND_CODES[kinds[0]]
        for kind in kinds[1:]:
            found |= self.rows.kind == KIND_CODES[kind]
        return found

    def money(self, *kinds: ActivityKind) -> Int64s:
        """The amounts of rows of these kinds, 0 elsewhere."""
        if kinds not in self._flows:
            self._flows[kinds] = np.where(self.is_kind(*kinds), self.rows.amount, 0)
        return self._flows[kinds]

    def days(self, value: Int64s, days: int, *keys: str) -> Int64s:
        """The sum over the last so many times 24 hours, of the client unless other keys are given."""
        return window_sum(self.part(*(keys or ("client",))), self.rows.at, value, days * DAY_SECONDS)

    def sessions(self, value: Int64s, sessions: int, *keys: str) -> Int64s:
        """The sum over this session and so many before it."""
        return window_sum(self.part(*(keys or ("client",))), self.rows.session, value, sessions + 1)


@dataclass(frozen=True)
class Fact:
    """One fact of the table. `unit`: money (minor units), count, shares, bp, hours, days, or nothing."""

    name: str
    kind: Kind
    unit: str
    what: str
    what_zh: str
    compute: Callable[[FactSheet, Settings], Column]
    parameters: tuple[str, ...] = ()


def flag(values: Bools) -> Int64s:
    return values.astype(np.int64)


def plain(take: Callable[[FactSheet], Int64s]) -> Callable[[FactSheet, Settings], Column]:
    return lambda sheet, _: Column(take(sheet))


def told(name: str) -> Callable[[FactSheet, Settings], Column]:
    """A column that is missing where nobody told."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        values = getattr(sheet.rows, name)
        return Column(np.maximum(values, 0), values != UNKNOWN)

    return compute


def present(name: str) -> Callable[[FactSheet, Settings], Column]:
    """A column that is missing where it is 0."""

    def compute(sheet: FactSheet, _: Settings) -> Column:
        values = getattr(sheet.rows, name)
        return Column(values, values != 0)

    return compute


def distinct(sheet: FactSheet, code: Int64s, is_counted: Bools, days: int, *keys: str) -> Int64s:
    return window_distinct(sheet.part(*keys), sheet.rows.at, np.where(is_counted, code, 0), days * DAY_SECONDS)


def of_some(key: str, take: Callable[[FactSheet], Int64s]) -> Callable[[FactSheet, Settings], Column]:
    """A count among rows that share `key`; 0 where the row has none."""
    return lambda sheet, _: Column(np.where(getattr(sheet.rows, key) != 0, take(sheet), 0))


def days_of_volume(sheet: FactSheet, quantity: Int64s) -> Int64s:
    """Tenths of a day's volume."""
    return quantity * 10 // np.maximum(sheet.rows.volume, 1)


def count_of(kind: ActivityKind, days: int, *keys: str) -> Callable[[FactSheet], Int64s]:
    return lambda sheet: sheet.days(flag(sheet.is_kind(kind)), days, *keys)


def total_of(kind: ActivityKind, *, days: int = 0, sessions: int = 0) -> Callable[[FactSheet], Int64s]:
    def take(sheet: FactSheet) -> Int64s:
        return sheet.days(sheet.money(kind), days) if days else sheet.sessions(sheet.money(kind), sessions)

    return take
