"""Every typology fires on its example, and not on the three that look like it."""

from pathlib import Path

import pytest
from tests.decisions.monitoring.examples import activities

import reefpoint
from reefpoint.decisions.monitoring.adapters.typologies import load_examples, load_typologies
from reefpoint.decisions.monitoring.rules.facts import FACTS
from reefpoint.decisions.monitoring.rules.facts.sheet import FactSheet
from reefpoint.decisions.monitoring.rules.feeding import UNFED, UNNOTED, UNWATCHED
from reefpoint.decisions.monitoring.rules.judging import inputs_of, judge, raise_alerts, read_rule, replay
from reefpoint.decisions.monitoring.types import ActivityKind, Grade

CASES = ("fires", "below", "outside", "benign")
BY_CODE = {one.code: one for one in load_typologies()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("code", list(BY_CODE))
def test_a_typology_fires_where_it_should_and_nowhere_else(code: str, case: str) -> None:
    rule = read_rule(code, BY_CODE[code].draft)
    sheet = FactSheet(activities(load_examples()[code][case]))
    judged = judge(rule, sheet)
    raised = raise_alerts(rule, sheet, judged.fired, {})
    assert len(raised) == (case == "fires"), [inputs_of(rule, sheet, row) for row in range(len(sheet.rows))]
    for alert in raised:
        assert replay(rule, inputs_of(rule, sheet, alert.row)), "I60: judged again from what is stored"


def test_every_example_belongs_to_a_typology_and_has_its_four_cases() -> None:
    assert load_examples().keys() == BY_CODE.keys()
    assert {tuple(cases) for cases in load_examples().values()} == {CASES}


def test_there_are_27_typologies_and_each_says_where_it_comes_from() -> None:
    assert len(BY_CODE) == 27
    assert all(one.draft.sources for one in BY_CODE.values())
    for one in BY_CODE.values():
        has_source = any(source.grade is not Grade.DEFAULT for source in one.draft.sources)
        assert has_source or all(parameter.is_default for parameter in one.draft.parameters), one.code


def test_every_fact_is_asked_by_a_typology() -> None:
    asked = {name for one in BY_CODE.values() for name in read_rule(one.code, one.draft).facts}
    assert FACTS.keys() - asked == set()


def test_a_rule_is_not_fed_exactly_when_nothing_notes_what_it_is_asked_on() -> None:
    """A kind of activity counts as noted where a service makes a draft of it; 29 lacks a list, not a kind."""
    source = Path(reefpoint.__file__).parent
    rooms = [*source.glob("*/*/services/*.py"), *source.glob("*/*/services.py"), *source.glob("*/*/handlers.py")]
    text = "\n".join(file.read_text() for file in rooms)
    noted = {kind for kind in ActivityKind if f"ActivityKind.{kind.name}" in text}
    assert set(ActivityKind) - noted == UNNOTED
    blind = {one.code for one in BY_CODE.values() if set(one.draft.triggers) <= UNNOTED}
    assert UNFED.keys() == blind | {"instruction_outside_list"}
    assert {one.number for one in UNWATCHED} == set(range(1, 30)) - {one.number for one in BY_CODE.values()}
