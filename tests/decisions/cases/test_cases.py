"""From an alert to a closed case: two people, nothing changed afterwards, and nobody outside learns of it."""

import csv
import io
import json
import threading
import zipfile
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connections, transaction
from PIL import Image
from tests.desk import MONDAY, SYSTEM, Desk, noon

from reefpoint.decisions.cases.models import Case, Entry
from reefpoint.decisions.cases.rules import DUE_AFTER, CaseIsNotOpen, ReasonMissing, ReportMissing
from reefpoint.decisions.cases.selectors import get_case_page, list_cases, list_waiting, verify_cases
from reefpoint.decisions.cases.services import (
    add_alerts,
    add_document,
    add_note,
    assign_case,
    link_client,
    make_report,
    open_case,
    open_document,
    open_report,
    propose_disposition,
)
from reefpoint.decisions.cases.services.work import AssigneeRefused
from reefpoint.decisions.cases.types import CaseState, Disposition
from reefpoint.decisions.monitoring.models import Activity, Alert, Rule, RuleVersion
from reefpoint.decisions.monitoring.selectors import get_alert
from reefpoint.decisions.monitoring.selectors.explain import explain_alert, split_terms
from reefpoint.decisions.monitoring.services import snooze_alert
from reefpoint.platform.access.models import User
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, actor_for, approve, create_user, reject, withdraw
from reefpoint.platform.access.services.approvals import SecondPersonNeeded
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.selectors import list_entries
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import InvalidTransition, Refusal
from reefpoint.platform.events.services import dispatch_once

AT = noon(MONDAY)


def picture() -> bytes:
    """A picture that a program can read."""
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    return content.getvalue()


def officer(name: str, role: RoleName = RoleName.COMPLIANCE) -> Actor:
    user_id = create_user(actor=SYSTEM, email=f"{name}@desk.test", name=name, password=None, roles=[role], at=AT)
    return actor_for(User.objects.get(id=user_id))


def raise_alerts(client_id: int, count: int = 1) -> list[int]:
    """Live alerts about deposits of a client."""
    rule, _ = Rule.objects.get_or_create(
        code="rapid", defaults={"number": 99, "title": "Rapid", "title_zh": "快进快出", "what": "-", "what_zh": "-"}
    )
    version, _ = RuleVersion.objects.get_or_create(
        rule=rule,
        version=1,
        defaults={
            "expression": "in_3s_minor >= floor_minor and (out_3s_minor > 5 or in_3s_minor < 3)",
            "triggers": ["deposit"],
            "parameters": [{"name": "floor_minor", "kind": "money", "value": 4, "is_default": True}],
            "pivot": "client", "cooldown_days": 7, "mode": "live", "consequence": "alert",
            "sources": [{"title": "ours", "grade": "default", "note": ""}],
            "effective_from": MONDAY, "made_by": "t", "made_at": AT,
        },
    )  # fmt: skip
    ids = []
    for number in range(count):
        key = f"{client_id}-{Alert.objects.count()}"
        activity = Activity.objects.create(kind="deposit", key=key, client_id=client_id, at=AT, amount_minor=5)
        alert = Alert.objects.create(
            rule=rule, rule_version=version, client_id=client_id, activity=activity, pivot=f"{key}-{number}", at=AT,
            raised_at=AT, inputs={"in_3s_minor": 5, "out_3s_minor": 9}, mode="live", consequence="alert",
        )  # fmt: skip
        ids.append(alert.pk)
    return ids


@pytest.fixture
def ada(desk: Desk) -> Actor:
    return officer("ada")


@pytest.fixture
def bo(desk: Desk) -> Actor:
    return officer("bo")


def close(case_id: int, maker: Actor, checker: Actor, disposition: Disposition = Disposition.NO_SUSPICION) -> None:
    approval = get_approval(
        propose_disposition(actor=maker, case_id=case_id, disposition=disposition, reason="all explained", at=AT)
    )
    approve(actor=checker, approval_id=approval.id, payload_hash=approval.payload_hash, at=AT, reason="agreed")
    dispatch_once("worker")


