"""Scorecards: a case scored by the desk's own runtime, beside optbinning on the same card with the same points.

The card is trained here on the German credit data, since only a fitted object of optbinning can score with it. Points
are not rounded: both must give the same bits. The challenger is timed too: score and explanation of a case.
"""

import json
from typing import Any

import numpy as np

from reefpoint.benchmarks.goals import ACCOUNTS
from reefpoint.benchmarks.peers import OURS
from reefpoint.benchmarks.results import Machine, Table
from reefpoint.benchmarks.timing import Candidate, measure
from reefpoint.decisions.scoring.adapters import german
from reefpoint.decisions.scoring.adapters.shipped import read_data
from reefpoint.decisions.scoring.rules.cards import make_runtime, read_card
from reefpoint.decisions.scoring.rules.trees import read_boosted

ONE_BY_ONE = 20
EXPLAINED = 50
SMALLEST = 10_000
"""Scoring does not know the size of the book: it is measured with the smallest and at that of the goals."""


def measure_scorecards(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Score 1,000 cases; the figures are of one case."""
    del machine
    if SMALLEST < accounts < ACCOUNTS:
        return []
    cases = [case for case, _ in german.read_german()]
    card_text, peers, absent = _fit(cases)
    runtime = make_runtime(read_card(card_text))
    parts = len(cases)
    own = Candidate(
        "the desk's runtime",
        OURS,
        lambda: [runtime.points(case) for case in cases],
        lambda points: {"points": np.array(points, dtype=np.float64)},
        measured_part=parts,
    )
    lines = measure([own, *peers], rounds=rounds)
    trees = read_boosted(read_data("german_boosted.txt"))
    rows = [trees.row(case) for case in cases]
    (scored,) = measure(
        [Candidate("challenger, score", OURS, lambda: [trees.raw(row) for row in rows], _raw, measured_part=parts)],
        rounds=rounds,
    )
    (explained,) = measure(
        [
            Candidate(
                "challenger, score explained",
                OURS,
                lambda: [trees.contributions(row) for row in rows[:EXPLAINED]],
                _raw,
                measured_part=EXPLAINED,
            )
        ],
        rounds=rounds,
    )
    (full,) = measure(
        [
            Candidate(
                "the desk's runtime, with grade, parts and reasons",
                OURS,
                lambda: [runtime.score(case).points for case in cases],
                _raw,
                measured_part=parts,
            )
        ],
        rounds=rounds,
    )
    table = Table(
        subject="scorecards",
        title="Scoring a case",
        accounts=accounts,
        positions=0,
        per="one case",
        lines=(*lines, full, scored, explained),
        facts={
            "card": f"{len(runtime.card.characteristics)} inputs, trained on {parts:,} cases; equal to the last bit",
            "challenger": f"{len(trees.trees)} trees over {len(trees.names)} inputs",
        },
        absent=absent,
    )
    figures: dict[str, float | None] = {"scorecards.case_us": lines[0].cpu_s * 1e6}
    return [table.with_figures(figures | {"scorecards.optbinning": table.least_ratio("optbinning")})]


def _raw(values: list[Any]) -> dict[str, Any]:
    return {"values": np.array(values, dtype=np.float64)}


def _fit(cases: list[german.Case]) -> tuple[str, list[Candidate], dict[str, str]]:
    """A card and the candidates of optbinning; without it the shipped card, and why."""
    from reefpoint.decisions.scoring.adapters import training  # noqa: PLC0415

    try:
        table, bad = training.load_frame()
        fitted = training.fit_card(table, bad, rounding=False)
    except (ImportError, OSError):
        return read_data("german_card.json"), [], {"optbinning": "not installed"}
    text = json.dumps(training.card_to_json(fitted, code="bench"))
    rows = [table.iloc[[row]] for row in range(ONE_BY_ONE)]
    expected = fitted.score(table)

    def read_few(points: list[Any]) -> dict[str, Any]:
        return {"points": np.concatenate([*points, expected[ONE_BY_ONE:]])}

    return (
        text,
        [
            Candidate(
                "optbinning, all cases in one table",
                "optbinning",
                lambda: fitted.score(table),
                lambda points: {"points": points},
                measured_part=len(cases),
            ),
            Candidate(
                "optbinning, a case at a time",
                "optbinning, single",
                lambda: [fitted.score(row) for row in rows],
                read_few,
                measured_part=ONE_BY_ONE,
            ),
        ],
        {},
    )
