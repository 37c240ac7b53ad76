"""A template is whole or it is refused with the clause named; a second person publishes; versions differ by clause."""

import copy
from datetime import date, timedelta
from typing import Any

import pytest
from tests.records.contracts.cases import AT, ON, TERMS, Cast

from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import SecondPersonNeeded, approve
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.publications.models import Publication
from reefpoint.platform.publications.services import draft_publication, request_publication
from reefpoint.records.contracts.adapters.shipped import shipped_disclosures, shipped_template
from reefpoint.records.contracts.rules.disclosures import REQUIRED, read_disclosures
from reefpoint.records.contracts.rules.fields import field_values, fields_for
from reefpoint.records.contracts.rules.sample import sample_paper
from reefpoint.records.contracts.rules.templates import (
    clause_list,
    diff_templates,
    find_problems,
    read_template,
)
from reefpoint.records.contracts.selectors import DISCLOSURES, TEMPLATES, TemplateRefused, get_contract, list_problems
from reefpoint.records.contracts.types import ClauseChange, DiffPart, Language

NEXT = ON + timedelta(days=1)


@pytest.mark.parametrize("key", TEMPLATES)
def test_what_ships_is_whole_in_both_languages(key: str) -> None:
    template = read_template(shipped_template(key))
    assert find_problems(template, fields_for(key), clause_list(key)) == []
    assert [clause.id for clause in template.clauses] == [rule.id for rule in clause_list(key)]
    for language in Language:
        disclosures = read_disclosures(shipped_disclosures())
        paper = sample_paper(template, 1, disclosures, language, is_renewal=key.endswith("-renewal"))
        assert set(field_values(paper)) == fields_for(key)


def test_the_disclosures_that_ship_have_every_required_point_in_other_words_in_each_language() -> None:
    found = read_disclosures(shipped_disclosures())
    assert [one.id for one in found] == list(REQUIRED)
    assert len({one.text_hash for one in found}) == len(REQUIRED)


def without_disputes(content: dict[str, Any]) -> None:
    content["clauses"].pop()


def with_two_defaults(content: dict[str, Any]) -> None:
    content["clauses"].append(copy.deepcopy(content["clauses"][6]))


def with_an_empty_liability_in_chinese(content: dict[str, Any]) -> None:
    content["clauses"][7]["text"]["zh"] = [" "]


def with_a_datum_that_does_not_exist(content: dict[str, Any]) -> None:
    for language in ("en", "zh"):
        content["clauses"][8]["text"][language][0] += " {client.shoe_size}"


def with_the_limit_in_english_alone(content: dict[str, Any]) -> None:
    content["clauses"][8]["text"]["en"][0] += " {facility.limit}"


def with_no_word_of_the_call_line(content: dict[str, Any]) -> None:
    for language in ("en", "zh"):
        texts = content["clauses"][4]["text"][language]
        content["clauses"][4]["text"][language] = [text.replace("{lines.call}", "160%") for text in texts]


@pytest.mark.parametrize(
    ("change", "clause", "code"),
    [
        (without_disputes, "disputes", "missing"),
        (with_two_defaults, "default", "doubled"),
        (with_an_empty_liability_in_chinese, "liability", "empty"),
        (with_a_datum_that_does_not_exist, "notices", "unknown_field"),
        (with_the_limit_in_english_alone, "notices", "languages_differ"),
        (with_no_word_of_the_call_line, "lines", "silent"),
    ],
)
def test_a_template_that_is_not_whole_is_refused_with_its_clause_and_not_kept(
    people: Cast, change: Any, clause: str, code: str
) -> None:
    content = shipped_template("US")
    change(content)
    assert [(one.clause, one.code) for one in list_problems(content, "US")] == [(clause, code)]
    with pytest.raises(TemplateRefused) as refused:
        draft_publication(actor=people.compliance, kind=TEMPLATES["US"], content=content, effective_from=NEXT, at=AT)
    assert clause in refused.value.message
    assert not Publication.objects.exists()


@pytest.mark.parametrize("hostile", [{}, {"clauses": 7}, {"title": [], "clauses": [], "notice": {}, "jurisdiction": 1}])
def test_i69_what_is_no_template_at_all_is_refused(hostile: dict[str, Any]) -> None:
    assert [one.code for one in list_problems(hostile, "US")] == ["unreadable"]


