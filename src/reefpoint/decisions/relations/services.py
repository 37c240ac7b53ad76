"""Regrouping clients when what they share changes, limits of groups, and what is not counted."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import connection, transaction

from reefpoint.decisions.relations import rules
from reefpoint.decisions.relations.models import Exclusion, Group, GroupLimit, HeldValue, Membership
from reefpoint.decisions.relations.selectors.groups import (
    NoSuchGroup,
    find_limit,
    load_groups,
    load_holders,
    load_limits,
    load_values,
)
from reefpoint.decisions.relations.types import Regrouping, Value
from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record, record_all
from reefpoint.platform.audit.types import EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.personal_data import is_kept
from reefpoint.platform.database.bulk import array_literal, insert_columns, next_ids
from reefpoint.platform.database.locks import lock_name, share_name
from reefpoint.records.accounts.selectors.accounts import load_debts
from reefpoint.records.parties.selectors.traits import list_traits
from reefpoint.records.parties.types import TraitKind

REGROUPING = "relations.regroup"


class ReasonMissing(Refusal):
    """What must say why does not."""

    code = "reason_needed"


class AlreadyExcluded(Refusal):
    """The thing is not counted already."""

    code = "already_excluded"


@transaction.atomic
def regroup_client(*, actor: Actor, client_id: int, at: datetime) -> Regrouping:
    """Take over what a client has now, and regroup those whom the change touches; the same as from scratch.

    Only clients who have a thing that was added or went can be linked otherwise than before, so only they and their
    groups are looked at: a new group lies within these.
    """
    lock_name(REGROUPING)
    before = load_values([client_id]).get(client_id, frozenset())
    now = _traits_of([client_id]).get(client_id, frozenset())
    added, gone = now - before, before - now
    _write_values([(client_id, value) for value in added], [(client_id, value) for value in gone], at)
    touched = {client_id} | _touched_by(added | gone)
    changed = _regroup(actor, _with_their_groups(touched), at)
    return Regrouping(len(touched), len(added), len(gone), *changed)


@transaction.atomic
def erase_values(*, actor: Actor, client_id: int, kept: Collection[str], at: datetime) -> None:
    """Regroup a client after an erasure, and forget the digests of what went; all of them unless a law keeps some.

    Devices and network addresses always go. In which groups the client was stays: it holds nothing of the client.
    """
    require(actor, "clients.erase")
    regroup_client(actor=actor, client_id=client_id, at=at)
    gone = HeldValue.objects.filter(client_id=client_id).exclude(until=None)
    if is_kept("relations.HeldValue", kept):
        gone = gone.filter(kind__in=[TraitKind.DEVICE, TraitKind.IP_DAY])
    record(
        actor=actor,
        action="relations.erase",
        subject=f"client:{client_id}",
        inputs={"erased": {"values": gone.delete()[0]}, "kept": sorted(kept)},
        at=at,
    )


@transaction.atomic
def regroup_all(*, actor: Actor, at: datetime) -> Regrouping:
    """Take over what every client has now, and group all from scratch. Writes only what differs."""
    lock_name(REGROUPING)
    before, now = load_values(None), _traits_of(None)
    nothing: frozenset[Value] = frozenset()
    clients = before.keys() | now.keys()
    added = [(one, value) for one in clients for value in now.get(one, nothing) - before.get(one, nothing)]
    gone = [(one, value) for one in clients for value in before.get(one, nothing) - now.get(one, nothing)]
    _write_values(added, gone, at)
    changed = _regroup(actor, None, at)
    return Regrouping(len(clients), len(added), len(gone), *changed)


@transaction.atomic
def exclude_value(*, actor: Actor, kind: str, digest: bytes, reason: str, at: datetime) -> int:
    """Count a shared thing no longer: a serviced office's address, an adviser's phone. Returns the exclusion's id.

    Raises `ReasonMissing`, `AlreadyExcluded`, and `NotFound` for a thing that nobody has.
    """
    require(actor, "relations.exclude")
    if not reason.strip():
        raise ReasonMissing("Say why this does not count: it goes into the audit log.")
    lock_name(REGROUPING)
    holders = _touched_by({(kind, digest)}, common_too=True)
    if not holders:
        raise NotFound("No client has this.")
    if Exclusion.objects.filter(kind=kind, digest=digest, until=None).exists():
        raise AlreadyExcluded("This does not count already.")
    row = Exclusion.objects.create(kind=kind, digest=digest, reason=reason.strip(), excluded_by=actor.ref, since=at)
    record(
        actor=actor,
        action="relations.exclude",
        subject=f"exclusion:{row.pk}",
        reason=reason,
        inputs={"kind": kind, "digest": digest.hex(), "holders": len(holders)},
        at=at,
    )
    _regroup(actor, _with_their_groups(holders), at)
    return row.pk


@transaction.atomic
def end_exclusion(*, actor: Actor, exclusion_id: int, reason: str, at: datetime) -> None:
    """Count a thing again. Raises `ReasonMissing`, and `NotFound` unless the exclusion is in force."""
    require(actor, "relations.exclude")
    if not reason.strip():
        raise ReasonMissing("Say why this counts again: it goes into the audit log.")
    lock_name(REGROUPING)
    row = Exclusion.objects.select_for_update().filter(id=exclusion_id, until=None).first()
    if row is None:
        raise NotFound("There is no such exclusion in force.")
    row.until, row.ended_by, row.end_reason = at, actor.ref, reason.strip()
    row.save(update_fields=["until", "ended_by", "end_reason"])
    record(actor=actor, action="relations.count_again", subject=f"exclusion:{row.pk}", reason=reason, at=at)
    _regroup(actor, _with_their_groups(_touched_by({(row.kind, bytes(row.digest))})), at)


@transaction.atomic
def set_group_limit(
    *, actor: Actor, group_id: int, currency: str, limit_minor: int | None, reason: str, at: datetime
) -> None:
    """Set the most that a group may owe in a currency; None lifts the limit. Earlier limits stay on record.

    Raises `NoSuchGroup` for one that ended, `LimitRefused`, `ReasonMissing`.
    """
    require(actor, "relations.set_limit")
    if limit_minor is not None:
        rules.check_limit(limit_minor)
    if not reason.strip():
        raise ReasonMissing("Say why: the next person will want to know.")
    share_name(REGROUPING)
    lock_name(_group_lock(group_id))
    if not Group.objects.filter(id=group_id, ended_at=None).exists():
        raise NoSuchGroup("There is no such group any more.")
    before = GroupLimit.objects.filter(group_id=group_id, currency=currency, until=None).first()
    GroupLimit.objects.filter(group_id=group_id, currency=currency, until=None).update(until=at)
    if limit_minor is not None:
        GroupLimit.objects.create(
            group_id=group_id,
            currency=currency,
            limit_minor=limit_minor,
            reason=reason.strip(),
            set_by=actor.ref,
            since=at,
        )
    record(
        actor=actor,
        action="relations.set_limit",
        subject=f"group:{group_id}",
        reason=reason,
        inputs={
            "currency": currency,
            "limit_minor": limit_minor,
            "limit_before_minor": before.limit_minor if before else None,
        },
        at=at,
    )


def require_group_limit(*, client_id: int, currency: str, amount_minor: int) -> None:
    """Raise `GroupLimitExceeded` if the client's group would owe more than its limit after this drawdown.

    For a flow that already holds the account's lock, before it lends. A client without a group, or of a group without a
    limit, costs one query. Otherwise members of one group draw one after the other: the second waits for the first to
    end and then counts its debt, and nobody is regrouped meanwhile.
    """
    if find_limit(client_id, currency) is None:
        return
    share_name(REGROUPING)
    found = find_limit(client_id, currency)
    if found is None:
        return
    lock_name(_group_lock(found.group_id))
    found = find_limit(client_id, currency)
    if found is None:
        return
    debts = load_debts(found.client_ids)
    rules.check_group_limit(
        debt_minor=sum(debt.debt_minor for debt in debts if debt.currency == currency),
        amount_minor=amount_minor,
        limit_minor=found.limit_minor,
    )


def _group_lock(group_id: int) -> str:
    return f"relations.group:{group_id}"


def _traits_of(client_ids: Sequence[int] | None) -> Mapping[int, frozenset[Value]]:
    """What each client has now, of the kinds that can link."""
    found: dict[int, set[Value]] = defaultdict(set)
    for trait in list_traits(client_ids):
        if trait.until is None and trait.kind in rules.WEIGHT_BP:
            found[trait.client_id].add((str(trait.kind), bytes(trait.digest)))
    return {client_id: frozenset(values) for client_id, values in found.items()}


def _write_values(added: Sequence[tuple[int, Value]], gone: Sequence[tuple[int, Value]], at: datetime) -> None:
    insert_columns(
        HeldValue._meta.db_table,
        {"client_id": "bigint", "kind": "text", "digest": "bytea", "since": "timestamptz"},
        [(client_id, kind, f"\\x{digest.hex()}", at) for client_id, (kind, digest) in added],
    )
    if gone:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE relations_heldvalue AS held SET until = %s
                  FROM unnest(%s::bigint[], %s::text[], %s::bytea[]) AS gone(client_id, kind, digest)
                 WHERE held.until IS NULL AND held.client_id = gone.client_id
                   AND held.kind = gone.kind AND held.digest = gone.digest
                """,
                [
                    at,
                    array_literal([client_id for client_id, _ in gone]),
                    array_literal([kind for _, (kind, _digest) in gone]),
                    array_literal([f"\\x{digest.hex()}" for _, (_kind, digest) in gone]),
                ],
            )


