"""Origination rules: what an application asks, which answers are none, what lets it be handed in, accepted, refused."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from reefpoint.flows.origination.types import (
    EVERYBODY,
    INDIVIDUALS,
    INSTITUTIONS,
    ApplicationState,
    Blocker,
    Field,
    FieldKind,
    FieldProblem,
    LeadDraft,
    LeadState,
    OverviewLineName,
    Plain,
    PreScreenCode,
    PreScreenOutcome,
    PreScreenReason,
    ProblemCode,
    RefusalReason,
    ReviewFacts,
    Section,
    SectionData,
    Standing,
)
from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.basics.ownership import Link, look_through
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.parties.rules import parties_of
from reefpoint.records.parties.types import (
    ClientKind,
    ClientStatus,
    DocumentKind,
    IdentifierDraft,
    IdentifierKind,
    PersonRole,
    RelatedPersonDraft,
)
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
PERSON_ROLES = ("owner", "holding", "director", "signatory", "attorney", "legal_representative")


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
            high=60,
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
                    required_if=("role", ("owner", "holding")),
                    low=0,
                    high=SHARE_WHOLE_BP,
                ),
                _text("holds_in", required_of=NOBODY),
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
            required_if=("is_pep_declared", (True,)),
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
    return field.required_if is not None and data.get(field.required_if[0]) in field.required_if[1]


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
    if field.name == "related_persons":
        yield from _check_layers(rows, place, is_final)


def _check_layers(rows: list[SectionData], place: str, is_final: bool) -> Iterator[FieldProblem]:
    """Shares that come to more than the whole of a company, or to a circle, or are held nowhere."""
    placed = parties_of([_owner_row(row) for row in rows])
    links: dict[int, Link] = {}
    for number, (row, (party, held_in)) in enumerate(zip(rows, placed, strict=True)):
        share = row.get("share_bp")
        if held_in is None:
            if is_final:
                yield FieldProblem(f"{place}.{number}.holds_in", ProblemCode.HELD_IN_UNKNOWN)
        elif row.get("role") in ("owner", "holding") and type(share) is int:
            links[number] = Link(party, held_in, share)
    found = look_through(links.values(), companies=())
    if found.over_whole:
        yield FieldProblem(place, ProblemCode.SHARES_EXCEED_WHOLE)
    for number, link in links.items():
        if link in found.loops:
            yield FieldProblem(f"{place}.{number}.holds_in", ProblemCode.OWNERSHIP_LOOP)


def _owner_row(row: SectionData) -> RelatedPersonDraft:
    """As much of a row as says who it is and in what they hold; what is no answer counts as none."""
    said = {name: value for name, value in row.items() if isinstance(value, str)}
    kind, role, born = said.get("identifier_kind", ""), said.get("role", ""), said.get("birth_on", "")
    return RelatedPersonDraft(
        role=PersonRole(role) if role in PERSON_ROLES else PersonRole.DIRECTOR,
        name=said.get("name", ""),
        name_zh=said.get("name_zh", ""),
        birth_on=date.fromisoformat(born) if _is_day(born) else None,
        identifier=IdentifierDraft(IdentifierKind(kind), said.get("identifier_number", ""))
        if kind in IDENTIFIER_KINDS
        else None,
        holds_in=said.get("holds_in", ""),
    )


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


# Leads

RULES_VERSION = 2
"""Stored with each pre-screen and decision; a change of what decides them is a new version.

2: nobody is accepted whose names were held against no list.
"""

LEAD_STATES = StateTable(
    subject="lead",
    initial=LeadState.NEW,
    moves={
        LeadState.NEW: frozenset({LeadState.CONTACTED, LeadState.CONVERTED, LeadState.LOST, LeadState.MERGED}),
        LeadState.CONTACTED: frozenset({LeadState.CONVERTED, LeadState.LOST, LeadState.MERGED}),
        LeadState.LOST: frozenset({LeadState.CONTACTED, LeadState.CONVERTED, LeadState.MERGED}),
        LeadState.CONVERTED: frozenset(),
        LeadState.MERGED: frozenset(),
    },
)

NAME_ALIKE_BP = 6_500
"""From which trigram similarity on two names a letter or a word apart are shown as a possible duplicate: 0.65, a house
default."""
PAIRS_A_LEAD_MAX = 5
EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.IGNORECASE)


def name_key(name: str, name_zh: str = "") -> str:
    """A name as it is compared: no case, accents, marks or order of words; the Chinese one beside it as it is."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(one for one in plain if not unicodedata.combining(one))
    words = re.findall(r"\w+", letters)
    return " ".join([*sorted(words), *re.findall(r"\w+", unicodedata.normalize("NFKC", name_zh))])