def test_a_renewal_must_say_which_contract_it_amends_and_a_contract_cannot() -> None:
    content = shipped_template("US-renewal")
    for clause in content["clauses"]:
        for language in ("en", "zh"):
            clause["text"][language] = [
                text.replace("{renewal.contract}", "the contract") for text in clause["text"][language]
            ]
    found = {(one.clause, one.code) for one in list_problems(content, "US-renewal")}
    assert found == {("amendment", "silent"), ("unchanged", "silent")}
    contract = shipped_template("US")
    contract["clauses"][0]["text"] = {language: ["{renewal.contract}"] for language in ("en", "zh")}
    assert ("definitions", "unknown_field") in {(one.clause, one.code) for one in list_problems(contract, "US")}


def test_a_template_of_one_jurisdiction_is_not_published_for_another(people: Cast) -> None:
    with pytest.raises(TemplateRefused, match="This is a template for HK"):
        draft_publication(
            actor=people.compliance,
            kind=TEMPLATES["US"],
            content=shipped_template("HK"),
            effective_from=NEXT,
            at=AT,
        )


def test_disclosures_without_a_required_point_are_refused(people: Cast) -> None:
    content = shipped_disclosures()
    del content["disclosures"][2]
    with pytest.raises(TemplateRefused, match="sale_without_contact"):
        draft_publication(actor=people.compliance, kind=DISCLOSURES["US"], content=content, effective_from=NEXT, at=AT)
    assert not Publication.objects.exists()


def publish(people: Cast, kind: Any, content: dict[str, Any], effective_from: date) -> int:
    """Draft by the credit officer, publish by compliance."""
    draft = draft_publication(actor=people.officer, kind=kind, content=content, effective_from=effective_from, at=AT)
    asked = request_publication(actor=people.officer, kind=kind, publication_id=draft, reason="better", at=AT)
    approve(actor=people.compliance, approval_id=asked, payload_hash=get_approval(asked).payload_hash, at=AT)
    while dispatch_once("worker"):
        pass
    return draft


def test_i63_whoever_drafted_a_template_does_not_publish_it(people: Cast) -> None:
    content = shipped_template("US")
    content["clauses"][13]["text"]["en"][0] += " Thank you."
    draft = draft_publication(
        actor=people.compliance, kind=TEMPLATES["US"], content=content, effective_from=NEXT, at=AT
    )
    asked = request_publication(
        actor=people.compliance, kind=TEMPLATES["US"], publication_id=draft, reason="better", at=AT
    )
    with pytest.raises(SecondPersonNeeded):
        approve(actor=people.compliance, approval_id=asked, payload_hash=get_approval(asked).payload_hash, at=AT)
    assert Publication.objects.get(pk=draft).state == "draft"


def test_a_contract_keeps_the_version_under_which_it_was_made(people: Cast) -> None:
    before = people.prepare()
    content = shipped_template("US")
    content["clauses"][13]["text"]["en"][0] = "Tell us first. We answer within ten days."
    publish(people, TEMPLATES["US"], content, ON)
    after = people.prepare()
    assert get_contract(people.maker, before, at=AT).template_version == 1
    assert get_contract(people.maker, after, at=AT).template_version == 2
    assert before != after


def test_two_versions_differ_clause_by_clause_and_word_by_word() -> None:
    content = shipped_template("US")
    content["clauses"][8]["text"]["en"][1] = content["clauses"][8]["text"]["en"][1].replace("failure", "failing")
    content["clauses"].insert(14, {"id": "thanks", "heading": {"en": "Thanks", "zh": "致谢"}, "text": {}})
    del content["clauses"][7]
    diff = {
        one.id: one
        for one in diff_templates(read_template(shipped_template("US")), read_template(content), Language.EN)
    }
    assert diff["facility"].change is ClauseChange.SAME
    assert diff["thanks"].change is ClauseChange.ADDED
    assert diff["liability"].change is ClauseChange.REMOVED
    assert [one for one in diff["notices"].parts if one.mark] == [DiffPart("-", "failure"), DiffPart("+", "failing")]


def test_the_sample_is_one_that_could_be_signed(people: Cast) -> None:
    assert people.prepare(TERMS) > 0
