"""Judging what happened: each activity by the versions that were in force on its day.

A sweep takes the activities of transactions that have ended since the last one, looks at all that their clients (and
whoever is tied to them) did, and raises alerts, in one transaction with its watermark: a kill loses nothing and does
nothing twice. An activity that comes late is judged as of its own time, and what its client did since is judged anew;
alerts that stand are never rewritten, they only keep the same thing from being told twice.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection, transaction

from reefpoint.decisions.monitoring.events import AlertRaised
from reefpoint.decisions.monitoring.models import Alert, Undecided, Watermark
from reefpoint.decisions.monitoring.rules.facts.sheet import FactSheet
from reefpoint.decisions.monitoring.rules.judging import inputs_of, judge, missing_of, raise_alerts
from reefpoint.decisions.monitoring.selectors.columns import (
    HISTORY_DAYS,
    is_between,
    load_activities,
    load_related,
    seconds,
)
from reefpoint.decisions.monitoring.selectors.rules import InForce, load_in_force
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.services.market_days import note_market_days
from reefpoint.decisions.monitoring.services.restrictions import restrict_for_alert, restrict_undecided
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind, Consequence, RuleMode, SweepResult
from reefpoint.decisions.relations.selectors import load_groups, load_members
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.database.bulk import insert_columns
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish_all

MONITORING = system_actor("monitoring")
COOLDOWN_MAX = timedelta(days=366)


@transaction.atomic
def sweep(*, actor: Actor = MONITORING, at: datetime) -> SweepResult:
    """Judge what happened since the last sweep. `at` is when alerts are raised; what they tell of has its own time."""
    lock_name("monitoring.sweep")
    mark, _ = Watermark.objects.get_or_create(id=1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        horizon: int = cursor.fetchone()[0]
        cursor.execute(
            """
            SELECT client_id, min(at), count(*) FROM monitoring_activity
             WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8 GROUP BY client_id
            """,
            [mark.below_xid, horizon],
        )
        fresh = cursor.fetchall()
    mark.below_xid, mark.swept_at = horizon, at
    mark.save()
    since = {client_id: first for client_id, first, _ in fresh}
    note_market_days(since=min([*since.values(), at - timedelta(days=10)]), at=at)
    if not since:
        return SweepResult(0, 0, 0, 0, 0)
    _note_groups(list(since), at)
    return replace(judge_clients(actor=actor, since=since, at=at), activities=sum(count for *_, count in fresh))


@transaction.atomic
def judge_clients(*, actor: Actor = MONITORING, since: Mapping[int, datetime], at: datetime) -> SweepResult:
    """Judge what each of these clients did from an instant on, by every version that was in force on its day."""
    in_force = [one for one in load_in_force() if one.read.draft.mode is not RuleMode.TEST]
    return _judge(actor, in_force, since, at=at)


@transaction.atomic
def judge_now(*, actor: Actor = MONITORING, client_id: int, since: datetime, at: datetime) -> SweepResult:
    """Judge a client's activities from `since` at once by the live rules that hold or block: before money moves on."""
    enforcing = [
        one
        for one in load_in_force()
        if one.read.draft.mode is RuleMode.LIVE and one.read.draft.consequence is not Consequence.ALERT
    ]
    return _judge(actor, enforcing, {client_id: since}, at=at)


