"""Names against lists: versions, a name, hits and what is proposed about them."""

from datetime import date
from typing import Annotated, BinaryIO, cast

from ninja import File, Form, Status
from ninja.files import UploadedFile
from pydantic import Field

from reefpoint.decisions.screening.selectors.hits import find_hits, get_hit
from reefpoint.decisions.screening.selectors.lists import get_version, list_in_force
from reefpoint.decisions.screening.services.clients import screen_name
from reefpoint.decisions.screening.services.hits import propose_resolution
from reefpoint.decisions.screening.services.lists import receive_list
from reefpoint.decisions.screening.types import HitState, HitView, ListShape, Match, Outcome, VersionView
from reefpoint.surfaces.api.base import (
    Caller,
    Id,
    In,
    Limit,
    Listed,
    Made,
    Offset,
    SafeText,
    answers,
    now,
    router,
)

screening = router("screening")


class NameIn(In):
    """A name to look up. `country` is ISO 3166 alpha-2 in lower case."""

    name: Annotated[str, Field(min_length=1, max_length=300)]
    birth_on: date | None = None
    country: Annotated[str, Field(min_length=2, max_length=2)] | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class Proposal(In):
    """What a hit is, in the eyes of the first person; a second one decides."""

    outcome: Outcome
    reason: Annotated[str, Field(min_length=1, max_length=2_000)]


@screening.get("/lists", response=answers(list[VersionView]))
def list_lists(request: Caller) -> list[VersionView]:
    """The versions in force."""
    return list_in_force(request.auth)


@screening.post("/lists", response=answers(Made, 202))
def deliver(
    request: Caller,
    source: Form[Annotated[str, Field(min_length=1, max_length=40)]],
    shape: Form[ListShape],
    file: File[UploadedFile],
    may_shrink: Form[bool] = False,
) -> Status[Made]:
    """Deliver a list. It is read by a job: whole, or not at all; its version says how far it is."""
    made = receive_list(
        actor=request.auth,
        source=source,
        shape=shape,
        file_name=file.name or "",
        content=cast(BinaryIO, file.file),
        may_shrink=may_shrink,
        at=now(),
    )
    return Status(202, Made(id=made))


@screening.get("/lists/{version_id}", response=answers(VersionView))
def read_version(request: Caller, version_id: Id) -> VersionView:
    """One delivery of a list, and how far it is read."""
    return get_version(request.auth, version_id)


@screening.post("/names", response=answers(list[Match]))
def look_up(request: Caller, name: NameIn) -> list[Match]:
    """The entries that a name is most like. That it was asked is on record."""
    return screen_name(actor=request.auth, at=now(), **name.dict())


@screening.get("/hits", response=answers(Listed[HitView]))
def list_hits(
    request: Caller,
    text: SafeText = "",
    state: HitState | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[HitView]:
    """Hits, the oldest first."""
    found = find_hits(request.auth, state=state or "", text=text, offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@screening.get("/hits/{hit_id}", response=answers(HitView))
def read_hit(request: Caller, hit_id: Id) -> HitView:
    """One hit, with the parts that matched."""
    return get_hit(request.auth, hit_id)


@screening.post("/hits/{hit_id}/proposal", response=answers(Made, 201))
def propose(request: Caller, hit_id: Id, proposal: Proposal) -> Status[Made]:
    """Propose what a hit is. Answers with the id of the approval that a second person gives on a page."""
    made = propose_resolution(
        actor=request.auth, hit_id=hit_id, outcome=proposal.outcome, reason=proposal.reason, at=now()
    )
    return Status(201, Made(id=made))
