"""A rule's version as it is stored and as it is asked for: plain values that read back to the same draft."""

from collections.abc import Mapping
from typing import Any

from reefpoint.decisions.monitoring.types import (
    ActivityKind,
    Consequence,
    Grade,
    Parameter,
    ParameterKind,
    Pivot,
    RuleDraft,
    RuleMode,
    RuleSource,
)


def to_stored(draft: RuleDraft) -> dict[str, Any]:
    """The draft as values of JSON, whole numbers and text alone."""
    return {
        "expression": draft.expression,
        "triggers": [kind.value for kind in draft.triggers],
        "parameters": [
            {
                "name": one.name,
                "kind": one.kind.value,
                "value": list(one.value) if isinstance(one.value, tuple) else one.value,
                "is_default": one.is_default,
            }
            for one in draft.parameters
        ],
        "pivot": draft.pivot.value,
        "cooldown_days": draft.cooldown_days,
        "mode": draft.mode.value,
        "consequence": draft.consequence.value,
        "sources": [{"title": one.title, "grade": one.grade.value, "note": one.note} for one in draft.sources],
    }


def from_stored(stored: Mapping[str, Any]) -> RuleDraft:
    """The draft that `to_stored` wrote."""
    return RuleDraft(
        expression=stored["expression"],
        triggers=tuple(ActivityKind(kind) for kind in stored["triggers"]),
        parameters=tuple(_parameter(one) for one in stored["parameters"]),
        pivot=Pivot(stored["pivot"]),
        cooldown_days=stored["cooldown_days"],
        mode=RuleMode(stored["mode"]),
        consequence=Consequence(stored["consequence"]),
        sources=tuple(RuleSource(one["title"], Grade(one["grade"]), one["note"]) for one in stored["sources"]),
    )


def _parameter(one: Mapping[str, Any]) -> Parameter:
    value = tuple(one["value"]) if isinstance(one["value"], list) else one["value"]
    return Parameter(one["name"], ParameterKind(one["kind"]), value, one["is_default"])