def test_a_case_goes_from_alerts_to_its_closing_by_a_second_person(desk: Desk, ada: Actor, bo: Actor) -> None:
    first, second = raise_alerts(desk.near_client, 2)
    case_id = open_case(actor=ada, alert_ids=[first], title="Cash in and out", at=AT)
    add_alerts(actor=ada, case_id=case_id, alert_ids=[second], at=AT)
    link_client(actor=ada, case_id=case_id, client_id=desk.healthy_client, reason="the payer", at=AT)
    add_note(actor=ada, case_id=case_id, text="She sold a house; the deed is here.", at=AT)
    assert bo.user_id is not None
    assign_case(actor=ada, case_id=case_id, user_id=bo.user_id, at=AT)
    close(case_id, ada, bo)
    page = get_case_page(ada, case_id)
    assert (page.row.state, page.row.disposition, page.closed_by) == (CaseState.CLOSED, "no_suspicion", bo.ref)
    assert (page.row.alerts, page.row.assignee_name, page.row.due_at) == (2, "bo", AT + DUE_AFTER)
    assert [client.client_id for client in page.clients] == [desk.near_client, desk.healthy_client]
    assert [entry.kind.value for entry in reversed(page.entries)] == [
        "opened", "alert_added", "alert_added", "client_linked", "note", "assigned", "proposed", "closed",
    ]  # fmt: skip
    assert get_alert(ada, first).state.value == "in_case"
    assert verify_cases() == []
    assert "house" not in str([entry.inputs for entry in list_entries(subject=f"case:{case_id}")])


