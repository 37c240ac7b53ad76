"""What an approval is bound to: judged by figures, said in both languages, let go by a second person (C11, I63)."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from tests.decisions.credit.conftest import AT, CreditDesk
from tests.desk import MONDAY

from reefpoint.decisions.credit.adapters.shipped import read_shipped_policy
from reefpoint.decisions.credit.models import ConditionWaiver, CreditCondition
from reefpoint.decisions.credit.rules import read_policy
from reefpoint.decisions.credit.rules.conditions import binds, condition_words, judge, standing_words
from reefpoint.decisions.credit.selectors import ConditionNotFound, list_decision_standings, verify_credit
from reefpoint.decisions.credit.services import WaiverRefused, approve_decision, request_waiver
from reefpoint.decisions.credit.types import (
    Act,
    Condition,
    ConditionFigures,
    ConditionKind,
    ConditionMoment,
    ConditionStanding,
    WaiverState,
)
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, SecondPersonNeeded, approve, reject
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.tables.table import MalformedTable

ON = date(2019, 11, 25)
HALF = Condition("spread", ConditionKind.NAME_SHARE_MOST, 5_000, ConditionMoment.FIRST_DRAWDOWN)


def figures(
    *, ratio_bp: int | None = None, is_valued: bool = True, on: date = ON, **values: int | None
) -> ConditionFigures:
    return ConditionFigures(values, ratio_bp, is_valued, on, reviewed_on=ON)


def of(kind: ConditionKind, figure: int) -> Condition:
    return Condition("c", kind, figure, ConditionMoment.ALWAYS)


@pytest.mark.parametrize(
    ("condition", "by", "answer"),
    [
        (HALF, figures(AAPL=50, JPM=50), (True, 5_000)),
        (HALF, figures(AAPL=10_001, JPM=10_000), (False, 5_001)),
        (HALF, figures(AAPL=50, JPM=None), (None, None)),
        (HALF, figures(), (None, None)),
        (of(ConditionKind.NAMES_LEAST, 2), figures(AAPL=1), (False, 1)),
        (of(ConditionKind.NAMES_LEAST, 2), figures(AAPL=1, JPM=None), (True, 2)),
        (of(ConditionKind.RATIO_LEAST, 20_000), figures(ratio_bp=20_000), (True, 20_000)),
        (of(ConditionKind.RATIO_LEAST, 20_000), figures(ratio_bp=19_999), (False, 19_999)),
        (of(ConditionKind.RATIO_LEAST, 20_000), figures(), (True, None)),
        (of(ConditionKind.RATIO_LEAST, 20_000), figures(is_valued=False), (None, None)),
        (of(ConditionKind.REVIEW_AFTER, 6), figures(on=date(2020, 5, 25)), (True, date(2020, 5, 25).toordinal())),
        (of(ConditionKind.REVIEW_AFTER, 6), figures(on=date(2020, 5, 26)), (False, date(2020, 5, 25).toordinal())),
    ],
)
def test_each_kind_is_judged_to_the_last_unit_and_what_is_not_known_is_not_met(
    condition: Condition, by: ConditionFigures, answer: tuple[bool | None, int | None]
) -> None:
    assert judge(condition, by) == answer


def test_each_moment_binds_what_it_names() -> None:
    acts = [(Act.DRAWDOWN, True), (Act.DRAWDOWN, False), (Act.WITHDRAWAL, False), (Act.PURCHASE, False)]
    binding = {moment: [binds(moment, act, is_first=first) for act, first in acts] for moment in ConditionMoment}
    assert binding == {
        ConditionMoment.FIRST_DRAWDOWN: [True, False, False, False],
        ConditionMoment.DRAWDOWN: [True, True, False, False],
        ConditionMoment.ALWAYS: [True, True, True, True],
    }


def test_a_condition_is_said_from_its_figure_in_both_languages() -> None:
    said = condition_words(HALF)
    assert said.en == "Before the first drawdown, no name may be more than 50.00% of the value of the shares."
    assert said.zh == "首次提款前，任何一只股票不得超过股票市值的 50.00%。"
    stands = standing_words(ConditionStanding(1, 1, HALF, False, 6_667, None))
    assert stands.en.endswith("of the value of the shares: the largest is 66.67%.")
    assert stands.zh.endswith("：目前最大的一只占 66.67%。")
    for kind in ConditionKind:
        for moment in ConditionMoment:
            words = condition_words(Condition("c", kind, 2, moment))
            assert words.en
            assert words.zh != words.en


@pytest.mark.parametrize(("kind", "figure"), [("none", 1), ("name_share_most", 0), ("ratio_least", 9_999)])
def test_a_policy_with_a_figure_that_says_nothing_is_refused(kind: str, figure: int) -> None:
    content = read_shipped_policy()
    content["conditions"]["rows"][1]["then"] |= {"kind": kind, "figure": figure}
    with pytest.raises(MalformedTable) as refused:
        read_policy(content)
    assert (refused.value.row, refused.value.column) == ("spread_first", "figure")


def bound(credit: CreditDesk) -> int:
    """An approved decision of a client who offers two thirds in one name. Returns the condition's id."""
    made = credit.decide("A", ask=credit.ask(100_000_00, AAPL=2_000, JPM=1_000))
    approve_decision(actor=credit.second, decision_id=made.id, at=AT)
    return CreditCondition.objects.get(decision_id=made.id).pk


