"""Who asked and never went on: leads whose time is over are erased, prospects who fell silent are closed."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.origination.models import Application, Lead
from reefpoint.flows.origination.selectors.leads import idle_leads, idle_prospects
from reefpoint.flows.origination.services.erasing import blank_leads
from reefpoint.flows.origination.services.submitting import withdraw_application
from reefpoint.flows.origination.types.applications import ApplicationState
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.parties.services import close_client

AT_ONCE_MAX = 1_000
SILENT = "nothing was heard for the time that a prospect is kept"


@transaction.atomic
def erase_idle_leads(*, actor: Actor, before: date, at: datetime) -> int:
    """Erase who asked, never applied, and was last in touch before a day; at most 1,000 at once. Returns how many.

    The row stays with its channel, state and days, so that conversion is still counted. Again, it erases nothing more.
    """
    require(actor, "clients.erase")
    ids = list(idle_leads(before).order_by("id").values_list("id", flat=True)[:AT_ONCE_MAX])
    list(Lead.objects.select_for_update().filter(id__in=ids).order_by("id").values_list("id"))
    if ids:
        erased = blank_leads(set(ids), at)
        record(actor=actor, action="leads.erase", subject="leads", inputs={"before": before, "erased": erased}, at=at)
    return len(ids)


def close_idle_prospects(*, actor: Actor, before: date, at: datetime) -> int:
    """Close prospects whose application nobody touched since a day; at most 1,000 at once. Returns how many.

    What was begun is withdrawn and the client told; what is kept of them then runs out as of anybody who left.
    """
    require(actor, "clients.erase")
    found = list(idle_prospects(before).order_by("id").values_list("id", flat=True)[:AT_ONCE_MAX])
    for client_id in found:
        with transaction.atomic():
            begun = Application.objects.filter(
                client_id=client_id, state__in=[ApplicationState.DRAFT, ApplicationState.INFO_REQUESTED]
            )
            for application_id in list(begun.values_list("id", flat=True)):
                withdraw_application(actor=actor, application_id=application_id, reason=SILENT, at=at)
            close_client(actor=actor, client_id=client_id, reason=SILENT, at=at)
    return len(found)
