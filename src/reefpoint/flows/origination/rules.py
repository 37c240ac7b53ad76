"""Origination rules: what an application asks, and what makes an answer no answer."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date

from reefpoint.flows.origination.types import (
    EVERYBODY,
    INDIVIDUALS,
    INSTITUTIONS,
    Field,
    FieldKind,
    FieldProblem,
    OverviewLineName,
    Plain,
    ProblemCode,
    Section,
    SectionData,
    Standing,
)
from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.records.parties.types import ClientKind
from reefpoint.records.products.types import SchemeTerms

NOBODY: frozenset[ClientKind] = frozenset()
MONEY_MINOR_MAX = 10**15
EARLIEST_DAY = date(1800, 1, 1)
LATEST_DAY = date(2100, 12, 31)
PHONE = re.compile(r"\+?[0-9][0-9 ()./-]{4,30}[0-9]")
TEXT_CHARS_MAX = 160
LONG_TEXT_CHARS_MAX = 2_000
SHARE_WHOLE_BP = 10_000

IDENTIFIER_KINDS = ("cn.ric", "cn.uscc", "hk.hkid", "passport", "lei", "us.ein", "other")
SOURCES_OF_FUNDS = (
    "salary",
    "business",
    "savings",
    "investments",
    "inheritance",
    "property",
    "gift",
    "pension",
    "other",
)
SOURCES_OF_WEALTH = ("employment", "business", "investments", "inheritance", "property", "family", "other")
PRODUCTS = ("stocks", "funds", "bonds", "options", "futures", "margin", "short_selling", "structured", "crypto")
PURPOSES = ("leverage", "liquidity", "hedging", "diversification", "business", "other")
PERSON_ROLES = ("owner", "director", "signatory", "attorney", "legal_representative")


def _text(name: str, *, high: int = TEXT_CHARS_MAX, required_of: frozenset[ClientKind] = EVERYBODY) -> Field:
    return Field(name, FieldKind.TEXT, required_of=required_of, high=high)


def _money(name: str) -> Field:
    return Field(name, FieldKind.MONEY, low=0, high=MONEY_MINOR_MAX)


IDENTIFIER_FIELDS = (
    Field("kind", FieldKind.CHOICE, options=IDENTIFIER_KINDS),
    _text("number", high=60),
    Field("country", FieldKind.COUNTRY),
    Field("issued_on", FieldKind.DAY, required_of=NOBODY),
    Field("expires_on", FieldKind.DAY, required_of=NOBODY),
)

FIELDS: Mapping[Section, tuple[Field, ...]] = {
    Section.IDENTITY: (
        _text("name"),
        _text("name_zh", required_of=NOBODY),
        Field("former_names", FieldKind.TEXTS, required_of=NOBODY, low=0, high=10),
        Field("birth_or_incorporated_on", FieldKind.DAY),
        Field("nationality", FieldKind.COUNTRY),
        Field("residence", FieldKind.COUNTRY),
        Field("address", FieldKind.LONG_TEXT, low=5, high=300),
        _text("phone", high=40),
        Field("identifiers", FieldKind.ROWS, low=1, high=5, fields=IDENTIFIER_FIELDS),
    ),
    Section.TAX: (
        Field(
            "tax_residences",
            FieldKind.ROWS,
            low=1,
            high=5,
            fields=(Field("country", FieldKind.COUNTRY), _text("tax_number", high=60)),
        ),
    ),
    Section.WEALTH: (
        Field("currency", FieldKind.CURRENCY),
        _money("annual_income_minor"),
        _money("liquid_assets_minor"),
        _money("net_worth_minor"),
        Field("occupation", FieldKind.TEXT, required_of=INDIVIDUALS, asked_of=INDIVIDUALS),
        _text("employer_or_industry"),
        Field("sources_of_funds", FieldKind.CHOICES, options=SOURCES_OF_FUNDS, high=len(SOURCES_OF_FUNDS)),
        Field("sources_of_wealth", FieldKind.CHOICES, options=SOURCES_OF_WEALTH, high=len(SOURCES_OF_WEALTH)),
        Field("source_note", FieldKind.LONG_TEXT, low=10, high=LONG_TEXT_CHARS_MAX),
    ),
    Section.EXPERIENCE: (
        Field("trading_years", FieldKind.NUMBER, low=0, high=80),
        Field("trades_per_year", FieldKind.NUMBER, low=0, high=1_000_000),
        Field("products_traded", FieldKind.CHOICES, required_of=NOBODY, low=0, high=len(PRODUCTS), options=PRODUCTS),
        Field("scheme_code", FieldKind.TEXT, high=20),
        Field("loan_wanted_minor", FieldKind.MONEY, low=1, high=MONEY_MINOR_MAX),
        _money("expected_turnover_minor"),
        Field("purpose", FieldKind.CHOICE, options=PURPOSES),
    ),
    Section.BANK: (
        Field(
            "bank_accounts",
            FieldKind.ROWS,
            low=1,
            high=5,
            fields=(
                Field("country", FieldKind.COUNTRY),
                _text("bank_name"),
                _text("bank_code", high=20, required_of=NOBODY),
                _text("holder_name"),
                _text("number", high=40),
                Field("currency", FieldKind.CURRENCY),
            ),
        ),
    ),
    Section.PEOPLE: (
        Field(
            "related_persons",
            FieldKind.ROWS,
            required_of=INSTITUTIONS,
            low=1,
            high=30,
            fields=(
                Field("role", FieldKind.CHOICE, options=PERSON_ROLES),
                _text("name"),
                _text("name_zh", required_of=NOBODY),
                Field("birth_on", FieldKind.DAY),
                Field("nationality", FieldKind.COUNTRY),
                Field(
                    "share_bp",
                    FieldKind.SHARE,
                    required_of=NOBODY,
                    required_if=("role", "owner"),
                    low=0,
                    high=SHARE_WHOLE_BP,
                ),
                Field("identifier_kind", FieldKind.CHOICE, options=IDENTIFIER_KINDS),
                _text("identifier_number", high=60),
                Field("identifier_country", FieldKind.COUNTRY),
            ),
        ),
    ),
    Section.DOCUMENTS: (),
    Section.QUESTIONNAIRE: (),
    Section.DECLARATIONS: (
        Field("is_pep_declared", FieldKind.YES_NO),
        Field(
            "pep_note",
            FieldKind.LONG_TEXT,
            required_of=NOBODY,
            required_if=("is_pep_declared", True),
            low=5,
            high=LONG_TEXT_CHARS_MAX,
        ),
        Field("has_defaulted", FieldKind.YES_NO),
        Field("is_major_shareholder", FieldKind.YES_NO),
        Field("acts_for_self", FieldKind.AGREED),
        Field("is_truthful", FieldKind.AGREED),
        Field("read_margin_risks", FieldKind.AGREED),
        Field("agrees_to_processing", FieldKind.AGREED),
        Field("agrees_to_marketing", FieldKind.YES_NO, required_of=NOBODY),
    ),
}
"""What each section asks. DOCUMENTS are counted by what was uploaded, QUESTIONNAIRE is checked by its own version."""


def fields_of(section: Section, kind: ClientKind) -> tuple[Field, ...]:
    """The questions of a section that are put to this kind of client."""
    return tuple(field for field in FIELDS[section] if kind in field.asked_of)


def check_section(
    section: Section, data: Mapping[str, Plain], kind: ClientKind, *, is_final: bool = True
) -> list[FieldProblem]:
    """Everything that is wrong with a section's answers, in the order of its questions.

    While an application is being written (`is_final` false) a missing answer is no problem; a wrong one is.
    """
    return list(_check_fields(fields_of(section, kind), data, kind, "", is_final))


def is_section_empty(data: Mapping[str, Plain]) -> bool:
    """Whether nothing at all was answered yet."""
    return all(_is_blank(value) for value in data.values())


def clean_section(section: Section, data: Mapping[str, Plain], kind: ClientKind) -> SectionData:
    """The answers as they are kept: texts in Unicode NFC without spaces around, blanks and unasked fields left out."""
    return _clean_fields(fields_of(section, kind), data)


def _clean_fields(fields: tuple[Field, ...], data: Mapping[str, Plain]) -> SectionData:
    cleaned = {field.name: _clean(field, data[field.name]) for field in fields if field.name in data}
    return {name: value for name, value in cleaned.items() if not _is_blank(value)}


def _clean(field: Field, value: Plain) -> Plain:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value).strip()
    if isinstance(value, list):
        if field.kind is FieldKind.ROWS:
            rows = [_clean_fields(field.fields, row) for row in value if isinstance(row, dict)]
            return [row for row in rows if row]
        return [item for item in (_clean(field, item) for item in value) if not _is_blank(item)]
    return value


def _is_blank(value: Plain) -> bool:
    return value is None or (not isinstance(value, bool | int) and not value)


def _check_fields(
    fields: tuple[Field, ...], data: Mapping[str, Plain], kind: ClientKind, path: str, is_final: bool
) -> Iterator[FieldProblem]:
    known = {field.name for field in fields}
    yield from (FieldProblem(path + name[:60], ProblemCode.UNKNOWN_FIELD) for name in data if name not in known)
    for field in fields:
        value = data.get(field.name)
        place = path + field.name
        if _is_blank(value):
            if is_final and _is_required(field, data, kind):
                yield FieldProblem(place, ProblemCode.MISSING)
        elif field.kind is FieldKind.ROWS:
            yield from _check_rows(field, value, kind, place, is_final)
        elif (code := _CHECKS[field.kind](field, value)) is not None:
            yield FieldProblem(place, code)
    issued, expires = data.get("issued_on"), data.get("expires_on")
    if (
        isinstance(issued, str)
        and isinstance(expires, str)
        and _is_day(issued)
        and _is_day(expires)
        and expires < issued
    ):
        yield FieldProblem(path + "expires_on", ProblemCode.DAYS_OUT_OF_ORDER)


def _is_required(field: Field, data: Mapping[str, Plain], kind: ClientKind) -> bool:
    if kind in field.required_of:
        return True
    return field.required_if is not None and data.get(field.required_if[0]) == field.required_if[1]


def _check_rows(field: Field, value: Plain, kind: ClientKind, place: str, is_final: bool) -> Iterator[FieldProblem]:
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        yield FieldProblem(place, ProblemCode.WRONG_TYPE)
        return
    if len(value) > field.high:
        yield FieldProblem(place, ProblemCode.TOO_MANY_ROWS)
        return
    rows = [row for row in value if isinstance(row, dict)]
    for number, row in enumerate(rows):
        yield from _check_fields(field.fields, row, kind, f"{place}.{number}.", is_final)
    shares = [row.get("share_bp") for row in rows if row.get("role") == "owner"]
    if sum(share for share in shares if isinstance(share, int)) > SHARE_WHOLE_BP:
        yield FieldProblem(place, ProblemCode.SHARES_EXCEED_WHOLE)


def _check_text(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, str):
        return ProblemCode.WRONG_TYPE
    if len(value) > field.high:
        return ProblemCode.TOO_LONG
    if len(value.strip()) < field.low:
        return ProblemCode.TOO_SHORT
    breaks = "\n\r\t" if field.kind is FieldKind.LONG_TEXT else ""
    if not all(letter.isprintable() or letter in breaks for letter in value):
        return ProblemCode.UNPRINTABLE
    if field.name == "phone" and not PHONE.fullmatch(value.strip()):
        return ProblemCode.NOT_A_PHONE
    return None


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _check_day(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, str) or not _is_day(value):
        return ProblemCode.NOT_A_DAY
    return None if EARLIEST_DAY <= date.fromisoformat(value) <= LATEST_DAY else ProblemCode.DAY_OUT_OF_RANGE


def _check_number(field: Field, value: Plain) -> ProblemCode | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return ProblemCode.WRONG_TYPE
    return None if field.low <= value <= field.high else ProblemCode.OUT_OF_RANGE


def _check_choices(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, list):
        return ProblemCode.WRONG_TYPE
    if len(value) > field.high or len(set(map(str, value))) < len(value):
        return ProblemCode.TOO_MANY_ROWS
    return None if all(item in field.options for item in value) else ProblemCode.NOT_AN_OPTION


def _check_texts(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, list):
        return ProblemCode.WRONG_TYPE
    if len(value) > field.high:
        return ProblemCode.TOO_MANY_ROWS
    line = Field(field.name, FieldKind.TEXT)
    return next((code for item in value if (code := _check_text(line, item)) is not None), None)


def _check_agreed(field: Field, value: Plain) -> ProblemCode | None:
    if not isinstance(value, bool):
        return ProblemCode.WRONG_TYPE
    return None if value else ProblemCode.MUST_BE_AGREED


_CHECKS: Mapping[FieldKind, Callable[[Field, Plain], ProblemCode | None]] = {
    FieldKind.TEXT: _check_text,
    FieldKind.LONG_TEXT: _check_text,
    FieldKind.DAY: _check_day,
    FieldKind.COUNTRY: lambda _, value: None if str(value) in COUNTRIES else ProblemCode.NOT_A_COUNTRY,
    FieldKind.CURRENCY: lambda _, value: None if str(value) in MINOR_DIGITS else ProblemCode.NOT_A_CURRENCY,
    FieldKind.MONEY: _check_number,
    FieldKind.SHARE: _check_number,
    FieldKind.NUMBER: _check_number,
    FieldKind.YES_NO: lambda _, value: None if isinstance(value, bool) else ProblemCode.WRONG_TYPE,
    FieldKind.AGREED: _check_agreed,
    FieldKind.CHOICE: lambda field, value: None if value in field.options else ProblemCode.NOT_AN_OPTION,
    FieldKind.CHOICES: _check_choices,
    FieldKind.TEXTS: _check_texts,
}


# The indicative overview

OFFERING = "margin_lending"
"""The activity that a licence must cover before a scheme's terms are shown as an offer."""

