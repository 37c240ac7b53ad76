"""A second person's word: maker is never checker, once, on exactly what was shown (I63)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.platform.access import rules
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.selectors import (
    count_pending,
    find_approval,
    get_approval,
    list_decided,
    list_pending,
    verify_approvals,
)
from reefpoint.platform.access.services import (
    AlreadyAwaitingApproval,
    PayloadChanged,
    PermissionRefused,
    ReasonNeeded,
    SecondPersonNeeded,
    UnknownApproval,
    approve,
    reject,
    request_approval,
    withdraw,
)
from reefpoint.platform.access.types import ApprovalState, Payload, RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.basics.errors import InvalidTransition
from reefpoint.platform.events.models import Event

AT = datetime(2020, 3, 9, 13, 0, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
TERMS: Payload = {"close_out_bp": 13500, "accepted": ["AAPL", "XOM"], "note": "细则"}
pytestmark = pytest.mark.django_db


def _person(user_id: int, role: RoleName) -> Actor:
    return Actor(ref=f"user:{user_id}", name=f"P{user_id}", permissions=rules.permissions_of([role]), user_id=user_id)


MAKER = _person(1, RoleName.RISK_OFFICER)
CHECKER = _person(2, RoleName.CREDIT_OFFICER)
OUTSIDER = _person(3, RoleName.RELATIONSHIP_MANAGER)


def _ask(actor: Actor = MAKER, payload: Payload = TERMS) -> int:
    return request_approval(actor=actor, kind="scheme.publish", subject="scheme:2", payload=payload, at=AT)


def _actions(approval_id: int) -> list[str]:
    entries = Entry.objects.filter(subject=f"approval:{approval_id}").order_by("id")
    return list(entries.values_list("action", flat=True))


def _hash(approval_id: int) -> str:
    return get_approval(approval_id).payload_hash


def test_a_second_person_approves_what_was_shown_and_the_news_goes_out() -> None:
    approval_id = _ask()
    approve(actor=CHECKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER, reason="checked")
    view = get_approval(approval_id)
    assert (view.state, view.decided_by, view.decided_at) == (ApprovalState.APPROVED, "user:2", LATER)
    event = Event.objects.get()
    assert event.name == "access.approval_granted"
    assert event.payload["approval_id"] == approval_id
    assert event.payload["subject"] == "scheme:2"
    assert _actions(approval_id) == ["approvals.request", "approvals.approve"]


def test_i63_the_maker_cannot_approve_or_reject_their_own_request_and_nothing_is_written() -> None:
    approval_id = _ask()
    with pytest.raises(SecondPersonNeeded):
        approve(actor=MAKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER)
    with pytest.raises(SecondPersonNeeded):
        reject(actor=MAKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER, reason="no")
    assert get_approval(approval_id).state is ApprovalState.PENDING
    assert Event.objects.count() == 0
    assert _actions(approval_id) == ["approvals.request"]


def test_i63_the_system_is_no_second_person() -> None:
    approval_id = _ask()
    with pytest.raises(SecondPersonNeeded):
        approve(actor=system_actor("worker"), approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER)


def test_i63_a_decision_on_another_payload_is_refused() -> None:
    approval_id = _ask()
    seen = rules.fingerprint("scheme.publish", "scheme:2", {**TERMS, "close_out_bp": 13400})
    with pytest.raises(PayloadChanged):
        approve(actor=CHECKER, approval_id=approval_id, payload_hash=seen, at=LATER)
    assert get_approval(approval_id).state is ApprovalState.PENDING


def test_i63_a_second_decision_is_refused() -> None:
    approval_id = _ask()
    reject(actor=CHECKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER, reason="too low")
    with pytest.raises(InvalidTransition):
        approve(actor=CHECKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER)
    assert get_approval(approval_id).state is ApprovalState.REJECTED
    assert [event.name for event in Event.objects.all()] == ["access.approval_rejected"]


def test_who_lacks_the_right_for_the_kind_cannot_decide() -> None:
    approval_id = _ask()
    with pytest.raises(PermissionRefused, match=r"approvals\.decide:scheme\.publish"):
        approve(actor=OUTSIDER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER)


def test_an_auditor_cannot_even_ask() -> None:
    with pytest.raises(PermissionRefused):
        _ask(_person(4, RoleName.AUDITOR))
    assert Approval.objects.count() == 0


def test_a_kind_that_nobody_may_decide_cannot_be_asked_for() -> None:
    with pytest.raises(rules.UnknownPermission):
        request_approval(actor=MAKER, kind="scheme.frobnicate", subject="scheme:2", payload={}, at=AT)


def test_a_rejection_without_a_reason_is_refused() -> None:
    approval_id = _ask()
    with pytest.raises(ReasonNeeded):
        reject(actor=CHECKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER, reason=" ")


def test_the_same_request_twice_is_one_and_another_payload_waits_its_turn() -> None:
    approval_id = _ask()
    assert _ask() == approval_id
    with pytest.raises(AlreadyAwaitingApproval):
        _ask(payload={"close_out_bp": 13400})
    assert _actions(approval_id) == ["approvals.request"]


def test_a_withdrawn_request_makes_room_and_only_the_maker_withdraws() -> None:
    approval_id = _ask()
    with pytest.raises(UnknownApproval):
        withdraw(actor=CHECKER, approval_id=approval_id, at=LATER)
    withdraw(actor=MAKER, approval_id=approval_id, at=LATER)
    assert get_approval(approval_id).state is ApprovalState.WITHDRAWN
    assert _ask(payload={"close_out_bp": 13400}) != approval_id


def test_i66_a_request_is_seen_by_its_maker_its_checkers_and_oversight_alone() -> None:
    approval_id = _ask()
    assert [view.id for view in list_pending(MAKER)] == [approval_id]
    assert [view.may_decide for view in list_pending(MAKER)] == [False]
    assert [view.may_decide for view in list_pending(CHECKER)] == [True]
    assert [view.may_decide for view in list_pending(_person(4, RoleName.AUDITOR))] == [False]
    assert list_pending(OUTSIDER) == []
    assert [view.id for view in list_pending(CHECKER, is_decidable=True, limit=1)] == [approval_id]
    assert list_pending(MAKER, is_decidable=True) == list_pending(CHECKER, subject="nothing:1") == []
    assert (count_pending(CHECKER), count_pending(OUTSIDER)) == (1, 0)
    assert find_approval(OUTSIDER, approval_id) is None
    withdraw(actor=MAKER, approval_id=approval_id, at=LATER)
    assert list_pending(CHECKER) == []
    assert [view.id for view in list_decided(CHECKER)] == [approval_id]
    assert list_decided(OUTSIDER) == []


RAW_SQL: dict[str, Callable[[int], tuple[str, list[object]]]] = {
    "maker decides": lambda pk: (
        "UPDATE access_approval SET state='approved', decided_by='user:1', decided_at=now() WHERE id=%s", [pk],
    ),
    "system decides": lambda pk: (
        "UPDATE access_approval SET state='approved', decided_by='system:x', decided_at=now() WHERE id=%s", [pk],
    ),
    "nobody decides": lambda pk: ("UPDATE access_approval SET state='approved' WHERE id=%s", [pk]),
    "payload changes": lambda pk: ("UPDATE access_approval SET payload='{}' WHERE id=%s", [pk]),
    "maker changes": lambda pk: ("UPDATE access_approval SET requested_by='user:9' WHERE id=%s", [pk]),
    "truncation": lambda pk: ("TRUNCATE access_approval", []),
    "deletion": lambda pk: ("DELETE FROM access_approval WHERE id=%s", [pk]),
    "born approved": lambda pk: (
        "INSERT INTO access_approval (kind, subject, payload, payload_hash, reason, requested_by, requested_by_name,"
        " requested_at, state, decided_by, decided_by_name, decided_at, decision_reason) SELECT kind, 'scheme:3',"
        " payload, payload_hash, reason, requested_by, '', now(), 'approved', 'user:2', '', now(), ''"
        " FROM access_approval WHERE id=%s", [pk],
    ),
}  # fmt: skip


@pytest.mark.parametrize("statement", RAW_SQL.values(), ids=RAW_SQL.keys())
def test_i63_the_database_itself_refuses(statement: Callable[[int], tuple[str, list[object]]]) -> None:
    approval_id = _ask()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(*statement(approval_id))
    assert get_approval(approval_id).state is ApprovalState.PENDING


def test_i63_the_database_refuses_to_change_a_decision() -> None:
    approval_id = _ask()
    approve(actor=CHECKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Approval.objects.filter(id=approval_id).update(state="rejected")


def test_a_payload_changed_behind_the_guard_is_found_and_cannot_be_approved() -> None:
    approval_id = _ask()
    assert verify_approvals() == []
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE access_approval DISABLE TRIGGER access_approval_guard")
        cursor.execute("UPDATE access_approval SET payload='{\"close_out_bp\": 1}' WHERE id=%s", [approval_id])
        cursor.execute("ALTER TABLE access_approval ENABLE TRIGGER access_approval_guard")
    assert [finding.subject for finding in verify_approvals()] == [f"approval:{approval_id}"]
    with pytest.raises(PayloadChanged):
        approve(actor=CHECKER, approval_id=approval_id, payload_hash=_hash(approval_id), at=LATER)


def test_the_fingerprint_ignores_the_order_of_keys_and_covers_kind_and_subject() -> None:
    one = rules.fingerprint("k", "s", {"a": 1, "b": [True, None]})
    assert one == rules.fingerprint("k", "s", {"b": [True, None], "a": 1})
    assert one != rules.fingerprint("k", "t", {"a": 1, "b": [True, None]})
    assert one != rules.fingerprint("k", "s", {"a": "1", "b": [True, None]})


@pytest.mark.parametrize("value", [1.5, AT, {"x": 2.0}, [{1: "a"}]])
def test_a_value_without_one_single_text_cannot_be_approved(value: object) -> None:
    with pytest.raises(TypeError, match=r"^payload\.v"):
        rules.fingerprint("k", "s", {"v": value})  # type: ignore[dict-item]


@pytest.mark.django_db(transaction=True)
def test_i63_two_checkers_at_the_same_instant_make_one_decision() -> None:
    approval_id = _ask()
    seen = _hash(approval_id)
    start = Barrier(4)

    def decide(turn: int) -> str:
        checker = _person(10 + turn, RoleName.CREDIT_OFFICER)
        try:
            start.wait()
            if turn % 2:
                reject(actor=checker, approval_id=approval_id, payload_hash=seen, at=LATER, reason="no")
            else:
                approve(actor=checker, approval_id=approval_id, payload_hash=seen, at=LATER)
        except InvalidTransition:
            return "too late"
        finally:
            connection.close()
        return "decided"

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(decide, range(4)))

    assert sorted(answers) == ["decided", "too late", "too late", "too late"]
    assert Event.objects.count() == 1
    assert len(_actions(approval_id)) == 2
