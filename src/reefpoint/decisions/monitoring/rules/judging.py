"""Judging activities by rules: which rows fire, which cannot be told, and which become alerts.

A sweep of what happens, a shadow run, a backtest and the examples of a rule all go through `judge` and `raise_alerts`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reefpoint.decisions.monitoring.rules.columns import DAY_SECONDS
from reefpoint.decisions.monitoring.rules.expressions import (
    Column,
    Expression,
    Kind,
    RuleMalformed,
    constant,
    decide,
    judge_columns,
    read_expression,
)
from reefpoint.decisions.monitoring.rules.facts import FACTS
from reefpoint.decisions.monitoring.rules.facts.sheet import FactSheet
from reefpoint.decisions.monitoring.types import KIND_CODES, KINDS, Parameter, ParameterKind, Pivot, RuleDraft
from reefpoint.engine.columns import Bools, Int64s

NUMBER_MAX = 10**15
COOLDOWN_DAYS_MAX = 366


@dataclass(frozen=True, eq=False)
class ReadRule:
    """A rule's version, read and checked. `settings` are its whole-number parameters."""

    code: str
    draft: RuleDraft
    expression: Expression
    facts: tuple[str, ...]
    settings: Mapping[str, int]

    @property
    def values(self) -> dict[str, object]:
        """All parameters by name, as they are kept with an alert."""
        return {
            one.name: list(one.value) if isinstance(one.value, tuple) else one.value for one in self.draft.parameters
        }


@dataclass(frozen=True, eq=False)
class Judged:
    """Rows of the sheet: those on which the rule fires, and those on which that cannot be told."""

    fired: Int64s
    undecided: Int64s


@dataclass(frozen=True)
class Raised:
    """A row that becomes an alert about `pivot`."""

    row: int
    pivot: str


def parameter_kind(parameter: Parameter) -> Kind:
    return Kind.COUNTRIES if parameter.kind is ParameterKind.COUNTRIES else Kind.NUMBER


def read_rule(code: str, draft: RuleDraft) -> ReadRule:
    """Read and check all that a version says. Raises `RuleMalformed` with what is wrong, and nothing runs."""
    if not draft.triggers:
        raise RuleMalformed("A rule needs at least one kind of activity that triggers it.")
    if not 0 <= draft.cooldown_days <= COOLDOWN_DAYS_MAX:
        raise RuleMalformed(
            "A cool-down is between 0 and {cooldown_days_max} days.", cooldown_days_max=COOLDOWN_DAYS_MAX
        )
    parameters = {parameter.name: parameter for parameter in draft.parameters}
    if len(parameters) != len(draft.parameters):
        raise RuleMalformed("Two parameters share a name.")
    if shadowed := parameters.keys() & FACTS.keys():
        raise RuleMalformed("{shadowed} is a fact and cannot be a parameter.", shadowed=min(shadowed))
    for parameter in draft.parameters:
        _check_parameter(parameter)
    kinds = {name: fact.kind for name, fact in FACTS.items()}
    kinds |= {name: parameter_kind(parameter) for name, parameter in parameters.items()}
    expression = read_expression(draft.expression, kinds)
    facts = tuple(name for name in expression.names if name in FACTS)
    if not facts:
        raise RuleMalformed("The expression asks for no fact.")
    needed = {name for fact in facts for name in FACTS[fact].parameters}
    if absent := needed - parameters.keys():
        raise RuleMalformed("The parameter {absent} is needed by a fact of the expression.", absent=min(absent))
    if unused := parameters.keys() - needed - set(expression.names):
        raise RuleMalformed("The parameter {unused} is not used.", unused=min(unused))
    settings = {name: one.value for name, one in parameters.items() if isinstance(one.value, int)}
    return ReadRule(code, draft, expression, facts, settings)


def _check_parameter(parameter: Parameter) -> None:
    value = parameter.value
    if parameter.kind is ParameterKind.COUNTRIES:
        if not isinstance(value, tuple) or not value or not all(len(one) == 2 and one.isupper() for one in value):
            raise RuleMalformed("{name} is a list of two-letter country codes.", name=parameter.name)
    elif isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= NUMBER_MAX:
        raise RuleMalformed(
            "{name} is a whole number from 0 to {number_max:,}.", name=parameter.name, number_max=NUMBER_MAX
        )


