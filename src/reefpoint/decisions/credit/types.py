"""Credit policy and decisions as other parts see them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.tables.cells import Value
from reefpoint.platform.basics.tables.table import DecisionTable

GRADES = ("A", "B", "C", "D", "E")
"""From best to worst."""


class CreditOutcome(StrEnum):
    """What the policy says: approve, leave to a person, or decline."""

    APPROVE = "approve"
    REFER = "refer"
    DECLINE = "decline"


class Finding(StrEnum):
    """What one check comes to, worst first. What is barred cannot be overridden by anybody."""

    BARRED = "barred"
    DECLINE = "decline"
    REFER = "refer"
    PASS = "pass"  # noqa: S105 - a finding, not a password


class Authority(StrEnum):
    """Who may say yes: an officer, a senior one, or nobody."""

    OFFICER = "officer"
    SENIOR = "senior"
    NOBODY = "nobody"


class DecisionState(StrEnum):
    """`open` waits for a person to propose something, `proposed` for a second one to approve it."""

    OPEN = "open"
    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"


@dataclass(frozen=True)
class CreditAsk:
    """What a client asks for. `portfolio` is what would be pledged: (instrument id, shares)."""

    scheme_code: str
    limit_minor: int
    currency: str
    portfolio: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Fact:
    """One input of the policy: what follows when it is missing, and the sentence that says so."""

    name: str
    missing: Finding
    en: str
    zh: str


@dataclass(frozen=True)
class CreditPolicy:
    """The published policy.

    `checks` come to a finding each, the worst counts. `shares` say how much of the collateral's lending value and of
    the declared liquid assets may be lent; `caps` are absolute, in units: `units` says how many minor units of a
    currency one unit is, so that one table serves all currencies. `conditions` go with an approval. `authority` says
    who may approve a limit. A decision holds `valid_days`; limits are rounded down to `step_minor` and none is under
    `least_units`.
    """

    checks: DecisionTable
    shares: DecisionTable
    caps: DecisionTable
    conditions: DecisionTable
    authority: DecisionTable
    facts: Mapping[str, Fact]
    units: Mapping[str, int]
    valid_days: int
    step_minor: int
    least_units: int

    @property
    def tables(self) -> tuple[DecisionTable, ...]:
        return (self.checks, self.shares, self.caps, self.conditions, self.authority)


@dataclass(frozen=True)
class ScoreReason:
    """Where the score lost points, as the model said it."""

    code: str
    en: str
    zh: str
    points_lost: int


@dataclass(frozen=True)
class ScoreInput:
    """A score as a decision takes it over. `grade` is None where the model could not say one."""

    id: int
    model: str
    model_version: int
    points: int | None
    grade: str | None
    is_expert: bool
    reasons: tuple[ScoreReason, ...]


@dataclass(frozen=True)
class FeatureInput:
    """A set of features as a decision takes it over: which one it was, and what of it is known, by code."""

    set_id: int
    version: int
    content_hash: str
    known: Mapping[str, Value]


@dataclass(frozen=True)
class PledgedName:
    """One name that would be pledged, at the price and haircut it was counted with; the value in minor units."""

    instrument_id: int
    symbol: str
    quantity: int
    price_units: int | None
    haircut_bp: int | None
    market_minor: int | None


@dataclass(frozen=True)
class CreditInputs:
    """Everything that a decision is made from, without a name or a number that identifies.

    `facts` are what the tables ask for, None where it is not known; other features stay sealed where they are. Amounts
    are minor units of the ask's currency; `group_room_minor` is None for a client whose group has no limit. `standings`
    say which records the facts rest on.
    """

    on: date
    ask: CreditAsk
    scheme_version_id: int
    scheme_limit_minor: int
    pledged: tuple[PledgedName, ...]
    lendable_minor: int | None
    liquid_assets_minor: int | None
    group_room_minor: int | None
    facts: Mapping[str, Value | None]
    score: ScoreInput | None
    standings: Mapping[str, str | int | None]


@dataclass(frozen=True)
class FiredRow:
    """A row that answered: of which table, by which conditions, with what outcome."""

    table: str
    group: str
    row: str
    conditions: Mapping[str, str]
    outcome: Mapping[str, Value]


@dataclass(frozen=True)
class LimitTerm:
    """One bound of the limit. `base_minor` x `share_bp` where it is a share; None where the base is not known."""

    code: str
    amount_minor: int | None
    base_minor: int | None = None
    share_bp: int | None = None


@dataclass(frozen=True)
class Words:
    """A sentence with its code, in both languages."""

    code: str
    en: str
    zh: str


class ConditionKind(StrEnum):
    """What a condition asks for; its figure is basis points, names, basis points, months."""

    NAME_SHARE_MOST = "name_share_most"
    NAMES_LEAST = "names_least"
    RATIO_LEAST = "ratio_least"
    REVIEW_AFTER = "review_after"


class ConditionMoment(StrEnum):
    """When a condition binds: the first drawdown of an account, each one and each renewal, or each withdrawal and
    purchase as well.
    """

    FIRST_DRAWDOWN = "first_drawdown"
    DRAWDOWN = "drawdown"
    ALWAYS = "always"


class Act(StrEnum):
    """What is to be done with an account when its conditions are asked."""

    DRAWDOWN = "drawdown"
    RENEWAL = "renewal"
    WITHDRAWAL = "withdrawal"
    PURCHASE = "purchase"


@dataclass(frozen=True)
class Condition:
    """What an approval is bound to. Its sentence is made from its figure (`rules.conditions.condition_words`)."""

    code: str
    kind: ConditionKind
    figure: int
    moment: ConditionMoment


@dataclass(frozen=True)
class ConditionFigures:
    """What conditions are judged by, of an account as it would be after the act.

    `values_minor` is each name's value, None without a current price; `ratio_bp` is None without a debt;
    `reviewed_on` is the day of the newest approval on the same client and scheme.
    """

    values_minor: Mapping[str, int | None]
    ratio_bp: int | None
    is_valued: bool
    on: date
    reviewed_on: date


class WaiverState(StrEnum):
    """Where a request to let a condition go stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


