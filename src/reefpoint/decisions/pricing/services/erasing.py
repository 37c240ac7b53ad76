"""Erasing what prices were worked out from, once no law keeps it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.pricing.models import PriceException, Quote, RateProposal
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import ERASED, is_kept


@transaction.atomic
def erase_prices(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Blank the facts and the working of a client's quotes and new rates, unless a law keeps them (`kept`).

    The rate, its dates and who told it stay. It can be replayed no more.
    """
    require(actor, "clients.erase")
    erased = {}
    if not is_kept("pricing.Quote", kept):
        asked = PriceException.objects.filter(quote__client_id=client_id).exclude(reason=ERASED)
        erased["exceptions"] = asked.update(reason=ERASED)
        quotes = Quote.objects.filter(client_id=client_id).exclude(answer="")
        erased["quotes"] = quotes.update(inputs={}, answer="")
    if not is_kept("pricing.RateProposal", kept):
        rates = RateProposal.objects.filter(loan__account__client_id=client_id).exclude(answer="")
        erased["rates"] = rates.update(inputs={}, answer="")
    record(
        actor=actor,
        action="pricing.erase",
        subject=f"client:{client_id}",
        inputs={"erased": erased, "kept": sorted(kept)},
        at=at,
    )
