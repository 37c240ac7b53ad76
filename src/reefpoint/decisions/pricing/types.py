"""Prices as other parts see them: the grid, quotes with their build-up, exceptions, repricing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from reefpoint.platform.basics.tables.cells import Value
from reefpoint.platform.basics.tables.table import DecisionTable

Portfolio = Sequence[tuple[int, int]]
"""What is or would be pledged: (instrument id, shares)."""


class ExceptionState(StrEnum):
    """Where a request for another price stands."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"


class ProposalState(StrEnum):
    """Where a new rate for a loan stands: told to the client, in force, or taken back."""

    NOTIFIED = "notified"
    APPLIED = "applied"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class LegalCap:
    """The highest yearly rate that a jurisdiction allows, with what it rests on and how sure that is."""

    cap_bp: int
    source: str
    evidence: str


@dataclass(frozen=True)
class Unknown:
    """What is added where a fact is not known: at least as much as any row of its group."""

    bp: int
    en: str
    zh: str


@dataclass(frozen=True)
class PriceGrid:
    """The published grid: one table whose groups each add basis points, and the bounds around it.

    `unknown` stands in where a fact is not known. `exception_down_bp` is the most that an approval may take off a
    price, which never comes closer to the cost of the money than `least_margin_bp`. `step_bp` is the least move for
    which a loan is repriced.
    """

    grid: DecisionTable
    unknown: Mapping[str, Unknown]
    legal_caps: Mapping[str, LegalCap]
    valid_hours: int
    exception_down_bp: int
    least_margin_bp: int
    step_bp: int


@dataclass(frozen=True)
class RatePart:
    """One part of a rate in basis points, in words of both languages, and where it comes from."""

    code: str
    bp: int
    words: str
    words_zh: str
    source: str


@dataclass(frozen=True)
class PriceInputs:
    """Everything that a price is made from. `facts` are None where they are not known."""

    base_bp: int
    base_source: str
    floor_bp: int
    scheme_cap_bp: int
    jurisdiction: str
    facts: Mapping[str, Value | None]


@dataclass(frozen=True)
class Price:
    """What inputs come to: the parts add up to the rate, which lies from floor to cap."""

    rate_bp: int
    parts: tuple[RatePart, ...]
    floor_bp: int
    cap_bp: int


@dataclass(frozen=True)
class QuoteView:
    """A price that holds until `valid_until`. With a granted exception the rate is the exception's, and a part says so.

    `listed_bp` is the rate by the grid alone. `yearly_cost_minor` is what the amount costs in a year at this rate.
    """

    id: int
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    scheme_code: str
    scheme_version_id: int
    amount_minor: int
    currency: str
    tenor_days: int
    grade: str
    segment: str
    rate_bp: int
    listed_bp: int
    parts: tuple[RatePart, ...]
    floor_bp: int
    cap_bp: int
    grid_version: int
    grid_id: int
    inputs: PriceInputs
    quoted_on: date
    quoted_at: datetime
    quoted_by: str
    valid_until: datetime
    exception: "ExceptionView | None"

    @property
    def yearly_cost_minor(self) -> int:
        """Interest on the amount for a year of 365 days, rounded up."""
        return -(-self.amount_minor * self.rate_bp // 10_000)


@dataclass(frozen=True)
class ExceptionView:
    """A request for another price than the grid's, and what became of it."""

    id: int
    quote_id: int
    rate_bp: int
    reason: str
    state: ExceptionState
    asked_by: str
    asked_at: datetime
    approval_id: int
    decided_by: str
    decided_at: datetime | None


@dataclass(frozen=True)
class QuoteRow:
    """A quote in a list."""

    id: int
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    scheme_code: str
    amount_minor: int
    currency: str
    tenor_days: int
    grade: str
    rate_bp: int
    listed_bp: int
    exception: str
    valid_until: datetime
    quoted_at: datetime


@dataclass(frozen=True)
class BookMove:
    """What another grid would make of one loan's price."""

    loan_id: int
    loan_number: str
    account_id: int
    currency: str
    principal_minor: int
    rate_kind: str
    rate_bp: int
    old_bp: int
    new_bp: int
    income_minor: int


@dataclass(frozen=True)
class BookWhatIf:
    """What another grid would change over the whole book. Income is a year's interest, in minor units by currency.

    `can_move` counts those loans of `moved` whose terms let the rate change at all; `income` is of those alone, and
    `income_if_all` of every loan that moves, as if each were renewed.
    """

    loans: int
    moved: int
    can_move: int
    income: Mapping[str, int]
    income_if_all: Mapping[str, int]
    unknown: Mapping[str, int]
    moves: tuple[BookMove, ...]


@dataclass(frozen=True)
class ProposalView:
    """A new rate for a loan: told on one day, in force from another."""

    id: int
    loan_id: int
    loan_number: str
    account_id: int
    account_number: str
    client_id: int
    currency: str
    principal_minor: int
    old_bp: int
    new_bp: int
    parts: tuple[RatePart, ...]
    proposed_on: date
    effective_on: date
    state: ProposalState