def _touched_by(values: Collection[Value], *, common_too: bool = False) -> set[int]:
    """Clients who have one of these things now, but for those that were and are too common to link anybody."""
    touched: set[int] = set()
    for (kind, _digest), client_ids in load_holders(values=values, excluded_too=True).items():
        if common_too or not rules.is_common(kind, len(client_ids) - 1):
            touched.update(client_ids)
    return touched


def _with_their_groups(client_ids: Collection[int]) -> set[int]:
    groups = set(load_groups(client_ids).values())
    members = Membership.objects.filter(group_id__in=groups, until=None).values_list("client_id", flat=True)
    return {*client_ids, *members}


def _regroup(actor: Actor, client_ids: Collection[int] | None, at: datetime) -> tuple[int, int, int]:
    """Bring the groups of these clients (all, by default) in line with what they share now, writing what differs.

    Returns how many groups were formed, how many ended, and how many clients moved.
    """
    old = load_groups(client_ids)
    groups = rules.find_groups(load_holders(client_ids), client_ids)
    named = rules.name_groups(old, groups)
    fresh = iter(next_ids(Group._meta.db_table, sum(group_id is None for group_id, _ in named)))
    formed = {next(fresh) if group_id is None else group_id: (group_id is None, members) for group_id, members in named}
    new = {client_id: group_id for group_id, (_, members) in formed.items() for client_id in members}
    moved = sorted(one for one in old.keys() | new.keys() if old.get(one) != new.get(one))
    ended = sorted(set(old.values()) - formed.keys())
    if not moved:
        return 0, 0, 0
    Membership.objects.filter(client_id__in=moved, until=None).update(until=at)
    insert_columns(
        Group._meta.db_table,
        {"id": "bigint", "size": "integer", "formed_at": "timestamptz"},
        [(group_id, len(members), at) for group_id, (is_new, members) in formed.items() if is_new],
    )
    insert_columns(
        Membership._meta.db_table,
        {"group_id": "bigint", "client_id": "bigint", "since": "timestamptz"},
        [(new[client_id], client_id, at) for client_id in moved if client_id in new],
    )
    changed = {new[one] for one in moved if one in new} | {old[one] for one in moved if one in old}
    for group_id in sorted(changed & formed.keys()):
        is_new, members = formed[group_id]
        if not is_new:
            Group.objects.filter(id=group_id).update(size=len(members))
    _pass_limits_on(actor, old, {group_id: members for group_id, (_, members) in formed.items()}, at)
    GroupLimit.objects.filter(group_id__in=ended, until=None).update(until=at)
    Group.objects.filter(id__in=ended).update(ended_at=at)
    joined, left = _by_group(moved, new), _by_group(moved, old)
    record_all(
        actor=actor,
        action="relations.regroup",
        entries=[
            EntryDraft(
                subject=f"group:{group_id}",
                inputs={"joined": joined.get(group_id, []), "left": left.get(group_id, [])},
            )
            for group_id in sorted(changed)
        ],
        at=at,
    )
    return sum(is_new for is_new, _ in formed.values()), len(ended), len(moved)


