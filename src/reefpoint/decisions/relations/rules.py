"""Who belongs together: what sharing a thing weighs, when two clients are linked, and the groups that follow.

The weights of bank account, device, phone, e-mail, attorney, address and IP-day, and the line of .8, are a default of
this project without a published source (so are all others here): they are shown as such on the pages.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

from reefpoint.decisions.relations.types import Link, Value
from reefpoint.platform.basics.errors import Refusal

WHOLE_BP = 10_000
WEIGHT_BP: Mapping[str, int] = {
    "bank_account": 10_000,
    "attorney": 10_000,
    "identifier": 10_000,
    "device": 8_000,
    "phone": 8_000,
    "email": 8_000,
    "signatory": 8_000,
    "owner": 8_000,
    "address": 4_000,
    "ip_day": 2_000,
}
"""What it weighs that two clients have the same thing, by kind. A kind that is not here links nobody."""

LINK_BP = 8_000
"""Two clients whose shared things weigh this much together belong together."""

COMMON_HOLDERS_MAX = 20
"""A weak thing (under `LINK_BP` by itself) that more clients than this have says nothing about any two of them."""

SIZE_MIN = 2


class GroupLimitExceeded(Refusal):
    """What a group would owe together is above its limit."""

    code = "group_limit_exceeded"


class LimitRefused(Refusal):
    """A limit that is no amount."""

    code = "limit_refused"


def group_number(group_id: int) -> str:
    """How people name a group: G-000012."""
    return f"G-{group_id:06d}"


def is_strong(kind: str) -> bool:
    """Whether one shared thing of this kind is enough to link two clients."""
    return WEIGHT_BP.get(kind, 0) >= LINK_BP


def is_common(kind: str, holders: int) -> bool:
    """Whether a thing is had by too many clients to count. What is strong by itself always counts."""
    return not is_strong(kind) and holders > COMMON_HOLDERS_MAX


def combined_bp(kinds: Iterable[str]) -> int:
    """The weight of several shared things together, in basis points, rounded down: 1 - (1 - w1)(1 - w2)...

    As if each were an independent sign, each wrong with the probability 1 - w. Five IP-days and an address, or eight
    IP-days, reach the line of .8.
    """
    doubt, scale = 1, 1
    for kind in kinds:
        doubt *= WHOLE_BP - WEIGHT_BP.get(kind, 0)
        scale *= WHOLE_BP
    return (scale - doubt) * WHOLE_BP // scale


def find_groups(holders: Mapping[Value, Sequence[int]], within: Collection[int] | None = None) -> list[tuple[int, ...]]:
    """The connected groups of two or more clients, each in ascending order, by their first client.

    `holders` says who has each thing. With `within`, only these clients are grouped; the others are counted as holders.
    """
    parent: dict[int, int] = {}

    def root(client_id: int) -> int:
        parent.setdefault(client_id, client_id)
        while parent[client_id] != client_id:
            parent[client_id] = parent[parent[client_id]]
            client_id = parent[client_id]
        return client_id

    def join(first: int, second: int) -> None:
        one, other = root(first), root(second)
        parent[max(one, other)] = min(one, other)

    weak: dict[tuple[int, int], list[str]] = defaultdict(list)
    for (kind, _digest), client_ids in holders.items():
        if is_common(kind, len(client_ids)) or kind not in WEIGHT_BP:
            continue
        members = client_ids if within is None else [one for one in client_ids if one in within]
        if is_strong(kind):
            for client_id in members[1:]:
                join(members[0], client_id)
        else:
            for pair in combinations(sorted(members), 2):
                weak[pair].append(kind)
    enough: dict[tuple[str, ...], bool] = {}
    for (first, second), kinds in weak.items():
        found = tuple(kinds)
        if found not in enough:
            enough[found] = combined_bp(found) >= LINK_BP
        if enough[found]:
            join(first, second)
    groups: dict[int, list[int]] = defaultdict(list)
    for client_id in parent:
        groups[root(client_id)].append(client_id)
    return sorted(tuple(sorted(members)) for members in groups.values() if len(members) >= SIZE_MIN)


def find_links(holders: Mapping[Value, Sequence[int]], within: Collection[int]) -> list[Link]:
    """Each two of these clients that share anything that counts, with all that they share; by client."""
    shared: dict[tuple[int, int], list[Value]] = defaultdict(list)
    for value in sorted(holders):
        kind, client_ids = value[0], holders[value]
        if is_common(kind, len(client_ids)) or kind not in WEIGHT_BP:
            continue
        for pair in combinations(sorted(one for one in client_ids if one in within), 2):
            shared[pair].append(value)
    return [
        Link(first, second, tuple(values), combined_bp(kind for kind, _ in values))
        for (first, second), values in sorted(shared.items())
    ]


def name_groups(old: Mapping[int, int], groups: Sequence[tuple[int, ...]]) -> list[tuple[int | None, tuple[int, ...]]]:
    """Which earlier group each group goes on as: that of most of its members, the oldest of equals; None is new.

    `old` is the earlier group of each client. An earlier group goes on as the one that holds most of its members.
    """
    claims: list[tuple[int, int, int]] = []
    for place, members in enumerate(groups):
        votes = Counter(old[one] for one in members if one in old)
        claims += [(-count, group_id, place) for group_id, count in votes.items()]
    kept: dict[int, int] = {}
    taken: set[int] = set()
    for _, group_id, place in sorted(claims):
        if place not in kept and group_id not in taken:
            kept[place] = group_id
            taken.add(group_id)
    return [(kept.get(place), members) for place, members in enumerate(groups)]


def inherited_limit(limits: Iterable[int]) -> int | None:
    """The limit of a group that clients of several groups form: the lowest of theirs; none if none had one."""
    return min(limits, default=None)


def check_limit(limit_minor: int) -> None:
    """Refuse a limit below nothing. Zero lends the group nothing more. Raises `LimitRefused`."""
    if limit_minor < 0:
        raise LimitRefused("A limit is zero or more.", limit_minor=limit_minor)


def check_group_limit(*, debt_minor: int, amount_minor: int, limit_minor: int) -> None:
    """Refuse a drawdown after which a group would owe more than its limit. Raises `GroupLimitExceeded`.

    The words name no figure and nobody: the client may read them, and what others owe is not the client's to know.
    """
    if debt_minor + amount_minor > limit_minor:
        raise GroupLimitExceeded(
            "Accounts that belong together share one limit, and this drawdown is more than what is left of it. "
            "Ask for less, or ask the desk."
        )
