"""Groups of clients that belong together."""

from typing import Annotated

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.relations.selectors.pages import get_group_page
from reefpoint.decisions.relations.services import set_group_limit
from reefpoint.decisions.relations.types import Exposure, LimitView, Member, SharedValue
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.surfaces.api.base import Caller, Id, In, answers, now, router

relations = router("relations")


class GroupOut(Schema):
    """A group: who is in it, by what, what it owes, and its limits."""

    id: int
    number: str
    members: list[Member]
    values: list[SharedValue]
    exposures: list[Exposure]
    limits: list[LimitView]


class GroupLimitIn(In):
    """The most that a group may owe in a currency, in minor units; null lifts the limit."""

    currency: Annotated[str, Field(pattern=f"^({'|'.join(MINOR_DIGITS)})$")]
    limit_minor: Annotated[int, Field(ge=0, le=10**15)] | None
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@relations.get("/groups/{group_id}", response=answers(GroupOut))
def read_group(request: Caller, group_id: Id) -> GroupOut:
    """One group, explained."""
    found = get_group_page(request.auth, group_id)
    return GroupOut(
        id=found.id,
        number=found.number,
        members=list(found.members),
        values=list(found.values),
        exposures=list(found.exposures),
        limits=list(found.limits),
    )


@relations.post("/groups/{group_id}/limits", response=answers(None, 204))
def set_limit(request: Caller, group_id: Id, limit: GroupLimitIn) -> Status[None]:
    """Set or lift a limit."""
    set_group_limit(actor=request.auth, group_id=group_id, at=now(), **limit.dict())
    return Status(204, None)
