"""What the pages show of related clients: the list of groups, one group with its links, a client's own part."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from django.db.models import Q

from reefpoint.decisions.relations import rules
from reefpoint.decisions.relations.models import Exclusion, Group, GroupLimit, HeldValue, Membership
from reefpoint.decisions.relations.selectors.groups import (
    NoSuchGroup,
    get_group,
    load_exposures,
    load_holders,
    load_limits,
    load_members,
)
from reefpoint.decisions.relations.types import (
    ExclusionView,
    Exposure,
    GroupPage,
    GroupRow,
    LimitView,
    Member,
    RelatedClient,
    RelatedPart,
    SharedValue,
    Value,
)
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.searching import holding, searched
from reefpoint.records.accounts.selectors.accounts import load_debts
from reefpoint.records.accounts.types import ClientDebt
from reefpoint.records.parties.selectors.clients import client_texts, visible_clients
from reefpoint.records.parties.selectors.traits import list_clients_sharing, list_traits
from reefpoint.records.parties.types import TraitKind

MARK_CHARACTERS = 6
PAIRS_MEMBERS_MAX = 60
"""In a larger group two by two would be too many to read; what is shared is listed in any."""
GROUP_ORDERS = frozenset({"number", "size", "formed_at", "accounts", "debt_minor", "limit_minor", "used_bp"})
NO_EXPOSURE = Exposure("")


def list_groups(
    actor: Actor, *, text: str = "", limited: str = "", order: str = "-debt_minor", offset: int = 0, limit: int = 50
) -> Listing[GroupRow]:
    """One page of the groups, by default those that owe most first.

    `text` is a group's number, or stands in a member's number or name. `limited` is "yes" for groups with a limit,
    "over" for those above it, "no" for those without. Raises `ValueError` for an order that groups do not have.
    """
    require(actor, "relations.view")
    key = order.lstrip("-")
    if key not in GROUP_ORDERS:
        raise ValueError(f"groups have no order {order!r}")
    drafts = [draft for draft in _drafts(_groups_holding(text)) if _is_as_limited(draft, limited)]
    drafts.sort(key=lambda draft: draft.id)
    known = [draft for draft in drafts if getattr(draft, key) is not None]
    known.sort(key=lambda draft: getattr(draft, key), reverse=order.startswith("-"))
    ordered = known + [draft for draft in drafts if getattr(draft, key) is None]
    return Listing(
        _completed(ordered[offset : offset + limit]),
        len(ordered),
        {"debt_minor": sum(draft.debt_minor for draft in ordered), "size": sum(draft.size for draft in ordered)},
    )


def _groups_holding(text: str) -> list[Group]:
    rows = Group.objects.filter(ended_at=None)
    if wanted := searched(text):
        members = Membership.objects.filter(holding(text, *client_texts()), until=None)
        number = wanted.upper().removeprefix("G-")
        named = Q(id=int(number)) if number.isascii() and number.isdigit() and len(number) < 16 else Q(id=None)
        rows = rows.filter(named | Q(id__in=members.values("group_id")))
    return list(rows)


def _drafts(groups: Collection[Group]) -> list[GroupRow]:
    """The groups with their debts, without what only the rows that are shown need."""
    ids = [group.pk for group in groups]
    group_of = {one: group_id for group_id, clients in load_members(ids).items() for one in clients}
    debts: dict[int, list[ClientDebt]] = defaultdict(list)
    for debt in load_debts(group_of):
        debts[group_of[debt.client_id]].append(debt)
    limits = load_limits(ids)
    return [_draft(group, debts.get(group.pk, ()), limits.get(group.pk, {})) for group in groups]


def _draft(group: Group, debts: Iterable[ClientDebt], limits: Mapping[str, int]) -> GroupRow:
    accounts: dict[str, int] = defaultdict(int)
    owed: dict[str, int] = defaultdict(int)
    for debt in debts:
        accounts[debt.currency] += debt.accounts
        owed[debt.currency] += debt.debt_minor
    currency = max(owed, key=lambda one: (owed[one], one), default=min(limits, default=""))
    limit_minor = limits.get(currency)
    return GroupRow(
        id=group.pk,
        number=group.number,
        size=group.size,
        formed_at=group.formed_at,
        kinds=(),
        currency=currency,
        accounts=accounts.get(currency, 0),
        debt_minor=owed.get(currency, 0),
        collateral_minor=0,
        equity_minor=0,
        limit_minor=limit_minor,
        used_bp=owed.get(currency, 0) * 10_000 // limit_minor if limit_minor else None,
    )


def _is_as_limited(draft: GroupRow, limited: str) -> bool:
    if limited == "over":
        return draft.limit_minor is not None and draft.debt_minor > draft.limit_minor
    return not limited or (draft.limit_minor is not None) == (limited == "yes")


def _completed(drafts: Collection[GroupRow]) -> list[GroupRow]:
    exposures = load_exposures([draft.id for draft in drafts])
    members = load_members([draft.id for draft in drafts])
    holders = load_holders([one for clients in members.values() for one in clients])
    group_of = {one: group_id for group_id, clients in members.items() for one in clients}
    kinds: dict[int, set[str]] = defaultdict(set)
    for (kind, _), clients in holders.items():
        inside = [group_of[one] for one in clients if one in group_of]
        if not rules.is_common(kind, len(clients)):
            kinds_of = {group_id for group_id in inside if inside.count(group_id) > 1}
            for group_id in kinds_of:
                kinds[group_id].add(kind)
    completed = []
    for draft in drafts:
        found = next((one for one in exposures.get(draft.id, ()) if one.currency == draft.currency), NO_EXPOSURE)
        completed.append(
            replace(
                draft,
                kinds=tuple(sorted(kinds[draft.id], key=lambda kind: (-rules.WEIGHT_BP[kind], kind))),
                collateral_minor=found.collateral_minor,
                equity_minor=found.equity_minor,
            )
        )
    return completed


def get_group_page(actor: Actor, group_id: int) -> GroupPage:
    """One group with its members, links, exposure and limits. Raises `NoSuchGroup`."""
    require(actor, "relations.view")
    group = Group.objects.filter(id=group_id).first()
    if group is None:
        raise NoSuchGroup("There is no such group.")
    client_ids = load_members([group_id]).get(group_id, ())
    holders = {
        value: clients
        for value, clients in load_holders(client_ids, excluded_too=True).items()
        if len(set(clients) & set(client_ids)) > 1
    }
    excluded = _exclusions(Q(until=None))
    out = {(row.kind, row.digest) for row in excluded}
    counted = {value: clients for value, clients in holders.items() if (value[0], value[1].hex()) not in out}
    limits = list(GroupLimit.objects.filter(group_id=group_id).order_by("-id"))
    return GroupPage(
        id=group.pk,
        number=group.number,
        formed_at=group.formed_at,
        ended_at=group.ended_at,
        members=_members(actor, group_id),
        links=tuple(rules.find_links(counted, client_ids)) if len(client_ids) <= PAIRS_MEMBERS_MAX else (),
        values=_shared(counted, client_ids),
        excluded=tuple(
            row for row in excluded if (row.kind, row.digest) in {(kind, digest.hex()) for kind, digest in holders}
        ),
        exposures=load_exposures([group_id]).get(group_id, ()),
        limits=tuple(_limit_view(row) for row in limits if row.until is None),
        past_limits=tuple(_limit_view(row) for row in limits if row.until is not None),
    )


def _limit_view(row: GroupLimit) -> LimitView:
    return LimitView(row.currency, row.limit_minor, row.reason, row.set_by, row.since, row.until)


def _members(actor: Actor, group_id: int) -> tuple[Member, ...]:
    since: dict[int, datetime] = dict(
        Membership.objects.filter(group_id=group_id, until=None).values_list("client_id", "since")
    )
    debts: dict[int, dict[str, int]] = defaultdict(dict)
    accounts: dict[int, int] = defaultdict(int)
    for debt in load_debts(since):
        debts[debt.client_id][debt.currency] = debt.debt_minor
        accounts[debt.client_id] += debt.accounts
    return tuple(
        Member(
            client_id=client.pk,
            number=client.number,
            name=client.name,
            name_zh=client.name_zh,
            status=client.status,
            since=since[client.pk],
            accounts=accounts[client.pk],
            debt_minor=debts[client.pk],
        )
        for client in visible_clients(actor).filter(id__in=since).order_by("id")
    )


def _shared(holders: Mapping[Value, list[int]], client_ids: Collection[int]) -> tuple[SharedValue, ...]:
    since: dict[Value, list[datetime]] = defaultdict(list)
    masked = {(str(trait.kind), trait.digest): trait.masked for trait in list_traits(client_ids)}
    rows = HeldValue.objects.filter(client_id__in=client_ids, until=None)
    for kind, digest, known_since in rows.values_list("kind", "digest", "since"):
        since[kind, bytes(digest)].append(known_since)
    found = [
        SharedValue(
            kind=kind,
            mark=masked.get((kind, digest)) or digest.hex()[:MARK_CHARACTERS],
            digest=digest.hex(),
            client_ids=tuple(one for one in clients if one in client_ids),
            holders=len(clients),
            weight_bp=0 if rules.is_common(kind, len(clients)) else rules.WEIGHT_BP[kind],
            since=sorted(since[kind, digest])[1],
        )
        for (kind, digest), clients in holders.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.weight_bp, one.kind, one.digest)))


def list_exclusions(actor: Actor) -> list[ExclusionView]:
    """Everything that is not or was not counted, the latest first."""
    require(actor, "relations.view")
    return _exclusions(Q())


def _exclusions(wanted: Q) -> list[ExclusionView]:
    rows = list(Exclusion.objects.filter(wanted).order_by("-id"))
    values = {(row.kind, bytes(row.digest)) for row in rows}
    holders = load_holders(values=values, excluded_too=True)
    sharing = list_clients_sharing([(TraitKind(kind), digest) for kind, digest in values])
    masked = {(str(trait.kind), trait.digest): trait.masked for trait in sharing}
    return [
        ExclusionView(
            id=row.pk,
            kind=row.kind,
            digest=bytes(row.digest).hex(),
            mark=masked.get((row.kind, bytes(row.digest))) or bytes(row.digest).hex()[:MARK_CHARACTERS],
            holders=len(holders.get((row.kind, bytes(row.digest)), ())),
            reason=row.reason,
            excluded_by=row.excluded_by,
            since=row.since,
            until=row.until,
            end_reason=row.end_reason,
        )
        for row in rows
    ]


def find_related(actor: Actor, client_id: int) -> RelatedPart | None:
    """Who belongs with a client and by what, for the client's page; None for a client in no group.

    Of a member who is linked through others alone, the shared kinds are empty and the weight is zero.
    """
    require(actor, "relations.view")
    group_id = get_group(client_id)
    if group_id is None:
        return None
    kinds: dict[int, list[str]] = defaultdict(list)
    for (kind, _), clients in sorted(load_holders([client_id]).items()):
        if client_id in clients and not rules.is_common(kind, len(clients)):
            for other in clients:
                kinds[other].append(kind)
    return RelatedPart(
        group_id=group_id,
        number=rules.group_number(group_id),
        others=tuple(
            RelatedClient(
                member,
                tuple(dict.fromkeys(kinds.get(member.client_id, ()))),
                rules.combined_bp(kinds.get(member.client_id, ())),
            )
            for member in _members(actor, group_id)
            if member.client_id != client_id
        ),
    )
