"""What is checked of a client, what it comes to, and when it is looked at again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.tables.table import DecisionTable


class Rating(StrEnum):
    """The risk of a client, from low to one that must not be served."""

    LOW = "low"
    STANDARD = "standard"
    HIGH = "high"
    PROHIBITED = "prohibited"


class KycState(StrEnum):
    """`referred` is a client of whom facts are missing: only a person can say a rating."""

    NEVER = "never"
    REFERRED = "referred"
    RATED = "rated"


class AssessmentCause(StrEnum):
    """Why a client was looked at: asked for by somebody, a change of circumstance, or a person's own review."""

    REQUEST = "request"
    CHANGE = "change"
    REVIEW = "review"


@dataclass(frozen=True)
class RatingTable:
    """The published rating table.

    `review_months` is by rating; `owner_share_bp` by country, with `other` for those not named; `documents` are the
    kinds that must be on file, by kind of client; `industries` are words by class, `wealth_order` decides which of
    several sources counts.
    """

    scorecard: DecisionTable
    bands: DecisionTable
    review_months: Mapping[Rating, int]
    change_days: int
    owner_share_bp: Mapping[str, int]
    owners_simple_max: int
    documents: Mapping[str, tuple[str, ...]]
    expiring_days: int
    wealth_order: tuple[str, ...]
    industries: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class KycProblem:
    """Something that is missing or wrong. `subject` says of what, never with a name or a number: `owner:2`.

    `is_blocking` is false for what only needs an eye: a document that expires soon.
    """

    code: str
    subject: str
    detail: str = ""
    is_blocking: bool = True


@dataclass(frozen=True)
class PersonInput:
    """Somebody behind an institution, without name or number. `is_identified`: identifier, birth and nationality.

    `party` is the number of whoever it is among all that are named, 0 for a row of its own; `held_in` the party of
    which `share_bp` is a part, 0 for the client, None where it is not known. `nationality` of assessments before
    owners were looked through is empty.
    """

    role: str
    share_bp: int | None
    is_identified: bool
    party: int = 0
    held_in: int | None = 0
    nationality: str = ""


@dataclass(frozen=True)
class IdentifierInput:
    """An identifier as it was read: whose (`client`, `owner:2`), which kind, and what is wrong with it."""

    subject: str
    kind: str
    problems: tuple[str, ...]


@dataclass(frozen=True)
class DocumentInput:
    document_id: int
    kind: str
    expires_on: date | None


@dataclass(frozen=True)
class KycInputs:
    """Everything that an assessment is made from, so that it can be made again: no name and no number.

    `factors` are what the scorecard asks for, None where it is not known.
    """

    on: date
    kind: str
    country: str
    factors: Mapping[str, str | int | bool | None]
    persons: tuple[PersonInput, ...]
    identifiers: tuple[IdentifierInput, ...]
    documents: tuple[DocumentInput, ...]


@dataclass(frozen=True)
class Reason:
    """One factor of a rating: the points it adds and why, in both languages.

    `subject` is empty for the client's own, else who brings it: `owner:2`.
    """

    factor: str
    row: str
    points: int
    floor: Rating
    en: str
    zh: str
    subject: str = ""


@dataclass(frozen=True)
class Ownership:
    """The owners of an institution, explained. Shares in basis points; the threshold is of the client's country.

    `owners` are people and `companies` stand between; `named_bp` is held directly by either. `unnamed_bp` is the part
    of the client behind which nobody is named, in any layer; `at_threshold` are people over all their paths together.
    """

    threshold_bp: int
    owners: int
    named_bp: int
    unnamed_bp: int
    at_threshold: int
    companies: int = 0


@dataclass(frozen=True)
class OwnerStep:
    """One step of a path: who holds how much of whom. `owned` is empty for the client."""

    owner: str
    owned: str
    share_bp: int


@dataclass(frozen=True)
class OwnerPath:
    """How a share comes about: the steps from the owner down to the client, and their product, rounded down."""

    steps: tuple[OwnerStep, ...]
    product_bp: int


@dataclass(frozen=True)
class OwnerRow:
    """A person or a company behind an institution, with what it holds of it over all paths, rounded down.

    `depth` is 1 for who holds in the client itself. `gap_bp` is the part of the client that goes through a company and
    is named nowhere above it. `is_counted` reaches the threshold; `has_more_paths` if not all are told.
    """

    subject: str
    name: str
    name_zh: str
    is_company: bool
    depth: int
    nationality: str
    is_identified: bool
    share_bp: int
    is_counted: bool
    gap_bp: int
    paths: tuple[OwnerPath, ...]
    has_more_paths: bool


@dataclass(frozen=True)
class OwnerChart:
    """Everybody behind an institution as the newest profile has them: people first, the largest share first.

    `people_bp` and `undetermined_bp` come to the whole, but for rounding and for what the problems name; `unnamed_bp`
    is the undetermined part that lies in the client itself.
    """

    country: str
    threshold_bp: int
    rows: tuple[OwnerRow, ...]
    people_bp: int
    undetermined_bp: int
    unnamed_bp: int
    is_undetermined_too_much: bool
    problems: tuple[KycProblem, ...]


@dataclass(frozen=True)
class Outcome:
    """What inputs come to under a table. `rating` is None when facts are `missing`; `floor` is what is known so far."""

    rating: Rating | None
    floor: Rating
    points: int
    reasons: tuple[Reason, ...]
    missing: tuple[str, ...]
    problems: tuple[KycProblem, ...]
    ownership: Ownership | None


@dataclass(frozen=True)
class AssessmentView:
    """One assessment of a client. `rating` is the decided one, else the computed one; None while it is referred."""

    id: int
    client_id: int
    table_version: int
    profile_version: int | None
    cause: AssessmentCause
    inputs: KycInputs
    outcome: Outcome
    rating: Rating | None
    decided_rating: Rating | None
    note: str
    assessed_on: date
    assessed_at: datetime
    assessed_by: str
    next_review_on: date


@dataclass(frozen=True)
class KycStanding:
    """Where a client stands now. `blocking` counts what must be put right before the client is accepted."""

    client_id: int
    state: KycState
    rating: Rating | None
    points: int
    blocking: int
    assessment_id: int | None
    assessed_on: date | None
    next_review_on: date | None

    def is_review_due(self, on: date) -> bool:
        return self.next_review_on is None or self.next_review_on <= on


@dataclass(frozen=True)
class ReviewRow:
    """A client in the queue of reviews."""

    client_id: int
    number: str
    client_name: str
    client_name_zh: str
    state: KycState
    rating: str
    cause: AssessmentCause
    points: int
    blocking: int
    next_review_on: date
    is_due: bool
