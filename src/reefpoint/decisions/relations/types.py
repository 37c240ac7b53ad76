"""Who belongs together: what clients share, the groups that follow, what a group owes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Value: TypeAlias = tuple[str, bytes]
"""A thing a client has: its kind (`phone`) and the keyed digest of what it is, never the thing itself."""


@dataclass(frozen=True)
class Link:
    """Two clients and what both have. `weight_bp` is the weight of all of it together; client ids ascend."""

    first_id: int
    second_id: int
    shared: tuple[Value, ...]
    weight_bp: int


@dataclass(frozen=True)
class SharedValue:
    """A thing that several members of a group have, as it may be shown.

    `mark` is the thing masked, or the beginning of its digest in hex where the records keep no masked form. `holders`
    counts all clients that have it; `weight_bp` is what it weighs in one pair.
    """

    kind: str
    mark: str
    digest: str
    client_ids: tuple[int, ...]
    holders: int
    weight_bp: int
    since: datetime


@dataclass(frozen=True)
class Exposure:
    """What a group has with the desk, in minor units of one currency.

    `collateral_minor` is securities at their latest price plus cash; `unpriced` counts positions that have none and are
    left out. `top_share_bp` is the part of the largest name in all securities; `top_instrument_id` says which.
    """

    currency: str
    accounts: int = 0
    debt_minor: int = 0
    collateral_minor: int = 0
    top_instrument_id: int | None = None
    top_share_bp: int | None = None
    unpriced: int = 0

    @property
    def equity_minor(self) -> int:
        """Collateral less debt."""
        return self.collateral_minor - self.debt_minor


@dataclass(frozen=True)
class LimitView:
    """The most that the members of a group may owe together, in one currency."""

    currency: str
    limit_minor: int
    reason: str
    set_by: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Member:
    """A client in a group. `debt_minor` is by currency."""

    client_id: int
    number: str
    name: str
    name_zh: str
    status: str
    since: datetime
    accounts: int
    debt_minor: Mapping[str, int]


@dataclass(frozen=True)
class GroupRow:
    """A group as the list shows it; the exposure is that of the currency in which it owes most."""

    id: int
    number: str
    size: int
    formed_at: datetime
    kinds: tuple[str, ...]
    currency: str
    accounts: int
    debt_minor: int
    collateral_minor: int
    equity_minor: int
    limit_minor: int | None
    used_bp: int | None


@dataclass(frozen=True)
class GroupPage:
    """One group with everything that explains it."""

    id: int
    number: str
    formed_at: datetime
    ended_at: datetime | None
    members: tuple[Member, ...]
    links: tuple[Link, ...]
    values: tuple[SharedValue, ...]
    excluded: tuple["ExclusionView", ...]
    exposures: tuple[Exposure, ...]
    limits: tuple[LimitView, ...]
    past_limits: tuple[LimitView, ...]


@dataclass(frozen=True)
class ExclusionView:
    """A thing that compliance does not count, and why. `until` is set once it counts again."""

    id: int
    kind: str
    digest: str
    mark: str
    holders: int
    reason: str
    excluded_by: str
    since: datetime
    until: datetime | None
    end_reason: str


@dataclass(frozen=True)
class RelatedClient:
    """Another member of a client's group, and by which kinds of things the two are linked."""

    member: Member
    kinds: tuple[str, ...]
    weight_bp: int


@dataclass(frozen=True)
class RelatedPart:
    """What a client's page says of its group: the others, and why each is there."""

    group_id: int
    number: str
    others: tuple[RelatedClient, ...]


@dataclass(frozen=True)
class Regrouping:
    """What a recomputation changed."""

    clients: int
    values_added: int
    values_ended: int
    groups_formed: int
    groups_ended: int
    moved: int
