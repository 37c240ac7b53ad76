"""Keeping cash from leaving, and letting it go again: actions of their own, beside the alert that led to them."""

from datetime import datetime

from django.db import transaction

from reefpoint.decisions.monitoring.events import RestrictionPlaced
from reefpoint.decisions.monitoring.models import Activity, Alert, Restriction
from reefpoint.decisions.monitoring.types import Consequence, RestrictionKind
from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.events.services import publish
from reefpoint.records.accounts.selectors import account_numbers
from reefpoint.records.ledger.selectors import available_minor
from reefpoint.records.ledger.services import place_hold, release_hold
from reefpoint.records.ledger.types import client_cash


class RestrictionNotFound(Refusal):
    """No such restriction stands."""

    code = "not_found"


def restrict_for_alert(*, actor: Actor, alert: Alert, at: datetime) -> None:
    """What a rule that fired live says shall follow: the deposit's cash is held, or the client's payments stop.

    Of a deposit that is partly spent, what is left is held; of one that is gone, nothing can be.
    """
    if alert.consequence == Consequence.BLOCK:
        _place(actor, RestrictionKind.BLOCK, alert.client_id, alert.account_id, 0, f"alert:{alert.pk}", alert, at)
    elif alert.consequence == Consequence.HOLD:
        wanted = Activity.objects.values_list("amount_minor", flat=True).get(id=alert.activity_id)
        number = account_numbers([alert.account_id]).get(alert.account_id)
        amount = min(wanted, available_minor(client_cash(number))) if number else 0
        if amount > 0:
            _place(
                actor, RestrictionKind.HOLD, alert.client_id, alert.account_id, amount, f"alert:{alert.pk}", alert, at
            )


@transaction.atomic
def block_withdrawals(*, actor: Actor, client_id: int, reason: str, at: datetime) -> int:
    """Stop all payments out of a client's accounts. Returns the restriction's id. Raises `ReasonNeeded`."""
    require(actor, "account.freeze")
    if not reason.strip():
        raise ReasonNeeded("Say why payments are stopped: it goes into the audit log.")
    key = f"person:{client_id}:{at.isoformat()}"
    return _place(actor, RestrictionKind.BLOCK, client_id, 0, 0, key, None, at, reason=reason.strip()[:300])


@transaction.atomic
def release_restriction(*, actor: Actor, restriction_id: int, reason: str, at: datetime) -> None:
    """Let cash go again. Raises `ReasonNeeded`, and `RestrictionNotFound` for one that does not stand."""
    require(actor, "account.freeze")
    if not reason.strip():
        raise ReasonNeeded("Say what was found: it goes into the audit log.")
    row = Restriction.objects.select_for_update().filter(id=restriction_id, released_at=None).first()
    if row is None:
        raise RestrictionNotFound("There is no such restriction, or it was released before.")
    if row.kind == RestrictionKind.HOLD:
        release_hold(actor=actor, key=row.hold_key, at=at)
    row.released_by, row.released_at, row.release_reason = actor.ref, at, reason.strip()[:300]
    row.save(update_fields=["released_by", "released_at", "release_reason"])
    record(
        actor=actor,
        action="monitoring.release_restriction",
        subject=f"client:{row.client_id}",
        reason=row.release_reason,
        inputs={"restriction": row.pk, "kind": row.kind, "amount_minor": row.amount_minor},
        at=at,
    )


def _place(
    actor: Actor,
    kind: RestrictionKind,
    client_id: int,
    account_id: int,
    amount_minor: int,
    key: str,
    alert: Alert | None,
    at: datetime,
    *,
    reason: str = "a rule fired",
) -> int:
    hold_key = f"monitoring:{key}"
    if kind is RestrictionKind.HOLD:
        number = account_numbers([account_id])[account_id]
        place_hold(
            actor=actor, code=client_cash(number), amount_minor=amount_minor, key=hold_key, at=at, reason="under review"
        )
    row = Restriction.objects.create(
        kind=kind,
        client_id=client_id,
        account_id=account_id,
        amount_minor=amount_minor,
        hold_key=hold_key,
        alert=alert,
        reason=reason,
        placed_by=actor.ref,
        placed_at=at,
    )
    record(
        actor=actor,
        action=f"monitoring.{kind.value}",
        subject=f"client:{client_id}",
        reason=reason,
        inputs={"restriction": row.pk, "amount_minor": amount_minor, "alert": alert.pk if alert else None},
        at=at,
    )
    publish(RestrictionPlaced(restriction_id=row.pk, client_id=client_id, kind=kind.value, at=at))
    return row.pk
