"""Prices: one part for each cause, from floor to cap, replayable, never cheaper for more risk (C12, I41, I60, I62)."""

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decisions.credit.conftest import AT, CreditDesk, make_credit_desk
from tests.desk import MONDAY, SYSTEM, TUESDAY, WEDNESDAY, Desk, close, noon, withdraw_scheme

from reefpoint.decisions.pricing import rules
from reefpoint.decisions.pricing.adapters.shipped import read_shipped_grid
from reefpoint.decisions.pricing.models import Quote, RateProposal
from reefpoint.decisions.pricing.selectors import (
    QuoteExpired,
    QuoteNotFound,
    SchemeWithdrawn,
    find_quotes,
    get_quote,
    list_proposals,
    read_quote,
    replay_quote,
    require_quote,
    verify_pricing,
    what_if,
)
from reefpoint.decisions.pricing.selectors.book import load_book
from reefpoint.decisions.pricing.services import (
    ExceptionRefused,
    NothingToReprice,
    QuoteKeyReused,
    QuoteRefused,
    RatesRefused,
    apply_due_rates,
    cancel_proposal,
    quote,
    request_exception,
    request_rates,
    tell_approved_rates,
    work_out,
)
from reefpoint.decisions.pricing.types import ExceptionState, PriceInputs, ProposalState, QuoteView
from reefpoint.flows.servicing.models import InterestAccrual
from reefpoint.flows.servicing.services.interest import accrue_interest
from reefpoint.platform.access.selectors import get_approval, list_pending
from reefpoint.platform.access.services import PermissionRefused, approve, reject
from reefpoint.platform.access.services.approvals import SecondPersonNeeded
from reefpoint.platform.basics.tables.table import MalformedTable
from reefpoint.platform.notifications.models import Notice
from reefpoint.records.accounts.models import Loan
from reefpoint.records.accounts.selectors.loans import list_open_loans, list_rates, rates_on
from reefpoint.records.accounts.selectors.proof import verify_accounts
from reefpoint.records.products.selectors import published_version

GRID = rules.read_grid(read_shipped_grid())
KNOWN = {
    "grade": "B",
    "volatility_bp": 2_500,
    "tenor_days": 180,
    "concentration_bp": 4_000,
    "segment": "retail",
}


def inputs(**changes: Any) -> PriceInputs:
    facts = {**KNOWN, **changes.pop("facts", {})}
    return replace(PriceInputs(200, "pools:MAIN", 300, 1_200, "US", facts), **changes)


@pytest.fixture
def credit(desk: Desk) -> CreditDesk:
    return make_credit_desk(desk)


def ask_price(credit: CreditDesk, **changes: Any) -> QuoteView:
    """A quote for the healthy client on the desk's standard scheme, but for what a test changes."""
    version_id = changes.pop("scheme_version_id", None) or published_version("STANDARD", MONDAY).id
    wanted: dict[str, Any] = {
        "actor": credit.officer,
        "client_id": credit.client,
        "scheme_version_id": version_id,
        "amount_minor": 100_000_00,
        "tenor_days": 180,
        "grade": "B",
        "segment": "retail",
        "portfolio": credit.ask().portfolio,
        "on": MONDAY,
        "at": AT,
    }
    return quote(**{**wanted, **changes})


def test_the_parts_add_up_to_the_rate_and_each_names_its_source() -> None:
    priced = rules.price(GRID, inputs())
    assert [(part.code, part.bp, part.source) for part in priced.parts] == [
        ("base", 200, "pools:MAIN"),
        ("grade", 200, "grid:grade_b"),
        ("volatility_bp", 40, "grid:volatility_mid"),
        ("tenor_days", 15, "grid:tenor_mid"),
        ("concentration_bp", 30, "grid:few_names"),
        ("segment", 40, "grid:retail"),
    ]
    assert (priced.rate_bp, priced.floor_bp, priced.cap_bp) == (525, 300, 1_200)


