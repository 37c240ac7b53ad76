"""Erasing what screening holds of a client, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import F, JSONField, Value
from django.db.models.expressions import Func

from reefpoint.decisions.screening.models import Hit, Person, SubjectName
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import is_kept


@transaction.atomic
def erase_screened(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Erase the names that are searched, and blank those and the words in hits, unless a law keeps some of it (`kept`).

    Which entry was met, how it was resolved, by whom and when stays. Again, it erases nothing more.
    """
    require(actor, "clients.erase")
    erased = {}
    if not is_kept("screening.Hit", kept):
        erased = {
            "names": SubjectName.objects.filter(client_id=client_id).delete()[0],
            "persons": Person.objects.filter(client_id=client_id).delete()[0],
            "hits": Hit.objects.filter(client_id=client_id)
            .exclude(ours="")
            .update(
                ours="",
                names=[],
                birth_year=None,
                countries=[],
                score=Func(
                    F("score"),
                    Value("{parts}"),
                    Value([], JSONField()),
                    function="jsonb_set",
                    output_field=JSONField(),
                ),
                proposal="",
                decision="",
            ),
        }
    record(
        actor=actor,
        action="screening.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
