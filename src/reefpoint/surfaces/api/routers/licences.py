"""The operator's licences."""

from datetime import date
from typing import Annotated

from ninja import Status
from pydantic import Field

from reefpoint.platform.access.services import require
from reefpoint.records.parties.selectors.licences import list_licences as read_licences
from reefpoint.records.parties.services import end_licence, record_licence
from reefpoint.records.parties.types import LicenceView
from reefpoint.surfaces.api.base import Caller, Id, In, Made, answers, now, router

licences = router("licences")


class LicenceIn(In):
    """A licence as it is granted; both dates inclusive, no end means open."""

    jurisdiction: Annotated[str, Field(min_length=2, max_length=8)]
    activity: Annotated[str, Field(min_length=1, max_length=40)]
    permit: Annotated[str, Field(min_length=1, max_length=40)]
    number: Annotated[str, Field(min_length=1, max_length=80)]
    holder: Annotated[str, Field(min_length=1, max_length=160)]
    valid_from: date
    valid_to: date | None = None
    evidence: Annotated[str, Field(min_length=1, max_length=500)]


class LicenceEnd(In):
    """The last day of a licence, and why it ends."""

    valid_to: date
    reason: Annotated[str, Field(min_length=1, max_length=500)]


@licences.get("", response=answers(list[LicenceView]))
def list_licences(request: Caller) -> list[LicenceView]:
    """Every licence on record, by jurisdiction."""
    require(request.auth, "licences.view")
    return read_licences()


@licences.post("", response=answers(Made, 201))
def record(request: Caller, licence: LicenceIn) -> Status[Made]:
    """Put a licence on record."""
    return Status(201, Made(id=record_licence(actor=request.auth, at=now(), **licence.dict())))


@licences.post("/{licence_id}/end", response=answers(None, 204))
def end(request: Caller, licence_id: Id, end: LicenceEnd) -> Status[None]:
    """Let a licence end. It takes force at once."""
    end_licence(actor=request.auth, licence_id=licence_id, valid_to=end.valid_to, reason=end.reason, at=now())
    return Status(204, None)
