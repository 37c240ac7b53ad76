"""Erasing what applications and leads hold of a client, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from reefpoint.flows.origination.models import (
    Application,
    Decision,
    InfoRequestRow,
    Lead,
    LeadNote,
    LeadPairRow,
    SectionDraft,
    Step,
)
from reefpoint.flows.origination.rules.applications import APPLICATION_STATES
from reefpoint.flows.origination.services.steps import move
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.flows.origination.types.leads import PairState
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import is_kept

ERASED_NAME = "Erased"


@transaction.atomic
def erase_applications(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Erase answers, letters and words of a client's applications, and their leads, unless a law keeps some (`kept`).

    An application under way ends. What was decided stays with its facts and its reasons, which name nobody. Again, it
    erases nothing more.
    """
    require(actor, "clients.erase")
    erased = {} if is_kept("origination.Application", kept) else _erase(actor, client_id, at)
    record(
        actor=actor,
        action="applications.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )


def _erase(actor: Actor, client_id: int, at: datetime) -> dict[str, int]:
    applications = list(Application.objects.select_for_update().filter(client_id=client_id).order_by("id"))
    for row in applications:
        if ApplicationState.WITHDRAWN in APPLICATION_STATES.moves.get(ApplicationState(row.state), ()):
            move(actor=actor, row=row, new=ApplicationState.WITHDRAWN, action="withdraw", words="", at=at)
    ids = [row.pk for row in applications]
    leads = _with_merged({row.lead_id for row in applications if row.lead_id is not None})
    return {
        "sections": SectionDraft.objects.filter(application__in=ids).exclude(blob=None).update(blob=None),
        "requests": InfoRequestRow.objects.filter(application__in=ids).exclude(words="").update(words=""),
        "letters": Decision.objects.filter(application__in=ids).exclude(note="", told="").update(note="", told=""),
        "steps": Step.objects.filter(application__in=ids)
        .exclude(words="", actor_name="")
        .update(words="", actor_name=""),
    } | blank_leads(leads, at)


def blank_leads(leads: set[int], at: datetime) -> dict[str, int]:
    """Take from these leads whom they name and how to reach them, for the services that erase."""
    pairs = LeadPairRow.objects.filter(Q(first__in=leads) | Q(second__in=leads), state=PairState.OPEN)
    return {
        "lead_steps": LeadNote.objects.filter(lead__in=leads).exclude(words="").update(words=""),
        "pairs": pairs.delete()[0],
        "leads": Lead.objects.filter(id__in=leads, erased_at=None).update(
            name=ERASED_NAME,
            name_zh="",
            name_key="",
            note="",
            source="",
            blob=None,
            email_digest=None,
            phone_digest=None,
            email_masked="",
            phone_masked="",
            may_contact=False,
            erased_at=at,
        ),
    }


def _with_merged(leads: set[int]) -> set[int]:
    found, more = set(leads), set(leads)
    while more:
        more = set(Lead.objects.filter(merged_into__in=more).values_list("id", flat=True)) - found
        found |= more
    return found
