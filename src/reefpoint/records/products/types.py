"""Rules of a jurisdiction with their sources, and the terms of a lending scheme."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from reefpoint.platform.basics.daycount import DayCount
from reefpoint.platform.basics.money import ceil_div
from reefpoint.platform.basics.sentences import Sentence

SchemeVersionId = NewType("SchemeVersionId", int)


class VersionState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class LiquidationRule(StrEnum):
    """Who releases a forced sale: the desk's policy by itself, or a second person."""

    AUTO = "auto"
    APPROVAL = "approval"


class LiquidationOrder(StrEnum):
    """Which collateral is sold first."""

    MOST_LIQUID = "most_liquid"
    LARGEST_POSITION = "largest_position"
    HIGHEST_HAIRCUT = "highest_haircut"
    LEAST_SALE = "least_sale"
    """No order is fixed: whatever reaches the target with the least sold."""


class Due(StrEnum):
    """What a payment can settle; a scheme says in which order."""

    FEES = "fees"
    PENALTY = "penalty"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class RateKind(StrEnum):
    """How a loan's rate can change after it is drawn."""

    FIXED = "fixed"
    RESET = "reset"
    FLOATING = "floating"


class FeeMoment(StrEnum):
    """When a fee is charged, and so on which amount a share of it is taken.

    The amount drawn; the principal owed at a month's end; the facility not drawn at a month's end; the principal repaid
    before its maturity; the principal renewed; the principal still owed when the days of grace are over.
    """

    DRAWDOWN = "drawdown"
    MONTH_END = "month_end"
    UNUSED_MONTH_END = "unused_month_end"
    EARLY_REPAYMENT = "early_repayment"
    RENEWAL = "renewal"
    LATE = "late"


class FeeBasis(StrEnum):
    """Whether a fee is an amount, or a share of the moment's amount."""

    FLAT = "flat"
    SHARE = "share"


NOT_ACCEPTED_HAIRCUT_BP = 10_000


@dataclass(frozen=True)
class Fee:
    """One charge that a scheme names, once at each of its moments. Amounts in minor units, `rate_bp` in basis points.

    A flat fee is `amount_minor`; a share is `rate_bp` of the moment's amount, rounded up, at least `least_minor` and at
    most `most_minor` (0 sets no such bound). `rate_bp` is for the one charge, not for a year.
    """

    code: str
    name: str
    name_zh: str
    moment: FeeMoment
    basis: FeeBasis
    amount_minor: int = 0
    rate_bp: int = 0
    least_minor: int = 0
    most_minor: int = 0

    def charge_minor(self, base_minor: int) -> int:
        """What it comes to on the moment's amount. On nothing there is no charge."""
        if base_minor <= 0:
            return 0
        if self.basis is FeeBasis.FLAT:
            return self.amount_minor
        share = max(ceil_div(base_minor * self.rate_bp, 10_000), self.least_minor)
        return min(share, self.most_minor) if self.most_minor else share


@dataclass(frozen=True)
class SchemeTerms:
    """Every term of a scheme version. Money in minor units; rates, fees, haircuts and lines in basis points.

    A line is a ratio of assets to debt (15000 is 150%). `accepted_symbols` is the eligibility list;
    `haircuts_bp` and `maintenances_bp` hold the symbols that differ from the default.
    `hysteresis_bp` is how far the ratio must rise above a line before the band gets milder.
    `call_deadline_sessions` counts trading sessions after the day of the call.

    `rate_bp` is the list rate; a quoted rate lies between `rate_floor_bp` and `rate_cap_bp`. A fixed rate stays as it
    was drawn; the others are set anew every `rate_reset_days`, and the client hears of it `rate_notice_days` before.
    `grace_days` is how long after its maturity a loan is not yet late; principal that is late bears `penalty_rate_bp`
    in place of its rate. `fees` are all the charges there are. With `roll_over_allowed` a renewal may carry unpaid
    interest over into the new term; without it the interest is paid first. `group_cap_bp` bounds the part of an
    account's assets in names of one group. A haircut that grows does so over `haircut_notice_sessions` sessions.
    """

    rule_pack: str
    currency: str
    limit_minor: int
    min_equity_minor: int
    tenor_days: int
    rate_kind: RateKind
    rate_bp: int
    rate_floor_bp: int
    rate_cap_bp: int
    rate_reset_days: int
    rate_notice_days: int
    penalty_rate_bp: int
    grace_days: int
    day_count: DayCount
    fees: tuple[Fee, ...]
    is_early_repayment_allowed: bool
    roll_over_allowed: bool
    renewals_max: int
    renewal_min_ratio_bp: int
    payment_order: tuple[Due, ...]
    accepted_symbols: tuple[str, ...]
    default_haircut_bp: int
    haircuts_bp: tuple[tuple[str, int], ...]
    default_maintenance_bp: int
    maintenances_bp: tuple[tuple[str, int], ...]
    concentration_cap_bp: int
    group_cap_bp: int
    haircut_notice_sessions: int
    initial_bp: int
    withdrawal_bp: int
    warning_bp: int
    cure_bp: int
    call_bp: int
    close_out_bp: int
    hysteresis_bp: int
    call_deadline_sessions: int
    liquidation_rule: LiquidationRule
    liquidation_order: LiquidationOrder
    target_bp: int

    def accepts(self, symbol: str) -> bool:
        return symbol in self.accepted_symbols

    def fees_at(self, moment: FeeMoment) -> tuple[Fee, ...]:
        """The fees of one moment, in the terms' order."""
        return tuple(fee for fee in self.fees if fee.moment is moment)

    def charges_minor(self, moment: FeeMoment, base_minor: int) -> int:
        """What all fees of a moment come to on its amount."""
        return sum(fee.charge_minor(base_minor) for fee in self.fees_at(moment))

    def haircut_bp(self, symbol: str) -> int:
        """The part of a name's value that is not lent against; all of it for a name that is not accepted."""
        if not self.accepts(symbol):
            return NOT_ACCEPTED_HAIRCUT_BP
        return dict(self.haircuts_bp).get(symbol, self.default_haircut_bp)

    def maintenance_bp(self, symbol: str) -> int:
        """The equity a name demands as a part of its value."""
        return dict(self.maintenances_bp).get(symbol, self.default_maintenance_bp)


