"""Decision tables: proved whole when made, exact when asked, silent never (I61, I62)."""

import copy
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reefpoint.platform.basics.tables.reading import read_table
from reefpoint.platform.basics.tables.table import DecisionTable, MalformedTable, MissingInput

LOAN: dict[str, Any] = {
    "name": "loan",
    "policy": "unique",
    "inputs": [
        {"name": "age", "kind": "whole", "low": 0, "high": 130},
        {"name": "ratio", "kind": "exact", "low": "0"},
        {"name": "segment", "kind": "choice", "choices": ["retail", "professional", "institution"]},
        {"name": "is_insider", "kind": "flag"},
    ],
    "outputs": [{"name": "answer", "kind": "choice", "choices": ["yes", "no", "person"]}],
    "rows": [
        {
            "id": "minor",
            "when": {"age": "< 18", "ratio": "-", "segment": "-", "is_insider": "-"},
            "then": {"answer": "no"},
        },
        {
            "id": "insider",
            "when": {"age": ">= 18", "ratio": "-", "segment": "-", "is_insider": "true"},
            "then": {"answer": "person"},
        },
        {
            "id": "thin",
            "when": {"age": ">= 18", "ratio": "[0, 1.5)", "segment": "-", "is_insider": "false"},
            "then": {"answer": "no"},
        },
        {
            "id": "retail",
            "when": {"age": ">= 18", "ratio": ">= 1.5", "segment": "retail", "is_insider": "false"},
            "then": {"answer": "person"},
        },
        {
            "id": "others",
            "when": {"age": "[18, 130]", "ratio": ">= 1.5", "segment": "not retail", "is_insider": "false"},
            "then": {"answer": "yes"},
        },
    ],
}

SCORE: dict[str, Any] = {
    "name": "score",
    "policy": "collect_sum",
    "inputs": [
        {"name": "country", "kind": "choice", "choices": ["CN", "US", "KP"]},
        {"name": "turnover_pct", "kind": "whole", "low": 0},
    ],
    "outputs": [{"name": "points", "kind": "whole"}, {"name": "reason", "kind": "text"}],
    "rows": [
        {"id": "far", "group": "country", "when": {"country": "KP"}, "then": {"points": 40, "reason": "listed"}},
        {"id": "near", "group": "country", "when": {"country": "not KP"}, "then": {"points": 5, "reason": "usual"}},
        {"id": "calm", "group": "turnover", "when": {"turnover_pct": "<= 100"}, "then": {"points": 0, "reason": "low"}},
        {"id": "busy", "group": "turnover", "when": {"turnover_pct": "> 100"}, "then": {"points": 9, "reason": "high"}},
    ],
}


def changed(data: Mapping[str, Any], row: str, part: str, column: str, value: object) -> dict[str, Any]:
    """The table with one cell changed; the cell goes when the value is None."""
    copied = copy.deepcopy(dict(data))
    cells = next(entry for entry in copied["rows"] if entry["id"] == row)[part]
    if value is None:
        del cells[column]
    else:
        cells[column] = value
    return copied


def without(data: Mapping[str, Any], row: str) -> dict[str, Any]:
    return {**data, "rows": [entry for entry in data["rows"] if entry["id"] != row]}


@pytest.mark.parametrize(
    ("facts", "answer"),
    [
        ((17, Decimal("9"), "institution", False), "no"),
        ((18, Decimal("1.4999999999999999999"), "institution", False), "no"),
        ((18, Decimal("1.5"), "institution", False), "yes"),
        ((18, Decimal("1.5"), "retail", False), "person"),
        ((130, 2, "professional", True), "person"),
    ],
)
def test_the_one_row_that_holds_answers(facts: tuple[Any, ...], answer: str) -> None:
    inputs = dict(zip(("age", "ratio", "segment", "is_insider"), facts, strict=True))
    assert read_table(LOAN).decide(inputs)["answer"] == answer


