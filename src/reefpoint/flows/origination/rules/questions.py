"""What an application asks, section by section, and of whom."""

from collections.abc import Mapping

from reefpoint.flows.origination.types.questions import EVERYBODY, INDIVIDUALS, INSTITUTIONS, Field, FieldKind, Section
from reefpoint.records.parties.types import ClientKind

NOBODY: frozenset[ClientKind] = frozenset()
MONEY_MINOR_MAX = 10**15
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


def sections_of(kind: ClientKind) -> tuple[Section, ...]:
    """The sections that a client of this kind can be asked to look at again; documents are asked for by their kind."""
    asked = (one for one in Section if one is not Section.DOCUMENTS)
    return tuple(one for one in asked if one is Section.QUESTIONNAIRE or fields_of(one, kind))