OUTCOME_CHANGES_BP = (-10_000, -5_000, -3_000, -2_000, -1_000, 0, 1_000, 2_000, 3_000, 5_000, 10_000)
"""Changes of all prices whose outcome an overview shows: as far down as up, to the total loss and the doubling."""


def lines_of(terms: SchemeTerms) -> tuple[tuple[OverviewLineName, int], ...]:
    """The lines of a scheme, highest first, in basis points of assets to debt."""
    return (
        (OverviewLineName.INITIAL, terms.initial_bp),
        (OverviewLineName.WARNING, terms.warning_bp),
        (OverviewLineName.CALL, terms.call_bp),
        (OverviewLineName.CLOSE_OUT, terms.close_out_bp),
    )


def standing_at(ratio_bp: int, terms: SchemeTerms) -> Standing:
    """Where a ratio stands among the lines, at once and without hysteresis."""
    if ratio_bp < terms.close_out_bp:
        return Standing.SOLD
    if ratio_bp < terms.call_bp:
        return Standing.CALLED
    return Standing.WARNED if ratio_bp < terms.warning_bp else Standing.SAFE


def loan_most_minor(*, assets_minor: int, lendable_minor: int, terms: SchemeTerms) -> int:
    """The most that a scheme lends against assets when the loan leaves the account, rounded down."""
    by_line = assets_minor * 10_000 // terms.initial_bp
    by_equity = assets_minor - terms.min_equity_minor
    return max(0, min(by_line, lendable_minor, by_equity, terms.limit_minor))
