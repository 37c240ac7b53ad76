"""Monitoring's words: what happened, what a rule asks, and what it raised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any


class ActivityKind(StrEnum):
    """What can trigger a rule. The place in this list is the kind's number in columns; new kinds go to the end."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    DRAWDOWN = "drawdown"
    REPAYMENT = "repayment"
    SECURITIES_IN = "securities_in"
    TRANSFER_IN = "transfer_in"
    ORDER = "order"
    BUY = "buy"
    SELL = "sell"
    SESSION_CLOSE = "session_close"
    PRICE_FALL = "price_fall"
    PROFILE_CHANGE = "profile_change"
    BANK_CHANGE = "bank_change"
    CONTACT_CHANGE = "contact_change"
    SIGN_IN = "sign_in"
    GROUP_CHANGE = "group_change"
    SCREENING_HIT = "screening_hit"
    APPLICATION = "application"
    PAYMENT_REQUEST = "payment_request"


KINDS = tuple(ActivityKind)
KIND_CODES: Mapping[ActivityKind, int] = {kind: number for number, kind in enumerate(KINDS)}

UNKNOWN = -1
"""In a score or a yes-or-no of an activity: nobody told."""


@dataclass(frozen=True, kw_only=True)
class ActivityDraft:
    """Something a client did, or that befell the client, as a rule may look at it.

    - `key` makes it one activity, however often it is told; `reference` names what came in one go (a delivery)
    - `counterparty` is the first eight bytes of the keyed digest of the payer's or payee's account as a signed
      integer, 0 for none; `is_third_party`: it is neither a verified account of the client nor in its name
    - `score_bp`: how well the payer's name fits a holder's (0 to 10,000), or the score of a screening hit
    - `is_verified`: the account is a verified one of the client; for an order, whoever gave it may instruct; for a
      hit, an identifier matched
    - yes-or-no values and scores are `UNKNOWN` when nobody told
    - `position_before`: shares held of the name before it; `move_bp`: how far its price moved that day
    - `device` as `counterparty`, of the device that was used; `country` ISO 3166 of the other side, or of the residence
    - `declared_*`: what the client declared, on a change of the profile alone
    """

    kind: ActivityKind
    key: str
    client_id: int
    at: datetime
    account_id: int = 0
    amount_minor: int = 0
    counterparty: int = 0
    counterparty_name: str = ""
    score_bp: int = UNKNOWN
    is_verified: int = UNKNOWN
    is_third_party: int = UNKNOWN
    country: str = ""
    instrument_id: int = 0
    quantity: int = 0
    price_units: int = 0
    position_before: int = 0
    move_bp: int = 0
    device: int = 0
    reference: str = ""
    declared_liquid_minor: int = UNKNOWN
    declared_income_minor: int = UNKNOWN
    declared_worth_minor: int = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Counterparty:
    """Who paid, or is to be paid, as the bank tells it. `country` is where the account is, ISO 3166."""

    name: str
    account_number: str = ""
    country: str = ""


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Who gave an order: on which device, and whether that person may instruct for the client."""

    device: str = ""
    may_instruct: bool


class RuleMode(StrEnum):
    """`test` runs in backtests alone, `shadow` also as things happen but tells nobody, `live` raises alerts."""

    TEST = "test"
    SHADOW = "shadow"
    LIVE = "live"


class Consequence(StrEnum):
    """What follows when a rule fires live, beside the alert: cash is held, or withdrawals are blocked."""

    ALERT = "alert"
    HOLD = "hold"
    BLOCK = "block"


class Pivot(StrEnum):
    """What an alert is about: one alert for each within the cool-down."""

    CLIENT = "client"
    COUNTERPARTY = "counterparty"
    INSTRUMENT = "instrument"
    DEVICE = "device"
    GROUP = "group"
    ACTIVITY = "activity"


class RuleVersionState(StrEnum):
    """A rule's version from its draft to its approval by a second person."""

    DRAFT = "draft"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


class AlertState(StrEnum):
    OPEN = "open"
    SNOOZED = "snoozed"
    IN_CASE = "in_case"
    DISMISSED = "dismissed"