@pytest.mark.parametrize(
    ("change", "rate", "code", "source"),
    [
        ({"floor_bp": 600}, 600, "floor", "scheme"),
        ({"scheme_cap_bp": 500}, 500, "cap", "scheme"),
        ({"base_bp": 1_500, "scheme_cap_bp": 2_000}, 1_600, "cap", "law:US"),
    ],
)
def test_floor_and_cap_hold_and_say_whose_they_are(change: dict[str, int], rate: int, code: str, source: str) -> None:
    priced = rules.price(GRID, inputs(**change))
    assert (priced.rate_bp, priced.parts[-1].code, priced.parts[-1].source) == (rate, code, source)
    assert sum(part.bp for part in priced.parts) == rate


@pytest.mark.parametrize("change", [{"jurisdiction": "ZZ"}, {"floor_bp": 1_700, "scheme_cap_bp": 2_000}])
def test_without_a_lawful_rate_there_is_no_price(change: dict[str, Any]) -> None:
    with pytest.raises(rules.NoPrice):
        rules.price(GRID, inputs(**change))


FACTS = st.fixed_dictionaries(
    {
        "grade": st.sampled_from([*rules.GRADES, None, "F"]),
        "volatility_bp": st.none() | st.integers(-5, 20_000),
        "tenor_days": st.none() | st.integers(-1, 2_000),
        "concentration_bp": st.none() | st.integers(-1, 12_000),
        "segment": st.sampled_from([*rules.SEGMENTS, None]),
    }
)


@settings(max_examples=150, deadline=None)
@given(FACTS, st.integers(0, 1_000))
def test_i62_every_input_has_one_price_and_a_book_of_one_has_the_same(facts: dict[str, Any], base: int) -> None:
    priced = rules.price(GRID, inputs(facts=facts, base_bp=base, floor_bp=0, scheme_cap_bp=10_000))
    assert sum(part.bp for part in priced.parts) == priced.rate_bp

    def column(name: str) -> int:
        value = facts[name]
        choices = {"grade": rules.GRADES, "segment": rules.SEGMENTS}.get(name)
        if choices:
            return choices.index(value) if value in choices else -1
        declared = next(one for one in GRID.grid.inputs if one.name == name)
        return value if declared.accepts(value) else -1

    columns = {name: np.array([column(name)], dtype=np.int64) for name in facts}
    total = rules.price_columns(GRID, columns, np.array([base], dtype=np.int64))
    assert min(int(total[0]), priced.cap_bp) == priced.rate_bp


@settings(max_examples=100, deadline=None)
@given(FACTS, st.integers(0, 4), st.integers(0, 4))
def test_i61_a_worse_grade_is_never_cheaper_and_no_grade_never_cheaper_than_the_worst(
    facts: dict[str, Any], one: int, other: int
) -> None:
    def rate(grade: str | None) -> int:
        return rules.price(GRID, inputs(facts={**facts, "grade": grade}, floor_bp=0, scheme_cap_bp=10_000)).rate_bp

    better, worse = sorted((one, other))
    assert rate(rules.GRADES[better]) <= rate(rules.GRADES[worse]) <= rate(None)


def broken(change: Any) -> dict[str, Any]:
    content = deepcopy(read_shipped_grid())
    change(content)
    return content


@pytest.mark.parametrize(
    ("change", "cell"),
    [
        (lambda c: c["grid"]["rows"][1]["then"].update(bp=100), "row grade_b, bp"),
        (lambda c: c["grid"]["rows"][8]["then"].update(bp=50), "row volatility_extreme, bp"),
        (lambda c: c["unknown"]["segment"].update(bp=39), "unknown, segment, bp"),
        (lambda c: c["grid"]["rows"].pop(0), "grid, grade"),
        (lambda c: c["grid"]["rows"][5]["when"].update(volatility_bp="<= 2000"), "grid, row volatility_mid"),
        (lambda c: c["legal_caps"]["US"].update(cap_bp=0), "legal_caps, US, cap_bp"),
        (lambda c: c.pop("valid_hours"), "valid_hours"),
        (lambda c: c["grid"].update(policy="collect_min"), "grid, policy"),
    ],
)
def test_i62_a_grid_that_is_cheaper_for_more_risk_or_has_a_hole_is_never_made(change: Any, cell: str) -> None:
    with pytest.raises(MalformedTable) as refused:
        rules.read_grid(broken(change))
    assert refused.value.cell == cell