def _by_group(client_ids: Iterable[int], groups: Mapping[int, int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for client_id in client_ids:
        if client_id in groups:
            found[groups[client_id]].append(client_id)
    return found


def _pass_limits_on(actor: Actor, old: Mapping[int, int], formed: Mapping[int, tuple[int, ...]], at: datetime) -> None:
    """Give each group the lowest limit of those from which its members came, so that no regrouping lifts a limit."""
    limits = load_limits(set(old.values()))
    if not limits:
        return
    ended: list[tuple[int, str]] = []
    written: list[tuple[object, ...]] = []
    for group_id, members in formed.items():
        sources = {old[one] for one in members if one in old}
        for currency in sorted({currency for source in sources for currency in limits.get(source, {})}):
            limit = rules.inherited_limit(
                limits[source][currency] for source in sources if currency in limits.get(source, {})
            )
            if limits.get(group_id, {}).get(currency) != limit:
                ended.append((group_id, currency))
                names = ", ".join(f"group:{source}" for source in sorted(sources))
                written.append((group_id, currency, limit, f"taken over from {names}", actor.ref, at))
    for group_id, currency in ended:
        GroupLimit.objects.filter(group_id=group_id, currency=currency, until=None).update(until=at)
    insert_columns(
        GroupLimit._meta.db_table,
        {
            "group_id": "bigint",
            "currency": "text",
            "limit_minor": "bigint",
            "reason": "text",
            "set_by": "text",
            "since": "timestamptz",
        },
        written,
    )
