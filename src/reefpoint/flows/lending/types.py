"""The words of the credit flow: a request from the ask to money in the account, its steps, and renewals."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class CreditState(StrEnum):
    """Where a request for credit is. REFERRED: a person decides. FAILED: the money did not come and nothing is owed."""

    DRAFT = "draft"
    REQUESTED = "requested"
    DECIDING = "deciding"
    REFERRED = "referred"
    APPROVED = "approved"
    DECLINED = "declined"
    OFFERED = "offered"
    SIGNED = "signed"
    APPROVED_TO_FUND = "approved_to_fund"
    FUNDING = "funding"
    FUNDED = "funded"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class NextStep(StrEnum):
    """What a request waits for; whose turn it is follows from it (`rules.TURN_OF`)."""

    SUBMIT = "submit"
    DECIDE = "decide"
    DECIDE_BY_PERSON = "decide_by_person"
    OFFER = "offer"
    ACCEPT_OFFER = "accept_offer"
    RENEW_QUOTE = "renew_quote"
    SIGN = "sign"
    COUNTERSIGN = "countersign"
    REQUEST_FUNDING = "request_funding"
    APPROVE_FUNDING = "approve_funding"
    FUND = "fund"
    BANK_ANSWER = "bank_answer"
    RESOLVE_PAYMENT = "resolve_payment"
    RETRY_FUNDING = "retry_funding"
    NOTHING = "nothing"


class Turn(StrEnum):
    """Who acts next."""

    CLIENT = "client"
    CREDIT = "credit"
    OPERATIONS = "operations"
    SECOND_PERSON = "second_person"
    BANK = "bank"
    SYSTEM = "system"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Lot:
    """Shares that will come in as collateral."""

    instrument_id: int
    quantity: int
    symbol: str = ""
    name: str = ""
    name_zh: str = ""


@dataclass(frozen=True)
class CreditRequestView:
    """A request for credit as its client and the desk see it. `waits_since`: when it came to its state.

    Amounts in minor units, rates in basis points. `problem` says what stands against going on, in words for anybody;
    `lapses_on` is the last day to go on with it.
    """

    id: int
    number: str
    client_id: int
    client_number: str
    name: str
    name_zh: str
    language: str
    scheme_code: str
    scheme_version_id: int | None
    currency: str
    amount_minor: int
    tenor_days: int
    state: CreditState
    begun_at: datetime
    requested_at: datetime | None
    waits_since: datetime
    feature_set_id: int | None
    score_id: int | None
    decision_id: int | None
    grade: str
    limit_minor: int | None
    quote_id: int | None
    rate_bp: int | None
    offer_until: datetime | None
    accepted_at: datetime | None
    contract_id: int | None
    approval_id: int | None
    pool_code: str
    account_id: int | None
    loan_id: int | None
    payment_id: int | None
    attempt: int
    problem: str
    lapses_on: date | None = None
    next_step: NextStep = NextStep.NOTHING
    turn: Turn = Turn.NOBODY
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True)
class CreditStepView:
    """One move of a request."""

    at: datetime
    actor: str
    action: str
    state: CreditState
    words: str


@dataclass(frozen=True)
class StageCount:
    """One column of the board: how many requests, what they ask for, and since when the oldest waits."""

    state: CreditState
    count: int
    amount_minor: Mapping[str, int] = field(default_factory=dict)
    oldest: datetime | None = None
    requests: tuple[CreditRequestView, ...] = ()


@dataclass(frozen=True)
class FundingFacts:
    """All that a second person approves before money moves; shown on the page and stored with the approval (I63)."""

    number: str
    client_number: str
    scheme_code: str
    scheme_version: int
    amount_minor: int
    currency: str
    rate_bp: int
    tenor_days: int
    pool_code: str
    contract_id: int
    decision_id: int
    quote_id: int
    attempt: int
    collateral: tuple[str, ...]


class RenewalState(StrEnum):
    """A renewal of a loan. ASKED: by its client, the desk prices it next. ACCEPTED: the client said yes, the agreement
    is to be signed. SIGNED: by the client, the desk signs next. DONE: in force, the maturity has moved.
    """

    ASKED = "asked"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    SIGNED = "signed"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class RenewalBar(StrEnum):
    """What stands against renewing a loan."""

    MATURED = "matured"
    TOO_EARLY = "too_early"
    NO_RENEWALS_LEFT = "no_renewals_left"
    OPEN_CALL = "open_call"
    BEING_SOLD = "being_sold"
    NOT_VALUED = "not_valued"
    RATIO_TOO_LOW = "ratio_too_low"
    SUSPENDED_NAMES = "suspended_names"
    INTEREST_DUE = "interest_due"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    CLIENT_NOT_OPEN = "client_not_open"
    UNSUITABLE = "unsuitable"
    NO_LICENCE = "no_licence"
    SCHEME_WITHDRAWN = "scheme_withdrawn"
    CONDITION_NOT_MET = "condition_not_met"


@dataclass(frozen=True)
class RenewalCondition:
    """A condition of the credit decision that binds a renewal as well, as a sentence with its figure.

    `stands` is `met`, `not_met`, `waived` or `unknown`.
    """

    code: str
    words: str
    words_zh: str
    stands: str


@dataclass(frozen=True)
class RenewalEligibility:
    """Whether a loan can be renewed now, and the figures that say so.

    `ratio_bp` is after the fee of the renewal; None: no debt, or not to be valued. `suspended` are names that the
    account holds and nobody can sell; without them the ratio is `ratio_without_bp`. `unpaid_minor` is interest and fees
    due, which is paid first from `cash_minor` where `carries_interest` is false. `first_day` is the first on which the
    loan can be renewed.
    """

    loan_id: int
    bars: tuple[RenewalBar, ...]
    ratio_bp: int | None
    required_ratio_bp: int
    suspended: tuple[str, ...]
    ratio_without_bp: int | None
    unpaid_minor: int
    cash_minor: int
    carries_interest: bool
    fee_minor: int
    renewals_used: int
    renewals_max: int
    first_day: date
    matures_on: date
    tenor_days_max: int
    conditions: tuple[RenewalCondition, ...] = ()

    @property
    def is_eligible(self) -> bool:
        return not self.bars


@dataclass(frozen=True)
class RenewalView:
    """A renewal as pages show it. `rate_bp` is the quote's, so that a granted exception shows as soon as it is given.

    What the client has asked for has no price yet: `rate_bp`, `offered_at` and `valid_until` are None.
    `client_signed_at` and `contract_id` are of the agreement. `fee_minor` and `carried_minor` are what was booked when
    it came into force.
    """

    id: int
    loan_id: int
    loan_number: str
    account_id: int
    client_id: int
    state: RenewalState
    number: int
    old_matures_on: date
    new_matures_on: date
    tenor_days: int
    rate_bp: int | None
    quote_id: int
    contract_id: int | None
    asked_at: datetime | None
    offered_at: datetime | None
    offered_by: str
    valid_until: datetime | None
    accepted_at: datetime | None
    client_signed_at: datetime | None
    fee_minor: int | None
    carried_minor: int | None
    ended_at: datetime | None
    end_reason: str


class MaturityStage(StrEnum):
    """Where a loan stands on the way to its maturity and past it. LATE: the days of grace are over."""

    RUNNING = "running"
    NEAR = "near"
    DUE = "due"
    LATE = "late"


class DefaultState(StrEnum):
    """A loan that is late past its grace, on the way to a sale for it. PROPOSED: a second person is asked. ANNOUNCED:
    its client was told the day from which is sold. PAID, WITHDRAWN and EXHAUSTED (nothing is left to sell) are ends.
    """

    PROPOSED = "proposed"
    ANNOUNCED = "announced"
    SELLING = "selling"
    PAID = "paid"
    WITHDRAWN = "withdrawn"
    EXHAUSTED = "exhausted"


class DefaultHold(StrEnum):
    """What keeps the sale for a late loan from being opened although the day has come."""

    OPEN_CALL = "open_call"
    BEING_SOLD = "being_sold"
    LEGAL_HOLD = "legal_hold"
    NOTICE_NOT_DELIVERED = "notice_not_delivered"


@dataclass(frozen=True)
class DefaultView:
    """A late loan on the way to a sale for it.

    `due_minor` is what was owed when it was proposed or announced: principal, and interest and fees of the account.
    `deadline_at` is until when the client can pay, `sale_from` the first day on which may be sold; both None before
    the client is told. `waits_for` is what kept the sale from being opened when that was last tried.
    """

    id: int
    loan_id: int
    client_id: int
    state: DefaultState
    matured_on: date
    due_minor: int
    reason: str
    proposed_at: datetime
    proposed_by: str
    approval_id: int | None
    announced_at: datetime | None
    deadline_at: datetime | None
    sale_from: date | None
    liquidation_id: int | None
    waits_for: DefaultHold | None
    ended_at: datetime | None
    end_reason: str


@dataclass(frozen=True)
class MaturingLoan:
    """A loan near its maturity, with its newest renewal and default. `days_left` is negative after the maturity."""

    loan_id: int
    number: str
    account_id: int
    account_number: str
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str
    scheme_code: str
    currency: str
    principal_minor: int
    rate_bp: int
    matures_on: date
    days_left: int
    stage: MaturityStage
    grace_until: date
    penalty_rate_bp: int
    renewals_used: int
    renewals_max: int
    renewal: RenewalView | None
    default: DefaultView | None = None


@dataclass(frozen=True)
class ReminderView:
    """A reminder of a maturity that was queued, once for each day before it."""

    loan_id: int
    days_before: int
    matures_on: date
    queued_at: datetime
    notice_id: int
