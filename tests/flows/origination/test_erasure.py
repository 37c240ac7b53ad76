"""Who is erased is nowhere left: a search of every column of the database for what they were known by."""

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.desk import MONDAY, SYSTEM
from tests.flows.origination.conftest import AT, Office

from reefpoint.decisions.kyc.selectors import verify_kyc
from reefpoint.decisions.monitoring.models import Activity
from reefpoint.decisions.monitoring.selectors.verify import verify_monitoring
from reefpoint.decisions.monitoring.services.activities import note_activities
from reefpoint.decisions.monitoring.types import ActivityDraft, ActivityKind
from reefpoint.decisions.relations.models import HeldValue
from reefpoint.decisions.relations.selectors import verify_relations
from reefpoint.decisions.screening.models import Hit
from reefpoint.decisions.screening.selectors import verify_screening
from reefpoint.decisions.screening.services import screen_client
from reefpoint.decisions.suitability.selectors import verify_suitability
from reefpoint.flows.operations.selectors.retention import find_silence
from reefpoint.flows.origination.models import Application, Lead, SectionDraft, Step
from reefpoint.flows.origination.selectors.review import verify_applications
from reefpoint.flows.origination.services.leads import contact_of, note_contact, record_lead
from reefpoint.flows.origination.services.leaving import close_idle_prospects, erase_idle_leads
from reefpoint.flows.origination.services.submitting import withdraw_application
from reefpoint.flows.origination.types.leads import LeadChannel, LeadContact, LeadDraft
from reefpoint.platform.access.models import User
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.notifications.services import queue_notice
from reefpoint.platform.vault.selectors import verify_vault
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.parties.selectors.data_rights import load_retention_facts
from reefpoint.records.parties.services import erase_client
from reefpoint.records.parties.types import ClientStatus

MARKERS = (
    "Tan Wei Ling",
    "tan wei ling",
    "陈伟玲",
    "61234567",
    "6123 4567",
    "applicant@desk.test",
    "E1234567N",
    "S1234567D",
)
APPS = ("screening", "relations", "kyc", "suitability", "monitoring", "applications", "notifications")
KEPT = {"audit_entry"}
"""Tables in which a marker may stand after an erasure: the log is sealed, and who acted why stays in it."""


def tables_with(markers: tuple[str, ...]) -> set[str]:
    """Every table in which some text, JSON or binary column holds one of these."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT table_name, column_name, data_type FROM information_schema.columns
              JOIN information_schema.tables USING (table_schema, table_name)
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
               AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY')
            """
        )
        found = set()
        for table, column, kind in cursor.fetchall():
            held = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            wanted = [
                "".join(chr(b) if b < 128 else f"\\{b:03o}" for b in one.encode()) if kind == "bytea" else one
                for one in markers
            ]
            clause = " OR ".join(f"position(%s in {held}) > 0" for _ in wanted)
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}" WHERE {clause})', wanted)
            if cursor.fetchone() == (True,):
                found.add(table)
    return found


def work() -> None:
    while dispatch_once("worker"):
        pass


@pytest.fixture
def known(office: Office) -> Office:
    """An applicant of whom every app holds something."""
    draft = LeadDraft(
        "Tan Wei Ling", LeadChannel.BRANCH, name_zh="陈伟玲", email="applicant@desk.test", note="Tan Wei Ling called"
    )
    Application.objects.update(lead=record_lead(actor=SYSTEM, draft=draft, at=AT))
    office.list_name("Tan Wei Lin")
    office.write()
    office.submit()
    client_id = office.row.client_id
    screen_client(actor=SYSTEM, client_id=client_id, at=AT)
    activity = ActivityDraft(
        kind=ActivityKind.DEPOSIT, key="marker", client_id=client_id, at=AT, counterparty_name="Tan Wei Ling"
    )
    note_activities([activity])
    withdraw_application(
        actor=office.applicant, application_id=office.application_id, reason="Tan Wei Ling is moving", at=AT
    )
    queue_notice(
        actor=SYSTEM, key="late", client_id=client_id, to="applicant@desk.test", subject="s", body="b", about="x", at=AT
    )
    work()
    assert {
        "screening_hit",
        "monitoring_activity",
        "origination_lead",
        "access_user",
        "origination_step",
    } <= tables_with(MARKERS)
    return office


def erase(office: Office, keep: dict[DataCategory, date] | None = None, approval_id: int = 7) -> None:
    erase_client(
        actor=SYSTEM,
        client_id=office.row.client_id,
        keep=keep or {},
        asked_by="user:1",
        approval_id=approval_id,
        at=AT,
    )
    work()


def test_after_an_erasure_no_column_of_the_database_holds_the_client(known: Office) -> None:
    erase(known)
    assert tables_with(MARKERS) - KEPT == set()
    assert list(SectionDraft.objects.exclude(blob=None)) == []
    assert HeldValue.objects.filter(client_id=known.row.client_id).count() == 0
    assert contact_of(Lead.objects.get()) == LeadContact("", "")
    assert verify_vault() + verify_screening() + verify_monitoring() + verify_applications() + verify_relations() == []
    assert verify_kyc() + verify_suitability() == []


