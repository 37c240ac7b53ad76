"""Setting money aside, and ending that once."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import IntegrityError, connection, transaction

from reefpoint.platform.basics.actors import Actor
from reefpoint.records.ledger import rules
from reefpoint.records.ledger.models import Hold, HoldResolution
from reefpoint.records.ledger.services.journals import post_journal
from reefpoint.records.ledger.services.refusals import (
    CaptureTooLarge,
    HoldEnded,
    IdempotencyConflict,
    InsufficientBalance,
    UnknownLedgerAccount,
)
from reefpoint.records.ledger.types import AccountKind, Line


def place_hold(*, actor: Actor, code: str, amount_minor: int, key: str, at: datetime, reason: str) -> int:
    """Set money of a ledger account aside, or find it set aside under the same key. Returns the hold's id.

    Raises `InsufficientBalance` if the balance less all holds would go below the account's floor.
    """
    assert amount_minor > 0, "a hold is positive"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                """
                INSERT INTO ledger_hold (key, account_id, amount_minor, reason, actor, placed_at)
                SELECT %s, id, %s, %s, %s, %s FROM ledger_account WHERE code = %s
                ON CONFLICT (key) DO NOTHING RETURNING id
                """,
                [key, amount_minor, reason, actor.ref, at, code],
            )
            placed = cursor.fetchone()
    except IntegrityError as error:
        if rules.broken_constraint(error) != "ledger_balance_above_floor":
            raise
        raise InsufficientBalance("There is not enough on {code}.", code=code) from error
    if placed is not None:
        return int(placed[0])
    found = Hold.objects.filter(key=key).select_related("account").first()
    if found is None:
        raise UnknownLedgerAccount("The ledger account {code} is not open.", code=code)
    if (found.account.code, found.amount_minor) != (code, amount_minor):
        raise IdempotencyConflict("The key {key} stands for another hold.", key=key)
    return found.id


@transaction.atomic
def release_hold(*, actor: Actor, key: str, at: datetime) -> None:
    """Give a hold's money back to its account; releasing it again changes nothing.

    Raises `HoldEnded` if it was captured.
    """
    _end(actor, Hold.objects.get(key=key), is_captured=False, at=at)


@transaction.atomic
def capture_hold(
    *,
    actor: Actor,
    key: str,
    kind: str,
    lines: Sequence[Line],
    effective_on: date,
    at: datetime,
    memo: str = "",
    source: str = "",
) -> int:
    """End a hold by a journal that uses its money; what it does not use is free again. Returns the journal's id.

    The same capture again gives the same journal. Raises `HoldEnded` if the hold was released, `CaptureTooLarge` if
    the lines take more from its account than it set aside, and what `post_journal` raises.
    """
    hold = Hold.objects.select_related("account").get(key=key)
    if rules.taken_minor(lines, hold.account.code, AccountKind(hold.account.kind)) > hold.amount_minor:
        raise CaptureTooLarge("The hold {key} is smaller than what is to be taken.", key=key)
    _end(actor, hold, is_captured=True, at=at)
    return post_journal(
        actor=actor,
        kind=kind,
        lines=lines,
        effective_on=effective_on,
        at=at,
        key=f"{key}:capture",
        memo=memo,
        source=source,
    )


def _end(actor: Actor, hold: Hold, *, is_captured: bool, at: datetime) -> None:
    """Insert the hold's one resolution; the first to commit wins, whoever else wanted the same is content."""
    HoldResolution.objects.bulk_create(
        [HoldResolution(hold=hold, is_captured=is_captured, actor=actor.ref, resolved_at=at)], ignore_conflicts=True
    )
    if HoldResolution.objects.get(hold=hold).is_captured != is_captured:
        raise HoldEnded("The hold {key} has ended otherwise.", key=hold.key)
