"""A rule's expression: read by rule-engine, checked to be of the few forms that can only be right, run over columns.

What an expression may hold: facts and parameters by name, whole numbers, `+ - *`, comparisons, `and or not`, and
`country in countries`. Nothing divides, so everything is exact: a share is asked as `part * 100 >= percent * whole`.
An unknown name, a wrong type or any other form is refused when the rule is written, not when it runs.

A fact may be missing for a row. The answer is then known only if it is the same whatever the fact were (Kleene's
logic); else the row is undecided, never false (I61). `decide` raises for such a row; over columns they are counted.
One evaluator serves a single case, the sweep of what happens and a backtest; where rule-engine itself gives an answer,
it is the same (property test).
"""

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import rule_engine
from rule_engine import ast
from rule_engine.errors import EngineError

from reefpoint.engine.columns import Bools, Int64s
from reefpoint.platform.basics.errors import Refusal

EXPRESSION_CHARACTERS_MAX = 600
INT64_MAX = 2**63 - 1
DIGITS = 60
"""Digits of rule-engine's own arithmetic: more than any product of three facts has."""


class RuleMalformed(Refusal):
    """An expression that cannot be read, names what is not there, or uses a form that is not allowed."""

    code = "rule_malformed"


class FactMissing(Refusal):
    """A rule cannot be judged: a fact that it turns on is not known."""

    code = "fact_missing"


class Kind(StrEnum):
    NUMBER = "number"
    FLAG = "flag"
    COUNTRY = "country"
    COUNTRIES = "countries"


_TYPES = {
    Kind.NUMBER: rule_engine.DataType.FLOAT,
    Kind.FLAG: rule_engine.DataType.BOOLEAN,
    Kind.COUNTRY: rule_engine.DataType.STRING,
    Kind.COUNTRIES: rule_engine.DataType.ARRAY(rule_engine.DataType.STRING),
}
Numbers = npt.NDArray[np.int64] | npt.NDArray[np.object_]
"""int64, or Python integers where a product would not fit."""


@dataclass(frozen=True, eq=False)
class Column:
    """A fact of each row: int64[N] (flags 0 or 1, countries as `country_code`); `is_known` None where all are."""

    values: Int64s
    is_known: Bools | None = None