def test_each_app_says_what_it_erased_and_the_second_time_nothing(known: Office) -> None:
    actions = [f"{app}.erase" for app in APPS]
    erase(known)
    told = {entry.action: entry.inputs["erased"] for entry in Entry.objects.filter(action__in=actions)}
    assert told.keys() == set(actions)
    assert (told["screening.erase"]["hits"], told["applications.erase"]["leads"]) == (1, 1)
    erase(known, approval_id=8)
    again = Entry.objects.filter(action__in=actions).order_by("-id")[: len(actions)]
    assert {count for entry in again for count in entry.inputs["erased"].values()} == {0}


def test_what_a_law_keeps_stays_in_every_app_and_the_log_says_so(known: Office) -> None:
    before = tables_with(MARKERS)
    erase(known, dict.fromkeys((DataCategory.APPLICATION, DataCategory.DILIGENCE), date(2030, 1, 1)))
    assert tables_with(MARKERS) == before
    entries = Entry.objects.filter(action__in=[f"{app}.erase" for app in APPS])
    assert [entry.inputs["kept"] for entry in entries] == [["application", "diligence"]] * len(APPS)
    assert {entry.action: entry.inputs["erased"] for entry in entries if entry.action != "relations.erase"} == {
        f"{app}.erase": {} for app in APPS if app != "relations"
    }


def test_the_guards_let_words_be_erased_and_not_put_otherwise(known: Office) -> None:
    for rows, changes in (
        (Hit.objects, {"ours": "Somebody Else"}),
        (Hit.objects, {"theirs": ""}),
        (Step.objects, {"words": "other words"}),
        (Step.objects, {"words": "", "action": "accept"}),
        (Activity.objects, {"counterparty_name": "Somebody Else"}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**changes)
    with pytest.raises(IntegrityError), transaction.atomic():
        Activity.objects.filter(key="marker").delete()


def test_the_sign_in_of_an_erased_client_is_nobodys(known: Office) -> None:
    erase(known)
    user = User.objects.get(id=known.applicant.user_id)
    assert (user.email, user.name, user.is_active) == (f"user-{user.pk}@erased.invalid", "Erased", False)


def test_a_lead_who_never_applied_is_erased_when_its_time_is_over_and_not_a_day_before(office: Office) -> None:
    def asked(name: str, days_ago: int) -> int:
        email = f"{name.replace(' ', '.')}@leads.test"
        draft = LeadDraft(name, LeadChannel.BRANCH, email=email, note=name, may_contact=True)
        return record_lead(actor=SYSTEM, draft=draft, at=AT - timedelta(days=days_ago))

    old, young, applied = asked("Old Asker", 800), asked("Young Asker", 9), asked("Old Applicant", 800)
    spoken = asked("Spoken With", 800)
    note_contact(actor=SYSTEM, lead_id=spoken, words="still thinking", at=AT - timedelta(days=9))
    Application.objects.update(lead=applied)
    silence = find_silence(MONDAY)
    assert (silence.lead_months, silence.lead_rule, silence.leads_before) == (25, "us.records.regb", date(2017, 10, 25))
    assert erase_idle_leads(actor=SYSTEM, before=silence.leads_before, at=AT) == 1
    assert erase_idle_leads(actor=SYSTEM, before=silence.leads_before, at=AT) == 0
    assert set(Lead.objects.exclude(erased_at=None).values_list("id", flat=True)) == {old}
    assert tables_with(("Old Asker", "Old.Asker")) == set()
    assert contact_of(Lead.objects.get(id=young)).email == "young.asker@leads.test"
    last = (AT - timedelta(days=9)).date()
    assert erase_idle_leads(actor=SYSTEM, before=last, at=AT) == 0
    assert erase_idle_leads(actor=SYSTEM, before=last + timedelta(days=1), at=AT) == 2


def test_a_prospect_who_fell_silent_is_closed_and_one_who_waits_for_the_desk_is_not(office: Office) -> None:
    assert close_idle_prospects(actor=SYSTEM, before=MONDAY, at=AT) == 0
    later = AT + timedelta(days=400)
    assert close_idle_prospects(actor=SYSTEM, before=later.date(), at=later) == 1
    client_id = office.row.client_id
    assert (get_client(SYSTEM, client_id).status, office.row.state) == (ClientStatus.CLOSED, "withdrawn")
    facts = load_retention_facts([client_id])
    assert facts[0].closed_on == later.date()


def test_a_prospect_whose_application_was_handed_in_is_never_closed_for_silence(office: Office) -> None:
    office.write()
    office.submit()
    later = AT + timedelta(days=400)
    assert close_idle_prospects(actor=SYSTEM, before=later.date(), at=later) == 0