def _judge(actor: Actor, in_force: Sequence[InForce], since: Mapping[int, datetime], *, at: datetime) -> SweepResult:
    first = min(since.values())
    history = first - timedelta(days=HISTORY_DAYS)
    groups = load_groups()
    members = {group for client, group in groups.items() if client in since}
    tied = {client for client, group in groups.items() if group in members} | load_related(
        list(since), first - timedelta(days=100)
    )
    rows = load_activities(
        since=history, until=datetime.max.replace(tzinfo=UTC), groups=groups, client_ids={*since, *tied}
    )
    sheet = FactSheet(rows)
    from_second = np.array([_second(since.get(client)) for client in np.unique(rows.client).tolist()])
    is_fresh = rows.at >= from_second[np.searchsorted(np.unique(rows.client), rows.client)]
    standing = _standing(in_force, first)
    raised: list[Alert] = []
    undecided: dict[tuple[int, int, str], list[int]] = defaultdict(list)
    untold: dict[tuple[int, Consequence], dict[int, str]] = defaultdict(dict)
    for one in in_force:
        judged = judge(one.read, sheet, is_fresh & is_between(rows, one.since, one.until))
        earlier = standing[one.rule_id, one.read.draft.mode]
        for found in raise_alerts(one.read, sheet, judged.fired, earlier):
            raised.append(_alert(one, sheet, found.row, found.pivot, at))
            earlier.setdefault(found.pivot, []).append(int(rows.at[found.row]))
        for row in judged.undecided.tolist() if one.read.draft.mode is RuleMode.LIVE else ():
            missing = missing_of(one.read, sheet, row)
            undecided[one.rule_id, int(rows.client[row]), missing].append(int(rows.at[row]))
            if one.read.draft.consequence is not Consequence.ALERT:
                untold[one.rule_id, one.read.draft.consequence][int(rows.id[row])] = missing
    Alert.objects.bulk_create(raised)
    live = [alert for alert in raised if alert.mode == RuleMode.LIVE]
    codes = {one.version_id: one.read.code for one in in_force}
    publish_all(
        [
            AlertRaised(at=at, alert_id=alert.pk, client_id=alert.client_id, rule=codes[alert.rule_version_id])
            for alert in live
        ]
    )
    for alert in live:
        restrict_for_alert(actor=actor, alert=alert, at=at)
    for (rule_id, consequence), rows_missing in untold.items():
        restrict_undecided(actor=actor, consequence=consequence, rule_id=rule_id, missing=rows_missing, at=at)
    _note_undecided(undecided)
    return SweepResult(0, len(in_force), len(live), len(raised) - len(live), len(undecided), tuple(sorted(since)))


def _second(at: datetime | None) -> int:
    return 2**62 if at is None else seconds(at)


def _note_groups(client_ids: Sequence[int], at: datetime) -> None:
    """Note that a client stands in a group of a size that it did not stand in before; the next sweep judges it."""
    groups = load_groups(client_ids)
    members = load_members(set(groups.values()))
    note_activities(
        [
            ActivityDraft(
                kind=ActivityKind.GROUP_CHANGE,
                key=f"group:{client_id}:{group_id}:{len(members[group_id])}",
                client_id=client_id,
                at=at,
                quantity=len(members[group_id]),
            )
            for client_id, group_id in groups.items()
        ]
    )


def _standing(in_force: Sequence[InForce], first: datetime) -> dict[tuple[int, RuleMode], dict[str, list[int]]]:
    """When alerts that may still cool down were about what, by rule and mode, then by pivot."""
    found: dict[tuple[int, RuleMode], dict[str, list[int]]] = defaultdict(dict)
    rows = Alert.objects.filter(rule_id__in={one.rule_id for one in in_force}, at__gte=first - COOLDOWN_MAX)
    for rule_id, mode, pivot, at in rows.values_list("rule_id", "mode", "pivot", "at"):
        found[rule_id, RuleMode(mode)].setdefault(pivot, []).append(seconds(at))
    return found


def _alert(one: InForce, sheet: FactSheet, row: int, pivot: str, at: datetime) -> Alert:
    rows = sheet.rows
    return Alert(
        rule_id=one.rule_id,
        rule_version_id=one.version_id,
        client_id=int(rows.client[row]),
        account_id=int(rows.account[row]),
        activity_id=int(rows.id[row]),
        pivot=pivot,
        at=datetime.fromtimestamp(int(rows.at[row]), UTC),
        raised_at=at,
        inputs=inputs_of(one.read, sheet, row),
        mode=one.read.draft.mode,
        consequence=one.read.draft.consequence,
    )


def _note_undecided(found: Mapping[tuple[int, int, str], Sequence[int]]) -> None:
    """Count what could not be told, a row for each rule, client and missing facts."""
    if not found:
        return
    keys = sorted(found)
    insert_columns(
        Undecided._meta.db_table,
        {
            "rule_id": "bigint",
            "client_id": "bigint",
            "missing": "text",
            "first_at": "timestamptz",
            "last_at": "timestamptz",
            "times": "integer",
        },
        [
            (*key, datetime.fromtimestamp(min(found[key]), UTC), datetime.fromtimestamp(max(found[key]), UTC), 0)
            for key in keys
        ],
        ignore_on=("rule_id", "client_id", "missing"),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE monitoring_undecided AS old
               SET times = old.times + new.times, last_at = greatest(old.last_at, to_timestamp(new.latest))
              FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::int[], %s::bigint[])
                   AS new(rule_id, client_id, missing, times, latest)
             WHERE (old.rule_id, old.client_id, old.missing) = (new.rule_id, new.client_id, new.missing)
            """,
            [
                [key[0] for key in keys],
                [key[1] for key in keys],
                [key[2] for key in keys],
                [len(found[key]) for key in keys],
                [max(found[key]) for key in keys],
            ],
        )
