"""A version run over history beside the one in force: what it would have raised, for whom, and what it would miss."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from django.db import transaction

from reefpoint.decisions.monitoring.events import BacktestRequested
from reefpoint.decisions.monitoring.models import Backtest, RuleVersion
from reefpoint.decisions.monitoring.rules.columns import Activities
from reefpoint.decisions.monitoring.rules.facts.sheet import FactSheet
from reefpoint.decisions.monitoring.rules.judging import Raised, ReadRule, inputs_of, judge, raise_alerts
from reefpoint.decisions.monitoring.selectors.columns import HISTORY_DAYS, is_between, load_activities
from reefpoint.decisions.monitoring.selectors.rules import RuleNotFound, read_version
from reefpoint.decisions.monitoring.types import BacktestState, RuleVersionState
from reefpoint.decisions.relations.selectors import load_groups
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish

SHOWN_MAX = 200
"""Clients and alerts that a result lists; all are counted."""
STAGES = 4


class BacktestRefused(Refusal):
    """Dates that hold no history."""

    code = "backtest_refused"


@transaction.atomic
def request_backtest(*, actor: Actor, version_id: int, since: date, until: date, at: datetime) -> int:
    """Let a version be run over the activities of these days, both inclusive. Returns the backtest's id."""
    require(actor, "monitoring.change_rules")
    if since > until:
        raise BacktestRefused(
            "The history would end on {until}, before it begins on {since}.", until=until, since=since
        )
    if not RuleVersion.objects.filter(id=version_id).exists():
        raise RuleNotFound("There is no such version.")
    row = Backtest.objects.create(
        version_id=version_id, since=since, until=until, total=STAGES, asked_by=actor.ref, asked_at=at
    )
    record(
        actor=actor,
        action="monitoring.backtest",
        subject=f"rule_version:{version_id}",
        inputs={"since": since.isoformat(), "until": until.isoformat()},
        at=at,
    )
    publish(BacktestRequested(backtest_id=row.pk, at=at))
    return row.pk


def run_backtest(*, backtest_id: int) -> None:
    """Run it, stage by stage; killed anywhere, it is run again from the start. One that has ended stays as it is."""
    row = Backtest.objects.select_related("version__rule").get(id=backtest_id)
    if row.state in {BacktestState.DONE, BacktestState.FAILED}:
        return
    _progress(row, BacktestState.RUNNING, 0)
    try:
        row.result = _run(row)
    except Refusal as refusal:
        row.error = refusal.message[:300]
        _progress(row, BacktestState.FAILED, row.done)
        return
    _progress(row, BacktestState.DONE, STAGES)


def _run(row: Backtest) -> dict[str, object]:
    version = row.version
    before = (
        RuleVersion.objects.filter(rule=version.rule, state=RuleVersionState.APPROVED, effective_from__lte=row.until)
        .exclude(id=version.pk)
        .select_related("rule")
        .order_by("-effective_from", "-version")
        .first()
    )
    since = datetime.combine(row.since, time.min, UTC)
    rows = load_activities(
        since=since - timedelta(days=HISTORY_DAYS),
        until=datetime.combine(row.until, time.max, UTC),
        groups=load_groups(),
    )
    _progress(row, BacktestState.RUNNING, 1)
    sheet = FactSheet(rows)
    is_asked = is_between(rows, row.since, None)
    new = read_version(version)
    raised, undecided = _raised(new, sheet, is_asked)
    _progress(row, BacktestState.RUNNING, 2)
    raised_before = _raised(read_version(before), sheet, is_asked)[0] if before else []
    _progress(row, BacktestState.RUNNING, 3)
    clients, clients_before = _clients(rows, raised), _clients(rows, raised_before)
    return {
        "activities": int(is_asked.sum()),
        "alerts": len(raised),
        "alerts_before": len(raised_before),
        "version_before": before.version if before else None,
        "undecided": undecided,
        "months": _months(rows, raised, raised_before),
        "clients": len(clients),
        "clients_before": len(clients_before),
        "clients_added": sorted(clients - clients_before)[:SHOWN_MAX],
        "clients_lost": sorted(clients_before - clients)[:SHOWN_MAX],
        "shown": [_shown(new, sheet, one) for one in raised[:SHOWN_MAX]],
    }


def _raised(rule: ReadRule, sheet: FactSheet, is_asked: np.ndarray) -> tuple[list[Raised], int]:
    judged = judge(rule, sheet, is_asked)
    return raise_alerts(rule, sheet, judged.fired, {}), len(judged.undecided)


def _clients(rows: Activities, raised: Sequence[Raised]) -> set[int]:
    return {int(rows.client[one.row]) for one in raised}


def _months(rows: Activities, raised: Sequence[Raised], before: Sequence[Raised]) -> list[list[object]]:
    """[month, alerts, alerts of the version before], oldest first."""
    new, old = (Counter(_at(rows, one).strftime("%Y-%m") for one in some) for some in (raised, before))
    return [[month, new[month], old[month]] for month in sorted(new.keys() | old.keys())]


def _shown(rule: ReadRule, sheet: FactSheet, one: Raised) -> dict[str, object]:
    return {
        "client_id": int(sheet.rows.client[one.row]),
        "at": f"{_at(sheet.rows, one):%Y-%m-%d %H:%M}",
        "pivot": one.pivot,
        "inputs": inputs_of(rule, sheet, one.row),
    }


def _at(rows: Activities, one: Raised) -> datetime:
    return datetime.fromtimestamp(int(rows.at[one.row]), UTC)


def _progress(row: Backtest, state: BacktestState, done: int) -> None:
    row.state, row.done = state, done
    row.save(update_fields=["state", "done", "result", "error"])
