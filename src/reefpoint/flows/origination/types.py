"""Leads and applications as other parts see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reefpoint.platform.vault.types import SealedTable
from reefpoint.records.parties.types import ClientKind

Plain = None | bool | int | str | list["Plain"] | dict[str, "Plain"]
"""What a section of an application is made of: JSON values; dates as ISO 8601 text, money in minor units."""

SectionData = dict[str, Plain]


class Section(StrEnum):
    """The parts of an application, in the order in which they are asked."""

    IDENTITY = "identity"
    TAX = "tax"
    WEALTH = "wealth"
    EXPERIENCE = "experience"
    BANK = "bank"
    PEOPLE = "people"
    DOCUMENTS = "documents"
    QUESTIONNAIRE = "questionnaire"
    DECLARATIONS = "declarations"


class FieldKind(StrEnum):
    """How a field is asked and checked.

    TEXT is one line, LONG_TEXT several; DAY an ISO date; COUNTRY an ISO 3166 code; CURRENCY one the desk keeps; MONEY
    minor units; SHARE basis points; NUMBER a whole number; YES_NO a boolean; AGREED a boolean that must be true;
    CHOICE one of `options`, CHOICES a list of them; TEXTS a list of single lines; ROWS a list of maps of `fields`.
    """

    TEXT = "text"
    LONG_TEXT = "long_text"
    DAY = "day"
    COUNTRY = "country"
    CURRENCY = "currency"
    MONEY = "money"
    SHARE = "share"
    NUMBER = "number"
    YES_NO = "yes_no"
    AGREED = "agreed"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXTS = "texts"
    ROWS = "rows"


class ProblemCode(StrEnum):
    """What is wrong with a field; a surface has a sentence for each."""

    MISSING = "missing"
    WRONG_TYPE = "wrong_type"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    NOT_A_DAY = "not_a_day"
    DAY_OUT_OF_RANGE = "day_out_of_range"
    DAYS_OUT_OF_ORDER = "days_out_of_order"
    NOT_A_COUNTRY = "not_a_country"
    NOT_A_CURRENCY = "not_a_currency"
    NOT_AN_OPTION = "not_an_option"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_PHONE = "not_a_phone"
    NOT_AN_EMAIL = "not_an_email"
    MUST_BE_AGREED = "must_be_agreed"
    TOO_FEW_ROWS = "too_few_rows"
    TOO_MANY_ROWS = "too_many_rows"
    SHARES_EXCEED_WHOLE = "shares_exceed_whole"
    HELD_IN_UNKNOWN = "held_in_unknown"
    OWNERSHIP_LOOP = "ownership_loop"
    NOT_OWN_NAME = "not_own_name"
    UNKNOWN_FIELD = "unknown_field"


@dataclass(frozen=True)
class FieldProblem:
    """One thing that is wrong. `field` is a path: `phone`, `identifiers.0.number`."""

    field: str
    code: ProblemCode


EVERYBODY = frozenset(ClientKind)
INDIVIDUALS = frozenset({ClientKind.INDIVIDUAL})
INSTITUTIONS = frozenset({ClientKind.INSTITUTION})


@dataclass(frozen=True)
class Field:
    """One question of a section.

    - `asked_of`: who is asked at all; `required_of`: who must answer before the application can be handed in
    - `required_if`: (another field of the section, its values) that makes it required, beside `required_of`
    - `low`, `high`: characters of a text, rows of a list, the number or the minor units; both inclusive
    - `options` of a choice; `fields` of a row
    """

    name: str
    kind: FieldKind
    required_of: frozenset[ClientKind] = EVERYBODY
    asked_of: frozenset[ClientKind] = EVERYBODY
    required_if: tuple[str, tuple[Plain, ...]] | None = None
    low: int = 1
    high: int = 160
    options: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()


class OverviewLineName(StrEnum):
    """The lines of a scheme, highest first: where lending ends, where the client is warned, called, and sold out."""

    INITIAL = "initial"
    WARNING = "warning"
    CALL = "call"
    CLOSE_OUT = "close_out"


@dataclass(frozen=True)
class OverviewLine:
    """One line and how far it is. Below `value_minor` of the portfolio the line is crossed.

    `fall_bp`: how far all prices may fall together, rounded down; negative when the example is under the line already.
    """

    name: OverviewLineName
    line_bp: int
    fall_bp: int
    value_minor: int
    limit_days: int | None


@dataclass(frozen=True)
class OverviewHolding:
    """One name of the example. Prices in 1e-4; the least prices at which a line still holds, rounded up.

    `call_price_units` and `close_out_price_units`: all names falling by the same part. `call_alone_units` and
    `close_out_alone_units`: this one alone falling; None where even its total loss would not cross the line.
    `sold_quantity`: what would be sold if prices stood just under the close-out line.
    """

    symbol: str
    name: str
    name_zh: str
    quantity: int
    price_units: int
    value_minor: int
    share_bp: int
    haircut_bp: int
    lendable_minor: int
    call_price_units: int
    close_out_price_units: int
    call_alone_units: int | None
    close_out_alone_units: int | None
    sold_quantity: int
    sold_minor: int


@dataclass(frozen=True)
class OverviewCost:
    """What the loan costs. A year is 365 days of interest at today's rate; the drawdown's fees are taken once."""

    rate_bp: int
    penalty_rate_bp: int
    day_count: str
    interest_day_minor: int
    interest_year_minor: int
    drawdown_fee_minor: int
    month_fees_minor: int
    is_early_repayment_allowed: bool

    @property
    def first_year_minor(self) -> int:
        return self.interest_year_minor + self.drawdown_fee_minor + 12 * self.month_fees_minor


class Standing(StrEnum):
    """Where the example would stand after a change of prices."""

    SAFE = "safe"
    WARNED = "warned"
    CALLED = "called"
    SOLD = "sold"


@dataclass(frozen=True)
class OverviewOutcome:
    """The example after all prices changed by `change_bp`, a year's cost taken off.

    `own_minor` is what is left of the client's own money, negative when more is owed than all is worth;
    `result_minor` its change.
    """

    change_bp: int
    value_minor: int
    own_minor: int
    result_minor: int
    ratio_bp: int
    standing: Standing


class WhyNot(StrEnum):
    """Why the loan of an example would not be given under the scheme."""

    BELOW_INITIAL = "below_initial"
    ABOVE_LENDABLE = "above_lendable"
    ABOVE_LIMIT = "above_limit"
    TOO_LITTLE_EQUITY = "too_little_equity"
    TOO_CONCENTRATED = "too_concentrated"


@dataclass(frozen=True)
class Overview:
    """What a loan against an example portfolio would cost and risk, before anything is signed.

    Amounts in minor units of `currency`. `call_minor` is what would be asked for at the call line, `sold_minor` the
    market value that would be sold just under the close-out line. `outcomes` run from the largest fall to the largest
    rise, as far down as up.
    """

    scheme_code: str
    scheme_name: str
    scheme_name_zh: str
    scheme_version: int
    jurisdiction: str
    licence_number: str
    currency: str
    at: datetime
    value_minor: int
    cash_minor: int
    loan_minor: int
    own_minor: int
    ratio_bp: int
    lendable_minor: int
    loan_most_minor: int
    why_not: tuple[WhyNot, ...]
    lines: tuple[OverviewLine, ...]
    holdings: tuple[OverviewHolding, ...]
    cost: OverviewCost
    call_minor: int
    call_deadline_sessions: int
    sold_minor: int
    outcomes: tuple[OverviewOutcome, ...]

    @property
    def is_lendable(self) -> bool:
        return not self.why_not

    def line(self, name: str) -> OverviewLine:
        """One line by its name."""
        return next(line for line in self.lines if line.name == name)


# Leads


class LeadChannel(StrEnum):
    """How somebody came to the desk."""

    WEB = "web"
    PHONE = "phone"
    BRANCH = "branch"
    REFERRAL = "referral"
    EVENT = "event"
    PARTNER = "partner"
    IMPORT = "import"


class LeadState(StrEnum):
    """NEW until somebody spoke with them; CONVERTED once an application was begun; MERGED into another lead."""

    NEW = "new"
    CONTACTED = "contacted"
    CONVERTED = "converted"
    LOST = "lost"
    MERGED = "merged"


@dataclass(frozen=True)
class LeadDraft:
    """Somebody who asked. `may_contact` is their consent to be contacted; without it nobody calls or writes.

    At least one of `email` and `phone` is needed. `source` says more than the channel: a campaign, who referred them.
    """

    name: str
    channel: LeadChannel
    kind: ClientKind = ClientKind.INDIVIDUAL
    name_zh: str = ""
    email: str = ""
    phone: str = ""
    language: str = "en"
    country: str = ""
    source: str = ""
    loan_wanted_minor: int | None = None
    note: str = ""
    may_contact: bool = False


@dataclass(frozen=True)
class LeadView:
    """A lead as lists and pages show it: how to reach them is masked."""

    id: int
    number: str
    name: str
    name_zh: str
    kind: ClientKind
    channel: LeadChannel
    source: str
    state: LeadState
    language: str
    country: str
    email_masked: str
    phone_masked: str
    may_contact: bool
    loan_wanted_minor: int | None
    note: str
    owner_id: int | None
    merged_into_id: int | None
    created_at: datetime
    application_id: int | None = None
    duplicates: int = 0


@dataclass(frozen=True)
class LeadContact:
    """How to reach a lead, in full, handed out for a reason that is logged."""

    email: str
    phone: str


class PairState(StrEnum):
    """What a person said of two leads that look like one."""

    OPEN = "open"
    MERGED = "merged"
    DISTINCT = "distinct"


@dataclass(frozen=True)
class LeadPair:
    """Two leads that may be one: the same address or number, or names alike (`name_bp`, 10,000 is equal)."""

    id: int
    first: LeadView
    second: LeadView
    same_email: bool
    same_phone: bool
    name_bp: int
    state: PairState


@dataclass(frozen=True)
class LeadStep:
    """Something that happened to a lead. A merge keeps the steps of both under the one that stays."""

    lead_id: int
    at: datetime
    actor: str
    action: str
    words: str


@dataclass(frozen=True)
class Conversion:
    """What became of the leads of one channel that came in a period. Merged ones count with the lead they became."""

    channel: LeadChannel
    leads: int
    begun: int
    submitted: int
    accepted: int
    refused: int

    @property
    def accepted_bp(self) -> int:
        """Accepted clients, in basis points of leads."""
        return self.accepted * 10_000 // self.leads if self.leads else 0


# Applications


class ApplicationState(StrEnum):
    """Where an application is. SUBMITTED waits for an officer, IN_REVIEW is with one."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    IN_REVIEW = "in_review"
    INFO_REQUESTED = "info_requested"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class PreScreenCode(StrEnum):
    """What the pre-screen found; a surface has a sentence for each that clients may read."""

    SECTION_INCOMPLETE = "section_incomplete"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_EXPIRED = "document_expired"
    QUESTIONNAIRE_MISSING = "questionnaire_missing"
    UNDER_AGE = "under_age"
    COUNTRY_NOT_SERVED = "country_not_served"
    NO_LICENCE = "no_licence"
    SCHEME_NOT_OFFERED = "scheme_not_offered"
    LOAN_ABOVE_LIMIT = "loan_above_limit"
    IDENTIFIER_INVALID = "identifier_invalid"
    BANK_ACCOUNT_NOT_OWN = "bank_account_not_own"
    LOOKED_AT_CLOSELY = "looked_at_closely"
    NAME_HIT = "name_hit"
    POSSIBLE_DUPLICATE = "possible_duplicate"