@dataclass(frozen=True)
class WaiverView:
    """A request to let a condition go, and what became of it."""

    id: int
    condition_id: int
    reason: str
    state: WaiverState
    asked_by: str
    asked_at: datetime
    approval_id: int
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True)
class ConditionStanding:
    """A condition of a decision on record, how far it is met, and its newest waiver. `is_met` None: not known."""

    id: int
    decision_id: int
    condition: Condition
    is_met: bool | None
    actual: int | None
    waiver: WaiverView | None

    @property
    def is_waived(self) -> bool:
        return self.waiver is not None and self.waiver.state is WaiverState.GRANTED

    @property
    def is_waiver_asked(self) -> bool:
        return self.waiver is not None and self.waiver.state is WaiverState.ASKED

    @property
    def stands(self) -> str:
        """`waived`, `met`, `not_met` or `unknown`."""
        if self.is_waived:
            return "waived"
        return "unknown" if self.is_met is None else "met" if self.is_met else "not_met"


@dataclass(frozen=True)
class Assessment:
    """What the inputs come to under a policy. `limit_minor` is None where it cannot be known, 0 where none is given."""

    outcome: CreditOutcome
    is_barred: bool
    grade: str | None
    limit_minor: int | None
    terms: tuple[LimitTerm, ...]
    rows: tuple[FiredRow, ...]
    missing: tuple[str, ...]
    conditions: tuple[Condition, ...]
    adverse_reasons: tuple[Words, ...]
    authority: Authority | None


@dataclass(frozen=True)
class DecisionView:
    """A decision on a client's ask.

    `limit_minor` is the approved limit, else the proposed one, else what the policy recommends. `needs_authority` says
    who must approve the proposal; `expires_on` is the last day on which an approval may be used.
    """

    id: int
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    scheme_code: str
    outcome: CreditOutcome
    state: DecisionState
    grade: str | None
    limit_minor: int | None
    currency: str
    recommended_minor: int | None
    asked_minor: int
    conditions: tuple[Condition, ...]
    adverse_reasons: tuple[Words, ...]
    needs_authority: Authority | None
    is_override: bool
    is_barred: bool
    policy_version: int
    policy_id: int
    inputs: CreditInputs
    assessment: Assessment
    feature_set_id: int | None
    score_id: int | None
    decided_on: date
    decided_at: datetime
    decided_by: str
    proposed_by: str
    proposal: str
    approval_id: int | None
    closed_by: str
    closed_at: datetime | None
    closing_note: str
    expires_on: date

    def is_expired(self, on: date) -> bool:
        return on > self.expires_on


@dataclass(frozen=True)
class DecisionRow:
    """A decision in a list."""

    id: int
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    scheme_code: str
    currency: str
    asked_minor: int
    limit_minor: int | None
    grade: str
    outcome: CreditOutcome
    state: DecisionState
    is_override: bool
    decided_on: date
    expires_on: date


@dataclass(frozen=True)
class ChangedDecision:
    """A past decision that another policy would have made otherwise."""

    decision_id: int
    client_number: str
    currency: str
    old_outcome: CreditOutcome
    new_outcome: CreditOutcome
    old_limit_minor: int | None
    new_limit_minor: int | None


@dataclass(frozen=True)
class PolicyPreview:
    """What a policy would have made of past decisions: how many were looked at, which ones change."""

    looked_at: int
    changed_outcomes: int
    changed_limits: int
    changes: tuple[ChangedDecision, ...]