def test_i60_a_quote_holds_a_while_and_replays_to_the_byte(credit: CreditDesk) -> None:
    told = ask_price(credit)
    assert [(part.code, part.bp) for part in told.parts] == [
        ("base", 200),
        ("grade", 200),
        ("volatility_bp", 175),
        ("tenor_days", 15),
        ("concentration_bp", 30),
        ("segment", 40),
    ]
    assert told.parts[2].source == "unknown:volatility_bp", "a desk of one day knows no swings"
    assert (told.rate_bp, told.valid_until, told.yearly_cost_minor) == (660, AT + timedelta(hours=72), 6_600_00)
    assert require_quote(told.id, AT).id == told.id
    assert replay_quote(told.id)
    assert verify_pricing() == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Quote.objects.filter(id=told.id).update(rate_bp=1)
    with pytest.raises(QuoteExpired):
        require_quote(told.id, AT + timedelta(hours=72, seconds=1))


def test_a_quote_that_was_tampered_with_is_found(credit: CreditDesk) -> None:
    told = ask_price(credit)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE pricing_quote DISABLE TRIGGER USER")
        cursor.execute("UPDATE pricing_quote SET rate_bp = 1 WHERE id = %s", [told.id])
        cursor.execute("ALTER TABLE pricing_quote ENABLE TRIGGER USER")
    assert [finding.check for finding in verify_pricing()] == ["pricing.replay"]


def test_i41_the_same_key_is_the_same_quote_and_other_content_is_refused(credit: CreditDesk) -> None:
    told = ask_price(credit, key="click-1")
    assert ask_price(credit, key="click-1", at=AT + timedelta(minutes=5)).id == told.id
    with pytest.raises(QuoteKeyReused):
        ask_price(credit, key="click-1", amount_minor=1)
    assert Quote.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"amount_minor": 0}, {"amount_minor": 10**12}, {"tenor_days": 0}, {"tenor_days": 366}]
)
def test_what_the_scheme_does_not_lend_has_no_quote(credit: CreditDesk, change: dict[str, int]) -> None:
    with pytest.raises(QuoteRefused):
        ask_price(credit, **change)
    assert not Quote.objects.exists()


def test_a_quote_on_a_withdrawn_scheme_cannot_be_taken_up(credit: CreditDesk) -> None:
    told = ask_price(credit)
    withdraw_scheme(maker=credit.desk.risk, checker=credit.desk.approver, version_id=told.scheme_version_id, at=AT)
    with pytest.raises(SchemeWithdrawn):
        require_quote(told.id, AT)
    with pytest.raises(SchemeWithdrawn):
        ask_price(credit, scheme_version_id=told.scheme_version_id)
    assert Quote.objects.count() == 1


def test_a_calculator_says_the_same_and_writes_nothing(credit: CreditDesk) -> None:
    priced, _ = work_out(
        actor=credit.officer,
        scheme_version_id=published_version("STANDARD", MONDAY).id,
        amount_minor=100_000_00,
        tenor_days=180,
        grade="B",
        segment="retail",
        portfolio=credit.ask().portfolio,
        on=MONDAY,
        at=AT,
    )
    assert not Quote.objects.exists()
    assert ask_price(credit).parts == priced.parts


def test_i66_quotes_are_kept_from_who_may_not_see_the_client(credit: CreditDesk) -> None:
    told = ask_price(credit, client_id=credit.desk.near_client)
    with pytest.raises(QuoteNotFound):
        read_quote(credit.desk.manager, told.id)
    assert find_quotes(credit.desk.manager, at=AT).count == 0
    assert [row.id for row in find_quotes(credit.officer, at=AT, state="valid").rows] == [told.id]
    with pytest.raises(PermissionRefused):
        ask_price(credit, actor=credit.desk.risk)


