"""The questions of an application, and what is wrong with an answer."""

from dataclasses import dataclass
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
