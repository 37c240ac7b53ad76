"""The paper: the same data are the same bytes anywhere, key facts come first, and no text of a client is markup."""

import hashlib
import io
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader
from tests.records.contracts.archival import archival_problems
from tests.records.contracts.cases import AT, ON, TERMS, Cast, changed

from reefpoint.records.contracts.adapters.shipped import shipped_disclosures, shipped_template
from reefpoint.records.contracts.adapters.typesetting import Unprintable, typeset
from reefpoint.records.contracts.models import Contract, File
from reefpoint.records.contracts.rules.disclosures import read_disclosures
from reefpoint.records.contracts.rules.document import build_document
from reefpoint.records.contracts.rules.paper import Paper
from reefpoint.records.contracts.rules.sample import RENEWED_TERMS, sample_paper
from reefpoint.records.contracts.rules.templates import read_template
from reefpoint.records.contracts.rules.values import from_json, to_json
from reefpoint.records.contracts.selectors import newest_file, paper_instant, paper_of
from reefpoint.records.contracts.services import ContractMalformed, ContractTaken, MissingField
from reefpoint.records.contracts.types import ContractTerms, KeyFacts, Language
from reefpoint.records.parties.models import Client


def sample(language: Language = Language.EN) -> Paper:
    return sample_paper(read_template(shipped_template("US")), 1, read_disclosures(shipped_disclosures()), language)


def renewal(language: Language = Language.EN) -> Paper:
    template = read_template(shipped_template("US-renewal"))
    return sample_paper(template, 1, read_disclosures(shipped_disclosures()), language, is_renewal=True)


def pages(content: bytes) -> list[str]:
    """The text of each page, in one line."""
    return [" ".join(one.extract_text().split()) for one in PdfReader(io.BytesIO(content)).pages]


def print_hash() -> str:
    """What this process makes of the samples; also run by another process."""
    papers = [make(language) for make in (sample, renewal) for language in Language]
    made = [typeset(build_document(paper), at=paper_instant(ON)) for paper in papers]
    return hashlib.sha256(b"".join(made)).hexdigest()


def test_the_same_data_are_the_same_bytes_here_and_in_another_process() -> None:
    there = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import django; django.setup(); from {__name__} import print_hash; print(print_hash())",
        ],
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": ":".join(["src", "."]), "TZ": "Asia/Shanghai", "LANG": "C", **secret_settings()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert print_hash() == print_hash() == there.stdout.strip()


def secret_settings() -> dict[str, str]:
    """What the other process needs to import models."""
    return {"DJANGO_SETTINGS_MODULE": "reefpoint.config.settings", "REEFPOINT_SECRET_KEY": "of nobody"}


def test_what_is_filed_can_be_made_again_from_what_is_stored(people: Cast) -> None:
    row = Contract.objects.get(pk=people.prepare(language=Language.ZH))
    assert typeset(build_document(paper_of(row)), at=paper_instant(row.dated_on)) == newest_file(row)[1]


@pytest.mark.parametrize("language", list(Language))
def test_it_is_built_as_pdf_a_2b_asks(language: Language) -> None:
    assert archival_problems(typeset(build_document(sample(language)), at=AT)) == []


def test_key_facts_come_first_in_money_with_the_prices_of_this_portfolio_and_the_worst_case() -> None:
    first, second, *_ = pages(typeset(build_document(sample()), at=AT))
    for said in (
        "USD 4,000.00",
        "interest USD 3,750.00, fees USD 250.00",
        "USD 2,100.00",
        "If all prices fall by 20.00% together, the ratio is at the call line of 160.00%",
        "AAPL Apple 1,000 100.00 80.00 72.50 80.00 72.50",
        "you still owe USD 10,000.00",
    ):
        assert said in first, said
    for one in read_disclosures(shipped_disclosures()):
        assert one.title[Language.EN] in first + second


def test_a_renewal_says_first_what_it_amends_until_when_and_what_that_costs() -> None:
    first, second, *_ = pages(typeset(build_document(renewal()), at=AT))
    for said in (
        "Renewal agreement",
        "contract CT-000000",
        "USD 50,000.00 · N-000000",
        "Maturity until now 20 December 2019",
        "New maturity 17 June 2020",
        "Further term USD 2,100.00",
        "Renewal fee USD 250.00",
        "Interest carried over USD 102.80",
        "at 7.50% a year from the old maturity on; until then 7.00%",
        "AAPL Apple 1,000 100.00 80.00 72.50 80.00 72.50",
    ):
        assert said in first + second, said
    first, *_ = pages(typeset(build_document(renewal(Language.ZH)), at=AT))
    assert "融资展期协议" in first.replace(" ", "")
    assert "新到期日2020年6月17日" in first.replace(" ", "")


