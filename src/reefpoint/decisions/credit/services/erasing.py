"""Erasing what credit decisions were made from, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.credit.models import ConditionWaiver, CreditDecision
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import ERASED, is_kept


@transaction.atomic
def erase_decisions(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank declared figures, the working and the words of a client's decisions, unless a law keeps them (`kept`).

    That something was decided, by which policy, when, how, for how much and by whom stays. It can be replayed no more.
    """
    require(actor, "clients.erase")
    erased = {}
    if not is_kept("credit.CreditDecision", kept):
        rows = CreditDecision.objects.filter(client_id=client_id)
        rows.exclude(proposal="").update(proposal=ERASED)
        waived = ConditionWaiver.objects.filter(condition__decision__client_id=client_id).exclude(reason=ERASED)
        erased["waivers"] = waived.update(reason=ERASED)
        erased["decisions"] = rows.exclude(answer="").update(inputs={}, answer="", closing_note="")
    record(
        actor=actor,
        action="credit.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