def stands(credit: CreditDesk, condition_id: int) -> str:
    decision_id = CreditCondition.objects.get(id=condition_id).decision_id
    [one] = list_decision_standings(credit.officer, decision_id, on=MONDAY, at=AT)
    return one.stands


def decide(actor: Actor, approval_id: int, *, is_yes: bool) -> None:
    shown = get_approval(approval_id).payload_hash
    if is_yes:
        approve(actor=actor, approval_id=approval_id, payload_hash=shown, at=AT)
    else:
        reject(actor=actor, approval_id=approval_id, payload_hash=shown, reason="no", at=AT)


def test_a_condition_is_on_record_and_is_let_go_by_a_second_person_alone(credit: CreditDesk) -> None:
    condition_id = bound(credit)
    assert stands(credit, condition_id) == "not_met"
    with pytest.raises(WaiverRefused):
        request_waiver(actor=credit.officer, condition_id=condition_id, reason="  ", at=AT)
    with pytest.raises(PermissionRefused):
        request_waiver(actor=credit.desk.manager, condition_id=condition_id, reason="please", at=AT)
    assert not ConditionWaiver.objects.exists()
    approval_id = request_waiver(actor=credit.officer, condition_id=condition_id, reason="a guarantee", at=AT)
    with pytest.raises(SecondPersonNeeded):
        decide(credit.officer, approval_id, is_yes=True)
    with pytest.raises(WaiverRefused):
        request_waiver(actor=credit.second, condition_id=condition_id, reason="me too", at=AT)
    decide(credit.second, approval_id, is_yes=False)
    credit.desk.drain()
    assert (stands(credit, condition_id), ConditionWaiver.objects.get().state) == ("not_met", WaiverState.REFUSED)
    again = request_waiver(actor=credit.officer, condition_id=condition_id, reason="a better guarantee", at=AT)
    decide(credit.second, again, is_yes=True)
    credit.desk.drain()
    assert stands(credit, condition_id) == "waived"
    with pytest.raises(WaiverRefused):
        request_waiver(actor=credit.officer, condition_id=condition_id, reason="once more", at=AT)


def test_a_waiver_needs_the_authority_for_the_limit(credit: CreditDesk) -> None:
    made = credit.decide("C", ask=credit.ask(300_000_00))
    approve_decision(actor=credit.senior, decision_id=made.id, at=AT)
    review = CreditCondition.objects.get(decision_id=made.id)
    assert (review.kind, review.figure) == ("review_after", 6)
    approval_id = request_waiver(actor=credit.officer, condition_id=review.pk, reason="known for long", at=AT)
    with pytest.raises(PermissionRefused):
        decide(credit.second, approval_id, is_yes=True)
    decide(credit.senior, approval_id, is_yes=True)
    credit.desk.drain()
    assert ConditionWaiver.objects.get().state == WaiverState.GRANTED


def test_conditions_never_change_and_one_that_is_gone_is_found(credit: CreditDesk) -> None:
    condition_id = bound(credit)
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditCondition.objects.filter(id=condition_id).update(figure=9_000)
    with pytest.raises(IntegrityError), transaction.atomic():
        CreditCondition.objects.filter(id=condition_id).delete()
    assert verify_credit() == []
    decision_id = CreditCondition.objects.get(id=condition_id).decision_id
    CreditCondition.objects.create(
        decision_id=decision_id, code="smuggled", kind="names_least", figure=1, moment="always"
    )
    assert [finding.check for finding in verify_credit()] == ["credit.conditions"]


def test_i66_a_condition_of_a_client_out_of_scope_is_not_there(credit: CreditDesk) -> None:
    made = credit.decide("A", client=credit.desk.near_client, ask=credit.ask(AAPL=10))
    condition = CreditCondition.objects.filter(decision_id=made.id).first()
    assert condition is not None
    scoped = Actor(
        credit.desk.manager.ref,
        "m",
        credit.desk.manager.permissions | {"credit.decide"},
        user_id=credit.desk.manager.user_id,
        sees_all_clients=False,
    )
    with pytest.raises(ConditionNotFound):
        request_waiver(actor=scoped, condition_id=condition.pk, reason="please", at=AT)
