"""Cases, for those who may know that there are any: to everybody else each call answers the same."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from ninja import Schema, Status
from pydantic import Field

from reefpoint.decisions.cases.rules import (
    ALERTS_MAX,
    NOTE_CHARACTERS_MAX,
    REASON_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
)
from reefpoint.decisions.cases.selectors import get_case_page
from reefpoint.decisions.cases.selectors import list_cases as find_cases
from reefpoint.decisions.cases.services import add_alerts, add_note, open_case, propose_disposition
from reefpoint.decisions.cases.types import CaseClientView, CaseFileView, CaseRow, CaseState, Disposition
from reefpoint.decisions.monitoring.types import AlertRow
from reefpoint.surfaces.api.base import Caller, Id, In, Limit, Listed, Made, Offset, SafeText, answers, now, router

cases = router("cases")
AlertIds = Annotated[list[Id], Field(min_length=1, max_length=ALERTS_MAX)]


class CaseIn(In):
    """What a case is about, and the alerts that it is opened from."""

    title: Annotated[str, Field(min_length=1, max_length=TITLE_CHARACTERS_MAX)]
    alert_ids: AlertIds


class AlertsIn(In):
    """Alerts to take into a case."""

    alert_ids: AlertIds


class NoteIn(In):
    """A note; it stays as it was written."""

    text: Annotated[str, Field(min_length=1, max_length=NOTE_CHARACTERS_MAX)]


class ClosingIn(In):
    """What the case came to, in the eyes of the first person; a second one decides."""

    disposition: Disposition
    reason: Annotated[str, Field(min_length=1, max_length=REASON_CHARACTERS_MAX)]


class CaseEntryOut(Schema):
    """One thing that happened on a case. `by` is an actor's reference."""

    id: int
    kind: str
    at: datetime
    by: str
    text: str
    facts: Mapping[str, Any]


class CaseOut(Schema):
    """One case, whole; its files are named, and handed out on its page."""

    row: CaseRow
    disposition_reason: str
    proposed_by: str
    closed_by: str
    approval_id: int | None
    clients: list[CaseClientView]
    alerts: list[AlertRow]
    entries: list[CaseEntryOut]
    documents: list[CaseFileView]
    reports: list[CaseFileView]


@cases.get("", response=answers(Listed[CaseRow]))
def list_cases(
    request: Caller,
    text: SafeText = "",
    state: CaseState | None = None,
    client_id: Id | None = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> Listed[CaseRow]:
    """Cases, those due first."""
    found = find_cases(request.auth, text=text, state=state or "", client_id=client_id, offset=offset, limit=limit)
    return Listed(count=found.count, items=list(found.rows))


@cases.post("", response=answers(Made, 201))
def open_one(request: Caller, case: CaseIn) -> Status[Made]:
    """Open a case from alerts, about their clients."""
    made = open_case(actor=request.auth, alert_ids=case.alert_ids, title=case.title, at=now())
    return Status(201, Made(id=made))


@cases.get("/{case_id}", response=answers(CaseOut))
def read_case(request: Caller, case_id: Id) -> CaseOut:
    """One case with its clients, alerts, entries and the names of its files."""
    return CaseOut.from_orm(get_case_page(request.auth, case_id))


@cases.post("/{case_id}/alerts", response=answers(None, 204))
def take_alerts(request: Caller, case_id: Id, given: AlertsIn) -> Status[None]:
    """Take more alerts into an open case."""
    add_alerts(actor=request.auth, case_id=case_id, alert_ids=given.alert_ids, at=now())
    return Status(204, None)


@cases.post("/{case_id}/notes", response=answers(None, 204))
def note(request: Caller, case_id: Id, note: NoteIn) -> Status[None]:
    """Write a note on an open case."""
    add_note(actor=request.auth, case_id=case_id, text=note.text, at=now())
    return Status(204, None)


@cases.post("/{case_id}/closing", response=answers(Made, 201))
def propose_closing(request: Caller, case_id: Id, closing: ClosingIn) -> Status[Made]:
    """Propose to close a case. Answers with the id of the approval that a second person gives on a page."""
    made = propose_disposition(
        actor=request.auth, case_id=case_id, disposition=closing.disposition, reason=closing.reason, at=now()
    )
    return Status(201, Made(id=made))
