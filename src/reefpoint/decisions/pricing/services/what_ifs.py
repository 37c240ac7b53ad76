"""What another grid would do to the book, as a run that can be left and come back to."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reefpoint.decisions.pricing.rules import read_grid
from reefpoint.decisions.pricing.selectors import grid
from reefpoint.decisions.pricing.selectors.book import what_if
from reefpoint.platform.publications.selectors import in_force
from reefpoint.platform.runs.types import Outcome, RunKind, Task
from reefpoint.records.accounts.selectors.loans import count_open_loans

AT_ONCE = 2_000
"""Loans that are priced within a call: a bound that was chosen, not measured."""


def _size(inputs: Mapping[str, Any]) -> int:
    read_grid(inputs["content"])
    return count_open_loans()


def _work(task: Task) -> Outcome:
    old = grid.read_grid(in_force(grid.GRID, task.on).id)
    found = what_if(task.actor, old=old, new=read_grid(task.inputs["content"]), on=task.on, at=task.at)
    return Outcome(
        summary={
            "loans": found.loans,
            "moved": found.moved,
            "can_move": found.can_move,
            "income": dict(found.income),
            "income_if_all": dict(found.income_if_all),
            "unknown": dict(found.unknown),
        },
        rows=[asdict(move) for move in found.moves],
    )


BOOK_WHAT_IF = RunKind(
    name="pricing.what_if",
    right="pricing.view",
    columns=(
        "loan_number",
        "loan_id",
        "account_id",
        "currency",
        "principal_minor",
        "rate_kind",
        "rate_bp",
        "old_bp",
        "new_bp",
        "income_minor",
    ),
    size=_size,
    at_once=AT_ONCE,
    work=_work,
)
"""`inputs` are the grid's content, which is proved before the run is taken; the book is that of the asking."""
