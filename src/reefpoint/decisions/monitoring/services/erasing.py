"""Erasing what monitoring holds of a client, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.monitoring.models import Activity
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor


@transaction.atomic
def erase_counterparties(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank the other side's name in what a client did, unless a law keeps some of it (`kept`).

    Alerts and restrictions stay: what they rested on holds no names.
    """
    require(actor, "clients.erase")
    erased = (
        {}
        if kept
        else {
            "activities": Activity.objects.filter(client_id=client_id)
            .exclude(counterparty_name="")
            .update(counterparty_name="")
        }
    )
    record(
        actor=actor,
        action="monitoring.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