class PreScreenOutcome(StrEnum):
    """STOPPED: it cannot be handed in so. REFERRED: handed in, and a person looks at what was found. PASSED: clean."""

    STOPPED = "stopped"
    REFERRED = "referred"
    PASSED = "passed"


@dataclass(frozen=True)
class PreScreenReason:
    """One finding. `detail` names the section, document, identifier or country; `is_told` to the client or kept."""

    code: PreScreenCode
    detail: str = ""
    outcome: PreScreenOutcome = PreScreenOutcome.STOPPED
    is_told: bool = True


@dataclass(frozen=True)
class PreScreen:
    """What the pre-screen found at one hand-in, worst first."""

    number: int
    at: datetime
    outcome: PreScreenOutcome
    reasons: tuple[PreScreenReason, ...]

    @property
    def told(self) -> tuple[PreScreenReason, ...]:
        """What the client may read."""
        return tuple(reason for reason in self.reasons if reason.is_told)


@dataclass(frozen=True)
class SectionStatus:
    """How far one section is. `is_asked` is false where this kind of client has nothing to say."""

    section: Section
    is_asked: bool
    is_begun: bool
    is_complete: bool
    saved_at: datetime | None
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True)
class ApplicationView:
    """An application as its client and the desk see it. `waits_since` is when it came to its state."""

    id: int
    number: str
    client_id: int
    client_number: str
    name: str
    name_zh: str
    kind: ClientKind
    channel: LeadChannel
    language: str
    state: ApplicationState
    lead_id: int | None
    begun_at: datetime
    submitted_at: datetime | None
    waits_since: datetime
    submissions: int
    officer: str
    approval_id: int | None
    told: str = ""


