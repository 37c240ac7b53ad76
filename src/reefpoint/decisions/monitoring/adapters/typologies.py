"""The typologies that come with the program, and their examples: data files, read once and checked whole."""

from functools import lru_cache
from importlib.resources import files
from typing import Any

from reefpoint.decisions.monitoring.types import (
    ActivityKind,
    Consequence,
    Grade,
    Parameter,
    ParameterKind,
    ParameterValue,
    Pivot,
    RuleDraft,
    RuleMode,
    RuleSource,
    Typology,
)
from reefpoint.platform.basics.data_files import read_yaml

_DATA = files("reefpoint.decisions.monitoring") / "data"


@lru_cache(maxsize=1)
def load_typologies() -> tuple[Typology, ...]:
    """All typologies, by number. They start live; a desk may change them by two people."""
    document = read_yaml(_DATA / "typologies.yaml")
    sources = {
        letter: RuleSource(given["title"], Grade(given["grade"])) for letter, given in document["sources"].items()
    }
    return tuple(_typology(given, sources) for given in document["rules"])


@lru_cache(maxsize=1)
def load_examples() -> dict[str, dict[str, tuple[str, ...]]]:
    """The examples of each typology by its code: what should fire and what should not, line by line."""
    document = read_yaml(_DATA / "examples.yaml")
    return {
        code: {name: tuple(lines.strip().splitlines()) for name, lines in cases.items()}
        for code, cases in document.items()
    }


def _typology(given: dict[str, Any], sources: dict[str, RuleSource]) -> Typology:
    sourced = set(given.get("sourced", ()))
    draft = RuleDraft(
        expression=" ".join(given["when"].split()),
        triggers=tuple(ActivityKind(kind) for kind in given["triggers"]),
        parameters=tuple(_parameter(name, said, sourced) for name, said in given["parameters"].items()),
        pivot=Pivot(given["pivot"]),
        cooldown_days=given["cooldown_days"],
        mode=RuleMode(given.get("mode", RuleMode.LIVE)),
        consequence=Consequence(given.get("consequence", Consequence.ALERT)),
        sources=tuple(sources[letter] for letter in given["sources"]),
    )
    return Typology(
        code=given["code"],
        number=given["number"],
        title=given["title"],
        title_zh=given["title_zh"],
        what=given["what"],
        what_zh=given["what_zh"],
        draft=draft,
    )


def _parameter(name: str, said: str, sourced: set[str]) -> Parameter:
    """`money 5_000_000`, or `countries KP IR`."""
    kind, *words = said.split()
    value: ParameterValue = tuple(words) if kind == ParameterKind.COUNTRIES else int(words[0])
    return Parameter(name, ParameterKind(kind), value, is_default=name not in sourced)
