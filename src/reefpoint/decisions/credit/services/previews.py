"""What another policy would have made of past decisions, as a run that can be left and come back to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reefpoint.decisions.credit.rules import read_policy
from reefpoint.decisions.credit.selectors.decisions import count_decisions, preview_policy
from reefpoint.platform.runs.types import Outcome, RunKind, Task

AT_ONCE = 500
"""Decisions that are looked at within a call: a bound that was chosen, not measured."""


def _size(inputs: Mapping[str, Any]) -> int:
    read_policy(inputs["content"])
    return count_decisions()


def _work(task: Task) -> Outcome:
    found = preview_policy(task.actor, read_policy(task.inputs["content"]), task.progress)
    return Outcome(
        summary={
            "looked_at": found.looked_at,
            "changed_outcomes": found.changed_outcomes,
            "changed_limits": found.changed_limits,
        },
        rows=[asdict(one) for one in found.changes],
    )


POLICY_PREVIEW = RunKind(
    name="credit.preview",
    right="credit.view",
    columns=(
        "decision_id",
        "client_number",
        "currency",
        "old_outcome",
        "new_outcome",
        "old_limit_minor",
        "new_limit_minor",
    ),
    size=_size,
    at_once=AT_ONCE,
    work=_work,
)
"""`inputs` are the policy's content, which is proved before the run is taken."""