@pytest.mark.parametrize(
    "name",
    [
        '#panic("x") $x^2$ *b* _i_ `c` @ref <label> \\ // /* */',
        "{client.number} {facility.limit}",
        ']#eval("1+1")[',
        "W" * 160,
        "= Heading\n- list",
        "李明 O'Brien & Søn, Ž. <b>",
    ],
)
def test_i69_a_hostile_name_is_printed_as_it_is_and_never_read(people: Cast, name: str) -> None:
    Client.objects.filter(id=people.fang_id).update(name=name, name_zh="")
    row = Contract.objects.get(pk=people.prepare())
    text = "".join(pages(newest_file(row)[1]))
    assert "".join(name.split()) in text.replace(" ", "").replace("\u200b", "")


def test_i69_a_name_that_cannot_be_printed_is_said_and_nothing_is_stored(people: Cast) -> None:
    Client.objects.filter(id=people.fang_id).update(name="Fang 😀")
    with pytest.raises(Unprintable, match="😀"):
        people.prepare()
    assert not Contract.objects.exists()


@pytest.mark.parametrize("hidden", ["\u202egnaF", "Fang\u200b", "Fa\x07ng", "\ud800"])
def test_i69_characters_that_hide_something_are_refused(people: Cast, hidden: str) -> None:
    with pytest.raises(ContractMalformed, match="may not come in"):
        people.prepare(changed(scheme_name=hidden))
    assert not Contract.objects.exists()


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        (changed(scheme_name_zh=" "), "scheme_name_zh"),
        (changed(collateral=()), "collateral"),
        (changed(rate=replace(TERMS.rate, parts=())), "rate.parts"),
        (changed(rate=replace(TERMS.rate, kind="reset", reset_days=None)), "rate.reset_days"),
        (changed(fees=(replace(TERMS.fees[0], name=""), TERMS.fees[1])), "fees[0].name"),
        (changed(liquidation_order="by_mood"), "sale.order.by_mood"),
    ],
)
def test_a_missing_field_is_named_and_nothing_is_stored(people: Cast, terms: ContractTerms, name: str) -> None:
    with pytest.raises(MissingField) as refused:
        people.prepare(terms)
    assert refused.value.names == (name,)
    assert not Contract.objects.exists()
    assert not File.objects.exists()


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (changed(rate=replace(TERMS.rate, rate_bp=751)), "The parts of the rate must add up"),
        (changed(sign_by=date(2019, 11, 24)), "The last day of signing must not lie before"),
        (changed(key_facts=replace(TERMS.key_facts, fees_first_year_minor=1)), "must be its interest and its fees"),
        (changed(lines=replace(TERMS.lines, close_out_bp=16_000)), "must lie under the call line"),
        (changed(jurisdiction="FR"), "There are no contracts for FR"),
    ],
)
def test_terms_that_do_not_fit_together_are_refused(people: Cast, terms: ContractTerms, said: str) -> None:
    with pytest.raises(ContractMalformed, match=said):
        people.prepare(terms)
    assert not Contract.objects.exists()


def test_i41_the_same_terms_are_one_contract_and_a_key_belongs_to_one(people: Cast) -> None:
    assert people.prepare() == people.prepare()
    keyed = people.prepare(key="request:1")
    assert keyed == people.prepare(key="request:1")
    with pytest.raises(ContractTaken):
        people.prepare(changed(grace_days=4), key="request:1")
    assert Contract.objects.count() == 2


def test_terms_survive_being_stored() -> None:
    for terms in (TERMS, RENEWED_TERMS):
        assert from_json(ContractTerms, to_json(terms)) == terms


def test_terms_that_were_stored_before_there_were_renewals_are_those_of_a_contract() -> None:
    stored = to_json(TERMS)
    del stored["renewal"]
    assert from_json(ContractTerms, stored) == TERMS


def test_the_key_facts_say_what_the_names_ask_for_and_older_papers_are_as_they_were() -> None:
    paper = sample()
    facts = paper.terms.key_facts
    asked, *_ = [line for line in build_document(paper)["facts"]["lines"] if "maintenance" in line]
    assert all(one in asked for one in ("25,000.00", "AAPL 25.00%", "33.33%"))
    older = replace(facts, maintenance_minor=0, maintenance_names=(), fall_to_maintenance_bp=None)
    lines = build_document(replace(paper, terms=replace(paper.terms, key_facts=older)))["facts"]["lines"]
    assert len(lines) == 2
    stored = {k: v for k, v in to_json(facts).items() if "maintenance" not in k}
    assert from_json(KeyFacts, stored) == older
