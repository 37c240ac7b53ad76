"""Contracts: a paper set from data, a signature on it, and the look at both signatures. No database takes part."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime
from time import perf_counter, process_time

import numpy as np

from reefpoint.benchmarks.results import Line, Machine, Table, Timing
from reefpoint.records.contracts.adapters.certificates import issue, make_root
from reefpoint.records.contracts.adapters.shipped import shipped_disclosures, shipped_template
from reefpoint.records.contracts.adapters.signing import check_signatures, sign
from reefpoint.records.contracts.adapters.typesetting import BOXES, typeset, typeset_stamp
from reefpoint.records.contracts.rules.disclosures import read_disclosures
from reefpoint.records.contracts.rules.document import build_document
from reefpoint.records.contracts.rules.sample import sample_paper
from reefpoint.records.contracts.rules.templates import read_template
from reefpoint.records.contracts.types import Document, Language, SignerRole

AT = datetime(2019, 11, 25, 17, tzinfo=UTC)
OURS = "Reefpoint"


def measure_contracts(accounts: int, rounds: int, machine: Machine) -> list[Table]:
    """Each step on one contract of six pages, `rounds` times; the size of the book changes nothing here."""
    del machine
    root = make_root(organisation="The Lender LLC", at=AT)
    numbers = iter(range(10**9))

    def paper(language: Language) -> bytes:
        """Each time other figures, as another client's contract has."""
        return typeset(_document(language, next(numbers)), at=AT)

    def put(content: bytes, role: SignerRole) -> bytes:
        signer = issue(root=root, name="Wang Fang", organisation="The Lender LLC", reference="user:1", at=AT)
        stamp = typeset_stamp(name="Wang Fang", lines=["2019-11-25 17:00:00 UTC"], role=role, at=AT)
        box = BOXES[role].corners
        return sign(content, signer=signer, name="Wang Fang", role=role, reason="K", box=box, stamp=stamp, at=AT)

    plain = paper(Language.ZH)
    both = put(put(plain, SignerRole.CLIENT), SignerRole.DESK)
    good = check_signatures(both, [root.certificate])
    if len(good) != 2 or not all(one.is_good for one in good):
        raise AssertionError("the signatures that are timed do not hold")
    steps: dict[str, Callable[[], object]] = {
        "Six pages in English": lambda: paper(Language.EN),
        "Six pages in Chinese": lambda: paper(Language.ZH),
        "A key, a certificate and a signature": lambda: put(plain, SignerRole.CLIENT),
        "Both signatures verified": lambda: check_signatures(both, [root.certificate]),
    }
    timings = {name: _time(step, rounds) for name, step in steps.items()}
    whole = timings["Six pages in Chinese"].cpu_s + 2 * timings["A key, a certificate and a signature"].cpu_s
    table = Table(
        "contracts",
        "Contracts",
        accounts,
        0,
        "one contract: set, signed, verified",
        tuple(Line(name, OURS, timing) for name, timing in timings.items()),
        facts={
            "A contract from its data to both signatures": f"{1 / whole:.0f} a second of CPU on one thread",
            "Setting": "in a process that has set a contract before: the typesetter keeps what does not change",
        },
    )
    return [table.with_figures({"contracts.a_second": 1 / whole})]


def _document(language: Language, number: int) -> Document:
    template = read_template(shipped_template("US"))
    paper = sample_paper(template, 1, read_disclosures(shipped_disclosures()), language)
    facts = paper.terms.key_facts
    amounts = {
        field.name: getattr(facts, field.name) + number for field in fields(facts) if field.name.endswith("_minor")
    }
    terms = replace(paper.terms, limit_minor=paper.terms.limit_minor + number, key_facts=replace(facts, **amounts))
    parties = replace(paper.parties, client_name=f"Client {number}", client_number=f"C-{number:06d}")
    return build_document(replace(paper, number=f"CT-{number:06d}", terms=terms, parties=parties))


def _time(step: Callable[[], object], rounds: int) -> Timing:
    step()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = perf_counter(), process_time()
        step()
        walls.append(perf_counter() - wall)
        cpus.append(process_time() - cpu)
    return Timing(float(np.median(cpus)), float(np.median(walls)), rounds)