def test_i63_the_maker_cannot_close_and_the_database_says_so_too(desk: Desk, ada: Actor, bo: Actor) -> None:
    case_id = open_case(actor=ada, alert_ids=raise_alerts(desk.near_client), title="Cash", at=AT)
    approval = get_approval(
        propose_disposition(actor=ada, case_id=case_id, disposition=Disposition.MONITORING, reason="watch", at=AT)
    )
    with pytest.raises(SecondPersonNeeded):
        approve(actor=ada, approval_id=approval.id, payload_hash=approval.payload_hash, at=AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Case.objects.filter(id=case_id).update(state="closed", closed_by=ada.ref, closed_at=AT)
    assert get_case_page(ada, case_id).row.state is CaseState.PROPOSED


def test_while_a_case_waits_for_its_closing_nothing_is_added_and_a_refusal_opens_it_again(
    desk: Desk, ada: Actor, bo: Actor
) -> None:
    first, second = raise_alerts(desk.near_client, 2)
    case_id = open_case(actor=ada, alert_ids=[first], title="Cash", at=AT)
    propose = {"actor": ada, "case_id": case_id, "disposition": Disposition.MONITORING, "at": AT}
    approval = get_approval(propose_disposition(reason="watch", **propose))  # type: ignore[arg-type]
    entries = Entry.objects.count()
    for refused in (
        lambda: add_note(actor=bo, case_id=case_id, text="wait", at=AT),
        lambda: add_alerts(actor=bo, case_id=case_id, alert_ids=[second], at=AT),
        lambda: make_report(actor=bo, case_id=case_id, at=AT),
        lambda: propose_disposition(reason="again", **propose),  # type: ignore[arg-type]
    ):
        with pytest.raises((CaseIsNotOpen, InvalidTransition)):
            refused()
    assert Entry.objects.count() == entries
    reject(actor=bo, approval_id=approval.id, payload_hash=approval.payload_hash, reason="look again", at=AT)
    dispatch_once("worker")
    add_note(actor=ada, case_id=case_id, text="looked again", at=AT)
    again = propose_disposition(reason="watch", **propose)  # type: ignore[arg-type]
    withdraw(actor=ada, approval_id=again, at=AT)
    dispatch_once("worker")
    page = get_case_page(ada, case_id)
    assert (page.row.state, page.row.disposition) == (CaseState.OPEN, "")
    assert [entry.kind.value for entry in page.entries[:4]] == ["taken_back", "proposed", "note", "refused"]


def test_a_closed_case_and_its_entries_are_never_changed(desk: Desk, ada: Actor, bo: Actor) -> None:
    case_id = open_case(actor=ada, alert_ids=raise_alerts(desk.near_client), title="Cash", at=AT)
    close(case_id, ada, bo)
    for wrong in (
        lambda: Case.objects.filter(id=case_id).update(disposition="reported"),
        lambda: Entry.objects.filter(case_id=case_id).update(text="-"),
        lambda: Entry.objects.filter(case_id=case_id).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()
    with pytest.raises(CaseIsNotOpen):
        add_note(actor=ada, case_id=case_id, text="late", at=AT)


def test_an_alert_is_in_one_case_and_what_is_missing_is_refused(desk: Desk, ada: Actor) -> None:
    [alert_id] = raise_alerts(desk.near_client)
    with pytest.raises(ReasonMissing):
        open_case(actor=ada, alert_ids=[alert_id], title="  ", at=AT)
    with pytest.raises(Refusal):
        open_case(actor=ada, alert_ids=[], title="Cash", at=AT)
    with pytest.raises(PermissionRefused):
        open_case(actor=desk.risk, alert_ids=[alert_id], title="Cash", at=AT)
    assert Case.objects.count() == 0
    case_id = open_case(actor=ada, alert_ids=[alert_id], title="Cash", at=AT)
    with pytest.raises(InvalidTransition):
        open_case(actor=ada, alert_ids=[alert_id], title="Again", at=AT)
    assert Case.objects.count() == 1
    with pytest.raises(AssigneeRefused):
        assign_case(actor=ada, case_id=case_id, user_id=desk.risk.user_id or 0, at=AT)
    assert [case.id for case in list_waiting(ada)] == [case_id]
    assert list_cases(ada, text="near").count == list_cases(ada, text=f"k-00000{case_id}").count == 1


def test_a_report_says_facts_transactions_and_parties_and_its_hash_is_in_the_log(
    desk: Desk, ada: Actor, bo: Actor
) -> None:
    case_id = open_case(actor=ada, alert_ids=raise_alerts(desk.near_client), title='=HYPERLINK("x")', at=AT)
    with pytest.raises(ReportMissing):
        propose_disposition(actor=ada, case_id=case_id, disposition=Disposition.REPORTED, reason="sent", at=AT)
    report_id = make_report(actor=ada, case_id=case_id, at=AT)
    file = open_report(actor=bo, report_id=report_id, at=AT)
    [view] = get_case_page(ada, case_id).reports
    [made] = list_entries(action="cases.make_report")
    assert made.inputs["sha256"] == view.sha256
    assert len(list_entries(action="cases.open_report")) == 1
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        whole = json.loads(archive.read("report.json"))
        moves = list(csv.DictReader(io.StringIO(archive.read("transactions.csv").decode("utf-8-sig"))))
        assert b"'=HYPERLINK" in archive.read("timeline.csv")
    assert [party["name"] for party in whole["parties"]] == ["Near"]
    assert whole["alerts"][0]["facts"] == {"in_3s_minor": 5, "out_3s_minor": 9}
    assert {move["what"] for move in moves} >= {"deposit", "drawdown", "withdrawal", "receipt"}
    close(case_id, ada, bo, Disposition.REPORTED)
    assert get_approval(get_case_page(ada, case_id).approval_id or 0).payload["reports"] == [view.sha256]


def test_a_document_is_sealed_and_each_look_at_it_is_logged(desk: Desk, ada: Actor) -> None:
    case_id = open_case(actor=ada, alert_ids=raise_alerts(desk.near_client), title="Cash", at=AT)
    content = picture()
    document_id = add_document(actor=ada, case_id=case_id, file_name="../deed.png", content=content, at=AT)
    assert open_document(actor=ada, document_id=document_id, at=AT).content == content
    assert len(list_entries(action="cases.open_document")) == 1
    with pytest.raises(Refusal):
        add_document(actor=ada, case_id=case_id, file_name="deed.pdf", content=b"<script>", at=AT)
    with pytest.raises(PermissionRefused):
        open_document(actor=desk.risk, document_id=document_id, at=AT)
    assert [one.file_name for one in get_case_page(ada, case_id).documents] == ["deed.png"]


def test_why_an_alert_was_raised_is_told_term_by_term(desk: Desk, ada: Actor) -> None:
    [alert_id] = raise_alerts(desk.near_client)
    told = explain_alert(ada, alert_id)
    assert [(term.text, term.is_true) for term in told.terms] == [
        ("in_3s_minor >= floor_minor", True),
        ("(out_3s_minor > 5 or in_3s_minor < 3)", True),
    ]
    assert told.terms[0].given == (("in_3s_minor", 5), ("floor_minor", 4))
    assert told.cooled_at == AT + timedelta(days=7)
    own, *before = [one.amount_minor for one in told.activities]
    assert own == 5
    assert before == [5_000_000, 5_000_000, 5_000, 0], "what the account did on that day, newest first"
    assert list(split_terms("a and (b and c)")) == ["a", "(b and c)"]


def race(*deeds: Callable[[], object]) -> list[str]:
    """Do all of it at once. Returns `done` or the refusal's code for each, sorted."""
    start = threading.Barrier(len(deeds))
    outcomes: list[str] = []

    def run(deed: Callable[[], object]) -> None:
        start.wait()
        try:
            deed()
            outcomes.append("done")
        except Refusal as refusal:
            outcomes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=[deed]) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return sorted(outcomes)


@pytest.mark.django_db(transaction=True)
def test_two_officers_who_propose_or_approve_at_once_close_a_case_once(live_desk: Desk) -> None:
    ada, bo, cy = officer("ada"), officer("bo"), officer("cy")
    case_id = open_case(actor=ada, alert_ids=raise_alerts(live_desk.near_client), title="Cash", at=AT)
    propose = {"case_id": case_id, "disposition": Disposition.MONITORING, "reason": "watch", "at": AT}
    assert race(
        lambda: propose_disposition(actor=ada, **propose),  # type: ignore[arg-type]
        lambda: propose_disposition(actor=bo, **propose),  # type: ignore[arg-type]
    ) == ["done", "invalid_transition"]
    approval = get_approval(get_case_page(ada, case_id).approval_id or 0)
    others = [one for one in (ada, bo, cy) if one.ref != approval.requested_by]
    assert race(
        *(
            lambda one=one: approve(actor=one, approval_id=approval.id, payload_hash=approval.payload_hash, at=AT)  # type: ignore[misc]
            for one in others
        )
    ) == ["done", "invalid_transition"]
    dispatch_once("worker")
    assert Entry.objects.filter(case_id=case_id, kind="closed").count() == 1
    assert verify_cases() == []


@pytest.mark.django_db(transaction=True)
def test_a_snooze_and_a_case_at_once_leave_the_alert_in_the_case_or_resting_but_never_both(live_desk: Desk) -> None:
    ada, bo = officer("ada"), officer("bo")
    [alert_id] = raise_alerts(live_desk.near_client)
    outcome = race(
        lambda: open_case(actor=ada, alert_ids=[alert_id], title="Cash", at=AT),
        lambda: snooze_alert(actor=bo, alert_id=alert_id, until=AT + timedelta(days=3), reason="papers", at=AT),
    )
    assert outcome in (["done", "done"], ["done", "invalid_transition"])
    found = get_alert(ada, alert_id)
    assert found.state.value == "in_case"
    assert found.snoozed_until is None
    assert Case.objects.count() == 1
