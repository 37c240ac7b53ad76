"""Leads: how they move, what is wrong with one, and when two look like one."""

import re
import unicodedata

from reefpoint.flows.origination.rules.answers import check_text
from reefpoint.flows.origination.rules.questions import LONG_TEXT_CHARS_MAX, MONEY_MINOR_MAX, TEXT_CHARS_MAX
from reefpoint.flows.origination.types.leads import LeadDraft, LeadState
from reefpoint.flows.origination.types.questions import Field, FieldKind, FieldProblem, ProblemCode
from reefpoint.platform.basics.countries import COUNTRIES
from reefpoint.platform.basics.states import StateTable

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
        code = check_text(Field(name, FieldKind.TEXT, low=max(low, 1), high=high), text)
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
    if draft.note and (wrong := check_text(note, draft.note)) is not None:
        problems.append(FieldProblem("note", wrong))
    return problems


LANGUAGES = ("en", "zh-hans")