def judge(rule: ReadRule, sheet: FactSheet, is_asked: Bools | None = None) -> Judged:
    """Ask the rule of the rows that trigger it, of those that `is_asked` marks if it is given."""
    is_trigger = sheet.is_kind(*rule.draft.triggers)
    rows = np.flatnonzero(is_trigger if is_asked is None else is_trigger & is_asked)
    columns: dict[str, Column] = {name: Column(constant(*value)) for name, value in _constants(rule).items()}
    for name in rule.facts if len(rows) else ():
        fact = sheet.column(FACTS[name], rule.settings)
        columns[name] = Column(fact.values[rows], None if fact.is_known is None else fact.is_known[rows])
    if not len(rows):
        return Judged(rows, rows)
    verdict = judge_columns(rule.expression, columns, len(rows))
    return Judged(rows[verdict.fires], rows[~verdict.is_decided])


def _constants(rule: ReadRule) -> dict[str, tuple[Kind, object]]:
    used = set(rule.expression.names)
    return {one.name: (parameter_kind(one), one.value) for one in rule.draft.parameters if one.name in used}


def inputs_of(rule: ReadRule, sheet: FactSheet, row: int) -> dict[str, object]:
    """The facts that the rule was given for a row, by name; None for one that is missing."""
    return {name: _value(FACTS[name].kind, sheet.column(FACTS[name], rule.settings), row) for name in rule.facts}


def missing_of(rule: ReadRule, sheet: FactSheet, row: int) -> str:
    """The facts that are missing for a row, in words for a list."""
    return ", ".join(name for name, value in inputs_of(rule, sheet, row).items() if value is None)


def replay(rule: ReadRule, inputs: Mapping[str, object]) -> bool:
    """Judge again from what an alert stored (I60). Raises `FactMissing` if it does not hold all that is asked."""
    return decide(rule.expression, {**inputs, **rule.values})


def _value(kind: Kind, column: Column, row: int) -> object:
    if column.is_known is not None and not column.is_known[row]:
        return None
    value = int(column.values[row])
    if kind is Kind.FLAG:
        return bool(value)
    if kind is Kind.COUNTRY:
        return chr(value // 256) + chr(value % 256) if value else ""
    return value


def pivot_of(rule: ReadRule, sheet: FactSheet, row: int) -> str:
    """What an alert on this row is about."""
    rows = sheet.rows
    match rule.draft.pivot:
        case Pivot.CLIENT:
            return f"client:{rows.client[row]}"
        case Pivot.INSTRUMENT:
            return f"client:{rows.client[row]} instrument:{rows.instrument[row]}"
        case Pivot.COUNTERPARTY:
            return f"counterparty:{int(rows.counterparty[row]) & (2**64 - 1):016x}"
        case Pivot.DEVICE:
            return f"device:{int(rows.device[row]) & (2**64 - 1):016x}"
        case Pivot.GROUP:
            return _group_pivot(int(rows.group[row]))
    return f"activity:{rows.id[row]}"


def _group_pivot(group: int) -> str:
    return f"group:{group}" if group >= 0 else f"client:{-group}"


def raise_alerts(rule: ReadRule, sheet: FactSheet, fired: Int64s, earlier: Mapping[str, Sequence[int]]) -> list[Raised]:
    """The fired rows that become alerts: none within the cool-down of another about the same pivot.

    `earlier` are the times (seconds) of alerts that stand, by pivot. A row that comes late, before one of them, is held
    against it too. Every row was judged; only what is told is thinned out.
    """
    apart = max(rule.draft.cooldown_days * DAY_SECONDS, 1)
    times = {pivot: list(standing) for pivot, standing in earlier.items()}
    raised = []
    for row in fired[np.argsort(sheet.rows.at[fired], kind="stable")].tolist():
        pivot, at = pivot_of(rule, sheet, row), int(sheet.rows.at[row])
        told = times.setdefault(pivot, [])
        if all(abs(at - other) >= apart for other in told):
            told.append(at)
            raised.append(Raised(row, pivot))
    return raised


def triggers_of(rules: Sequence[ReadRule]) -> list[str]:
    """The kinds of activity that trigger any of these rules."""
    codes = {KIND_CODES[kind] for rule in rules for kind in rule.draft.triggers}
    return [KINDS[code] for code in sorted(codes)]
