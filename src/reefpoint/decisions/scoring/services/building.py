"""Building sets of features."""

import uuid
from collections.abc import Collection, Mapping
from datetime import date, datetime

from django.db import transaction

from reefpoint.decisions.scoring.models import FeatureSet
from reefpoint.decisions.scoring.rules import features, transforms
from reefpoint.decisions.scoring.selectors.gathering import Portfolio, gather
from reefpoint.decisions.scoring.selectors.reading import context
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.vault.services import seal_many
from reefpoint.records.market.selectors import list_instruments
from reefpoint.records.parties.selectors.clients import ClientNotFound, can_see_client


class UnknownHolding(Refusal):
    """A portfolio with a name that the desk does not keep, or with no shares of one."""

    code = "unknown_holding"


@transaction.atomic
def build_features(*, actor: Actor, client_id: int, on: date, at: datetime, portfolio: Portfolio = ()) -> int:
    """Build the set of a client's features on a business date. Returns its id.

    `portfolio` is what the client offers, (instrument id, shares) pairs; without it what the client holds here counts.
    The same facts on the same day are the same set. Raises `ClientNotFound`, `UnknownHolding`.
    """
    require(actor, "scoring.score")
    if not can_see_client(actor, client_id):
        raise ClientNotFound("There is no such client.", client_id=client_id)
    if portfolio:
        known = {one.id for one in list_instruments()}
        if any(instrument_id not in known or quantity <= 0 for instrument_id, quantity in portfolio):
            raise UnknownHolding("The portfolio names shares that the desk does not keep, or none of a name.")
    return build_features_of(actor=actor, client_ids=[client_id], on=on, at=at, portfolios={client_id: portfolio})[
        client_id
    ]


@transaction.atomic
def build_features_of(
    *,
    actor: Actor,
    client_ids: Collection[int],
    on: date,
    at: datetime,
    portfolios: Mapping[int, Portfolio] | None = None,
) -> dict[int, int]:
    """Build the sets of many clients in a fixed number of queries. Returns set ids by client."""
    require(actor, "scoring.score")
    found = gather(client_ids, on=on, at=at, portfolios=portfolios)
    values = {client_id: transforms.compute(facts) for client_id, facts in found.items()}
    hashes = {client_id: features.content_hash(of_client) for client_id, of_client in values.items()}
    before = {
        (client_id, digest): set_id
        for set_id, client_id, digest in FeatureSet.objects.filter(
            client_id__in=list(found), on=on, erased_at=None
        ).values_list("id", "client_id", "content_hash")
    }
    kept = {
        client_id: before[client_id, hashes[client_id]]
        for client_id in found
        if (client_id, hashes[client_id]) in before
    }
    new = [client_id for client_id in found if client_id not in kept]
    places = {client_id: uuid.uuid4() for client_id in new}
    contents = [
        (
            features.to_bytes({"facts": found[one], "values": features.values_to_json(values[one])}),
            context(one, places[one]),
        )
        for one in new
    ]
    rows = [
        FeatureSet(
            client_id=one,
            place=places[one],
            key_id=sealed.key_id,
            blob=sealed.blob,
            on=on,
            version=features.VERSION,
            currency=found[one]["currency"],
            content_hash=hashes[one],
            built_at=at,
            built_by=actor.ref,
        )
        for one, sealed in zip(new, seal_many(contents), strict=True)
    ]
    built = {row.client_id: row.pk for row in FeatureSet.objects.bulk_create(rows)}
    record_all(
        actor=actor,
        action="scoring.build_features",
        entries=[
            EntryDraft(
                subject=f"client:{one}", inputs={"feature_set_id": built[one], "on": on, "content_hash": hashes[one]}
            )
            for one in new
        ],
        at=at,
    )
    return kept | built