@dataclass(frozen=True, eq=False)
class Verdict:
    """bool[N] each: the rule fires, and whether that could be told."""

    fires: Bools
    is_decided: Bools


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression. `names` are the facts and parameters that it holds, sorted."""

    text: str
    kinds: Mapping[str, Kind]
    names: tuple[str, ...]
    statement: ast.ExpressionBase
    rule: rule_engine.Rule


def country_code(country: str) -> int:
    """An ISO 3166 alpha-2 code as a number; 0 for none."""
    return ord(country[0]) * 256 + ord(country[1]) if len(country) == 2 else 0


def read_expression(text: str, kinds: Mapping[str, Kind]) -> Expression:
    """Read and check an expression over these names. Raises `RuleMalformed`."""
    if not text.strip() or len(text) > EXPRESSION_CHARACTERS_MAX:
        raise RuleMalformed(
            "An expression has 1 to {expression_characters_max} characters.",
            expression_characters_max=EXPRESSION_CHARACTERS_MAX,
        )
    context = rule_engine.Context(
        type_resolver=rule_engine.type_resolver_from_dict({name: _TYPES[kind] for name, kind in kinds.items()}),
        decimal_context=decimal.Context(prec=DIGITS),
    )
    try:
        rule = rule_engine.Rule(text, context=context)
    except EngineError as error:
        raise RuleMalformed("The expression cannot be read: {error}", error=_words(error)) from error
    except RecursionError as error:
        raise RuleMalformed("The expression is nested too deeply.") from error
    statement = rule.statement.expression
    if _kind_of(statement, kinds) is not Kind.FLAG:
        raise RuleMalformed("The expression must ask something that is true or false.")
    return Expression(text, dict(kinds), tuple(sorted(context.symbols)), statement, rule)


def judge_columns(expression: Expression, columns: Mapping[str, Column], rows: int) -> Verdict:
    """Ask the expression of each row. Raises `KeyError` for a name that no column stands for."""
    values, is_known = _evaluate(expression.statement, columns, rows)
    fires = np.broadcast_to(values.astype(np.bool_), (rows,))
    if is_known is None:
        return Verdict(fires, np.ones(rows, dtype=np.bool_))
    return Verdict(fires & is_known, np.broadcast_to(is_known, (rows,)))


def decide(expression: Expression, facts: Mapping[str, object]) -> bool:
    """Ask the expression of one case; None is a missing fact.

    Raises `FactMissing` if the answer turns on one, and for a name that `facts` does not hold at all.
    """
    if absent := [name for name in expression.names if name not in facts]:
        raise FactMissing("Not told: {missing}.", missing=absent)
    columns = {name: _one_row(expression.kinds[name], facts[name]) for name in expression.names}
    verdict = judge_columns(expression, columns, 1)
    if not verdict.is_decided[0]:
        missing = [name for name in expression.names if facts[name] is None]
        raise FactMissing("The rule turns on what is not known: {missing}.", missing=missing)
    return bool(verdict.fires[0])


def _one_row(kind: Kind, value: object) -> Column:
    if value is None:
        return Column(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.bool_))
    return Column(constant(kind, value))


def constant(kind: Kind, value: object) -> Int64s:
    """A value as a column that serves every row. Raises `RuleMalformed` for one of another kind."""
    match kind, value:
        case Kind.COUNTRIES, list() | tuple():
            return np.array([country_code(str(country)) for country in value], dtype=np.int64)
        case Kind.COUNTRY, str():
            return np.array([country_code(value)], dtype=np.int64)
        case Kind.FLAG, bool():
            return np.array([int(value)], dtype=np.int64)
        case Kind.NUMBER, int() if not isinstance(value, bool) and abs(value) <= INT64_MAX:
            return np.array([value], dtype=np.int64)
    raise RuleMalformed("{value!r} is not a {kind}.", value=value, kind=kind)


def _words(error: EngineError) -> str:
    name = getattr(error, "symbol_name", None)
    return f"there is no fact or parameter {name!r}" if name else str(error.message or error)


def _kind_of(node: ast.ExpressionBase, kinds: Mapping[str, Kind]) -> Kind:  # noqa: PLR0911 - one for each form
    """What a part of an expression gives; refuses every form that is not listed here."""
    match node:
        case ast.SymbolExpression():
            if node.scope is not None or node.name not in kinds:
                raise RuleMalformed("There is no fact or parameter {name!r}.", name=node.name)
            return kinds[node.name]
        case ast.BooleanExpression():
            return Kind.FLAG
        case ast.FloatExpression():
            if node.value != int(node.value):
                raise RuleMalformed(
                    "{number} is not a whole number: ask with percent or basis points instead.", number=node.value
                )
            return Kind.NUMBER
        case ast.LogicExpression():
            _need(kinds, Kind.FLAG, node.left, node.right)
            return Kind.FLAG
        case ast.UnaryExpression() if node.type == "not":
            _need(kinds, Kind.FLAG, node.right)
            return Kind.FLAG
        case ast.UnaryExpression():
            _need(kinds, Kind.NUMBER, node.right)
            return Kind.NUMBER
        case ast.ArithmeticComparisonExpression() | ast.ComparisonExpression() if node.type in _COMPARE:
            _need(kinds, Kind.NUMBER, node.left, node.right)
            return Kind.FLAG
        case ast.AddExpression() | ast.SubtractExpression() | ast.ArithmeticExpression() if node.type in _COMBINE:
            _need(kinds, Kind.NUMBER, node.left, node.right)
            return Kind.NUMBER
        case ast.ContainsExpression():
            _need(kinds, Kind.COUNTRY, node.member)
            _need(kinds, Kind.COUNTRIES, node.container)
            return Kind.FLAG
    raise RuleMalformed(
        "{part} is not allowed: an expression holds facts, parameters, "
        "whole numbers, + - *, comparisons, and, or, not, and 'country in countries'.",
        part=type(node).__name__.removesuffix("Expression"),
    )


def _need(kinds: Mapping[str, Kind], kind: Kind, *nodes: ast.ExpressionBase) -> None:
    for node in nodes:
        if (found := _kind_of(node, kinds)) is not kind:
            raise RuleMalformed("A {kind} is needed where a {found} stands.", kind=kind, found=found)


_COMPARE = {
    "gt": np.greater,
    "ge": np.greater_equal,
    "lt": np.less,
    "le": np.less_equal,
    "eq": np.equal,
    "ne": np.not_equal,
}
_ALL = np.ones(1, dtype=np.bool_)
_COMBINE = {"add": np.add, "sub": np.subtract, "mul": np.multiply}
Part = tuple[Numbers, Bools | None]


def _evaluate(node: ast.ExpressionBase, columns: Mapping[str, Column], rows: int) -> Part:  # noqa: PLR0911 - as above
    match node:
        case ast.SymbolExpression():
            column = columns[node.name]
            return column.values, column.is_known
        case ast.BooleanExpression() | ast.FloatExpression():
            value = int(node.value)
            return _number(value), None
        case ast.LogicExpression():
            return _join(node.type, _evaluate(node.left, columns, rows), _evaluate(node.right, columns, rows))
        case ast.UnaryExpression():
            values, is_known = _evaluate(node.right, columns, rows)
            return (1 - values if node.type == "not" else _combine("sub", np.zeros(1, np.int64), values)), is_known
        case ast.ContainsExpression():
            member, is_known = _evaluate(node.member, columns, rows)
            container, _ = _evaluate(node.container, columns, rows)
            return np.isin(member, container).astype(np.int64), is_known
    assert isinstance(node, ast.BinaryExpressionBase)
    left, right = _evaluate(node.left, columns, rows), _evaluate(node.right, columns, rows)
    is_known = _both(left[1], right[1])
    if node.type in _COMPARE:
        return _COMPARE[node.type](left[0], right[0]).astype(np.int64), is_known
    return _combine(node.type, left[0], right[0]), is_known


def _combine(operation: str, left: Numbers, right: Numbers) -> Numbers:
    """Exactly: in int64 where every result fits, else in Python integers."""
    highest, other = _largest(left), _largest(right)
    reach = highest * other if operation == "mul" else highest + other
    if reach > INT64_MAX:
        left, right = left.astype(np.object_), right.astype(np.object_)
    combined: Numbers = _COMBINE[operation](left, right)
    return combined


def _number(value: int) -> Numbers:
    if abs(value) <= INT64_MAX:
        return np.array([value], dtype=np.int64)
    return np.array([value], dtype=np.object_)


def _largest(values: Numbers) -> int:
    return max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0


def _join(operation: str, left: Part, right: Part) -> Part:
    """`and`, `or`: known where both sides are, or where one side alone settles it."""
    (a, a_known), (b, b_known) = left, right
    is_and = operation == "and"
    if a_known is None and b_known is None:
        return (a & b if is_and else a | b), None
    a_known, b_known = _ALL if a_known is None else a_known, _ALL if b_known is None else b_known
    settling = 0 if is_and else 1
    is_settled = ((a == settling) & a_known) | ((b == settling) & b_known)
    return np.where(is_settled, settling, 1 - settling).astype(np.int64), is_settled | (a_known & b_known)


def _both(left: Bools | None, right: Bools | None) -> Bools | None:
    if left is None or right is None:
        return left if right is None else right
    return left & right
