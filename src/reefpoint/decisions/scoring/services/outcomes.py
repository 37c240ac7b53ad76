"""What came of scored clients, as their living loans tell it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import transaction

from reefpoint.decisions.margin.selectors.figures import find_debt_days
from reefpoint.decisions.scoring.models import Score, ScoreOutcome
from reefpoint.decisions.scoring.rules import outcomes
from reefpoint.decisions.scoring.selectors.reading import MARGIN
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.accounts import load_openings
from reefpoint.records.accounts.selectors.loans import list_mature_loans


@transaction.atomic
def record_outcomes(*, actor: Actor, on: date, at: datetime) -> int:
    """Put on record what is known by now of each client's first score by each version. Returns how many are new.

    A handful of queries however many clients there are; running it again records nothing twice.
    """
    require(actor, "scoring.score")
    scores = _open_cases()
    if not scores:
        return 0
    clients = {score.client_id for score in scores if score.client_id is not None}
    accounts: dict[int, list[int]] = {}
    for one in load_openings(clients):
        accounts.setdefault(one.client_id, []).append(one.account_id)
    owed = find_debt_days(
        [
            (score.pk, account_id, score.scored_on, score.scored_on + timedelta(days=outcomes.WINDOW_DAYS))
            for score in scores
            for account_id in accounts.get(score.client_id or 0, [])
        ]
    )
    late = _late_since(on)
    found = []
    for score in scores:
        owed_on, deficit_on = owed.get(score.pk, (None, None))
        days = [late[one] for one in accounts.get(score.client_id or 0, []) if one in late]
        seen = outcomes.Exposure(owed_on, min(days, default=None), deficit_on)
        outcome = outcomes.judge(score.scored_on, on, seen)
        if outcome is not None:
            found.append(
                ScoreOutcome(
                    score=score,
                    definition=outcomes.DEFINITION,
                    cause=outcome.cause.value,
                    on=outcome.on,
                    recorded_at=at,
                )
            )
    ScoreOutcome.objects.bulk_create(found)
    if found:
        record(
            actor=actor,
            action="scoring.record_outcomes",
            subject=f"day:{on}",
            inputs={
                "definition": outcomes.DEFINITION,
                "outcomes": len(found),
                "bad": sum(one.cause != outcomes.Cause.NONE for one in found),
            },
            at=at,
        )
    return len(found)


def _open_cases() -> Sequence[Score]:
    """The first score of each client by each version that has no outcome under the definition."""
    known = ScoreOutcome.objects.filter(definition=outcomes.DEFINITION).values("score_id")
    first = (
        Score.objects.filter(use=MARGIN, client__isnull=False, points__isnull=False)
        .order_by("client_id", "model_version_id", "id")
        .distinct("client_id", "model_version_id")
        .values("id")
    )
    return list(Score.objects.filter(id__in=first).exclude(id__in=known).order_by("id"))


def _late_since(on: date) -> dict[int, date]:
    """Since when each account has owed principal too long after its maturity."""
    late: dict[int, date] = {}
    for loan in list_mature_loans(on):
        since = loan.matures_on + timedelta(days=outcomes.PAST_DUE_DAYS + 1)
        if since <= on:
            late[loan.account_id] = min(since, late.get(loan.account_id, since))
    return late
