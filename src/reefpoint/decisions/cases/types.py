"""Cases: what is looked into, what was found, and what was decided."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reefpoint.decisions.monitoring.types import AlertRow
from reefpoint.platform.vault.types import SealedTable


class CaseState(StrEnum):
    """`proposed`: a disposition waits for a second person, and nothing can be added meanwhile."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


class Disposition(StrEnum):
    """What a case came to: nothing, a closer look from now on, a report, or the end of the relationship."""

    NO_SUSPICION = "no_suspicion"
    MONITORING = "monitoring"
    REPORTED = "reported"
    RELATIONSHIP_ENDED = "relationship_ended"


class EntryKind(StrEnum):
    """What happens on a case. Its entries are never changed."""

    OPENED = "opened"
    ALERT_ADDED = "alert_added"
    CLIENT_LINKED = "client_linked"
    ASSIGNED = "assigned"
    NOTE = "note"
    DOCUMENT_ADDED = "document_added"
    REPORT_MADE = "report_made"
    PROPOSED = "proposed"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"
    CLOSED = "closed"


@dataclass(frozen=True)
class CaseRow:
    """A case in the list. `disposition` is what is proposed or decided, empty before."""

    id: int
    number: str
    title: str
    state: CaseState
    disposition: str
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    assignee_id: int | None
    assignee_name: str
    alerts: int
    client_names: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CaseClientView:
    """A client whom a case is about, and why."""

    client_id: int
    number: str
    name: str
    name_zh: str
    status: str
    reason: str


@dataclass(frozen=True)
class EntryView:
    """One thing that happened on a case. `by` is an actor's reference."""

    id: int
    kind: EntryKind
    at: datetime
    by: str
    text: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class CaseFileView:
    """A document of a case, or an extract for a report; `sha256` is of the plain content, in hex."""

    id: int
    file_name: str
    size_bytes: int
    sha256: str
    at: datetime
    by: str


@dataclass(frozen=True)
class CasePage:
    """One case, whole."""

    row: CaseRow
    disposition_reason: str
    proposed_by: str
    closed_by: str
    approval_id: int | None
    clients: tuple[CaseClientView, ...]
    alerts: tuple[AlertRow, ...]
    entries: tuple[EntryView, ...]
    documents: tuple[CaseFileView, ...]
    reports: tuple[CaseFileView, ...]


@dataclass(frozen=True)
class CaseFile:
    """A file as it is handed out."""

    file_name: str
    media_type: str
    content: bytes


SEALED_TABLES = (
    SealedTable("cases_document", "case:{case_id}:document:{place}"),
    SealedTable("cases_report", "case:{case_id}:report:{place}"),
)
"""Where this app keeps sealed rows."""