class RestrictionKind(StrEnum):
    """`hold`: an amount of cash may not leave; `block`: no cash of the client may leave."""

    HOLD = "hold"
    BLOCK = "block"


class BacktestState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Grade(StrEnum):
    """How well a source supports a figure of a rule."""

    READ = "read"
    EXCERPT = "excerpt"
    UNVERIFIED = "unverified"
    DEFAULT = "default"


@dataclass(frozen=True)
class RuleSource:
    """Where a rule comes from. `grade`: the text was read, an excerpt of it was, nobody checked, or it is ours."""

    title: str
    grade: Grade
    note: str = ""


class ParameterKind(StrEnum):
    MONEY = "money"
    COUNT = "count"
    PERCENT = "percent"
    BASIS_POINTS = "basis_points"
    HOURS = "hours"
    DAYS = "days"
    COUNTRIES = "countries"


ParameterValue = int | tuple[str, ...]


@dataclass(frozen=True)
class Parameter:
    """A figure that may be changed without changing the rule. `is_default`: it has no source beside ourselves."""

    name: str
    kind: ParameterKind
    value: ParameterValue
    is_default: bool = True


@dataclass(frozen=True)
class RuleDraft:
    """All that a version of a rule says. `effective_from` is the first business date on which it judges."""

    expression: str
    triggers: tuple[ActivityKind, ...]
    parameters: tuple[Parameter, ...]
    pivot: Pivot
    cooldown_days: int
    mode: RuleMode
    consequence: Consequence
    sources: tuple[RuleSource, ...]


@dataclass(frozen=True)
class Typology:
    """A rule as it comes with the program: its number in COMPLIANCE terms, its titles, and its first version."""

    code: str
    number: int
    title: str
    title_zh: str
    what: str
    what_zh: str
    draft: RuleDraft


@dataclass(frozen=True)
class VersionView:
    """A version of a rule as pages show it."""

    id: int
    rule_code: str
    version: int
    draft: RuleDraft
    state: RuleVersionState
    effective_from: date
    made_by: str
    made_at: datetime
    approval_id: int | None
    decided_by: str


@dataclass(frozen=True)
class RuleRow:
    """A rule in the list: the version in force, and what it raised in the last 30 days (shadow apart).

    `is_fed` is false where the desk notes nothing that the rule could look at.
    """

    code: str
    number: int
    title: str
    title_zh: str
    version: int
    mode: str
    consequence: str
    effective_from: date | None
    alerts_30d: int
    shadow_30d: int
    open_alerts: int
    undecided: int
    is_fed: bool


@dataclass(frozen=True)
class AlertRow:
    """An alert as lists and pages show it. `inputs` are the facts and parameters that the rule was given."""

    id: int
    rule_code: str
    rule_title: str
    rule_title_zh: str
    rule_version: int
    rule_version_id: int
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    account_id: int
    pivot: str
    at: datetime
    raised_at: datetime
    mode: RuleMode
    consequence: Consequence
    state: AlertState
    snoozed_until: datetime | None
    reason: str
    case_id: int | None
    activity_id: int
    inputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class RestrictionRow:
    """Cash that may not leave. Released by a person, with a reason."""

    id: int
    kind: RestrictionKind
    client_id: int
    account_id: int
    amount_minor: int
    alert_id: int | None
    reason: str
    placed_by: str
    placed_at: datetime
    released_by: str
    released_at: datetime | None
    release_reason: str


@dataclass(frozen=True)
class BacktestView:
    """A run of a version over history: how far it is, and what it would have raised."""

    id: int
    version_id: int
    since: date
    until: date
    state: BacktestState
    done: int
    total: int
    asked_by: str
    asked_at: datetime
    result: Mapping[str, Any]
    error: str


@dataclass(frozen=True)
class SweepResult:
    """What one sweep did: new activities taken, rules run, alerts raised by mode, rows that could not be judged."""

    activities: int
    rules: int
    alerts: int
    shadow: int
    undecided: int
    clients: Sequence[int] = ()


@dataclass(frozen=True)
class CashFlow:
    """Money that a client paid in or took out. `is_third_party`: 1 or 0, -1 where it is not known."""

    activity_id: int
    client_id: int
    kind: str
    at: datetime
    amount_minor: int
    is_third_party: int
