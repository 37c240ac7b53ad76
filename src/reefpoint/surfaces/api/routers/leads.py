"""People who asked, their likenesses and what became of them."""

from typing import Annotated

from ninja import Status
from pydantic import Field

from reefpoint.flows.origination.selectors.leads import find_leads, get_lead, list_open_pairs
from reefpoint.flows.origination.services.beginning import convert_lead
from reefpoint.flows.origination.services.leads import keep_apart, merge_leads, note_contact, record_lead
from reefpoint.flows.origination.types.leads import LeadChannel, LeadDraft, LeadPair, LeadState, LeadView
from reefpoint.records.parties.types import ClientKind
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
    today,
)

leads = router("leads")


class LeadIn(In):
    """Somebody who asked. At least one of `email` and `phone`; `may_contact` is their consent to be contacted."""

    name: Annotated[str, Field(min_length=1, max_length=160)]
    channel: LeadChannel
    kind: ClientKind = ClientKind.INDIVIDUAL
    name_zh: Annotated[str, Field(max_length=160)] = ""
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    language: Annotated[str, Field(max_length=10)] = "en"
    country: Annotated[str, Field(max_length=2)] = ""
    source: Annotated[str, Field(max_length=120)] = ""
    loan_wanted_minor: Annotated[int, Field(gt=0, le=10**15)] | None = None
    note: Annotated[str, Field(max_length=2_000)] = ""
    may_contact: bool = False


class ContactNote(In):
    """What was spoken about."""

    words: Annotated[str, Field(min_length=1, max_length=2_000)]


class Merge(In):
    """Which of two leads stays."""

    keep_id: Id


@leads.get("", response=answers(Listed[LeadView]))
def list_leads(
    request: Caller,
    text: SafeText = "",
    channel: LeadChannel | None = None,
    state: LeadState | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[LeadView]:
    """Leads in scope, newest first, masked."""
    found = find_leads(request.auth, text=text, channel=channel or "", state=state or "", offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@leads.post("", response=answers(Made, 201))
def record(request: Caller, lead: LeadIn) -> Status[Made]:
    """Keep somebody who asked."""
    return Status(201, Made(id=record_lead(actor=request.auth, draft=LeadDraft(**lead.dict()), at=now())))


@leads.get("/pairs", response=answers(list[LeadPair]))
def list_pairs(request: Caller, limit: Limit = 50) -> list[LeadPair]:
    """Leads that look like one and wait for a person, the surest first."""
    return list_open_pairs(request.auth, limit=limit)


@leads.post("/pairs/{pair_id}/merge", response=answers(None, 204))
def merge(request: Caller, pair_id: Id, merge: Merge) -> Status[None]:
    """Make two leads one."""
    merge_leads(actor=request.auth, pair_id=pair_id, keep_id=merge.keep_id, at=now())
    return Status(204, None)


@leads.post("/pairs/{pair_id}/keep-apart", response=answers(None, 204))
def part(request: Caller, pair_id: Id) -> Status[None]:
    """Say that two leads are two."""
    keep_apart(actor=request.auth, pair_id=pair_id, at=now())
    return Status(204, None)


@leads.get("/{lead_id}", response=answers(LeadView))
def read_lead(request: Caller, lead_id: Id) -> LeadView:
    """One lead, masked."""
    return get_lead(request.auth, lead_id)


@leads.post("/{lead_id}/contacts", response=answers(None, 204))
def contact(request: Caller, lead_id: Id, note: ContactNote) -> Status[None]:
    """Note that somebody spoke with a lead."""
    note_contact(actor=request.auth, lead_id=lead_id, words=note.words, at=now())
    return Status(204, None)


@leads.post("/{lead_id}/application", response=answers(Made, 201))
def convert(request: Caller, lead_id: Id) -> Status[Made]:
    """Begin an application for a lead."""
    return Status(201, Made(id=convert_lead(actor=request.auth, lead_id=lead_id, on=today(), at=now())))
