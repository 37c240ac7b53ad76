"""Collateral as others see it: lists, house rules, haircuts with their parts, and the days on which they change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.tables.table import DecisionTable

HAIRCUT_MAX_BP = 10_000
CUT_MAX_BP = 9_900
"""The deepest valuation cut of a suspended name: a name without any value is taken off the list instead."""


@dataclass(frozen=True)
class Listed:
    """A name on a list from `since` to `until`, both inclusive; None has no end."""

    symbol: str
    since: date
    until: date | None
    note: str

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class EligibilityList:
    """The names that schemes of a tier accept; the tier "" is the whole desk."""

    tier: str
    names: tuple[Listed, ...]

    def accepts(self, symbol: str, on: date) -> bool:
        return any(one.symbol == symbol and one.holds(on) for one in self.names)


class ListMove(StrEnum):
    """What became of a name from one version of a list to another."""

    CAME = "came"
    WENT = "went"
    CHANGED = "changed"
    HAIRCUT = "haircut"


@dataclass(frozen=True)
class ListDifference:
    """A name that two versions of a tier's list treat differently. `before` and `after` are its rows on each.

    The haircuts (bp) are the desk's own in force on the first day of each version; None where there was none.
    """

    tier: str
    symbol: str
    move: ListMove
    before: tuple[Listed, ...]
    after: tuple[Listed, ...]
    haircut_before_bp: int | None
    haircut_after_bp: int | None


@dataclass(frozen=True)
class Ramp:
    """How a higher haircut takes force: after `notice_sessions`, by at most `step_bp` a session."""

    notice_sessions: int
    step_bp: int


@dataclass(frozen=True)
class Caps:
    """The most of a kind; None has no cap.

    - `issuer_bp`, `boards_bp`: of an account's assets, in names of one issuer, on one board
    - `house_share_bp`: of the lendable value of all securities of the desk, in one name
    - `house_volume_days`: days of a name's average volume that the desk holds of it
    """

    issuer_bp: int | None
    boards_bp: Mapping[str, int]
    house_share_bp: int | None
    house_volume_days: int | None

    @property
    def is_empty(self) -> bool:
        return not self.boards_bp and self.issuer_bp is self.house_share_bp is self.house_volume_days is None


NO_CAPS = Caps(None, {}, None, None)


@dataclass(frozen=True)
class CapUse:
    """How much of a cap is used: `issuer`, `board` and `house_share` in basis points, `house_volume` in days x 100.

    `used` is None when it cannot be told, which is over any cap.
    """

    kind: str
    instrument_id: int | None
    name: str
    used: int | None
    cap: int

    @property
    def is_over(self) -> bool:
        return self.used is None or self.used > self.cap


@dataclass(frozen=True)
class HouseRules:
    """The desk's own rules on collateral in one version.

    `haircuts` and `suspension` are decision tables; a name without a year of prices asks for `unmodelled_bp`.
    `override_reason` says why accounts may go from safe to close-out in one step by this version; mostly empty.
    """

    haircuts: DecisionTable
    suspension: DecisionTable
    ramp: Ramp
    unmodelled_bp: int
    caps: Caps
    override_reason: str


@dataclass(frozen=True)
class Step:
    """A haircut from a day on."""

    effective_on: date
    haircut_bp: int


@dataclass(frozen=True)
class StepView:
    """A step as it stands on record, with the release that it belongs to and the assessment behind that."""

    instrument_id: int
    effective_on: date
    haircut_bp: int
    release_id: int
    assessment_id: int


@dataclass(frozen=True)
class NameView:
    """One name of an assessment. `explanation` has a map for each of regulation, house, model and list."""

    instrument_id: int
    symbol: str
    regulation_bp: int
    house_bp: int
    model_bp: int
    list_bp: int
    haircut_bp: int
    explanation: Mapping[str, Mapping[str, object]] = field(hash=False)

    @property
    def binding(self) -> str:
        """The part that asks for most; of equal ones law first, then the desk's list and table, then the model."""
        parts = {
            "regulation": self.regulation_bp,
            "list": self.list_bp,
            "house": self.house_bp,
            "model": self.model_bp,
        }
        return max(parts, key=lambda name: parts[name])


@dataclass(frozen=True)
class ReleaseView:
    """An assessment that was put in force."""

    id: int
    assessment_id: int
    approval_id: int
    maker: str
    checker: str
    reason: str
    override_reason: str
    on: date
    at: datetime


@dataclass(frozen=True)
class AssessmentView:
    """An assessment with its names, and its release once there is one."""

    id: int
    on: date
    at: datetime
    maker: str
    house_version: int
    lists_version: int | None
    packs: Mapping[str, int] = field(hash=False)
    parameters: Mapping[str, object] = field(hash=False)
    assumptions: Sequence[str] = field(hash=False)
    names: tuple[NameView, ...] = ()
    release: ReleaseView | None = None


@dataclass(frozen=True)
class AssessmentRow:
    """One assessment in a list; `names` counts them, `released_on` is None until a second person put it in force."""

    id: int
    on: date
    at: datetime
    maker: str
    names: int
    released_on: date | None


@dataclass(frozen=True)
class HaircutExplanation:
    """Where a name's collateral haircut on a day comes from. None of it is there while nothing was put in force.

    `haircut_bp` is the step in force on `on`; `target_bp` what the release ends at; `pending` are the steps to come.
    """

    instrument_id: int
    on: date
    haircut_bp: int | None
    since: date | None
    target_bp: int | None
    pending: tuple[Step, ...]
    release: ReleaseView | None
    name: NameView | None


@dataclass(frozen=True)
class HaircutParts:
    """How a proposal came about: daily deviations, days to sell, the parts that add up to `total`."""

    historical: float
    ewma: float
    days: int
    volatility: float
    liquidity: float
    concentration: float
    gap: float
    total: float


@dataclass(frozen=True)
class HaircutProposal:
    """One name: its haircuts in force under the schemes in use (least and greatest), and what its prices would propose.

    `proposed_bp` and `parts` are None when there is too little history; `why_not` says so.
    """

    instrument_id: int
    symbol: str
    shares: int
    assumed_daily_volume: int
    current_bp: tuple[int, int] | None
    returns: int
    is_own_history: bool
    proposed_bp: int | None
    parts: HaircutParts | None
    why_not: str


@dataclass(frozen=True)
class HaircutReport:
    """Proposals only: schemes are published in versions and nothing is changed by this."""

    at: datetime
    confidence: float
    paths: int
    seed: int
    proposals: tuple[HaircutProposal, ...]
    assumptions: tuple[str, ...]