def test_points_of_one_row_a_group_are_added_up() -> None:
    outcome = read_table(SCORE).decide({"country": "KP", "turnover_pct": 101})
    assert [row.id for row in outcome.rows] == ["far", "busy"]
    assert outcome.total("points") == 49


@pytest.mark.parametrize(
    ("country", "turnover", "names"),
    [
        (None, 5, ("country",)),
        ("DE", 5, ("country",)),
        ("CN", None, ("turnover_pct",)),
        ("CN", -1, ("turnover_pct",)),
        ("CN", 5.0, ("turnover_pct",)),
        ("CN", True, ("turnover_pct",)),
        ("CN", Decimal(5), ("turnover_pct",)),
        ("cn", "5", ("country", "turnover_pct")),
    ],
)
def test_i61_a_missing_or_unknown_input_is_named_and_matches_nothing(
    country: Any, turnover: Any, names: tuple[str, ...]
) -> None:
    with pytest.raises(MissingInput) as missing:
        read_table(SCORE).decide({"country": country, "turnover_pct": turnover})
    assert missing.value.names == names


def test_what_is_known_of_a_case_is_told_beside_what_is_missing() -> None:
    outcome, missing = read_table(SCORE).decide_known({"country": "KP"})
    assert (outcome.total("points"), [row.id for row in outcome.rows], missing) == (40, ["far"], ("turnover_pct",))


@pytest.mark.parametrize(
    ("table", "cell", "problem"),
    [
        (without(LOAN, "insider"), "table", "no row answers age 18, ratio 0, segment retail, is_insider true"),
        (without(LOAN, "thin"), "table", "no row answers age 18, ratio 0, segment retail, is_insider false"),
        (without(SCORE, "near"), "country", "no row answers country CN"),
        (changed(LOAN, "thin", "when", "ratio", "[0, 1.5]"), "row retail", "overlaps row thin at age 18, ratio 1.5"),
        (changed(LOAN, "thin", "when", "ratio", "(0, 1.5)"), "table", "no row answers age 18, ratio 0, "),
        (changed(LOAN, "retail", "when", "ratio", "> 1.5"), "table", "ratio 1.5, segment retail"),
        (changed(LOAN, "minor", "when", "age", "<= 18"), "row insider", "overlaps row minor at age 18"),
        (changed(LOAN, "minor", "when", "age", "< 17"), "table", "no row answers age 17"),
        (changed(LOAN, "minor", "when", "age", "< 17.5"), "row minor, age", "17.5 is not whole"),
        (changed(LOAN, "minor", "when", "age", "youth"), "row minor, age", "is not a range of numbers"),
        (changed(LOAN, "minor", "when", "age", ""), "row minor, age", "is not a range of numbers"),
        (changed(LOAN, "minor", "when", "age", 18), "row minor, age", "18 is not text"),
        (changed(LOAN, "minor", "when", "age", "[18, 3]"), "row minor, age", "admits nothing"),
        (changed(LOAN, "minor", "when", "age", "<= 131"), "row minor, age", "reaches beyond what age can hold"),
        (changed(LOAN, "minor", "when", "age", None), "row minor, age", "the cell is missing"),
        (changed(LOAN, "minor", "when", "shoe", "-"), "row minor, shoe", "there is no such column"),
        (changed(LOAN, "retail", "when", "segment", "retial"), "row retail, segment", "has no value 'retial'"),
        (changed(LOAN, "retail", "when", "segment", "retail, retail"), "row retail, segment", "names a value twice"),
        (changed(LOAN, "insider", "when", "is_insider", "yes"), "row insider, is_insider", "neither true nor false"),
        (changed(LOAN, "thin", "then", "answer", "perhaps"), "row thin, answer", "'perhaps' is not a value of answer"),
        (changed(LOAN, "thin", "then", "answer", None), "row thin, answer", "the cell is missing"),
        (changed(SCORE, "far", "then", "points", 4.5), "row far, points", "4.5 is not a value of points"),
        (changed(SCORE, "far", "then", "points", "4"), "row far, points", "'4' is not a value of points"),
        (changed(SCORE, "far", "then", "points", True), "row far, points", "True is not a value of points"),
        (changed(SCORE, "far", "when", "turnover_pct", "-"), "row near, turnover_pct", "rest on the same inputs"),
        ({**LOAN, "policy": "first"}, "policy", "'first' is not a hit policy"),
        ({**LOAN, "default": "no"}, "table, default", "there is no such column"),
        ({**LOAN, "rows": []}, "rows", "the table has no row"),
        ({**LOAN, "rows": [*LOAN["rows"], LOAN["rows"][0]]}, "row minor", "two rows have this id"),
        ({**SCORE, "policy": "unique"}, "row far", "rows have a group where one of each group answers"),
        ({**SCORE, "rows": SCORE["rows"][:2]}, "input turnover_pct", "no row rests on it"),
        ({**SCORE, "inputs": [{"name": "country", "kind": "choice"}]}, "inputs, country", "a choice lists its values"),
        ({**SCORE, "inputs": [{"name": "n", "kind": "whole", "low": 0.5}]}, "inputs, n", "0.5 is not a value"),
        ({**SCORE, "inputs": [{"name": "n", "kind": "whole", "low": 2, "high": 1}]}, "inputs, n", "nothing lies"),
        ({**SCORE, "inputs": [{"name": "words", "kind": "text"}]}, "inputs", "no condition can rest on free text"),
    ],
)
def test_i62_a_malformed_table_is_never_made_and_its_cell_is_named(table: Any, cell: str, problem: str) -> None:
    with pytest.raises(MalformedTable) as refused:
        read_table(table)
    assert refused.value.cell == cell
    assert problem in refused.value.message


