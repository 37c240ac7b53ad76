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

    Amounts in minor units, rates in basis points. `problem` says what stands against going on, in words for anybody.
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
    """A renewal of a loan. ACCEPTED: the client signed the new term, which is in force with the signature of both."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"


class RenewalBar(StrEnum):
    """What stands against renewing a loan."""

    NO_RENEWALS_LEFT = "no_renewals_left"
    RATIO_TOO_LOW = "ratio_too_low"
    NOT_VALUED = "not_valued"
    OPEN_CALL = "open_call"
    INTEREST_DUE = "interest_due"
    ACCOUNT_NOT_ACTIVE = "account_not_active"
    CLIENT_NOT_OPEN = "client_not_open"
    NO_LICENCE = "no_licence"
    SCHEME_WITHDRAWN = "scheme_withdrawn"
    MATURED = "matured"


@dataclass(frozen=True)
class RenewalEligibility:
    """Whether a loan can be renewed now, and the figures that say so. `ratio_bp` None: no debt, or not to be valued."""

    loan_id: int
    bars: tuple[RenewalBar, ...]
    ratio_bp: int | None
    required_ratio_bp: int
    renewals_used: int
    renewals_max: int

    @property
    def is_eligible(self) -> bool:
        return not self.bars


@dataclass(frozen=True)
class RenewalView:
    """A renewal as pages show it."""

    id: int
    loan_id: int
    loan_number: str
    account_id: int
    client_id: int
    state: RenewalState
    old_matures_on: date
    new_matures_on: date
    rate_bp: int
    offered_at: datetime
    valid_until: date
    accepted_at: datetime | None


@dataclass(frozen=True)
class ReminderView:
    """A reminder of a maturity that was queued, once for each day before it."""

    loan_id: int
    days_before: int
    matures_on: date
    queued_at: datetime
    notice_id: int