def plain_email(text: str) -> str:
    """An address as it is kept and compared."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def plain_phone(text: str) -> str:
    """A number as it is compared: its digits, with the leading zeros of an international prefix taken off."""
    return re.sub(r"[^0-9]", "", text).lstrip("0")


def check_lead(draft: LeadDraft) -> list[FieldProblem]:
    """Everything that is wrong with a lead, in the order of its fields."""
    texts = (
        ("name", draft.name, 1, TEXT_CHARS_MAX),
        ("name_zh", draft.name_zh, 0, TEXT_CHARS_MAX),
        ("email", draft.email, 0, 254),
        ("phone", draft.phone, 0, 40),
        ("source", draft.source, 0, 120),
    )
    problems = []
    for name, text, low, high in texts:
        if not low and not text:
            continue
        code = _check_text(Field(name, FieldKind.TEXT, low=max(low, 1), high=high), text)
        if code is not None:
            problems.append(FieldProblem(name, ProblemCode.MISSING if not text else code))
    if draft.email and not EMAIL.fullmatch(plain_email(draft.email)):
        problems.append(FieldProblem("email", ProblemCode.NOT_AN_EMAIL))
    if not draft.email and not draft.phone:
        problems.append(FieldProblem("email", ProblemCode.MISSING))
    if draft.country and draft.country not in COUNTRIES:
        problems.append(FieldProblem("country", ProblemCode.NOT_A_COUNTRY))
    if draft.language not in LANGUAGES:
        problems.append(FieldProblem("language", ProblemCode.NOT_AN_OPTION))
    if draft.loan_wanted_minor is not None and not 0 < draft.loan_wanted_minor <= MONEY_MINOR_MAX:
        problems.append(FieldProblem("loan_wanted_minor", ProblemCode.OUT_OF_RANGE))
    note = Field("note", FieldKind.LONG_TEXT, high=LONG_TEXT_CHARS_MAX)
    if draft.note and (wrong := _check_text(note, draft.note)) is not None:
        problems.append(FieldProblem("note", wrong))
    return problems


LANGUAGES = ("en", "zh-hans")

# Applications

APPLICATION_STATES = StateTable(
    subject="application",
    initial=ApplicationState.DRAFT,
    moves={
        ApplicationState.DRAFT: frozenset({ApplicationState.SUBMITTED, ApplicationState.WITHDRAWN}),
        ApplicationState.SUBMITTED: frozenset({ApplicationState.IN_REVIEW, ApplicationState.WITHDRAWN}),
        ApplicationState.IN_REVIEW: frozenset(
            {
                ApplicationState.INFO_REQUESTED,
                ApplicationState.ACCEPTED,
                ApplicationState.REFUSED,
                ApplicationState.WITHDRAWN,
            }
        ),
        ApplicationState.INFO_REQUESTED: frozenset(
            {ApplicationState.SUBMITTED, ApplicationState.IN_REVIEW, ApplicationState.WITHDRAWN}
        ),
        ApplicationState.ACCEPTED: frozenset(),
        ApplicationState.REFUSED: frozenset(),
        ApplicationState.WITHDRAWN: frozenset(),
    },
)

EDITABLE = frozenset({ApplicationState.DRAFT, ApplicationState.INFO_REQUESTED})
"""States in which sections can be saved and documents added."""

MAY_BEGIN_AGAIN = frozenset({ApplicationState.REFUSED, ApplicationState.WITHDRAWN})
"""States after which the same person may begin a new application."""

AGE_MIN = 18
"""Years: full age where the desk lends. Source: PRC Civil Code Art. 17; HK Cap. 410 s. 2; US state law, mostly."""

NOT_SERVED = frozenset({"CU", "IR", "KP", "SY"})
"""Countries from which nobody is served: a house list of those under comprehensive sanctions; compliance reviews it."""

OWN_LICENCE_NEEDED = frozenset({"CN", "HK", "US"})
"""Where offering to residents needs a licence of that place, whatever the scheme's own law is.