def decide_exception(credit: CreditDesk, quote_id: int, *, is_granted: bool) -> None:
    waiting = next(one for one in list_pending(credit.second) if one.subject == f"quote:{quote_id}")
    if is_granted:
        approve(actor=credit.second, approval_id=waiting.id, payload_hash=waiting.payload_hash, at=AT)
    else:
        reject(actor=credit.second, approval_id=waiting.id, payload_hash=waiting.payload_hash, reason="no", at=AT)
    credit.desk.drain()


def test_i63_another_price_within_bounds_needs_a_second_person(credit: CreditDesk) -> None:
    told = ask_price(credit)
    for rate_bp in (559, 660, 1_201):
        with pytest.raises(rules.ExceptionOutOfBounds):
            request_exception(actor=credit.officer, quote_id=told.id, rate_bp=rate_bp, reason="a friend", at=AT)
    with pytest.raises(ExceptionRefused):
        request_exception(actor=credit.officer, quote_id=told.id, rate_bp=600, reason=" ", at=AT)
    request_exception(actor=credit.officer, quote_id=told.id, rate_bp=600, reason="a large client", at=AT)
    with pytest.raises(ExceptionRefused):
        request_exception(actor=credit.officer, quote_id=told.id, rate_bp=610, reason="again", at=AT)
    assert get_quote(told.id).rate_bp == 660
    decide_exception(credit, told.id, is_granted=True)
    granted = get_quote(told.id)
    assert (granted.rate_bp, granted.listed_bp, granted.parts[-1].code, granted.parts[-1].bp) == (
        600,
        660,
        "exception",
        -60,
    )
    assert sum(part.bp for part in granted.parts) == 600
    assert verify_pricing() == []


def test_a_refused_exception_leaves_the_price_and_may_be_asked_again(credit: CreditDesk) -> None:
    told = ask_price(credit)
    request_exception(actor=credit.officer, quote_id=told.id, rate_bp=600, reason="a large client", at=AT)
    decide_exception(credit, told.id, is_granted=False)
    refused = get_quote(told.id)
    assert refused.exception is not None
    assert (refused.rate_bp, refused.exception.state) == (660, ExceptionState.REFUSED)
    request_exception(actor=credit.officer, quote_id=told.id, rate_bp=640, reason="less, then", at=AT)


def test_a_portfolio_swings_as_its_names_do_together() -> None:
    rng = np.random.default_rng(7)
    days = 2_000
    market = rng.normal(0, 0.01, days)
    closes = (np.exp(np.cumsum([market, -market], axis=1)) * 1_000_000).astype(np.int64)
    one = rules.portfolio_volatility_bp(closes, np.array([1, 0]))
    assert one is not None
    assert abs(one - 0.01 * 252**0.5 * 10_000) < 100
    both = rules.portfolio_volatility_bp(closes, np.array([1, 1]))
    assert both is not None
    assert both <= 2, "two names that cancel out swing not at all"
    assert rules.portfolio_volatility_bp(closes[:, :60], np.array([1, 1])) is None


@pytest.mark.parametrize(
    ("kind", "on", "expected"),
    [
        ("fixed", date(2020, 1, 10), None),
        ("floating", date(2020, 1, 10), date(2020, 2, 9)),
        ("reset", date(2020, 1, 10), date(2020, 3, 31)),
        ("reset", date(2020, 3, 1), date(2020, 3, 31)),
        ("reset", date(2020, 3, 2), date(2020, 6, 29)),
        ("reset", date(2020, 3, 31), date(2020, 6, 29)),
    ],
)
def test_a_rate_moves_when_its_kind_allows_and_the_notice_is_in_time(
    kind: str, on: date, expected: date | None
) -> None:
    assert rules.effective_day(kind, date(2020, 1, 1), 90, 30, on) == expected


def tell_rates(credit: CreditDesk) -> list[int]:
    """New rates asked for by one person and approved by another. Returns their ids."""
    approval_id = request_rates(actor=credit.officer, on=MONDAY, at=AT, reason="the pool got dearer")
    asked = get_approval(approval_id)
    approve(actor=credit.second, approval_id=approval_id, payload_hash=asked.payload_hash, at=AT)
    credit.desk.drain()
    return list(RateProposal.objects.order_by("id").values_list("id", flat=True))


