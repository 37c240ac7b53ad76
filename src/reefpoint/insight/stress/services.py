"""Stress runs of the book as long work: asked for, left, come back to, handed out as CSV."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from reefpoint.engine.bands import Band
from reefpoint.engine.scenarios import ShockRow
from reefpoint.insight.stress.rules import usual_scenarios
from reefpoint.insight.stress.selectors.runs import find_breaking_fall, measure_sensitivities, stress_desk
from reefpoint.insight.stress.types import BandChange, BandTotal, ScenarioChoice, ScenarioOutcome
from reefpoint.platform.runs.types import Outcome, RunKind, Task, Value
from reefpoint.records.accounts.selectors.accounts import count_accounts

AT_ONCE = 1_000
"""Accounts that are valued within a call: a bound that was chosen, not measured."""
BANDS = ("safe", "warning", "call", "close_out")


def read_choice(inputs: Mapping[str, Any]) -> ScenarioChoice:
    """What was asked as it is kept with a run; nothing asked for is the usual scenarios."""
    falls = {name: tuple(inputs.get(name) or ()) for name in ("falls_bp", "market_falls_bp", "currency_falls_bp")}
    choice = ScenarioChoice(
        **falls,
        with_history=bool(inputs.get("with_history")),
        with_gaps=bool(inputs.get("with_gaps")),
        rows=tuple(ShockRow(*row) for row in inputs.get("rows") or ()),
    )
    return usual_scenarios() if choice == ScenarioChoice() else choice


def _stress(task: Task) -> Outcome:
    report = stress_desk(
        read_choice(task.inputs), at=task.at, currency=task.inputs.get("currency"), threads=os.cpu_count() or 1
    )
    worst = max(report.outcomes, key=lambda one: one.shortfall_minor)
    return Outcome(
        summary={
            "currency": report.currency,
            "fx_name": report.fx_name,
            "accounts": report.accounts,
            "debt_minor": report.debt_minor,
            "worst": worst.name,
            "by_scheme": [asdict(one) for one in worst.by_scheme],
            "by_pool": [asdict(one) for one in worst.by_pool],
            "worst_accounts": [asdict(one) for one in report.worst_accounts],
            "not_covered": list(report.not_covered),
        },
        rows=[_row_of(one) for one in report.outcomes],
    )


def _row_of(one: ScenarioOutcome) -> dict[str, Value]:
    return {
        "scenario": one.name,
        **_by_band(one.bands),
        "unknown": one.unknown_accounts,
        "close_out_debt_minor": next(total.debt_minor for total in one.bands if total.band is Band.CLOSE_OUT),
        "shortfall_minor": one.shortfall_minor,
        "proxies": len(one.proxies),
    }


def _by_band(bands: tuple[BandTotal, ...] | tuple[BandChange, ...]) -> dict[str, Value]:
    return dict(zip(BANDS, (one.accounts for one in bands), strict=True))


def _reverse(task: Task) -> Outcome:
    report = find_breaking_fall(
        limit_minor=task.inputs["limit_minor"],
        at=task.at,
        currency=task.inputs.get("currency"),
        falling=task.inputs.get("falling"),
        threads=os.cpu_count() or 1,
    )
    told = (
        "currency",
        "fx_name",
        "falling",
        "limit_minor",
        "fall_bp",
        "loss_minor",
        "loss_before_minor",
        "is_smallest",
    )
    return Outcome(
        summary={name: getattr(report, name) for name in told} | {"proxies": list(report.proxies)},
        rows=[{"account": number, "shortfall_minor": minor} for number, minor in report.accounts],
    )


def _sensitivities(task: Task) -> Outcome:
    report = measure_sensitivities(at=task.at, currency=task.inputs.get("currency"), threads=os.cpu_count() or 1)
    return Outcome(
        summary={"currency": report.currency, "fx_name": report.fx_name, "move_bp": report.move_bp},
        rows=[
            {
                "kind": one.kind.value,
                "code": one.code,
                "market_minor": one.market_minor,
                "shortfall_minor": one.shortfall_minor,
                **_by_band(one.bands),
            }
            for one in report.effects
        ],
    )


STRESS = RunKind(
    name="stress.scenarios",
    right="margin.view",
    columns=("scenario", *BANDS, "unknown", "close_out_debt_minor", "shortfall_minor", "proxies"),
    size=lambda _: count_accounts(),
    at_once=AT_ONCE,
    work=_stress,
)
"""`inputs`: the fields of `ScenarioChoice`, rows as triples, and `currency`, what sums are told in."""
REVERSE = RunKind(
    name="stress.reverse",
    right="margin.view",
    columns=("account", "shortfall_minor"),
    size=lambda _: count_accounts(),
    at_once=AT_ONCE,
    work=_reverse,
)
"""`inputs`: `limit_minor`, `falling` (see `way_of`; nothing for all prices), `currency`."""
SENSITIVITIES = RunKind(
    name="stress.sensitivities",
    right="margin.view",
    columns=("kind", "code", "market_minor", "shortfall_minor", *BANDS),
    size=lambda _: count_accounts(),
    at_once=AT_ONCE,
    work=_sensitivities,
)
"""`inputs`: `currency`."""
