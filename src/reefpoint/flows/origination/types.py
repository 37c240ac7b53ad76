"""Leads and applications as other parts see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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
    MUST_BE_AGREED = "must_be_agreed"
    TOO_FEW_ROWS = "too_few_rows"
    TOO_MANY_ROWS = "too_many_rows"
    SHARES_EXCEED_WHOLE = "shares_exceed_whole"
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
    - `required_if`: (another field of the section, its value) that makes it required, beside `required_of`
    - `low`, `high`: characters of a text, rows of a list, the number or the minor units; both inclusive
    - `options` of a choice; `fields` of a row
    """

    name: str
    kind: FieldKind
    required_of: frozenset[ClientKind] = EVERYBODY
    asked_of: frozenset[ClientKind] = EVERYBODY
    required_if: tuple[str, Plain] | None = None
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
    """What the loan costs. A year is 365 days of interest at today's rate; the fee is taken once, at the drawdown."""

    rate_bp: int
    penalty_rate_bp: int
    day_count: str
    interest_day_minor: int
    interest_year_minor: int
    drawdown_fee_bp: int
    drawdown_fee_minor: int
    early_repayment_fee_bp: int
    is_early_repayment_allowed: bool

    @property
    def first_year_minor(self) -> int:
        return self.interest_year_minor + self.drawdown_fee_minor


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