def test_i63_new_rates_are_told_by_two_people_on_exactly_what_was_shown(credit: CreditDesk) -> None:
    credit.decide("A")
    loan = next(one for one in list_open_loans() if one.account_id == credit.desk.healthy)
    with pytest.raises(RatesRefused):
        request_rates(actor=credit.officer, on=MONDAY, at=AT, reason=" ")
    approval_id = request_rates(actor=credit.officer, on=MONDAY, at=AT, reason="the pool got dearer")
    asked = get_approval(approval_id)
    (change,), (effect,) = asked.payload["changes"], asked.payload["effect"]
    assert (change["loan"], change["old_bp"], effect["loans"]) == (loan.number, 650, 1)
    assert effect["year_after_minor"] == loan.principal_minor * change["new_bp"] // 10_000
    with pytest.raises(SecondPersonNeeded):
        approve(actor=credit.officer, approval_id=approval_id, payload_hash=asked.payload_hash, at=AT)
    assert not RateProposal.objects.exists()
    assert not Notice.objects.filter(about=f"loan:{loan.id}").exists(), "nobody is told before"
    assert tell_approved_rates(actor=credit.officer, approval_id=approval_id, on=MONDAY, at=AT) == []
    approve(actor=credit.second, approval_id=approval_id, payload_hash=asked.payload_hash, at=AT)
    credit.desk.drain()
    (told,) = list_proposals(credit.officer)
    assert (told.new_bp, told.state) == (change["new_bp"], ProposalState.NOTIFIED)
    assert tell_approved_rates(actor=credit.officer, approval_id=approval_id, on=TUESDAY, at=AT) == []


def test_new_rates_that_were_refused_or_asked_for_a_loan_that_changed_are_told_to_nobody(credit: CreditDesk) -> None:
    credit.decide("A")
    approval_id = request_rates(actor=credit.officer, on=MONDAY, at=AT, reason="the pool got dearer")
    payload_hash = get_approval(approval_id).payload_hash
    reject(actor=credit.second, approval_id=approval_id, payload_hash=payload_hash, reason="not now", at=AT)
    credit.desk.drain()
    approval_id = request_rates(actor=credit.officer, on=MONDAY, at=AT, reason="the pool got dearer")
    loan = next(one for one in list_open_loans() if one.account_id == credit.desk.healthy)
    Loan.objects.filter(id=loan.id).update(rate_bp=640)
    approve(actor=credit.second, approval_id=approval_id, payload_hash=payload_hash, at=AT)
    credit.desk.drain()
    assert list_proposals(credit.officer) == []


def test_a_new_rate_is_told_waits_for_its_day_and_bears_interest_from_it(credit: CreditDesk) -> None:
    desk = credit.desk
    credit.decide("A")
    loan = next(one for one in list_open_loans() if one.account_id == desk.healthy)
    other = next(one for one in list_open_loans() if one.account_id == desk.near)
    book = load_book(on=MONDAY, at=AT)
    assert [int(one) for one in book.known["grade"]] == [0, -1], "the near client has no decision, so no grade"
    proposals = tell_rates(credit)
    (told,) = list_proposals(credit.officer)
    assert (proposals, told.loan_id, told.old_bp, told.state) == ([told.id], loan.id, 650, ProposalState.NOTIFIED)
    assert told.new_bp == sum(part.bp for part in told.parts)
    assert told.effective_on > MONDAY
    assert Notice.objects.get(about=f"loan:{loan.id}").subject.startswith("The rate of your loan")
    with pytest.raises(NothingToReprice):
        request_rates(actor=credit.officer, on=MONDAY, at=AT, reason="again")
    assert apply_due_rates(actor=SYSTEM, on=told.effective_on - timedelta(days=1), at=AT) == 0
    assert apply_due_rates(actor=SYSTEM, on=told.effective_on, at=AT) == 1
    assert apply_due_rates(actor=SYSTEM, on=told.effective_on, at=AT) == 0
    assert [(since, bp) for since, bp, _ in list_rates(loan.id)] == [
        (loan.drawn_on, 650),
        (told.effective_on, told.new_bp),
    ]
    assert rates_on([loan.id, other.id], told.effective_on - timedelta(days=1)) == {loan.id: 650}
    assert rates_on([loan.id], told.effective_on) == {loan.id: told.new_bp}
    assert list_rates(other.id) == []
    assert verify_accounts() == []
    assert verify_pricing() == []


