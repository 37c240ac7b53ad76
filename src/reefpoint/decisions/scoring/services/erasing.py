"""Erasing what no law keeps of a client."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from reefpoint.decisions.scoring.models import BureauReport, FeatureSet, Score, ShadowScore
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import is_kept


@transaction.atomic
def erase_features(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Erase a client's bureau reports and features, and the reasons of scores, unless a law keeps some data (`kept`).

    What stays of a score is its points, grade and version: without its features it can be replayed no more.
    """
    require(actor, "clients.erase")
    erased: dict[str, int] = {}
    if not is_kept("scoring.FeatureSet", kept):
        erased["reports"] = BureauReport.objects.filter(client_id=client_id, erased_at=None).update(
            blob=None, erased_at=at
        )
        erased["feature_sets"] = FeatureSet.objects.filter(client_id=client_id, erased_at=None).update(
            blob=None, erased_at=at
        )
        scores = Score.objects.filter(client_id=client_id)
        erased["scores"] = scores.exclude(Q(reasons=[]) & Q(missing=[])).update(reasons=[], missing=[])
        ShadowScore.objects.filter(score__client_id=client_id).exclude(contributions=[]).update(contributions=[])
    record(
        actor=actor,
        action="scoring.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
