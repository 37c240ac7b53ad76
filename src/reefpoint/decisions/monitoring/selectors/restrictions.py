"""Cash that may not leave, and the gate that asks."""

from django.db.models import QuerySet

from reefpoint.decisions.monitoring.models import Restriction
from reefpoint.decisions.monitoring.types import RestrictionKind, RestrictionRow
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal


class WithdrawalBlocked(Refusal):
    """Payments out of this client's accounts are stopped until a person has looked. The reason is not told."""

    code = "withdrawal_blocked"


def require_withdrawals_open(client_id: int) -> None:
    """Raise `WithdrawalBlocked` while a block stands."""
    if Restriction.objects.filter(client_id=client_id, kind=RestrictionKind.BLOCK, released_at=None).exists():
        raise WithdrawalBlocked("This payment needs a check by the desk before it can go out. We will contact you.")


def list_restrictions(
    actor: Actor,
    *,
    restriction_id: int | None = None,
    client_id: int | None = None,
    alert_id: int | None = None,
    is_without_alert: bool = False,
    with_released: bool = False,
    is_oldest_first: bool = False,
    limit: int = 500,
) -> list[RestrictionRow]:
    """Restrictions that stand, or all, newest first, up to `limit` of them."""
    require(actor, "monitoring.view")
    rows: QuerySet[Restriction] = Restriction.objects.order_by("id" if is_oldest_first else "-id")
    if restriction_id is not None:
        rows = rows.filter(id=restriction_id)
    if is_without_alert:
        rows = rows.filter(alert=None)
    if client_id is not None:
        rows = rows.filter(client_id=client_id)
    if alert_id is not None:
        rows = rows.filter(alert_id=alert_id)
    if not with_released:
        rows = rows.filter(released_at=None)
    return [
        RestrictionRow(
            id=row.pk,
            kind=RestrictionKind(row.kind),
            client_id=row.client_id,
            account_id=row.account_id,
            amount_minor=row.amount_minor,
            alert_id=row.alert_id,
            reason=row.reason,
            placed_by=row.placed_by,
            placed_at=row.placed_at,
            released_by=row.released_by,
            released_at=row.released_at,
            release_reason=row.release_reason,
        )
        for row in rows[:limit]
    ]