TIER_BEST = 1
TIER_MAX = 99


@dataclass(frozen=True)
class SchemeDraft:
    """A scheme with the terms of its next version, before anything is stored.

    `tier` is the scheme's place among the desk's products: 1 is the best that is offered, each next one is for clients
    who carry more risk or ask for less.
    """

    code: str
    name: str
    name_zh: str
    terms: SchemeTerms
    tier: int = TIER_BEST


@dataclass(frozen=True)
class VersionView:
    """One version of a scheme. The terms never change; only the state does."""

    id: int
    scheme_id: int
    scheme_code: str
    scheme_name: str
    scheme_name_zh: str
    version: int
    state: VersionState
    effective_from: date
    published_at: datetime | None
    maker: str
    checker: str
    terms: SchemeTerms
    tier: int = TIER_BEST


@dataclass(frozen=True)
class SchemeView:
    """A scheme with all its versions, newest first. `tier` 1 is the best."""

    id: int
    code: str
    name: str
    name_zh: str
    versions: tuple[VersionView, ...]
    tier: int = TIER_BEST


@dataclass(frozen=True)
class TierChange:
    """A scheme's tier was changed: by whom, with whom, why."""

    before: int
    after: int
    reason: str
    maker: str
    checker: str
    at: datetime


RuleValue = int | float | bool | str | dict[str, "RuleValue"]


@dataclass(frozen=True)
class Rule:
    """One rule with what it rests on. `evidence`: text_seen, secondary, recall or derived; shown to people with it."""

    id: str
    name: str
    name_zh: str
    value: RuleValue
    unit: str
    op: str
    effective_from: date | None
    effective_to: date | None
    source: str
    article: str
    evidence: str
    confidence: str
    note: str

    def in_force(self, on: date) -> bool:
        """Dates are inclusive; a practice without dates is always in force."""
        return (self.effective_from is None or self.effective_from <= on) and (
            self.effective_to is None or on <= self.effective_to
        )


@dataclass(frozen=True)
class Pack:
    """The rules of one jurisdiction in one version."""

    jurisdiction: str
    version: int
    effective_from: date
    rules: tuple[Rule, ...]

    def in_force(self, on: date) -> Iterator[Rule]:
        """Rules that bind on `on`, but never older law than the pack itself: a replay of old prices is judged by it."""
        return (rule for rule in self.rules if rule.in_force(max(on, self.effective_from)))


@dataclass(frozen=True)
class Bound:
    """How far a rule lets a term go: at least `value` if `is_floor`, else at most. In the term's own unit."""

    field: str
    value: int
    is_floor: bool
    rule: str
    name: str
    name_zh: str
    source: str
    article: str


@dataclass(frozen=True)
class Problem:
    """Why terms cannot be published: the field, the rule that forbids it, and a sentence with source and article.

    `reason` is the bare reason of a contradiction; `bound` is the rule's bound that was passed.
    """

    field: str
    rule: str
    message: Sentence
    reason: Sentence | None = None
    bound: Bound | None = None


@dataclass(frozen=True)
class TermChange:
    """A term that differs between two versions: what it was and what it is, None where it was not there.

    `field` is the term, for a name's haircut or a fee with its symbol or code: `haircuts_bp.AMD`, `fees.drawdown`.
    """

    field: str
    before: object
    after: object