Sources: Securities Law of the PRC Art. 120 (margin finance is for securities companies alone); HK SFO Cap. 571 s. 115
(marketing to the public of Hong Kong from outside); US Securities Exchange Act s. 15(a).
"""

REQUIRED_DOCUMENTS: Mapping[ClientKind, tuple[DocumentKind, ...]] = {
    ClientKind.INDIVIDUAL: (DocumentKind.IDENTITY, DocumentKind.ADDRESS_PROOF, DocumentKind.FUNDS_PROOF),
    ClientKind.INSTITUTION: (
        DocumentKind.INCORPORATION,
        DocumentKind.OWNERSHIP,
        DocumentKind.BOARD_RESOLUTION,
        DocumentKind.FUNDS_PROOF,
    ),
}


@dataclass(frozen=True)
class PreScreenFacts:
    """What the pre-screen looks at. `age` in years, None for an institution or an unreadable date.

    `jurisdictions_unlicensed`: where a licence to offer is needed and none is valid. `identifiers_wrong`: the kinds
    whose number fails its check. `holders_wrong`: numbers (from 0) of bank accounts in another name.
    """

    kind: ClientKind
    sections_incomplete: tuple[Section, ...]
    documents: frozenset[DocumentKind]
    documents_expired: tuple[DocumentKind, ...]
    has_questionnaire: bool
    age: int | None
    residence: str
    nationality: str
    jurisdictions_unlicensed: tuple[str, ...]
    is_scheme_offered: bool
    is_loan_within_limit: bool
    identifiers_wrong: tuple[str, ...]
    holders_wrong: tuple[int, ...]
    is_pep_declared: bool
    has_defaulted: bool
    has_name_hits: bool
    has_duplicates: bool


def pre_screen(facts: PreScreenFacts) -> list[PreScreenReason]:
    """Everything found, what stops the hand-in first. What would tip somebody off is kept from the client."""
    stops = [(PreScreenCode.SECTION_INCOMPLETE, section.value) for section in facts.sections_incomplete]
    stops += [
        (PreScreenCode.DOCUMENT_MISSING, kind.value)
        for kind in REQUIRED_DOCUMENTS[facts.kind]
        if kind not in facts.documents
    ]
    stops += [(PreScreenCode.DOCUMENT_EXPIRED, kind.value) for kind in facts.documents_expired]
    if not facts.has_questionnaire:
        stops.append((PreScreenCode.QUESTIONNAIRE_MISSING, ""))
    if facts.age is not None and facts.age < AGE_MIN:
        stops.append((PreScreenCode.UNDER_AGE, str(AGE_MIN)))
    stops += [
        (PreScreenCode.COUNTRY_NOT_SERVED, country)
        for country in sorted({facts.residence, facts.nationality} & NOT_SERVED)
    ]
    stops += [(PreScreenCode.NO_LICENCE, place) for place in facts.jurisdictions_unlicensed]
    if not facts.is_scheme_offered:
        stops.append((PreScreenCode.SCHEME_NOT_OFFERED, ""))
    elif not facts.is_loan_within_limit:
        stops.append((PreScreenCode.LOAN_ABOVE_LIMIT, ""))
    stops += [(PreScreenCode.IDENTIFIER_INVALID, kind) for kind in facts.identifiers_wrong]
    stops += [(PreScreenCode.BANK_ACCOUNT_NOT_OWN, str(number + 1)) for number in facts.holders_wrong]
    found = [PreScreenReason(code, detail) for code, detail in stops]
    if facts.is_pep_declared or facts.has_defaulted:
        found.append(PreScreenReason(PreScreenCode.LOOKED_AT_CLOSELY, outcome=PreScreenOutcome.REFERRED))
    if facts.has_name_hits:
        found.append(PreScreenReason(PreScreenCode.NAME_HIT, outcome=PreScreenOutcome.REFERRED, is_told=False))
    if facts.has_duplicates:
        found.append(
            PreScreenReason(PreScreenCode.POSSIBLE_DUPLICATE, outcome=PreScreenOutcome.REFERRED, is_told=False)
        )
    return found


def outcome_of(reasons: Collection[PreScreenReason]) -> PreScreenOutcome:
    """The worst of what was found."""
    found = {reason.outcome for reason in reasons}
    return next(
        (outcome for outcome in (PreScreenOutcome.STOPPED, PreScreenOutcome.REFERRED) if outcome in found),
        PreScreenOutcome.PASSED,
    )


def age_on(born: date, on: date) -> int:
    """Full years on a day; somebody born on 29 February has their birthday on 1 March of other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def is_own_name(holder: str, names: Collection[str]) -> bool:
    """Whether a bank account's holder is one of a client's names, whatever the case, accents and order of words."""
    return name_key(holder) in {name_key(name) for name in names if name}