BOUNDS = st.integers(-50, 50).map(lambda tenths: Decimal(tenths) / 10)
SPANS = st.one_of(
    st.builds(lambda sign, bound: f"{sign} {bound}", st.sampled_from(["<", "<=", ">", ">=", "="]), BOUNDS),
    st.builds(
        lambda opening, low, high, closing: f"{opening}{low}, {high}{closing}",
        st.sampled_from("[("),
        BOUNDS,
        BOUNDS,
        st.sampled_from("])"),
    ),
    st.just("-"),
)
SETS = st.sampled_from(["-", "a", "b", "c", "a, b", "not a", "not a, c"])
FLAGS = st.sampled_from(["-", "true", "false"])
TABLES = st.lists(st.tuples(SPANS, SETS, FLAGS), min_size=1, max_size=5)
NUMBERS = st.one_of(BOUNDS, st.integers(-600, 600).map(lambda hundredths: Decimal(hundredths) / 100))


def admits(text: str, number: Decimal) -> bool:
    """What a condition on numbers says, read once more and in another way."""
    if text == "-":
        return True
    if text[0] in "[(":
        low, high = (Decimal(part) for part in text[1:-1].split(", "))
        return (number > low or (text[0] == "[" and number == low)) and (
            number < high or (text[-1] == "]" and number == high)
        )
    sign, bound = text.split()
    return {
        "<": number < Decimal(bound),
        "<=": number <= Decimal(bound),
        ">": number > Decimal(bound),
        ">=": number >= Decimal(bound),
        "=": number == Decimal(bound),
    }[sign]


def among(text: str, value: str) -> bool:
    if text.startswith("not "):
        return value not in text.removeprefix("not ").split(", ")
    return text == "-" or value in text.split(", ")


def answering(rows: list[tuple[str, str, str]], number: Decimal, letter: str, flag: bool) -> list[int]:
    """The rows that hold, by reading every one."""
    return [
        index
        for index, (span, letters, flags) in enumerate(rows)
        if admits(span, number) and among(letters, letter) and flags in {"-", str(flag).lower()}
    ]