def test_a_new_rate_is_taken_back_before_its_day_once_and_the_client_is_told(credit: CreditDesk) -> None:
    credit.decide("A")
    loan = next(one for one in list_open_loans() if one.account_id == credit.desk.healthy)
    [proposal] = tell_rates(credit)
    with pytest.raises(NothingToReprice):
        cancel_proposal(actor=credit.officer, proposal_id=proposal, reason=" ", at=AT)
    cancel_proposal(actor=credit.officer, proposal_id=proposal, reason="the pool got cheaper", at=AT)
    assert [one.state for one in list_proposals(credit.officer)] == ["cancelled"]
    assert "stays as it is" in Notice.objects.filter(about=f"loan:{loan.id}").latest("id").subject
    with pytest.raises(NothingToReprice):
        cancel_proposal(actor=credit.officer, proposal_id=proposal, reason="again", at=AT)
    assert apply_due_rates(actor=SYSTEM, on=MONDAY + timedelta(days=400), at=AT) == 0


def test_interest_uses_the_rate_of_each_day_also_for_days_caught_up_later(credit: CreditDesk) -> None:
    desk = credit.desk
    loan = next(one for one in list_open_loans() if one.account_id == desk.healthy)
    accrue_interest(actor=SYSTEM, on=MONDAY, until=TUESDAY, at=close(MONDAY))
    book = load_book(on=MONDAY, at=AT)
    grid = replace(GRID, step_bp=0)
    row = next(place for place, one in enumerate(book.loans) if one.id == loan.id)
    priced = rules.price(grid, book.inputs(row))
    RateProposal.objects.create(
        loan_id=loan.id,
        grid_id=ask_price(credit).grid_id,
        old_bp=650,
        new_bp=priced.rate_bp,
        inputs=rules.inputs_to_json(book.inputs(row)),
        answer=rules.answer_text(priced),
        proposed_on=MONDAY,
        proposed_at=AT,
        proposed_by="system:tests",
        effective_on=WEDNESDAY,
    )
    assert apply_due_rates(actor=SYSTEM, on=WEDNESDAY, at=noon(WEDNESDAY)) == 1
    accrue_interest(actor=SYSTEM, on=WEDNESDAY, until=WEDNESDAY + timedelta(days=2), at=close(WEDNESDAY))
    accrued = InterestAccrual.objects.filter(loan_id=loan.id).order_by("since").values_list("since", "rate_bp")
    assert list(accrued) == [(MONDAY, 650), (TUESDAY, 650), (WEDNESDAY, priced.rate_bp)]
    assert Loan.objects.get(id=loan.id).rate_bp == priced.rate_bp


def test_a_what_if_names_who_moves_and_what_a_year_brings(credit: CreditDesk) -> None:
    credit.decide("A")
    dearer = rules.read_grid(broken(lambda c: [c["grid"]["rows"][0]["then"].update(bp=190)]))
    found = what_if(credit.officer, old=GRID, new=dearer, on=MONDAY, at=AT)
    (move,) = found.moves
    assert (found.loans, found.moved, found.can_move) == (2, 1, 1)
    assert (move.account_id, move.new_bp - move.old_bp, move.income_minor) == (credit.desk.healthy, 40, 80_00)
    assert (found.income, found.income_if_all) == ({"USD": 80_00}, {"USD": 80_00})
    assert found.unknown["grade"] == 1
    same = what_if(credit.officer, old=GRID, new=GRID, on=MONDAY, at=AT)
    assert (same.moved, same.moves) == (0, ())
