"""Credit decisions: made from stored inputs, approved by a second person within authority (C11, I60, I61, I63)."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from tests.decisions.credit.conftest import AT, CreditDesk
from tests.desk import MONDAY, SYSTEM

from reefpoint.decisions.credit import rules
from reefpoint.decisions.credit.models import CreditDecision
from reefpoint.decisions.credit.selectors import (
    DecisionNotFound,
    find_decisions,
    get_decision,
    list_decisions,
    read_decision,
    replay_decision,
    standing_decision,
    verify_credit,
)
from reefpoint.decisions.credit.selectors.inputs import AskRefused
from reefpoint.decisions.credit.services import (
    DecisionAlreadyMade,
    DecisionExpired,
    DecisionSuperseded,
    ReasonForDecisionNeeded,
    ScoreRefused,
    approve_decision,
    decide,
    decline_decision,
    propose_decision,
    return_decision,
)
from reefpoint.decisions.credit.types import Authority, CreditOutcome, DecisionState
from reefpoint.decisions.scoring.services import build_features, score_client
from reefpoint.platform.access.selectors import list_pending
from reefpoint.platform.access.services import PermissionRefused, SecondPersonNeeded, approve
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.records.parties.services import block_client


def stored() -> list[tuple[Any, ...]]:
    return list(CreditDecision.objects.order_by("id").values_list("id", "state", "limit_minor", "approval_id"))


def test_a_good_client_gets_what_was_asked_and_waits_for_a_second_person(credit: CreditDesk) -> None:
    made = credit.decide("A")
    assert (made.outcome, made.state, made.grade) == (CreditOutcome.APPROVE, DecisionState.PROPOSED, "A")
    assert (made.limit_minor, made.adverse_reasons, made.needs_authority) == (200_000_00, (), Authority.OFFICER)
    terms = {term.code: term.amount_minor for term in made.assessment.terms}
    assert terms == {
        "asked": 200_000_00,
        "scheme": 1_000_000_00,
        "collateral": 600_000_00,
        "liquid_assets": 1_000_000_00,
        "cap": 1_000_000_00,
    }
    assert [pledged.market_minor for pledged in made.inputs.pledged] == [500_000_00, 500_000_00]
    assert standing_decision(credit.client, "STANDARD", MONDAY) is None
    done = approve_decision(actor=credit.second, decision_id=made.id, at=AT)
    assert (done.state, done.closed_by, done.limit_minor) == (DecisionState.APPROVED, credit.second.ref, 200_000_00)
    standing = standing_decision(credit.client, "STANDARD", MONDAY)
    assert standing is not None
    assert standing.id == made.id
    assert standing_decision(credit.client, "STANDARD", MONDAY + timedelta(days=31)) is None
    assert standing_decision(credit.client, "CAUTIOUS", MONDAY) is None


def test_the_least_term_is_the_limit_and_says_so(credit: CreditDesk) -> None:
    made = credit.decide("B", ask=credit.ask(400_000_00, AAPL=5_000))
    assert made.outcome is CreditOutcome.REFER, "one name alone goes to a person"
    spread = credit.decide("B", ask=credit.ask(400_000_00, AAPL=3_000, JPM=1_000))
    collateral = next(term for term in spread.assessment.terms if term.code == "collateral")
    assert (collateral.base_minor, collateral.share_bp) == (240_000_00, 9_000)
    assert spread.limit_minor == 216_000_00
    assert [words.code for words in spread.adverse_reasons] == ["limit_collateral"]
    assert [words.code for words in spread.conditions] == ["spread_first"]


@pytest.mark.parametrize(
    ("grade", "outcome", "codes"),
    [
        ("D", CreditOutcome.REFER, ["leverage", "history"]),
        ("E", CreditOutcome.DECLINE, ["leverage", "history", "limit_collateral"]),
        (None, CreditOutcome.REFER, ["missing_grade"]),
    ],
)
def test_a_grade_tells_the_scores_own_reasons_and_a_missing_one_refers(
    credit: CreditDesk, grade: str | None, outcome: CreditOutcome, codes: list[str]
) -> None:
    made = credit.decide(grade)
    assert (made.outcome, [words.code for words in made.adverse_reasons]) == (outcome, codes)
    assert made.state is (DecisionState.DECLINED if outcome is CreditOutcome.DECLINE else DecisionState.OPEN)


def test_i61_a_client_of_whom_nothing_is_known_is_referred_with_at_most_four_reasons(credit: CreditDesk) -> None:
    made = credit.decide(None, client=credit.desk.near_client, ask=credit.ask(AAPL=10))
    assert made.outcome is CreditOutcome.REFER
    assert made.limit_minor is None
    assert [words.code for words in made.adverse_reasons] == [
        "file_in_review",
        "one_name",
        "missing_kyc_rating",
        "missing_grade",
    ]
    assert made.assessment.missing == ("kyc_rating", "grade", "trading_years")


def test_a_blocked_client_is_barred_and_nobody_may_override_it(credit: CreditDesk) -> None:
    block_client(actor=SYSTEM, client_id=credit.client, reason="a doubt", at=AT)
    made = credit.decide("A")
    assert (made.outcome, made.is_barred, made.limit_minor) == (CreditOutcome.DECLINE, True, 0)
    before = stored()
    with pytest.raises(rules.OverrideRefused):
        propose_decision(actor=credit.officer, decision_id=made.id, limit_minor=1_000_00, reason="please", at=AT)
    assert stored() == before


def test_i61_a_name_without_a_price_is_no_collateral_of_zero_but_an_unknown_one(credit: CreditDesk) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE market_instrument SET is_suspended = is_suspended")
    made = credit.decide("A", ask=credit.ask(AAPL=1_000, KO=1_000))
    assert made.outcome is CreditOutcome.APPROVE
    nothing = credit.decide("A", ask=type(made.inputs.ask)("STANDARD", 10_000_00, "USD", ()))
    assert (nothing.outcome, nothing.limit_minor) == (CreditOutcome.REFER, None)
    assert "concentration_bp" in nothing.assessment.missing


@pytest.mark.parametrize(
    "change",
    [{"limit_minor": 0}, {"limit_minor": -5}, {"currency": "HKD"}, {"portfolio": ((999_999, 5),)}],
)
def test_an_ask_that_cannot_be_looked_at_is_refused_and_leaves_nothing(
    credit: CreditDesk, change: dict[str, Any]
) -> None:
    with pytest.raises(AskRefused):
        credit.decide("A", ask=type(credit.ask())(**{**vars(credit.ask()), **change}))
    assert stored() == []


def test_i63_the_maker_is_never_the_checker_and_a_manager_decides_nothing(credit: CreditDesk) -> None:
    made = credit.decide("A")
    before = stored()
    with pytest.raises(SecondPersonNeeded):
        approve_decision(actor=credit.officer, decision_id=made.id, at=AT)
    with pytest.raises(PermissionRefused):
        approve_decision(actor=credit.desk.manager, decision_id=made.id, at=AT)
    with pytest.raises(PermissionRefused):
        propose_decision(actor=credit.desk.manager, decision_id=made.id, limit_minor=1, reason="x", at=AT)
    assert stored() == before
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditDecision.objects.filter(id=made.id).update(state="approved", closed_by=credit.officer.ref)


def test_a_large_limit_needs_a_senior(credit: CreditDesk) -> None:
    made = credit.decide("C", ask=credit.ask(300_000_00))
    assert (made.limit_minor, made.needs_authority) == (300_000_00, Authority.SENIOR)
    with pytest.raises(PermissionRefused):
        approve_decision(actor=credit.second, decision_id=made.id, at=AT)
    assert get_decision(made.id).state is DecisionState.PROPOSED
    assert approve_decision(actor=credit.senior, decision_id=made.id, at=AT).state is DecisionState.APPROVED


def test_an_override_needs_a_reason_and_a_senior_and_is_logged(credit: CreditDesk) -> None:
    made = credit.decide("D")
    before = stored()
    with pytest.raises(ReasonForDecisionNeeded):
        propose_decision(actor=credit.officer, decision_id=made.id, limit_minor=50_000_00, reason=" ", at=AT)
    with pytest.raises(rules.OverrideRefused):
        propose_decision(actor=credit.officer, decision_id=made.id, limit_minor=200_000_01, reason="more", at=AT)
    assert stored() == before
    propose_decision(actor=credit.officer, decision_id=made.id, limit_minor=200_000_00, reason="a guarantee", at=AT)
    found = get_decision(made.id)
    assert found.recommended_minor == 200_000_00, "grade D gets 40% of 600,000, so what was asked"
    assert (found.is_override, found.needs_authority) == (False, Authority.SENIOR)
    declined = credit.decide("E")
    propose_decision(actor=credit.officer, decision_id=declined.id, limit_minor=50_000_00, reason="a guarantee", at=AT)
    assert (get_decision(declined.id).is_override, get_decision(declined.id).needs_authority) == (
        True,
        Authority.SENIOR,
    )
    entry = next(entry for entry in list_entries(limit=20) if entry.action == "credit.override")
    assert (entry.reason, entry.actor) == ("a guarantee", credit.officer.ref)
    assert [row.id for row in find_decisions(credit.officer, state="override").rows] == [declined.id]


def test_what_a_second_person_returns_goes_back_with_the_reason(credit: CreditDesk) -> None:
    made = credit.decide("A")
    back = return_decision(actor=credit.second, decision_id=made.id, reason="too much at once", at=AT)
    assert (back.state, back.closing_note) == (DecisionState.OPEN, "too much at once")
    propose_decision(actor=credit.officer, decision_id=made.id, limit_minor=100_000_00, reason="half", at=AT)
    done = approve_decision(actor=credit.second, decision_id=made.id, at=AT)
    assert (done.limit_minor, done.is_override) == (100_000_00, False)


def test_a_referred_ask_is_declined_by_one_person_with_a_reason(credit: CreditDesk) -> None:
    made = credit.decide("D")
    with pytest.raises(ReasonForDecisionNeeded):
        decline_decision(actor=credit.officer, decision_id=made.id, reason="", at=AT)
    assert decline_decision(actor=credit.officer, decision_id=made.id, reason="no", at=AT).state == "declined"
    with pytest.raises(InvalidTransition):
        decline_decision(actor=credit.officer, decision_id=made.id, reason="no", at=AT)


def test_an_approval_given_on_the_page_of_approvals_is_followed(credit: CreditDesk) -> None:
    made = credit.decide("A")
    waiting = next(one for one in list_pending(credit.second) if one.subject == f"credit_decision:{made.id}")
    approve(actor=credit.second, approval_id=waiting.id, payload_hash=waiting.payload_hash, at=AT)
    credit.desk.drain()
    assert get_decision(made.id).state is DecisionState.APPROVED
    with pytest.raises(DecisionAlreadyMade):
        approve_decision(actor=credit.senior, decision_id=made.id, at=AT)


def test_an_old_or_superseded_decision_cannot_be_approved(credit: CreditDesk) -> None:
    made = credit.decide("A")
    with pytest.raises(DecisionExpired):
        approve_decision(actor=credit.second, decision_id=made.id, at=AT + timedelta(days=30, seconds=1))
    newer = credit.decide("B")
    with pytest.raises(DecisionSuperseded):
        approve_decision(actor=credit.second, decision_id=made.id, at=AT)
    waiting = next(one for one in list_pending(credit.second) if one.subject == f"credit_decision:{made.id}")
    approve(actor=credit.second, approval_id=waiting.id, payload_hash=waiting.payload_hash, at=AT)
    credit.desk.drain()
    back = get_decision(made.id)
    assert back.state is DecisionState.OPEN
    assert f"Decision {newer.id}" in back.closing_note


def test_i63_two_approvers_clicking_together_have_one_effect(live_credit: CreditDesk) -> None:
    made = live_credit.decide("A")
    told: list[str] = []
    gate = threading.Barrier(2)

    def click(actor: Any) -> Callable[[], None]:
        def run() -> None:
            try:
                gate.wait()
                approve_decision(actor=actor, decision_id=made.id, at=AT)
                told.append("done")
            except Refusal as refusal:
                told.append(refusal.code)
            finally:
                connection.close()

        return run

    threads = [threading.Thread(target=click(actor)) for actor in (live_credit.second, live_credit.senior)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["already_decided", "done"]
    assert sum(entry.action == "credit.approve" for entry in list_entries(limit=50)) == 1


def test_i60_each_decision_replays_to_the_byte_and_a_changed_one_is_found(credit: CreditDesk) -> None:
    for grade in ("A", "C", "E", None):
        assert replay_decision(credit.decide(grade).id)
    assert verify_credit() == []
    last = CreditDecision.objects.order_by("-id").first()
    assert last is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditDecision.objects.filter(id=last.pk).update(answer=last.answer.replace("null", "0", 1))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE credit_creditdecision DISABLE TRIGGER USER")
        cursor.execute("UPDATE credit_creditdecision SET recommended_minor = 5 WHERE id = %s", [last.pk])
        cursor.execute("ALTER TABLE credit_creditdecision ENABLE TRIGGER USER")
    assert [finding.check for finding in verify_credit()] == ["credit.replay"]


def test_i66_a_decision_is_kept_from_who_may_not_see_the_client(credit: CreditDesk) -> None:
    made = credit.decide("A", client=credit.desk.near_client)
    with pytest.raises(DecisionNotFound):
        read_decision(credit.desk.manager, made.id)
    assert find_decisions(credit.desk.manager).count == 0
    own = credit.decide("A")
    assert [row.id for row in list_decisions(credit.desk.manager, credit.client)] == [own.id]


def test_a_decision_takes_over_features_and_score_and_refuses_those_of_somebody_else(credit: CreditDesk) -> None:
    ask = credit.ask()
    at, scorer = AT, credit.officer
    own = build_features(actor=scorer, client_id=credit.client, on=MONDAY, at=at, portfolio=ask.portfolio)
    other = build_features(actor=scorer, client_id=credit.desk.near_client, on=MONDAY, at=at)
    scored = score_client(actor=scorer, feature_set_id=own, at=at)
    with pytest.raises(ScoreRefused):
        decide(
            actor=scorer,
            client_id=credit.client,
            ask=ask,
            feature_set_id=other,
            score_id=scored.id,
            on=MONDAY,
            at=at,
        )
    assert stored() == []
    made = decide(
        actor=scorer, client_id=credit.client, ask=ask, feature_set_id=own, score_id=scored.id, on=MONDAY, at=at
    )
    assert (made.feature_set_id, made.score_id, made.grade) == (own, scored.id, scored.grade or None)
    assert made.inputs.standings["feature_set"] == own
    assert replay_decision(made.id)
