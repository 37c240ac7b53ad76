"""Whose an account is, within an actor's scope or the client's own."""

from collections.abc import Collection

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.database.searching import holding, searched
from reefpoint.records.accounts.models import MarginAccount, Position
from reefpoint.records.accounts.types import AccountOwner
from reefpoint.records.parties.selectors.clients import client_texts, find_own_client, visible_clients


def get_owner(actor: Actor, account_id: int) -> AccountOwner:
    """Whose an account is. Raises `NotFound` alike for an account out of the actor's scope and for none (I66)."""
    row = (
        MarginAccount.objects.filter(id=account_id, client__in=visible_clients(actor)).select_related("client").first()
    )
    if row is None:
        raise NotFound("There is no account {account_id}, or it is not yours to see.", account_id=account_id)
    return _owner(row)


def list_own_accounts(actor: Actor) -> list[AccountOwner]:
    """The accounts of the client who is signed in on the portal, by number."""
    own = find_own_client(actor)
    if own is None:
        return []
    return [
        _owner(row) for row in MarginAccount.objects.filter(client_id=own.id).select_related("client").order_by("id")
    ]


def get_own_account(actor: Actor, account_id: int) -> AccountOwner:
    """One account of the client who is signed in. Raises `NotFound` for another's as for one that never was (I66)."""
    found = next((one for one in list_own_accounts(actor) if one.account_id == account_id), None)
    if found is None:
        raise NotFound("There is no account {account_id}, or it is not yours to see.", account_id=account_id)
    return found


def _owner(row: MarginAccount) -> AccountOwner:
    client = row.client
    return AccountOwner(row.id, row.number, client.id, client.number, client.name, client.name_zh)


def search_accounts(actor: Actor, text: str, limit: int = 20) -> list[AccountOwner]:
    """Accounts in scope whose number, or whose client's number or name in either language, holds `text`."""
    if not searched(text):
        return []
    found = holding(text, "number", *client_texts())
    rows = MarginAccount.objects.filter(found, client__in=visible_clients(actor)).select_related("client")
    return [
        AccountOwner(row.id, row.number, row.client.id, row.client.number, row.client.name, row.client.name_zh)
        for row in rows.order_by("id")[:limit]
    ]


def load_owners(account_ids: Collection[int]) -> dict[int, AccountOwner]:
    """Whose each of these accounts is, in one query; for rows that were found within somebody's scope already."""
    rows = MarginAccount.objects.filter(id__in=account_ids).select_related("client")
    return {
        row.id: AccountOwner(row.id, row.number, row.client.id, row.client.number, row.client.name, row.client.name_zh)
        for row in rows
    }


def holders_of(actor: Actor, instrument_id: int, limit: int = 20) -> list[tuple[AccountOwner, int]]:
    """The accounts in the actor's scope that hold most of a name, with their shares, in one query."""
    held = Position.objects.filter(
        instrument_id=instrument_id, quantity__gt=0, account__client__in=visible_clients(actor)
    )
    rows = held.select_related("account__client").order_by("-quantity", "account_id")[:limit]
    return [(_owner(row.account), row.quantity) for row in rows]
