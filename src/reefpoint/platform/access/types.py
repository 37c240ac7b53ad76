"""The roles of a lending desk, and what a second person is asked to approve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

PayloadValue: TypeAlias = "str | int | bool | Sequence[PayloadValue] | Mapping[str, PayloadValue] | None"
"""What an approval can cover: no floats, whose text is not one thing everywhere."""

Payload: TypeAlias = Mapping[str, PayloadValue]


class RoleName(StrEnum):
    """What a person is employed for, of which one may hold several; or `client`, who uses the portal."""

    RISK_OFFICER = "risk_officer"
    CREDIT_OFFICER = "credit_officer"
    RELATIONSHIP_MANAGER = "relationship_manager"
    TREASURY = "treasury"
    OPERATIONS = "operations"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    CLIENT = "client"


@dataclass(frozen=True)
class PersonView:
    """One person as the list of people shows them. `last_seen_at` is their latest sign-in."""

    id: int
    email: str
    name: str
    roles: tuple[RoleName, ...]
    is_active: bool
    has_second_factor: bool
    last_seen_at: datetime | None


class ApprovalState(StrEnum):
    """Where a request for a second person's word stands."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class ApprovalView:
    """One request as it is shown to the person who decides.

    `payload_hash` is the fingerprint of what is shown: it goes back with the decision. `may_decide` is about the
    reader for whom the view was made.
    """

    id: int
    kind: str
    subject: str
    payload: Payload
    payload_hash: str
    reason: str
    requested_by: str
    requested_by_name: str
    requested_at: datetime
    state: ApprovalState
    decided_by: str | None
    decided_by_name: str
    decided_at: datetime | None
    decision_reason: str
    may_decide: bool


@dataclass(frozen=True)
class TokenView:
    """A key for programs as lists show it: `hint` is its beginning; `rights` None means all that a key can carry."""

    id: int
    name: str
    hint: str
    rights: tuple[str, ...] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_on: date | None
    state: str


@dataclass(frozen=True)
class IssuedToken:
    """A new key; `text` is shown once and kept nowhere."""

    id: int
    text: str
    expires_at: datetime
