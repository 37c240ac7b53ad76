"""What a contract's paper is made from, and what must be there before one is drawn up."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from reefpoint.platform.basics.sentences import Sentence
from reefpoint.records.contracts.types import ContractTerms, Disclosure, Language, Template


@dataclass(frozen=True)
class Parties:
    """Who contracts, as the records had it on the day."""

    lender_name: str
    licence_number: str
    client_name: str
    client_name_zh: str
    client_number: str


@dataclass(frozen=True)
class Paper:
    """All that a document is made from."""

    number: str
    dated_on: date
    language: Language
    parties: Parties
    terms: ContractTerms
    template: Template
    template_version: int
    disclosures: tuple[Disclosure, ...]


def find_missing(terms: ContractTerms) -> list[str]:
    """The names of terms that are empty, in order: a contract without them says nothing."""
    found = [f"{place}{name}" for place, name, value in _texts(terms, "") if not value.strip()]
    for name in ("rate.parts", "collateral", "payment_order", "key_facts.outcomes"):
        value: Any = terms
        for part in name.split("."):
            value = getattr(value, part)
        if not value:
            found.append(name)
    if terms.rate.kind == "reset" and terms.rate.reset_days is None:
        found.append("rate.reset_days")
    return found


def _texts(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    for field in fields(value):
        held = getattr(value, field.name)
        match held:
            case str():
                yield place, field.name, held
            case tuple():
                for number, item in enumerate(held):
                    if isinstance(item, str):
                        yield place, f"{field.name}[{number}]", item
                    else:
                        yield from _texts(item, f"{place}{field.name}[{number}].")
            case date() | int() | None:
                pass
            case _:
                yield from _texts(held, f"{place}{field.name}.")


def find_wrong(terms: ContractTerms, dated_on: date) -> list[Sentence]:
    """What does not fit together, in sentences; empty for terms that do."""
    facts, lines = terms.key_facts, terms.lines
    checks = (
        (Sentence("The limit must be above zero."), terms.limit_minor > 0),
        (
            Sentence("The loan of the key facts must be above zero and within the limit."),
            0 < facts.loan_minor <= terms.limit_minor,
        ),
        (Sentence("The contract must end after it starts."), terms.starts_on < terms.ends_on),
        (Sentence("The last day of signing must not lie before the date of the contract."), dated_on <= terms.sign_by),
        (Sentence("The last day of signing must not lie after the end."), terms.sign_by <= terms.ends_on),
        (
            Sentence("The parts of the rate must add up to the rate."),
            sum(part.bp for part in terms.rate.parts) == terms.rate.rate_bp,
        ),
        (
            Sentence("The close-out line must lie under the call line, and that not over the cure line."),
            lines.close_out_bp < lines.call_bp <= lines.cure_bp,
        ),
        (
            Sentence("The first year's cost must be its interest and its fees."),
            facts.cost_first_year_minor == facts.interest_first_year_minor + facts.fees_first_year_minor,
        ),
        (
            Sentence("The fees of the first year must be those of the fee schedule."),
            facts.fees_first_year_minor == sum(fee.first_year_minor for fee in terms.fees),
        ),
        (Sentence("The worst case must be a fall."), facts.worst_change_bp < 0 <= facts.worst_owed_minor),
        (
            Sentence("Each name stands in the collateral once."),
            len({one.symbol for one in terms.collateral}) == len(terms.collateral),
        ),
    )
    return [sentence for sentence, holds in checks if not holds]
