"""Scoring again: on a schedule, and when something happens to a client who was scored."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from django.db import transaction

from reefpoint.decisions.margin.selectors.calls import list_calls_since
from reefpoint.decisions.margin.selectors.figures import load_band_times
from reefpoint.decisions.margin.types import Band
from reefpoint.decisions.scoring.models import FeatureSet, Score
from reefpoint.decisions.scoring.rules import features
from reefpoint.decisions.scoring.rules.cards import Runtime, count_bands
from reefpoint.decisions.scoring.selectors.reading import (
    GERMAN,
    MARGIN,
    clients_with_scores,
    open_sets,
    read_runtime,
)
from reefpoint.decisions.scoring.services.building import build_features_of
from reefpoint.decisions.scoring.services.scoring import score_sets
from reefpoint.decisions.scoring.types import Cause
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.governance.services import record_drift, use_champion
from reefpoint.platform.governance.types import DriftVerdict
from reefpoint.records.accounts.selectors.accounts import load_openings
from reefpoint.records.parties.selectors.profiles import load_profile_times

RESCORE_DAYS = 30
"""A score older than this is made anew by the schedule."""
RESCORE_BATCH = 200
SETS_MAX = 2_000
"""How many of the newest sets are opened on either side to see how features moved."""
WINDOW_DAYS = 90
"""What has been scored in so many days is compared with what was scored before."""


@transaction.atomic
def rescore_clients(
    *, actor: Actor, client_ids: Collection[int], cause: Cause, on: date, at: datetime
) -> dict[int, int]:
    """Score again those of these clients who have a score; others cost one query. Returns score ids by client.

    The new set rests on what they hold here: what one once offered in an application is not looked up again.
    """
    require(actor, "scoring.score")
    known = clients_with_scores(client_ids)
    if not known:
        return {}
    built = build_features_of(actor=actor, client_ids=known, on=on, at=at)
    sets = list(FeatureSet.objects.filter(id__in=built.values()).order_by("id"))
    scored = score_sets(actor=actor, sets=sets, at=at, cause=cause)
    return {score.client_id: score.id for score in scored if score.client_id is not None}


@transaction.atomic
def rescore_due(*, actor: Actor, on: date, at: datetime) -> dict[Cause, int]:
    """Score again those to whom something happened since their last score, and those not scored for `RESCORE_DAYS`.

    What counts: a margin call was opened, an account came into a worse band, the profile changed. A fixed number of
    queries, and one for a desk without scores; at most `RESCORE_BATCH` clients at once. Returns how many by cause.
    """
    require(actor, "scoring.score")
    newest = (
        Score.objects.filter(use=MARGIN, feature_set__erased_at=None, client__isnull=False)
        .order_by("client_id", "-id")
        .distinct("client_id")
        .values_list("client_id", "scored_on", "scored_at")
    )
    last = {client_id: (scored_on, scored_at) for client_id, scored_on, scored_at in newest}
    if not last:
        return {}
    causes: dict[int, Cause] = {
        one: Cause.SCHEDULE for one, (day, _) in last.items() if day <= on - timedelta(days=RESCORE_DAYS)
    }
    causes |= {one: Cause.CHANGE for one, changed in load_profile_times(last).items() if changed > last[one][1]}
    owner = {one.account_id: one.client_id for one in load_openings(last)}
    for account_id, since in load_band_times(list(owner), worse_than=Band.SAFE).items():
        if since > last[owner[account_id]][1]:
            causes[owner[account_id]] = Cause.BAND
    for call in list_calls_since(list(owner), min(day for day, _ in last.values())):
        if call.opened_at > last[owner[call.account_id]][1]:
            causes[owner[call.account_id]] = Cause.CALL
    due = sorted(causes, key=lambda one: (_ORDER.index(causes[one]), one))[:RESCORE_BATCH]
    by_cause = {cause: [one for one in due if causes[one] is cause] for cause in _ORDER}
    return {
        cause: len(rescore_clients(actor=actor, client_ids=client_ids, cause=cause, on=on, at=at))
        for cause, client_ids in by_cause.items()
        if client_ids
    }


_ORDER = (Cause.CALL, Cause.BAND, Cause.CHANGE, Cause.SCHEDULE)
"""What is scored first when more are due than one batch takes."""


@transaction.atomic
def measure_score_drift(*, actor: Actor, on: date, at: datetime) -> dict[str, DriftVerdict]:
    """Measure how far the points of each champion have moved, and keep the readings. Returns the verdicts by model.

    The reference is the sample it was developed on; an expert card has none, and is held against what it scored before
    the last `WINDOW_DAYS`, in the bands of its grades.
    """
    require(actor, "scoring.score")
    since = on - timedelta(days=WINDOW_DAYS)
    verdicts = {}
    for use in (MARGIN, GERMAN):
        champion = use_champion(use=use, at=at)
        if champion is None or champion.version.kind != "scorecard":
            continue
        version = champion.version
        grades = read_runtime(version.id).card.grades
        edges = sorted(band.least for band in grades if band.least is not None)
        development = version.facts.get("development")
        before, now = _points(version.id, until=since), _points(version.id, since=since, until=on)
        if development:
            edges, reference, unscored = development["edges"], development["counts"], 0
        else:
            reference, unscored = count_bands(before, edges), before.count(None)
        drift = record_drift(
            version_id=version.id,
            measure="points",
            reference=reference,
            current=count_bands(now, edges),
            missing=(unscored, now.count(None)),
            since=since,
            until=on,
            at=at,
        )
        verdicts[version.code] = drift.verdict
        if use == MARGIN:
            _measure_feature_drift(version.id, since=since, until=on, at=at)
    return verdicts


def _measure_feature_drift(version_id: int, *, since: date, until: date, at: datetime) -> None:
    """How far each input of a card has moved, in the card's own bins: what was scored lately against what was before.

    The newest `SETS_MAX` sets on either side; nothing is kept while there is none lately.
    """
    runtime = read_runtime(version_id)
    before, now = _bins(runtime, version_id, until=since), _bins(runtime, version_id, since=since, until=until)
    if not now:
        return
    for one in runtime.card.characteristics:
        places = len(one.bins) + len(one.special) + (one.other is not None)
        counts = [
            [sum(case[one.name] == place for case in cases) for place in range(places)] for cases in (before, now)
        ]
        record_drift(
            version_id=version_id,
            measure=f"feature:{one.name}",
            reference=counts[0],
            current=counts[1],
            missing=(len(before) - sum(counts[0]), len(now) - sum(counts[1])),
            since=since,
            until=until,
            at=at,
        )


def _bins(runtime: Runtime, version_id: int, *, until: date, since: date | None = None) -> list[dict[str, int | None]]:
    rows = Score.objects.filter(
        model_version_id=version_id, scored_on__lte=until, feature_set__erased_at=None, feature_set__isnull=False
    )
    if since is not None:
        rows = rows.filter(scored_on__gt=since)
    sets = [row.feature_set for row in rows.select_related("feature_set").order_by("-id")[:SETS_MAX]]
    contents = open_sets([one for one in sets if one is not None])
    return [runtime.bins(features.known_of(features.values_from_json(content["values"]))) for content in contents]


def _points(version_id: int, *, until: date, since: date | None = None) -> list[int | None]:
    """The points that a version gave on days after `since` and up to `until`; None for each referred case."""
    rows = Score.objects.filter(model_version_id=version_id, scored_on__lte=until)
    if since is not None:
        rows = rows.filter(scored_on__gt=since)
    return list(rows.order_by("id").values_list("points", flat=True))
