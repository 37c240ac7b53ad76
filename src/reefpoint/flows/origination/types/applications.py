"""Applications as their clients and the desk see them, and what the pre-screen finds."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reefpoint.flows.origination.types.leads import LeadChannel
from reefpoint.flows.origination.types.questions import FieldProblem, Section
from reefpoint.platform.vault.types import SealedTable
from reefpoint.records.parties.types import ClientKind


class ApplicationState(StrEnum):
    """Where an application is. SUBMITTED waits for an officer, IN_REVIEW is with one."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    INFO_REQUESTED = "info_requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class PreScreenCode(StrEnum):
    """What the pre-screen found; a surface has a sentence for each that clients may read."""

    SECTION_INCOMPLETE = "section_incomplete"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_EXPIRED = "document_expired"
    QUESTIONNAIRE_MISSING = "questionnaire_missing"
    UNDER_AGE = "under_age"
    COUNTRY_NOT_SERVED = "country_not_served"
    NO_LICENCE = "no_licence"
    SCHEME_NOT_OFFERED = "scheme_not_offered"
    LOAN_ABOVE_LIMIT = "loan_above_limit"
    IDENTIFIER_INVALID = "identifier_invalid"
    BANK_ACCOUNT_NOT_OWN = "bank_account_not_own"
    LOOKED_AT_CLOSELY = "looked_at_closely"
    NAME_HIT = "name_hit"
    POSSIBLE_DUPLICATE = "possible_duplicate"


class PreScreenOutcome(StrEnum):
    """STOPPED: it cannot be handed in so. REFERRED: handed in, and a person looks at what was found. PASSED: clean."""

    STOPPED = "stopped"
    REFERRED = "referred"
    PASSED = "passed"


@dataclass(frozen=True)
class PreScreenReason:
    """One finding. `detail` names the section, document, identifier or country; `is_told` to the client or kept."""

    code: PreScreenCode
    detail: str = ""
    outcome: PreScreenOutcome = PreScreenOutcome.STOPPED
    is_told: bool = True


@dataclass(frozen=True)
class PreScreen:
    """What the pre-screen found at one hand-in, worst first."""

    number: int
    at: datetime
    outcome: PreScreenOutcome
    reasons: tuple[PreScreenReason, ...]

    @property
    def told(self) -> tuple[PreScreenReason, ...]:
        """What the client may read."""
        return tuple(reason for reason in self.reasons if reason.is_told)


@dataclass(frozen=True)
class SectionStatus:
    """How far one section is. `is_asked` is false where this kind of client has nothing to say."""

    section: Section
    is_asked: bool
    is_begun: bool
    is_complete: bool
    saved_at: datetime | None
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True)
class ApplicationView:
    """An application as its client and the desk see it. `waits_since` is when it came to its state."""

    id: int
    number: str
    client_id: int
    client_number: str
    name: str
    name_zh: str
    kind: ClientKind
    channel: LeadChannel
    language: str
    state: ApplicationState
    lead_id: int | None
    begun_at: datetime
    submitted_at: datetime | None
    waits_since: datetime
    submissions: int
    officer: str
    approval_id: int | None
    told: str = ""


@dataclass(frozen=True)
class InfoRequest:
    """What the client was asked for: sections and documents to look at again, and words."""

    asked_at: datetime
    sections: tuple[Section, ...]
    documents: tuple[str, ...]
    words: str
    answered_at: datetime | None


@dataclass(frozen=True)
class StepView:
    """One move of an application."""

    at: datetime
    actor: str
    action: str
    state: ApplicationState
    words: str


SEALED_TABLES = (
    SealedTable("origination_lead", "lead:{id}:contact"),
    SealedTable("origination_section", "application:{application_id}:section:{section}"),
)
"""Where this app keeps sealed rows."""
