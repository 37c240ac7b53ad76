"""Keeping cash from leaving, and letting it go again: actions of their own, beside the alert that led to them."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from reefpoint.decisions.monitoring.events import RestrictionPlaced
from reefpoint.decisions.monitoring.models import Activity, Alert, Restriction
from reefpoint.decisions.monitoring.types import Consequence, RestrictionKind
from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.events.services import publish
from reefpoint.records.accounts.selectors.accounts import account_numbers
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
    consequence = Consequence(alert.consequence)
    if consequence is not Consequence.ALERT:
        _restrict(
            actor, consequence, alert.activity, f"alert:{alert.pk}", alert, at, reason=str(Sentence("a rule fired"))
        )


def restrict_undecided(
    *, actor: Actor, consequence: Consequence, rule_id: int, missing: Mapping[int, str], at: datetime
) -> None:
    """What follows where a live rule could not be judged on activities whose other side was told (I61).

    `missing` says by activity what is missing. It is as if the rule had fired, once for each activity: a person looks.
    An activity without another side is left alone: nobody was told that there is something to compare.
    """
    told = Activity.objects.filter(id__in=missing).exclude(counterparty=0, counterparty_name="").order_by("id")
    keys = {activity.pk: f"undecided:{rule_id}:{activity.pk}" for activity in told}
    stand = set(
        Restriction.objects.filter(hold_key__in=[_hold_key(key) for key in keys.values()]).values_list(
            "hold_key", flat=True
        )
    )
    for activity in told:
        if _hold_key(keys[activity.pk]) not in stand:
            reason = f"cannot be judged: {missing[activity.pk]} is missing"
            _restrict(actor, consequence, activity, keys[activity.pk], None, at, reason=reason)


def _restrict(
    actor: Actor,
    consequence: Consequence,
    activity: Activity,
    key: str,
    alert: Alert | None,
    at: datetime,
    *,
    reason: str,
) -> None:
    client_id, account_id = activity.client_id, activity.account_id
    if consequence is Consequence.BLOCK:
        _place(actor, RestrictionKind.BLOCK, client_id, account_id, 0, key, alert, at, reason=reason)
        return
    number = account_numbers([account_id]).get(account_id)
    amount = min(activity.amount_minor, available_minor(client_cash(number))) if number else 0
    if amount > 0:
        _place(actor, RestrictionKind.HOLD, client_id, account_id, amount, key, alert, at, reason=reason)


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
    reason: str,
) -> int:
    hold_key = _hold_key(key)
    if kind is RestrictionKind.HOLD:
        number = account_numbers([account_id])[account_id]
        place_hold(
            actor=actor,
            code=client_cash(number),
            amount_minor=amount_minor,
            key=hold_key,
            at=at,
            reason=str(Sentence("under review")),
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


def _hold_key(key: str) -> str:
    return f"monitoring:{key}"
