"""Putting on record what a source says of a listing; what haircuts rest on takes a second person."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import request_approval, require
from reefpoint.platform.access.types import ApprovalState
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.records.market import rules
from reefpoint.records.market.models import ListingFacts
from reefpoint.records.market.selectors.instruments import InstrumentNotFound, list_instruments, list_listings
from reefpoint.records.market.types import Board, InstrumentKind, ListingDraft, ListingOutcome

RECORD = "instruments.record_listing"
"""The kind of approval, and the audited action."""
COUNT_MAX = 2**62


class ListingRefused(Refusal):
    """Facts of a listing that cannot be, or come from nowhere. `field` names the one that is wrong."""

    code = "listing_refused"


class ListingNeedsSecondPerson(Refusal):
    """A change of what haircuts rest on, by one person alone."""

    code = "listing_needs_second_person"


@transaction.atomic
def record_listing(*, actor: Actor, instrument_id: int, facts: ListingDraft, at: datetime) -> int:
    """Put on record what a source says of a listing from a day on. Returns the record's id.

    A correction is a later record of the same day. A person changes no fact that haircuts rest on by this: see
    `change_listings`. Raises `InstrumentNotFound`, `ListingRefused`, `ListingNeedsSecondPerson`.
    """
    require(actor, "instruments.add")
    [(_symbol, before, after)] = _read([(instrument_id, facts)])
    if not actor.is_system and rules.moves_haircuts(before, after):
        raise ListingNeedsSecondPerson("Haircuts rest on this: a second person decides.", instrument_id=instrument_id)
    return keep_facts(actor, [(instrument_id, after)], at=at)[0]


@transaction.atomic
def change_listings(
    *, actor: Actor, changes: Sequence[tuple[int, ListingDraft]], reason: str, at: datetime
) -> ListingOutcome:
    """Put changes of listings on record: those that move haircuts wait together for a second person, others count now.

    What is on record of that day already is left out. Raises `InstrumentNotFound`, `ListingRefused`.
    """
    require(actor, "instruments.add")
    direct: list[tuple[int, ListingDraft]] = []
    asked: list[dict[str, Any]] = []
    for (instrument_id, _facts), (symbol, before, after) in zip(changes, _read(changes), strict=True):
        if dataclasses.replace(after, source=before.source, effective_on=before.effective_on) == before:
            continue
        if rules.moves_haircuts(before, after):
            asked.append({
                "instrument_id": instrument_id,
                "symbol": symbol,
                "before": plain_facts(before) if before.source else None,
                "after": plain_facts(after),
            })  # fmt: skip
        else:
            direct.append((instrument_id, after))
    recorded = keep_facts(actor, direct, at=at)
    if not asked:
        return ListingOutcome(tuple(recorded), None)
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
    approval_id = request_approval(
        actor=actor,
        kind=RECORD,
        subject=f"instrument:{asked[0]['instrument_id']}" if len(asked) == 1 else f"listings:{digest}",
        payload={"changes": asked},
        reason=reason,
        at=at,
    )
    return ListingOutcome(tuple(recorded), approval_id)


@transaction.atomic
def record_approved_listings(*, actor: Actor, approval_id: int, at: datetime) -> None:
    """Put on record exactly what a second person approved. Idempotent."""
    approval = get_approval(approval_id)
    is_given = approval.state is ApprovalState.APPROVED and bool(approval.decided_by)
    if approval.kind != RECORD or not is_given or ListingFacts.objects.filter(approval_id=approval_id).exists():
        return
    require(actor, "instruments.add")
    changes: Any = approval.payload["changes"]
    keep_facts(
        actor,
        [(int(one["instrument_id"]), draft_of(one["after"])) for one in changes],
        at=at,
        recorded_by=approval.requested_by,
        checked_by=approval.decided_by or "",
        approval_id=approval_id,
    )


def _read(changes: Sequence[tuple[int, ListingDraft]]) -> list[tuple[str, ListingDraft, ListingDraft]]:
    """Symbol, what is on record of the day, and the draft, each checked."""
    symbols = {one.id: one.symbol for one in list_instruments()}
    known = {on: list_listings(on) for on in {facts.effective_on for _, facts in changes}}
    read = []
    for instrument_id, facts in changes:
        if instrument_id not in symbols:
            raise InstrumentNotFound("There is no instrument {instrument_id}.", instrument_id=instrument_id)
        check_facts(facts)
        before = rules.facts_of(known[facts.effective_on][instrument_id])
        read.append((symbols[instrument_id], before, facts))
    return read


def check_facts(facts: ListingDraft) -> None:
    """Refuse facts that cannot be. Raises `ListingRefused`."""
    if not 0 < len(facts.source.strip()) <= 200 or not facts.source.isprintable():
        raise ListingRefused("Say where these facts are from, in at most 200 characters.", field="source")
    if len(facts.issuer) > 80 or not facts.issuer.isprintable():
        raise ListingRefused("An issuer group is one word of at most 80 characters.", field="issuer")
    if facts.limit_bp is not None and not 0 < facts.limit_bp <= 10_000:
        raise ListingRefused(
            "A daily limit is above 0 and at most 100%; leave it out where there is none.", field="limit_bp"
        )
    if facts.shares_issued is not None and not 0 < facts.shares_issued <= COUNT_MAX:
        raise ListingRefused(
            "The number of shares issued is above zero; leave it out where it is not known.", field="shares_issued"
        )
    if facts.daily_volume is not None and not 0 <= facts.daily_volume <= COUNT_MAX:
        raise ListingRefused("A volume is zero or more; leave it out where it is not known.", field="daily_volume")


def keep_facts(
    actor: Actor,
    changes: Sequence[tuple[int, ListingDraft]],
    *,
    at: datetime,
    recorded_by: str = "",
    checked_by: str = "",
    approval_id: int | None = None,
) -> list[int]:
    """Write facts that were checked, with an audit entry each. Returns the records' ids."""
    rows = ListingFacts.objects.bulk_create(
        ListingFacts(
            instrument_id=instrument_id,
            recorded_at=at,
            recorded_by=recorded_by or actor.ref,
            checked_by=checked_by,
            approval_id=approval_id,
            **dataclasses.asdict(facts),
        )
        for instrument_id, facts in changes
    )
    for row in rows:
        record(
            actor=actor,
            action=RECORD,
            subject=f"instrument:{row.instrument_id}",
            inputs={
                "effective_on": row.effective_on,
                "kind": row.kind,
                "board": row.board,
                "has_risk_warning": row.has_risk_warning,
                "source": row.source,
                "approval_id": approval_id,
            },
            at=at,
        )
    return [row.pk for row in rows]


def plain_facts(facts: ListingDraft) -> dict[str, Any]:
    """Facts as the payload of an approval holds them."""
    return {**dataclasses.asdict(facts), "effective_on": facts.effective_on.isoformat()}


def draft_of(plain: Mapping[str, Any]) -> ListingDraft:
    """Facts from the payload of an approval."""
    return ListingDraft(**{
        **plain,
        "effective_on": date.fromisoformat(plain["effective_on"]),
        "kind": InstrumentKind(plain["kind"]),
        "board": Board(plain["board"]),
    })  # fmt: skip
