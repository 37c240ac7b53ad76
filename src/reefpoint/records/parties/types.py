"""Clients and licences as other parts see them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class ClientKind(StrEnum):
    INDIVIDUAL = "individual"
    INSTITUTION = "institution"


class ClientStatus(StrEnum):
    """A prospect applies, an active client may do business, a blocked or closed one may not."""

    PROSPECT = "prospect"
    ACTIVE = "active"
    BLOCKED = "blocked"
    CLOSED = "closed"


@dataclass(frozen=True)
class ClientDraft:
    """A client to be registered."""

    name: str
    email: str
    name_zh: str = ""
    kind: ClientKind = ClientKind.INDIVIDUAL
    language: str = "en"
    relationship_manager_id: int | None = None


@dataclass(frozen=True)
class ClientView:
    """A registered client. `relationship_manager_id` is a user id."""

    id: int
    number: str
    name: str
    name_zh: str
    email: str
    kind: ClientKind
    language: str
    relationship_manager_id: int | None
    status: ClientStatus
    opened_on: date


@dataclass(frozen=True)
class LicenceView:
    """A permission of the operator to do `activity` in `jurisdiction`; both ends inclusive, no end means open."""

    id: int
    jurisdiction: str
    activity: str
    number: str
    holder: str
    valid_from: date
    valid_to: date | None
    evidence: str