UNFIT_DOCUMENTS: Mapping[ClientKind, frozenset[DocumentKind]] = {
    ClientKind.INDIVIDUAL: frozenset(
        {DocumentKind.INCORPORATION, DocumentKind.OWNERSHIP, DocumentKind.BOARD_RESOLUTION}
    ),
    ClientKind.INSTITUTION: frozenset(),
}
"""Papers that a client of a kind cannot have; those who act for an institution show their own."""


def documents_of(kind: ClientKind) -> tuple[DocumentKind, ...]:
    """The documents that a client of this kind can be asked for."""
    return tuple(one for one in DocumentKind if one not in UNFIT_DOCUMENTS[kind])


def sections_of(kind: ClientKind) -> tuple[Section, ...]:
    """The sections that a client of this kind can be asked to look at again; documents are asked for by their kind."""
    asked = (one for one in Section if one is not Section.DOCUMENTS)
    return tuple(one for one in asked if one is Section.QUESTIONNAIRE or fields_of(one, kind))


def missing_documents(kind: ClientKind, documents: Collection[DocumentKind]) -> tuple[DocumentKind, ...]:
    """The documents that still have to be there before a client of this kind is accepted."""
    return tuple(one for one in REQUIRED_DOCUMENTS[kind] if one not in documents)


# The decision

HIGH, PROHIBITED = "high", "prohibited"


def blockers(facts: ReviewFacts, rules_version: int = RULES_VERSION) -> list[Blocker]:
    """What stands against accepting this client, on these facts alone; empty: they may be accepted.

    A decision of an earlier version is held to the rules of that version (I60).
    """
    checks = (
        (Blocker.NOT_IN_REVIEW, facts.state != ApplicationState.IN_REVIEW),
        (Blocker.CLIENT_NOT_PROSPECT, facts.client_status != ClientStatus.PROSPECT),
        (
            Blocker.PRE_SCREEN_STOPPED,
            facts.pre_screen_outcome not in {PreScreenOutcome.PASSED, PreScreenOutcome.REFERRED},
        ),
        (Blocker.DOCUMENTS_MISSING, bool(facts.documents_missing)),
        (Blocker.QUESTIONNAIRE_MISSING, not facts.suitability_id),
        (Blocker.CONFIRMED_HIT, facts.screening == "confirmed"),
        (Blocker.OPEN_HITS, facts.screening == "open_hits"),
        (Blocker.NEVER_SCREENED, facts.screening not in {"clear", "open_hits", "confirmed"}),
        (Blocker.NO_LIST, rules_version >= 2 and not facts.list_versions),
        (Blocker.NOT_ASSESSED, not facts.rating),
        (Blocker.PROHIBITED, facts.rating == PROHIBITED),
        (Blocker.IDENTITY_CHECKS_FAILED, bool(facts.rating) and not facts.is_kyc_clean),
        (Blocker.OPEN_ALERT, facts.blocking_alerts > 0),
        (Blocker.NO_LICENCE, not facts.licence_number),
    )
    return [blocker for blocker, stands in checks if stands]


def needs_second_person(facts: ReviewFacts) -> bool:
    """A client of high risk is accepted by two people."""
    return facts.rating == HIGH


KEPT_REASONS = frozenset({RefusalReason.SCREENING, RefusalReason.MONITORING, RefusalReason.PROHIBITED_RISK})
"""Reasons that the client, and whoever sells to them, must not learn (tipping off). They read as `BUSINESS`.

Sources, from memory: PRC Anti-Money Laundering Law; HK OSCO Cap. 455 s. 25A(5); US 31 USC 5318(g)(2).
"""


KEPT_BLOCKERS = frozenset(
    {Blocker.NEVER_SCREENED, Blocker.OPEN_HITS, Blocker.CONFIRMED_HIT, Blocker.OPEN_ALERT, Blocker.PROHIBITED}
)
"""What stands against accepting and only compliance and auditors may know of."""


def told_reasons(reasons: Iterable[RefusalReason]) -> tuple[RefusalReason, ...]:
    """The reasons as the client reads them: specific where they may be, neutral where they must be."""
    shown = [reason for reason in reasons if reason not in KEPT_REASONS and reason is not RefusalReason.BUSINESS]
    return tuple(shown) or (RefusalReason.BUSINESS,)
