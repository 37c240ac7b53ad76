"""Erasing what monitoring holds of a client, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.monitoring.models import Activity, Alert, Restriction
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import ERASED, is_kept


@transaction.atomic
def erase_counterparties(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank the other side's name in what a client did, and officers' words, unless a law keeps them (`kept`).

    Alerts and restrictions stay: what they rested on holds no names. A restriction that still stands keeps its reason.
    """
    require(actor, "clients.erase")
    erased = {} if is_kept("monitoring.Activity", kept) else _erase(client_id)
    record(
        actor=actor,
        action="monitoring.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )


def _erase(client_id: int) -> dict[str, int]:
    activities = Activity.objects.filter(client_id=client_id).exclude(counterparty_name="")
    alerts = Alert.objects.filter(client_id=client_id).exclude(reason__in=["", ERASED])
    released = Restriction.objects.filter(client_id=client_id, released_at__isnull=False).exclude(reason=ERASED)
    return {
        "activities": activities.update(counterparty_name=""),
        "alerts": alerts.update(reason=ERASED),
        "restrictions": released.update(reason=ERASED, release_reason=ERASED),
    }
