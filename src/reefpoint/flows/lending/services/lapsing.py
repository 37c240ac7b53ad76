"""Requests that nobody goes on with come to an end, on the day that their clients were told."""

import logging
from datetime import datetime

from django.db import transaction

from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.rules import LAPSING
from reefpoint.flows.lending.services.steps import LENDER, end_papers, lock_request, move, tell
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.contracts.types import ContractState

LOG = logging.getLogger("reefpoint.lending")
BATCH = 500


def lapse_requests(*, actor: Actor, at: datetime) -> list[int]:
    """End the requests whose last day is over, each in its own transaction. Returns their ids.

    What a client has signed and the desk has not is left to the contract's own last day. One query when there is none.
    """
    require(actor, "lending.request")
    due = CreditRequest.objects.filter(lapses_on__lt=at.date()).order_by("lapses_on", "id")
    ended = []
    for request_id in due.values_list("id", flat=True)[:BATCH]:
        try:
            if _lapse(request_id, at):
                ended.append(request_id)
        except Refusal as refusal:
            LOG.error("request %s does not lapse: %s", request_id, refusal.message)
    return ended


@transaction.atomic
def _lapse(request_id: int, at: datetime) -> bool:
    """Look again under the lock: whoever went on with it meanwhile was quicker."""
    row = lock_request(request_id)
    if row.state not in LAPSING or row.lapses_on is None or row.lapses_on >= at.date():
        return False
    if row.state == CreditState.OFFERED and row.client_signed_at is not None:
        return False
    end_papers(row, ContractState.LAPSED, "the request lapsed", at)
    move(actor=LENDER, row=row, new=CreditState.LAPSED, action="lapse", at=at)
    tell(actor=LENDER, row=row, letter="lapsed", at=at)
    return True
