"""Erasing what requests for credit hold of a client, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from reefpoint.flows.lending.models import CreditRequest, CreditStep, LoanDefault, Renewal
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import is_kept


@transaction.atomic
def erase_requests(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank the words and names in a client's requests, steps, renewals and defaults, unless a law keeps them (`kept`).

    What was asked for, when, and how it ended stays. Letters are notices and go with them.
    """
    require(actor, "clients.erase")
    erased = {}
    if not is_kept("lending.CreditRequest", kept):
        erased["steps"] = (
            CreditStep.objects.filter(request__client_id=client_id)
            .exclude(words="", actor_name="")
            .update(words="", actor_name="")
        )
        requests = CreditRequest.objects.filter(client_id=client_id).exclude(problem="")
        erased["requests"] = requests.update(problem="")
    if not is_kept("lending.Renewal", kept):
        ended = Renewal.objects.filter(client_id=client_id).exclude(end_reason="")
        erased["renewals"] = ended.update(end_reason="")
    if not is_kept("lending.LoanDefault", kept):
        defaults = LoanDefault.objects.filter(client_id=client_id).exclude(reason="", end_reason="")
        erased["defaults"] = defaults.update(reason="", end_reason="")
    record(
        actor=actor,
        action="lending.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
