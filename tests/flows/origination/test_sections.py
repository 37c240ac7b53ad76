"""What an application asks, and which answers are none."""

import pytest

from reefpoint.flows.origination.rules.answers import check_section, clean_section
from reefpoint.flows.origination.rules.questions import FIELDS, fields_of
from reefpoint.flows.origination.types.questions import FieldProblem, Plain, ProblemCode, Section, SectionData
from reefpoint.records.parties.types import ClientKind

PERSON, COMPANY = ClientKind.INDIVIDUAL, ClientKind.INSTITUTION
LI_MING: SectionData = {
    "name": "Li Ming",
    "name_zh": "李明",
    "birth_or_incorporated_on": "1990-03-07",
    "nationality": "CN",
    "residence": "HK",
    "address": "1 Queen's Road Central, Hong Kong",
    "phone": "+852 2123 4567",
    "identifiers": [{"kind": "hk.hkid", "number": "G123456(A)", "country": "HK"}],
}
OWNER: SectionData = {
    "role": "owner",
    "name": "Chan Tai Man",
    "birth_on": "1970-01-01",
    "nationality": "HK",
    "share_bp": 6_000,
    "identifier_kind": "passport",
    "identifier_number": "K1234567",
    "identifier_country": "HK",
}


def problems(section: Section, data: SectionData, kind: ClientKind = PERSON, **how: bool) -> list[tuple[str, str]]:
    return [(problem.field, problem.code.value) for problem in check_section(section, data, kind, **how)]


def test_whole_answers_have_no_problem() -> None:
    assert problems(Section.IDENTITY, LI_MING) == []
    assert problems(Section.PEOPLE, {"related_persons": [dict(OWNER)]}, COMPANY) == []


def test_a_missing_answer_counts_only_when_the_application_is_handed_in() -> None:
    data = {key: value for key, value in LI_MING.items() if key not in {"phone", "identifiers"}}
    assert problems(Section.IDENTITY, data) == [("phone", "missing"), ("identifiers", "missing")]
    assert problems(Section.IDENTITY, data, is_final=False) == []


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("name", "A" * 161, "too_long"),
        ("name", 7, "wrong_type"),
        ("name", "Li\u202eMing", "unprintable"),
        ("name", "Li\x00Ming", "unprintable"),
        ("birth_or_incorporated_on", "1990-2-30", "not_a_day"),
        ("birth_or_incorporated_on", "1799-12-31", "day_out_of_range"),
        ("nationality", "XX", "not_a_country"),
        ("nationality", ["CN"], "not_a_country"),
        ("phone", "call me", "not_a_phone"),
        ("identifiers", "passport", "wrong_type"),
        ("identifiers", [LI_MING] * 6, "too_many_rows"),
    ],
)
def test_an_answer_that_is_none_is_named_with_its_reason(name: str, value: Plain, code: str) -> None:
    for is_final in (True, False):
        assert (name, code) in problems(Section.IDENTITY, {**LI_MING, name: value}, is_final=is_final)


def test_problems_inside_rows_say_which_row() -> None:
    rows: list[Plain] = [
        {"kind": "library card", "number": "1", "country": "HK"},
        {"kind": "passport", "country": "HK", "issued_on": "2020-01-02", "expires_on": "2020-01-01"},
    ]
    assert problems(Section.IDENTITY, {**LI_MING, "identifiers": rows}) == [
        ("identifiers.0.kind", "not_an_option"),
        ("identifiers.1.number", "missing"),
        ("identifiers.1.expires_on", "days_out_of_order"),
    ]


def test_owners_together_hold_no_more_than_the_whole() -> None:
    data: SectionData = {"related_persons": [dict(OWNER), dict(OWNER)]}
    assert problems(Section.PEOPLE, data, COMPANY) == [("related_persons", "shares_exceed_whole")]
    without_share = {key: value for key, value in OWNER.items() if key != "share_bp"}
    assert problems(Section.PEOPLE, {"related_persons": [without_share]}, COMPANY) == [
        ("related_persons.0.share_bp", "missing")
    ]


def test_layers_of_owners_have_companies_that_are_named_and_no_circle() -> None:
    blue: SectionData = {**OWNER, "role": "holding", "name": "Blue Ltd", "identifier_number": "B1"}
    above: SectionData = {**OWNER, "holds_in": "Blue Ltd"}
    assert problems(Section.PEOPLE, {"related_persons": [blue, above]}, COMPANY) == []
    red: SectionData = {**above, "holds_in": "Red Ltd"}
    assert problems(Section.PEOPLE, {"related_persons": [blue, red]}, COMPANY) == [
        ("related_persons.1.holds_in", "held_in_unknown")
    ]
    assert problems(Section.PEOPLE, {"related_persons": [blue, red]}, COMPANY, is_final=False) == []
    circle: SectionData = {**blue, "holds_in": "Blue Ltd", "share_bp": 1_000}
    assert problems(Section.PEOPLE, {"related_persons": [blue, circle]}, COMPANY, is_final=False) == [
        ("related_persons.1.holds_in", "ownership_loop")
    ]
    assert problems(Section.PEOPLE, {"related_persons": [blue, above, above]}, COMPANY) == [
        ("related_persons", "shares_exceed_whole")
    ]


def test_a_person_is_asked_for_an_occupation_and_a_company_for_its_people() -> None:
    assert "occupation" in [field.name for field in fields_of(Section.WEALTH, PERSON)]
    assert "occupation" not in [field.name for field in fields_of(Section.WEALTH, COMPANY)]
    assert problems(Section.PEOPLE, {}, PERSON) == []
    assert problems(Section.PEOPLE, {}, COMPANY) == [("related_persons", "missing")]


def test_a_declaration_must_be_agreed_and_a_public_office_explained() -> None:
    data: SectionData = {
        "is_pep_declared": True,
        "has_defaulted": False,
        "is_major_shareholder": False,
        "acts_for_self": False,
        "is_truthful": True,
        "read_margin_risks": True,
        "agrees_to_processing": True,
    }
    assert problems(Section.DECLARATIONS, data) == [("pep_note", "missing"), ("acts_for_self", "must_be_agreed")]


def test_a_field_that_nobody_asked_for_is_refused() -> None:
    assert check_section(Section.TAX, {"is_admin": True}, PERSON, is_final=False) == [
        FieldProblem("is_admin", ProblemCode.UNKNOWN_FIELD)
    ]


def test_answers_are_kept_in_one_form() -> None:
    typed: SectionData = {"name": "  Jose\u0301 ", "name_zh": " ", "former_names": ["", " A "], "identifiers": [{}]}
    assert clean_section(Section.IDENTITY, typed, PERSON) == {"name": "Jos\u00e9", "former_names": ["A"]}


def test_any_json_at_all_gets_an_answer_and_never_an_error() -> None:
    hostile: list[Plain] = [None, True, -1, 10**40, "", "\ud800", [], [[]], [{}], {}, {"a": [None]}, "=1+1" * 99]
    for section, fields in FIELDS.items():
        for field in fields:
            for value in hostile:
                for kind in ClientKind:
                    check_section(section, {field.name: value}, kind)
                    clean_section(section, {field.name: value}, kind)