@dataclass(frozen=True)
class InfoRequest:
    """What the client was asked for: sections and documents to look at again, and words."""

    asked_at: datetime
    sections: tuple[Section, ...]
    documents: tuple[str, ...]
    words: str
    answered_at: datetime | None


class RefusalReason(StrEnum):
    """Why an application is refused. What may not be told (`rules.KEPT_REASONS`) reads as the neutral sentence."""

    INCOMPLETE = "incomplete"
    UNDER_AGE = "under_age"
    COUNTRY_NOT_SERVED = "country_not_served"
    NO_LICENCE = "no_licence"
    IDENTITY_NOT_VERIFIED = "identity_not_verified"
    FUNDS_NOT_EXPLAINED = "funds_not_explained"
    NOT_SUITABLE = "not_suitable"
    THIRD_PARTY_MONEY = "third_party_money"
    PAST_DEFAULT = "past_default"
    BUSINESS = "business"
    SCREENING = "screening"
    MONITORING = "monitoring"
    PROHIBITED_RISK = "prohibited_risk"


class Blocker(StrEnum):
    """What stands against accepting a client."""

    NOT_IN_REVIEW = "not_in_review"
    CLIENT_NOT_PROSPECT = "client_not_prospect"
    PRE_SCREEN_STOPPED = "pre_screen_stopped"
    DOCUMENTS_MISSING = "documents_missing"
    QUESTIONNAIRE_MISSING = "questionnaire_missing"
    NEVER_SCREENED = "never_screened"
    NO_LIST = "no_list"
    OPEN_HITS = "open_hits"
    CONFIRMED_HIT = "confirmed_hit"
    NOT_ASSESSED = "not_assessed"
    PROHIBITED = "prohibited"
    IDENTITY_CHECKS_FAILED = "identity_checks_failed"
    OPEN_ALERT = "open_alert"
    NO_LICENCE = "no_licence"


