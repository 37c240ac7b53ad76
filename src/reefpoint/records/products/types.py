"""Rules of a jurisdiction with their sources, and the terms of a lending scheme."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType

from reefpoint.platform.basics.daycount import DayCount

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


class Due(StrEnum):
    """What a payment can settle; a scheme says in which order."""

    FEES = "fees"
    PENALTY = "penalty"
    INTEREST = "interest"
    PRINCIPAL = "principal"


NOT_ACCEPTED_HAIRCUT_BP = 10_000


@dataclass(frozen=True)
class SchemeTerms:
    """Every term of a scheme version. Money in minor units; rates, fees, haircuts and lines in basis points.

    A line is a ratio of assets to debt (15000 is 150%). `accepted_symbols` is the eligibility list;
    `haircuts_bp` and `maintenances_bp` hold the symbols that differ from the default.
    `hysteresis_bp` is how far the ratio must rise above a line before the band gets milder.
    `call_deadline_sessions` counts trading sessions after the day of the call.
    """

    rule_pack: str
    currency: str
    limit_minor: int
    min_equity_minor: int
    tenor_days: int
    rate_bp: int
    penalty_rate_bp: int
    day_count: DayCount
    drawdown_fee_bp: int
    early_repayment_fee_bp: int
    is_early_repayment_allowed: bool
    renewals_max: int
    renewal_min_ratio_bp: int
    payment_order: tuple[Due, ...]
    accepted_symbols: tuple[str, ...]
    default_haircut_bp: int
    haircuts_bp: tuple[tuple[str, int], ...]
    default_maintenance_bp: int
    maintenances_bp: tuple[tuple[str, int], ...]
    concentration_cap_bp: int
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

    def haircut_bp(self, symbol: str) -> int:
        """The part of a name's value that is not lent against; all of it for a name that is not accepted."""
        if not self.accepts(symbol):
            return NOT_ACCEPTED_HAIRCUT_BP
        return dict(self.haircuts_bp).get(symbol, self.default_haircut_bp)

    def maintenance_bp(self, symbol: str) -> int:
        """The equity a name demands as a part of its value."""
        return dict(self.maintenances_bp).get(symbol, self.default_maintenance_bp)


@dataclass(frozen=True)
class SchemeDraft:
    """A scheme with the terms of its next version, before anything is stored."""

    code: str
    name: str
    name_zh: str
    terms: SchemeTerms


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


@dataclass(frozen=True)
class SchemeView:
    """A scheme with all its versions, newest first."""

    id: int
    code: str
    name: str
    name_zh: str
    versions: tuple[VersionView, ...]


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
class Problem:
    """Why terms cannot be published: the field, the rule that forbids it, and a sentence with source and article."""

    field: str
    rule: str
    message: str
