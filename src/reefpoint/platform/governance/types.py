"""Models, rules and sources of data as the register knows them. What they are about is their own apps' business."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Any

Facts = Mapping[str, Any]
"""What is on record of a version beside its artifact: JSON values without floats (exact numbers are text)."""


class ModelState(StrEnum):
    """How far a version has come. A shadow answers beside the champion and decides nothing."""

    DRAFT = "draft"
    DEVELOPED = "developed"
    VALIDATED = "validated"
    APPROVED = "approved"
    SHADOW = "shadow"
    CHAMPION = "champion"
    RETIRED = "retired"
    SUSPENDED = "suspended"


class Tier(IntEnum):
    """Materiality and complexity together; 1 asks for most care."""

    HIGH = 1
    MIDDLE = 2
    LOW = 3


@dataclass(frozen=True)
class ModelKind:
    """One sort of artifact. `check` raises a refusal for an artifact that cannot be used."""

    name: str
    check: Callable[[str], None]


@dataclass(frozen=True)
class ShippedModel:
    """A model that comes with the program: on record as version 1 once it is used, in `state`.

    `use` is what it answers for; a use has at most one champion. `owner` is a role or a function, not a person.
    """

    code: str
    use: str
    kind: ModelKind
    tier: Tier
    name: str
    name_zh: str
    purpose: str
    purpose_zh: str
    owner: str
    state: ModelState
    artifact: Callable[[], str]
    facts: Callable[[], Facts]


@dataclass(frozen=True)
class SourceReading:
    """What a look at a source found: rows in all, the newest of them, and counts of rows that fail a check."""

    rows: int
    newest_at: datetime | None
    failures: Mapping[str, int]


@dataclass(frozen=True)
class DataSource:
    """Where data comes from. `fresh_days` is the age of the newest row that is still in order; None: no limit.

    `read` looks at the whole source as it is at an instant.
    """

    code: str
    name: str
    name_zh: str
    owner: str
    legal_basis: str
    legal_basis_zh: str
    retention: str
    retention_zh: str
    fresh_days: int | None
    read: Callable[[datetime], SourceReading]


class SourceVerdict(StrEnum):
    GOOD = "good"
    STALE = "stale"
    FAILING = "failing"
    EMPTY = "empty"


@dataclass(frozen=True)
class SourceCheckView:
    """One look at a source, as it was recorded."""

    source: str
    checked_at: datetime
    rows: int
    newest_at: datetime | None
    failures: Mapping[str, int]
    verdict: SourceVerdict


@dataclass(frozen=True)
class SourceRow:
    """A source in the inventory with its latest look, None before the first."""

    code: str
    name: str
    name_zh: str
    owner: str
    legal_basis: str
    legal_basis_zh: str
    retention: str
    retention_zh: str
    fresh_days: int | None
    latest: SourceCheckView | None


class DriftVerdict(StrEnum):
    """Below `OK_BP` or within what chance gives: ok. Too few cases say nothing, and are never green."""

    INSUFFICIENT = "insufficient"
    OK = "ok"
    INVESTIGATE = "investigate"
    ACT = "act"


@dataclass(frozen=True)
class Drift:
    """The population stability index of two samples over the same bands, in basis points of one (1,000 is .10).

    `null_bp` is what samples of these sizes exceed by chance once in twenty times.
    """

    psi_bp: int
    null_bp: int
    reference: int
    current: int
    verdict: DriftVerdict


@dataclass(frozen=True)
class DriftView:
    """A reading of one measure of one version: of the score itself (`score`), or of a feature by its code."""

    measure: str
    measured_at: datetime
    since: date
    until: date
    drift: Drift
    missing_bp: int
    reference_missing_bp: int


@dataclass(frozen=True)
class MoveView:
    """One step of a version's life."""

    old: ModelState
    new: ModelState
    by: str
    at: datetime
    reason: str
    approval_id: int | None


@dataclass(frozen=True)
class ModelView:
    """One model and the version that stands highest: its champion, else a shadow, else the newest."""

    code: str
    use: str
    kind: str
    tier: int
    name: str
    name_zh: str
    purpose: str
    purpose_zh: str
    owner: str
    version_id: int
    version: int
    state: ModelState
    is_shipped: bool
    versions: int


@dataclass(frozen=True)
class VersionView:
    """One version. `artifact` is what runs; nobody can change it, and `sha256` proves that nobody did."""

    id: int
    code: str
    use: str
    kind: str
    name: str
    name_zh: str
    version: int
    state: ModelState
    sha256: str
    facts: Facts
    developer: str
    validator: str
    validation: str
    approver: str
    made_at: datetime
    since: datetime
    is_shipped: bool

    @property
    def label(self) -> str:
        """How people name a version."""
        return f"{self.code} v{self.version}"


@dataclass(frozen=True)
class ModelInUse:
    """A version that answers for a use now, with its artifact."""

    version: VersionView
    artifact: str


Sample = Sequence[int]
"""Counts by band, in the order of the bands."""
