"""The gap loss of the book as long work: asked for, left, come back to, handed out as CSV."""

import os
from collections.abc import Mapping
from typing import Any

from reefpoint.decisions.collateral.selectors.assumptions import DAYS
from reefpoint.insight.collateral.selectors import find_gap_loss
from reefpoint.insight.collateral.types import TailFigures
from reefpoint.platform.runs.types import Outcome, RunKind, Task, Value
from reefpoint.records.accounts.selectors.accounts import count_accounts

AT_ONCE = 1_000_000
"""Accounts times paths, of eight days, that are worked within a call."""
PATHS = 2_000
FEWEST = 100
"""A book of fewer accounts counts as so many: the paths of its names are simulated all the same."""


def _size(inputs: Mapping[str, Any]) -> int:
    paths = int(inputs.get("paths") or PATHS)
    return max(count_accounts(), FEWEST) * paths * max(int(inputs.get("days") or 0), DAYS) // DAYS


def _work(task: Task) -> Outcome:
    asked = {name: task.inputs[name] for name in ("days", "grace_days", "seed") if task.inputs.get(name) is not None}
    report = find_gap_loss(
        at=task.at,
        currency=task.inputs.get("currency"),
        paths=int(task.inputs.get("paths") or PATHS),
        threads=os.cpu_count() or 1,
        **asked,
    )
    told = ("currency", "fx_name", "paths", "days", "grace_days", "seed", "accounts", "unknown_accounts")
    groups = (
        ("all", (report.total,)),
        ("scheme", report.by_scheme),
        ("pool", report.by_pool),
        ("account", report.worst_accounts),
    )
    return Outcome(
        summary={name: getattr(report, name) for name in told}
        | {"proxies": list(report.proxies), "assumptions": list(report.assumptions)},
        rows=[_row_of(kind, figures) for kind, members in groups for figures in members],
    )


def _row_of(kind: str, figures: TailFigures) -> dict[str, Value]:
    """Figures of the last level, the furthest in the tail."""
    return {
        "of": kind,
        "code": figures.code,
        "currency": figures.currency,
        "debt_minor": figures.debt_minor,
        "expected_minor": figures.expected_minor,
        "expected_error_minor": figures.expected_error_minor,
        "var_99_minor": figures.value_at_risk_minor[-1],
        "es_99_minor": figures.expected_shortfall_minor[-1],
        "es_99_error_minor": figures.expected_shortfall_error_minor[-1],
    }


GAP = RunKind(
    name="stress.gap",
    right="margin.view",
    columns=(
        "of",
        "code",
        "currency",
        "debt_minor",
        "expected_minor",
        "expected_error_minor",
        "var_99_minor",
        "es_99_minor",
        "es_99_error_minor",
    ),
    size=_size,
    at_once=AT_ONCE,
    work=_work,
)
"""`inputs`: `paths`, `days`, `grace_days`, `seed`, each with a usual value, and `currency`."""
