"""Expressions: what may be written, and the same answer from columns, one case and rule-engine itself."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reefpoint.decisions.monitoring.rules.expressions import (
    Column,
    FactMissing,
    Kind,
    RuleMalformed,
    country_code,
    decide,
    judge_columns,
    read_expression,
)

KINDS = {
    "a": Kind.NUMBER,
    "b": Kind.NUMBER,
    "c": Kind.NUMBER,
    "p": Kind.FLAG,
    "q": Kind.FLAG,
    "land": Kind.COUNTRY,
    "lands": Kind.COUNTRIES,
}
LANDS = ["CN", "HK", "IR"]
numbers = st.one_of(
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 10**6).map(str),
    st.sampled_from(["1000000000000", "9223372036854775807"]),
)
sums = st.recursive(
    numbers,
    lambda part: st.builds("({} {} {})".format, part, st.sampled_from("+-*"), part) | part.map("(-{})".format),
    max_leaves=4,
)
asks = st.builds("{} {} {}".format, sums, st.sampled_from([">", ">=", "<", "<=", "==", "!="]), sums)
flags = st.one_of(asks, st.sampled_from(["p", "q", "land in lands", "true"]))
expressions = st.recursive(
    flags,
    lambda part: (
        st.builds("({} {} {})".format, part, st.sampled_from(["and", "or"]), part) | part.map("(not {})".format)
    ),
    max_leaves=5,
)
whole = st.integers(-(10**15), 10**15)
cases = st.fixed_dictionaries(
    {
        "a": whole | st.none(),
        "b": whole | st.none(),
        "c": whole,
        "p": st.booleans() | st.none(),
        "q": st.booleans(),
        "land": st.sampled_from([*LANDS, "US"]) | st.none(),
        "lands": st.just(LANDS),
    }
)


def columns_of(rows: list[dict[str, Any]]) -> dict[str, Column]:
    columns = {"lands": Column(np.array([country_code(land) for land in LANDS]))}
    for name in KINDS.keys() - {"lands"}:
        values = [country_code(row[name] or "") if name == "land" else int(row[name] or 0) for row in rows]
        known = np.array([row[name] is not None for row in rows])
        columns[name] = Column(np.array(values, dtype=np.int64), None if known.all() else known)
    return columns


@settings(max_examples=300, deadline=None)
@given(text=expressions, rows=st.lists(cases, min_size=1, max_size=5))
def test_columns_say_what_rule_engine_says_of_each_row(text: str, rows: list[dict[str, Any]]) -> None:
    expression = read_expression(text, KINDS)
    verdict = judge_columns(expression, columns_of(rows), len(rows))
    for number, row in enumerate(rows):
        if None not in row.values():
            assert verdict.is_decided[number]
            assert verdict.fires[number] == expression.rule.evaluate(row)
        if verdict.is_decided[number]:
            assert decide(expression, row) == verdict.fires[number]
        else:
            with pytest.raises(FactMissing):
                decide(expression, row)


def test_i61_a_flag_that_is_missing_is_not_false_as_rule_engine_would_have_it() -> None:
    expression = read_expression("not p", KINDS)
    assert expression.rule.evaluate({"p": None})
    with pytest.raises(FactMissing, match="p"):
        decide(expression, {"p": None})


@settings(max_examples=100, deadline=None)
@given(text=expressions, row=cases, other=cases)
def test_i61_an_answer_is_given_only_if_no_value_of_the_missing_facts_could_change_it(
    text: str, row: dict[str, Any], other: dict[str, Any]
) -> None:
    expression = read_expression(text, KINDS)
    verdict = judge_columns(expression, columns_of([row]), 1)
    filled = {name: other[name] if value is None else value for name, value in row.items()}
    if verdict.is_decided[0] and None not in filled.values():
        assert decide(expression, filled) == verdict.fires[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1 to 600"),
        ("a >", "cannot be read"),
        ("nothing > 1", "'nothing'"),
        ("a", "true or false"),
        ("a / b > 1", "not allowed"),
        ("a > 1.5", "whole number"),
        ("a and p", "flag is needed"),
        ("p > 1", "cannot be read"),
        ("land == 'CN'", "country stands"),
        ("land =~ '.*'", "not allowed"),
        ("a in [1, 2]", "number stands"),
        ("lands[0] == land", "not allowed|stands"),
        ("p.x", "cannot be read"),
        ("[x for x in lands] == lands", "stands|not allowed"),
        ("$abs(a) > 1", "not allowed|cannot be read|needed"),
        ("p or " * 200 + "p", "1 to 600"),
    ],
)
def test_i62_what_is_not_of_the_few_forms_is_refused_when_it_is_written(text: str, problem: str) -> None:
    with pytest.raises(RuleMalformed, match=problem):
        read_expression(text, KINDS)


def test_products_beyond_64_bits_are_exact() -> None:
    expression = read_expression("a * b > 999999999999999999999999999998", KINDS)
    assert decide(expression, {"a": 10**15, "b": 10**15})
    assert not decide(expression, {"a": 10**15, "b": 10**15 - 1})


def test_a_fact_that_is_not_told_at_all_is_refused_by_name() -> None:
    with pytest.raises(FactMissing, match="b"):
        decide(read_expression("a > b", KINDS), {"a": 1})