@dataclass(frozen=True)
class ReviewFacts:
    """All that a decision on an application rests on, as numbers, codes and versions; stored with it (I60).

    `rating` is that of the KYC assessment (`low`, `standard`, `high`, `prohibited`), empty without one; `screening` the
    standing (`clear`, `open_hits`, `confirmed`, `never`), `list_versions` the lists that the names were held against.
    `is_kyc_clean`: no check of identity failed.
    """

    application_id: int
    state: str
    client_status: str
    profile_version: int
    pre_screen_number: int
    pre_screen_outcome: str
    documents: tuple[str, ...]
    documents_missing: tuple[str, ...]
    rating: str
    assessment_id: int
    is_kyc_clean: bool
    screening: str
    screened_at: str
    list_versions: tuple[str, ...]
    suitability: str
    suitability_id: int
    blocking_alerts: int
    group_size: int
    licence_number: str
    scheme_code: str
    loan_wanted_minor: int


@dataclass(frozen=True)
class Letter:
    """A letter as it would be sent in one language; `is_theirs` is the language in which the client is written to."""

    language: str
    subject: str
    body: str
    is_theirs: bool


@dataclass(frozen=True)
class DecisionView:
    """A decision as it was taken. `reasons` are empty for who may not read why (tipping off)."""

    outcome: ApplicationState
    at: datetime
    decided_by: str
    approved_by: str
    reasons: tuple[RefusalReason, ...]
    note: str
    told: str
    fingerprint: str
    rules_version: int


@dataclass(frozen=True)
class StepView:
    """One move of an application."""

    at: datetime
    actor: str
    action: str
    state: ApplicationState
    words: str


SEALED_TABLES = (
    SealedTable("origination_lead", "lead:{id}:contact"),
    SealedTable("origination_section", "application:{application_id}:section:{section}"),
)
"""Where this app keeps sealed rows."""
