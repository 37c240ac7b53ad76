"""Groups of clients that belong together: who is in them, what links them, what they owe."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from reefpoint.decisions.relations.models import GroupLimit, HeldValue, Membership
from reefpoint.decisions.relations.types import Exposure, Value
from reefpoint.platform.basics.errors import NotFound
from reefpoint.platform.basics.money import held_minor
from reefpoint.platform.database.bulk import array_literal
from reefpoint.records.accounts.selectors.accounts import account_ids_of_clients, load_accounts
from reefpoint.records.accounts.types import AccountStatus
from reefpoint.records.market.selectors import latest_prices


class NoSuchGroup(NotFound):
    """There is no such group of related clients."""


@dataclass(frozen=True)
class FoundLimit:
    """The limit that a client's group has in a currency, and who is in the group."""

    group_id: int
    limit_minor: int
    client_ids: tuple[int, ...]


def load_groups(client_ids: Collection[int] | None = None) -> dict[int, int]:
    """The group of each of these clients (of all, by default) that is in one."""
    rows = Membership.objects.filter(until=None)
    if client_ids is not None:
        rows = rows.filter(client_id__in=client_ids)
    return dict(rows.values_list("client_id", "group_id"))


def get_group(client_id: int) -> int | None:
    """The id of the group that a client is in, if any."""
    return load_groups([client_id]).get(client_id)


def load_members(group_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The clients in each of these groups now, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    rows = Membership.objects.filter(group_id__in=group_ids, until=None).order_by("client_id")
    for group_id, client_id in rows.values_list("group_id", "client_id"):
        found[group_id].append(client_id)
    return {group_id: tuple(client_ids) for group_id, client_ids in found.items()}


def load_values(client_ids: Collection[int] | None) -> dict[int, frozenset[Value]]:
    """What each of these clients (each one, if None) has now, as this app last took it over."""
    rows = HeldValue.objects.filter(until=None)
    if client_ids is not None:
        rows = rows.filter(client_id__in=client_ids)
    found: dict[int, set[Value]] = defaultdict(set)
    for client_id, kind, digest in rows.values_list("client_id", "kind", "digest").iterator(chunk_size=20_000):
        found[client_id].add((kind, bytes(digest)))
    return {client_id: frozenset(values) for client_id, values in found.items()}


_HOLDERS = """
SELECT kind, digest, array_agg(client_id ORDER BY client_id)
  FROM relations_heldvalue AS held
 WHERE until IS NULL {narrowed}
   AND (%(excluded_too)s OR NOT EXISTS (
       SELECT 1 FROM relations_exclusion AS excluded
        WHERE excluded.until IS NULL AND excluded.kind = held.kind AND excluded.digest = held.digest))
 GROUP BY kind, digest {several}
"""
_OF_CLIENTS = """AND (kind, digest) IN (
    SELECT kind, digest FROM relations_heldvalue WHERE until IS NULL AND client_id = ANY(%(clients)s::bigint[]))"""
_OF_VALUES = "AND (kind, digest) IN (SELECT * FROM unnest(%(kinds)s::text[], %(digests)s::bytea[]))"


def load_holders(
    client_ids: Collection[int] | None = None,
    *,
    values: Collection[Value] | None = None,
    excluded_too: bool = False,
) -> dict[Value, list[int]]:
    """Who has each thing that counts and that several clients have: all of them, or those that some clients have.

    With `values`: who has these, be it one client alone.
    """
    narrowed = _OF_VALUES if values is not None else "" if client_ids is None else _OF_CLIENTS
    several = "" if values is not None else "HAVING count(*) > 1"
    wanted: dict[str, bool | str] = {"excluded_too": excluded_too}
    if values is not None:
        wanted["kinds"] = array_literal([kind for kind, _ in values])
        wanted["digests"] = array_literal([f"\\x{digest.hex()}" for _, digest in values])
    elif client_ids is not None:
        wanted["clients"] = array_literal(list(client_ids))
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS.format(narrowed=narrowed, several=several), wanted)
        return {(kind, bytes(digest)): clients for kind, digest, clients in cursor.fetchall()}


_LIMIT = """
SELECT own.group_id, l.limit_minor,
       ARRAY(SELECT client_id FROM relations_membership AS m
              WHERE m.group_id = own.group_id AND m.until IS NULL ORDER BY client_id)
  FROM relations_membership AS own
  JOIN relations_grouplimit AS l ON l.group_id = own.group_id AND l.until IS NULL AND l.currency = %s
 WHERE own.client_id = %s AND own.until IS NULL
"""


def find_limit(client_id: int, currency: str) -> FoundLimit | None:
    """The limit of a client's group in a currency, if there is one; one query."""
    with connection.cursor() as cursor:
        cursor.execute(_LIMIT, [currency, client_id])
        row = cursor.fetchone()
    return None if row is None else FoundLimit(row[0], row[1], tuple(row[2]))


def load_limits(group_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """The limits in force of these groups, by currency."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    rows = GroupLimit.objects.filter(group_id__in=group_ids, until=None)
    for group_id, currency, limit_minor in rows.values_list("group_id", "currency", "limit_minor"):
        found[group_id][currency] = limit_minor
    return dict(found)


def load_exposures(group_ids: Collection[int]) -> dict[int, tuple[Exposure, ...]]:
    """What each of these groups has with the desk, by currency: the largest debt first."""
    group_of = {one: group_id for group_id, members in load_members(group_ids).items() for one in members}
    accounts = [
        account
        for account in load_accounts(account_ids_of_clients(group_of.keys()))
        if account.status is not AccountStatus.CLOSED
    ]
    prices = latest_prices()
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    names: dict[tuple[int, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for account in accounts:
        key = group_of[account.client_id], account.currency
        found = sums[key]
        found[0] += 1
        found[1] += account.debt_minor
        found[2] += account.cash_minor
        for holding in account.holdings:
            if price := prices.get(holding.instrument_id):
                names[key][holding.instrument_id] += holding.quantity * price.price_units
            else:
                found[3] += 1
    exposures: dict[int, list[Exposure]] = defaultdict(list)
    for (group_id, currency), (count, debt, cash, unpriced) in sums.items():
        held = names[group_id, currency]
        whole = sum(held.values())
        top = max(held, key=lambda one: (held[one], -one), default=None)
        exposures[group_id].append(
            Exposure(
                currency=currency,
                accounts=count,
                debt_minor=debt,
                collateral_minor=held_minor(whole, currency) + cash,
                top_instrument_id=top,
                top_share_bp=held[top] * 10_000 // whole if top is not None and whole else None,
                unpriced=unpriced,
            )
        )
    return {
        group_id: tuple(sorted(found, key=lambda one: (-one.debt_minor, one.currency)))
        for group_id, found in exposures.items()
    }