def table_of(rows: list[tuple[str, str, str]]) -> DecisionTable:
    names = ("number", "letter", "flag")
    return read_table(
        {
            "name": "any",
            "policy": "unique",
            "inputs": [
                {"name": "number", "kind": "exact"},
                {"name": "letter", "kind": "choice", "choices": ["a", "b", "c"]},
                {"name": "flag", "kind": "flag"},
            ],
            "outputs": [{"name": "row", "kind": "whole"}],
            "rows": [
                {"id": f"r{index}", "when": dict(zip(names, row, strict=True)), "then": {"row": index}}
                for index, row in enumerate(rows)
            ],
        }
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=TABLES, number=NUMBERS, letter=st.sampled_from("abc"), flag=st.booleans())
def test_i62_whatever_table_is_made_gives_every_input_the_one_row_that_holds(
    rows: list[tuple[str, str, str]], number: Decimal, letter: str, flag: bool
) -> None:
    try:
        table = table_of(rows)
    except MalformedTable:
        return
    found = table.decide({"number": number, "letter": letter, "flag": flag})["row"]
    assert answering(rows, number, letter, flag) == [found]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(BOUNDS, max_size=4, unique=True), dropped=st.integers(0, 100), doubled=st.integers(0, 100))
def test_i62_a_whole_table_is_accepted_and_one_row_less_or_one_more_is_not(
    cuts: list[Decimal], dropped: int, doubled: int
) -> None:
    bounds = sorted(cuts)
    spans = ["-"] if not bounds else [f"< {bounds[0]}", *_between(bounds), f">= {bounds[-1]}"]
    rows = [(span, letters, "-") for span in spans for letters in ("a", "not a")]
    assert len(table_of(rows).rows) == len(rows)
    with pytest.raises(MalformedTable, match="no row answers"):
        table_of([row for index, row in enumerate(rows) if index != dropped % len(rows)])
    with pytest.raises(MalformedTable, match="overlaps"):
        table_of([*rows, rows[doubled % len(rows)]])


def _between(bounds: list[Decimal]) -> list[str]:
    return [f"[{low}, {high})" for low, high in pairwise(bounds)]


def test_what_an_editor_of_rows_can_cause_has_a_code_with_its_figures() -> None:
    def why(change: Any) -> tuple[str, Mapping[str, str]]:
        table = copy.deepcopy(LOAN)
        change(table["rows"])
        with pytest.raises(MalformedTable) as refused:
            read_table(table)
        return refused.value.why, refused.value.figures

    def cell(name: str, text: str) -> Any:
        return lambda rows: rows[2]["when"].update({name: text})

    assert why(cell("ratio", "much")) == ("no_range", {"text": "much", "column": "ratio"})
    assert why(cell("age", "[20, 19]")) == ("admits_nothing", {"text": "[20, 19]", "column": "age"})
    assert why(cell("age", "> 2.5")) == ("not_whole", {"text": "2.5", "column": "age"})
    assert why(cell("age", "<= 900")) == ("beyond", {"text": "<= 900", "column": "age"})
    assert why(cell("segment", "crowd")) == ("no_such_value", {"text": "crowd", "column": "segment"})
    assert why(cell("is_insider", "maybe")) == ("no_flag", {"text": "maybe", "column": "is_insider"})
    assert why(lambda rows: rows[0].update(then={"answer": "perhaps"})) == (
        "not_a_value",
        {"text": "perhaps", "column": "answer"},
    )
    assert why(lambda rows: rows[1].update(id="minor")) == ("id_twice", {"row": "minor"})
    assert why(lambda rows: rows[1].update(id="")) == ("no_id", {})
    assert why(lambda rows: rows[1].update(group="g")) == ("no_group", {})
    assert why(lambda rows: rows.clear()) == ("no_row", {})
