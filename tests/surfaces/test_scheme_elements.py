"""Every element of a scheme, one after another: typed, read, judged by the law, and told when two versions differ."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date

import pytest
from django.utils.translation import override
from tests.surfaces.conftest import NOON, Desk

from reefpoint.platform.basics.actors import system_actor
from reefpoint.records.products.rules import diff_terms
from reefpoint.records.products.selectors import list_bounds, load_demo_schemes
from reefpoint.records.products.services import load_rule_pack
from reefpoint.records.products.types import FeeBasis, SchemeTerms
from reefpoint.surfaces.web.scheme_form import FieldView, SchemeForm, Typed, read_form, typed_of
from reefpoint.surfaces.web.scheme_words import bound_words, term_words, value_words

ON = date(2027, 1, 4)
"""A day on which the newest rules of each pack are in force."""
CHINESE = re.compile("[\u4e00-\u9fff]")
FEE = "Drawdown fee"
ENGLISH = re.compile(r"[a-z]{2,} [a-z]{2,}")


@dataclass(frozen=True)
class Edit:
    """What is typed anew, and the terms that differ then."""

    typed: Typed
    changed: set[str]


@pytest.fixture
def form(desk: Desk) -> SchemeForm:
    load_rule_pack(actor=system_actor("setup"), jurisdiction="CN", at=NOON)
    terms = next(draft.terms for draft in load_demo_schemes() if draft.code == "PRIME")
    return read_form(typed_of(terms), ON, ["AAPL", "KO"])


def test_each_element_is_typed_read_and_told_in_both_languages(form: SchemeForm) -> None:
    assert form.terms is not None
    reached, wrong = set(), {}
    for edit in edits(form):
        after = read_form({**form.typed, **edit.typed}, ON, form.symbols).terms
        assert after is not None, edit
        changes = diff_terms(form.terms, after)
        reached |= {one.field.partition(".")[0] for one in changes}
        if {one.field for one in changes} != edit.changed:
            wrong[str(edit.typed)] = [one.field for one in changes]
        for one in changes:
            for language in ("en", "zh-hans"):
                with override(language):
                    told = [
                        term_words(one.field),
                        *(value_words(one.field, value, "USD") for value in (one.before, one.after)),
                    ]
                if told[1] == told[2] or (CHINESE.search(told[0]) is None) is (language != "en"):
                    wrong[one.field] = told
                if language != "en" and any(ENGLISH.search(words.replace(FEE, "")) for words in told):
                    wrong[one.field] = told
    assert wrong == {}
    assert reached == {one.name for one in fields(SchemeTerms)}


def edits(form: SchemeForm) -> Iterator[Edit]:
    """Another value for each field, part of a fee, place in the order of payment, and line of the table of names."""
    for _, _, views in form.groups:
        for view in views:
            yield Edit({view.name: another(view)}, {view.name})
    yield Edit({"due-1": form.typed["due-2"], "due-2": form.typed["due-1"]}, {"payment_order"})
    code = form.typed["fee-0-code"]
    for part, text in {
        "name": "Other",
        "name_zh": "其他",
        "moment": "late",
        "rate": "0.33",
        "least": "1",
        "most": "999",
    }.items():
        yield Edit({f"fee-0-{part}": text}, {f"fees.{code}"})
    flat = {"fee-0-basis": FeeBasis.FLAT, "fee-0-amount": "25", "fee-0-rate": ""}
    yield Edit({**flat, "fee-0-least": "", "fee-0-most": ""}, {f"fees.{code}"})
    yield Edit({"fee-0-code": "entry"}, {f"fees.{code}", "fees.entry"})
    yield Edit({"accept-AAPL": "" if form.typed.get("accept-AAPL") else "yes"}, {"accepted_symbols.AAPL"})
    yield Edit({"haircut-KO": "61"}, {"haircuts_bp.KO"})
    yield Edit({"maintenance-KO": "62"}, {"maintenances_bp.KO"})


def another(view: FieldView) -> str:
    match view.kind:
        case "choice":
            return next(value for value, _ in view.choices if value != view.value)
        case "flag":
            return "" if view.value else "yes"
        case "money":
            return "123,456"
        case "count":
            return str(int(view.value) + 1)
    return f"{float(view.value) + 0.25:.2f}"


@pytest.mark.parametrize("place", ["US", "CN"])
def test_each_legal_bound_is_shown_and_refuses_a_step_beyond_it_in_both_languages(form: SchemeForm, place: str) -> None:
    bounds = list_bounds(place, ON)
    assert bounds
    for bound in bounds:
        name = bound.field if bound.field in form.typed else f"{bound.field.removesuffix('s_bp')}-KO"
        beyond = bound.value + (-1 if bound.is_floor else 1)
        for language in ("en", "zh-hans"):
            with override(language):
                at, over = (read(form, place, name, value) for value in (bound.value, beyond))
                words = bound_words(bound, "USD")
                told = over.errors["name-KO" if "-" in name else name]
                lines = [*over.name_bounds, *shown(over, name)]
            assert not any(problem.bound == bound for problem in at.problems)
            assert words in told
            assert any(words in line for line in lines)
            assert language == "en" or not ENGLISH.search(words)


def read(form: SchemeForm, place: str, name: str, value: int) -> SchemeForm:
    is_hundredths = name.endswith(("_bp", "_minor", "-KO"))
    text = f"{value // 100}.{value % 100:02}" if is_hundredths else str(value)
    return read_form({**form.typed, "rule_pack": place, name: text}, ON, form.symbols)


def shown(form: SchemeForm, name: str) -> tuple[str, ...]:
    return next((view.bounds for _, _, views in form.groups for view in views if view.name == name), ())
