"""Shares held, and how they came and went."""

from collections.abc import Collection
from datetime import date

from django.db.models import Count, Sum

from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.models import Position, SecurityMovement
from reefpoint.records.accounts.types import HeldName, MovementKind, MovementRow
from reefpoint.records.parties.selectors.clients import visible_clients


def holdings_by_pool() -> list[tuple[str, int, int]]:
    """Shares of each instrument over all accounts of each funding pool: (pool code, instrument id, shares)."""
    rows = (
        Position.objects.filter(quantity__gt=0)
        .values_list("account__facility__pool_code", "instrument_id")
        .annotate(total=Sum("quantity"))
        .order_by("account__facility__pool_code", "instrument_id")
    )
    return [(pool or "", instrument_id, total) for pool, instrument_id, total in rows]


def list_movements(account_id: int, limit: int = 50) -> list[MovementRow]:
    """The latest changes of an account's positions, newest first."""
    rows = (
        SecurityMovement.objects.filter(account_id=account_id)
        .order_by("-id")
        .values_list("effective_on", "at", "instrument_id", "instrument__symbol", "kind", "quantity", "source")[:limit]
    )
    return [MovementRow(*row) for row in rows]


def quantities_bought(
    account_ids: Collection[int], instrument_ids: Collection[int], on: date
) -> dict[tuple[int, int], int]:
    """Shares that these accounts bought of these names on one day, by account and instrument id, in one query."""
    bought = SecurityMovement.objects.filter(
        account_id__in=account_ids, instrument_id__in=instrument_ids, effective_on=on, kind=MovementKind.PURCHASE
    )
    rows = bought.values_list("account_id", "instrument_id").annotate(Sum("quantity")).order_by()
    return {(account_id, instrument_id): quantity for account_id, instrument_id, quantity in rows}


def names_held(actor: Actor) -> list[HeldName]:
    """Shares of each instrument over the accounts in the actor's scope, in one query."""
    held = Position.objects.filter(quantity__gt=0, account__client__in=visible_clients(actor))
    rows = held.values_list("instrument_id").annotate(Sum("quantity"), Count("account_id"))
    return [HeldName(*row) for row in rows.order_by("instrument_id")]


def quantities_held() -> dict[str, int]:
    """Shares of each instrument over all accounts, by symbol."""
    rows = Position.objects.filter(quantity__gt=0).values("instrument__symbol").annotate(total=Sum("quantity"))
    return {row["instrument__symbol"]: row["total"] for row in rows.order_by("instrument__symbol")}
