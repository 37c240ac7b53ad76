"""A client's right to their data: all of it in one file; erased, by two people, what no law keeps."""

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from tests.desk import SYSTEM, Desk
from tests.records.parties.test_documents import pdf, picture

from reefpoint.decisions.relations.selectors import load_groups, verify_relations
from reefpoint.flows.operations.selectors.retention import find_run_out, plan_retention
from reefpoint.flows.operations.services.data_rights import (
    AccountsNotEmpty,
    end_relationship,
    erase_approved,
    export_client_data,
    request_erasure,
    request_sweep,
)
from reefpoint.platform.access.events import ApprovalGranted
from reefpoint.platform.access.models import Approval
from reefpoint.platform.access.rules import permissions_of
from reefpoint.platform.access.selectors import get_approval
from reefpoint.platform.access.services import PermissionRefused, ReasonNeeded, SecondPersonNeeded, approve
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.personal_data import DataCategory
from reefpoint.platform.events.services import dispatch_once
from reefpoint.platform.events.types import StoredEvent
from reefpoint.platform.vault.selectors import verify_vault
from reefpoint.records.parties.models import BankAccount, Client, Document, Profile, TraitRow
from reefpoint.records.parties.selectors.clients import get_client
from reefpoint.records.parties.selectors.data_rights import list_erasures
from reefpoint.records.parties.selectors.profiles import get_profile
from reefpoint.records.parties.selectors.proof import verify_parties
from reefpoint.records.parties.selectors.traits import list_traits
from reefpoint.records.parties.services import (
    ClientStillServed,
    UnderLegalHold,
    add_document,
    begin_prospect,
    close_client,
    lift_hold,
    place_hold,
    record_consent,
    record_profile,
    record_trait,
    register_client,
)
from reefpoint.records.parties.types import (
    BankAccountDraft,
    ClientDraft,
    ClientKind,
    ClientStatus,
    ConsentChannel,
    ConsentPurpose,
    DocumentKind,
    IdentifierDraft,
    IdentifierKind,
    ProfileDraft,
    TraitKind,
)
from reefpoint.records.products.services import load_rule_pack

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
ON = date(2026, 11, 23)
pytestmark = pytest.mark.django_db

WANG = ProfileDraft(
    kind=ClientKind.INDIVIDUAL,
    name="Wang Fang",
    residence="CN",
    phone="+86 138 1234 5678",
    identifiers=(IdentifierDraft(IdentifierKind.CN_RIC, "110101199003070011", "CN"),),
    bank_accounts=(BankAccountDraft("CN", "ICBC", "102", "Wang Fang", "6222021001123456789", "CNY"),),
)


def person(number: int) -> Actor:
    return Actor(
        ref=f"user:{number}", name=f"P{number}", permissions=permissions_of([RoleName.COMPLIANCE]), user_id=number
    )


MIN, ZHAO = person(101), person(102)


def with_data(client_id: int, draft: ProfileDraft = WANG) -> int:
    record_profile(actor=SYSTEM, client_id=client_id, draft=draft, reason="", at=AT)
    record_trait(client_id=client_id, kind=TraitKind.DEVICE, value="device-123456", at=AT)
    for kind, content in ((DocumentKind.IDENTITY, pdf()), (DocumentKind.OTHER, picture("PNG"))):
        add_document(actor=SYSTEM, client_id=client_id, kind=kind, file_name="护照.pdf", content=content, at=AT)
    record_consent(
        actor=SYSTEM,
        client_id=client_id,
        purpose=ConsentPurpose.MARKETING,
        text_version="2026-01",
        channel=ConsentChannel.PAPER,
        at=AT,
    )
    return client_id


def client_of(name: str = "wang", draft: ProfileDraft = WANG) -> int:
    new = ClientDraft(name=name, email=f"{name}@mail.test")
    return with_data(register_client(actor=SYSTEM, draft=new, on=ON, at=AT), draft)


def prospect() -> int:
    new = ClientDraft(name="Wang Fang", email="prospect@mail.test")
    return with_data(begin_prospect(actor=SYSTEM, draft=new, on=ON, at=AT))


def packs(*jurisdictions: str) -> None:
    for jurisdiction in jurisdictions:
        load_rule_pack(actor=SYSTEM, jurisdiction=jurisdiction, at=AT)


def decide(approval_id: int) -> None:
    approval = get_approval(approval_id)
    approve(actor=ZHAO, approval_id=approval_id, payload_hash=approval.payload_hash, at=AT)
    while dispatch_once("worker"):
        pass


def test_of_all_rules_the_longest_wins_in_each_jurisdiction() -> None:
    packs("US", "HK", "CN")
    chinese = client_of()
    close_client(actor=SYSTEM, client_id=chinese, reason="left", at=AT)
    found = plan_retention(chinese, ON)
    assert found[DataCategory.IDENTITY].until == date(2046, 11, 23)
    assert [rule.id for rule in found[DataCategory.IDENTITY].rules] == [
        "cn.records.securities_company",
        "cn.aml.record_years",
    ]
    assert found[DataCategory.TECHNICAL].until is None
    american = client_of("american", replace(WANG, residence="US"))
    assert plan_retention(american, ON)[DataCategory.IDENTITY].until == date(2032, 11, 23)
    unknown = client_of("unknown", replace(WANG, residence="ZZ"))
    assert plan_retention(unknown, ON)[DataCategory.IDENTITY].until == date(2046, 11, 23)


def test_who_never_was_a_client_is_kept_by_the_rules_on_applications_alone() -> None:
    packs("US", "CN")
    client_id = prospect()
    record_profile(actor=SYSTEM, client_id=client_id, draft=replace(WANG, residence="US"), reason="", at=AT)
    found = plan_retention(client_id, ON)
    assert found[DataCategory.IDENTITY].until is None
    assert found[DataCategory.APPLICATION].until == date(2028, 12, 23)


def test_an_erasure_needs_two_people_and_keeps_what_the_law_keeps() -> None:
    packs("CN")
    client_id = client_of()
    close_client(actor=SYSTEM, client_id=client_id, reason="left", at=AT)
    approval_id = request_erasure(actor=MIN, client_id=client_id, reason="their letter", at=AT)
    approval = get_approval(approval_id)
    assert "cn.records.securities_company" in str(approval.payload)
    assert not [secret for secret in ("Wang", "1101", "138", "mail.test") if secret in str(approval.payload)]
    with pytest.raises(SecondPersonNeeded):
        approve(actor=MIN, approval_id=approval_id, payload_hash=approval.payload_hash, at=AT)
    assert Document.objects.filter(erased_at=None).count() == 2
    decide(approval_id)
    assert [row.kind for row in Document.objects.filter(erased_at=None)] == ["identity"]
    assert {trait.kind for trait in list_traits([client_id])}.isdisjoint({TraitKind.DEVICE, TraitKind.IP_DAY})
    assert get_profile(SYSTEM, client_id) is not None
    (erasure,) = list_erasures(client_id)
    assert erasure.kept == dict.fromkeys(("account", "diligence", "identity"), date(2046, 11, 23))
    assert verify_vault() + verify_parties() == []


def test_who_no_law_keeps_is_erased_whole() -> None:
    packs("CN")
    client_id = prospect()
    decide(request_erasure(actor=MIN, client_id=client_id, reason="their letter", at=AT))
    client = get_client(SYSTEM, client_id)
    assert (client.name, client.email, client.status) == (
        "Erased",
        f"client-{client_id}@erased.invalid",
        ClientStatus.CLOSED,
    )
    assert get_profile(SYSTEM, client_id) is None
    assert TraitRow.objects.count() == 0
    for model in (Profile, BankAccount, Document):
        assert [row.blob for row in model.objects.all()] == [None] * model.objects.count() != []
    assert Document.objects.values_list("file_name", flat=True).distinct().get() == ""
    assert verify_vault() + verify_parties() == []


def test_an_approved_erasure_is_done_once_however_often_it_is_told() -> None:
    packs("CN")
    client_id = prospect()
    approval_id = request_erasure(actor=MIN, client_id=client_id, reason="their letter", at=AT)
    decide(approval_id)
    event = ApprovalGranted(approval_id=approval_id, kind="clients.erase", subject=f"client:{client_id}", at=AT)
    erase_approved(StoredEvent(1, event))
    assert len(list_erasures(client_id)) == 1


def test_a_plan_that_no_longer_holds_erases_nothing_and_says_so() -> None:
    packs("US")
    client_id = prospect()
    approval_id = request_erasure(actor=MIN, client_id=client_id, reason="their letter", at=AT)
    packs("CN")
    decide(approval_id)
    assert list_erasures(client_id) == []
    assert get_client(SYSTEM, client_id).name == "Wang Fang"
    assert Entry.objects.get(action="clients.erase_outdated").inputs == {"approval_id": approval_id}


def test_a_served_or_blocked_client_is_not_erased() -> None:
    client_id = client_of()
    for status in (ClientStatus.ACTIVE, ClientStatus.BLOCKED):
        Client.objects.filter(id=client_id).update(status=status)
        with pytest.raises(ClientStillServed):
            request_erasure(actor=MIN, client_id=client_id, reason="letter", at=AT)
    assert Approval.objects.count() == 0


def test_a_relationship_with_money_in_it_does_not_end(desk: Desk) -> None:
    with pytest.raises(AccountsNotEmpty, match="M-0"):
        end_relationship(actor=MIN, client_id=desk.near_client, reason="left", at=AT)
    assert get_client(SYSTEM, desk.near_client).status is ClientStatus.ACTIVE


def test_an_export_holds_everything_of_the_person_and_nothing_that_tips_off(desk: Desk) -> None:
    client_id = with_data(desk.near_client)
    for action in ("clients.block", "screening.confirm", "cases.open"):
        Entry.objects.create(at=AT, actor="user:1", action=action, subject=f"client:{client_id}", inputs={})
    content = export_client_data(actor=MIN, client_id=client_id, reason="their letter", at=AT)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        parts = {name: json.loads(archive.read(name)) for name in names if name.endswith(".json")}
        assert archive.read(next(name for name in names if name.endswith("护照.pdf"))) == pdf()
    assert parts["profiles.json"][0]["identifiers"][0]["number"] == "110101199003070011"
    assert parts["bank_accounts.json"][0]["number"] == "6222021001123456789"
    assert [account["principal_minor"] for account in parts["accounts.json"]] == [50_000_00]
    assert {entry["action"] for entry in parts["what_was_done.json"]} <= {
        "clients.record_profile",
        "documents.add",
        "consents.record",
    }
    entry = Entry.objects.get(action="clients.export_data")
    assert (entry.reason, entry.inputs["size_bytes"], len(entry.inputs["sha256"])) == ("their letter", len(content), 64)
    assert "1101" not in str(entry.inputs)


def test_an_export_needs_the_right_and_a_reason_and_leaves_nothing_when_refused() -> None:
    client_id = client_of()
    with pytest.raises(PermissionRefused):
        export_client_data(actor=Actor(ref="user:9", name="O", user_id=9), client_id=client_id, reason="r", at=AT)
    with pytest.raises(ReasonNeeded):
        export_client_data(actor=MIN, client_id=client_id, reason=" ", at=AT)
    assert not Entry.objects.filter(action="clients.export_data").exists()


def test_what_was_shared_is_gone_from_the_groups_of_related_clients() -> None:
    packs("CN")
    one, other = prospect(), client_of("other")
    while dispatch_once("worker"):
        pass
    together = verify_relations()
    decide(request_erasure(actor=MIN, client_id=one, reason="their letter", at=AT))
    assert together + verify_relations() == []
    assert other not in load_groups()


LATER = datetime(2029, 6, 1, 15, tzinfo=UTC)


def gone(name: str, residence: str = "US") -> int:
    """A client who left on the day of these tests."""
    client_id = client_of(name, replace(WANG, residence=residence))
    close_client(actor=SYSTEM, client_id=client_id, reason="left", at=AT)
    return client_id


def sweep(on: date) -> int:
    at = datetime(on.year, on.month, on.day, 15, tzinfo=UTC)
    return request_sweep(actor=MIN, reason="yearly", on=on, at=at)


def test_what_has_run_out_is_told_by_class_and_goes_class_by_class() -> None:
    packs("US", "CN")
    american, chinese = gone("american"), gone("chinese", "CN")
    assert find_run_out(MIN, date(2027, 2, 20)) == []
    due = find_run_out(MIN, date(2027, 2, 21))
    assert [(one.client_id, one.goes, one.tables) for one in due] == [
        (american, (DataCategory.TECHNICAL,), ()),
        (chinese, (DataCategory.APPLICATION, DataCategory.TECHNICAL), ()),
    ]
    decide(sweep(date(2027, 2, 21)))
    assert find_run_out(MIN, date(2028, 12, 23)) == []
    assert find_run_out(MIN, date(2028, 12, 24)) == []  # what an application was judged by is part of the accounts
    (due_later,) = find_run_out(MIN, date(2031, 11, 24))
    assert (due_later.client_id, due_later.goes) == (american, (DataCategory.APPLICATION, DataCategory.DILIGENCE))
    assert due_later.kept == dict.fromkeys((DataCategory.ACCOUNT, DataCategory.IDENTITY), date(2032, 11, 23))
    assert {"monitoring.Activity", "screening.Hit"} <= set(due_later.tables)
    assert not {"parties.Client", "credit.CreditDecision"} & set(due_later.tables)
    decide(sweep(date(2031, 11, 24)))
    assert get_profile(SYSTEM, american) is not None
    decide(sweep(date(2032, 11, 24)))
    assert get_profile(SYSTEM, american) is None
    assert get_client(SYSTEM, american).name == "Erased"
    assert get_profile(SYSTEM, chinese) is not None
    assert [set(one.kept) for one in list_erasures(american)] == [
        {"account", "application", "diligence", "identity"},
        {"account", "identity"},
        set(),
    ]
    assert verify_vault() + verify_parties() == []


def test_a_legal_hold_stops_every_erasure_until_it_is_lifted() -> None:
    packs("US")
    held, free = gone("held"), gone("free")
    approval_id = request_erasure(actor=MIN, client_id=held, reason="their letter", at=AT)
    hold_id = place_hold(actor=MIN, client_id=held, matter="2026-CV-17", reason="a claim of the client", at=AT)
    assert place_hold(actor=MIN, client_id=held, matter="2026-CV-17", reason="again", at=AT) == hold_id
    decide(approval_id)
    assert list_erasures(held) == []
    assert Entry.objects.get(action="clients.erase_stopped").inputs["code"] == "under_legal_hold"
    with pytest.raises(UnderLegalHold, match="2026-CV-17"):
        request_erasure(actor=MIN, client_id=held, reason="their letter", at=AT)
    on = date(2032, 11, 24)
    assert [(one.client_id, one.is_held) for one in find_run_out(MIN, on)] == [(held, True), (free, False)]
    decide(sweep(on))
    assert [get_client(SYSTEM, one).name for one in (held, free)] == ["Wang Fang", "Erased"]
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.get(id=held).erasures.create(at=AT, asked_by="user:1", erased={}, kept={})
    lift_hold(actor=MIN, client_id=held, hold_id=hold_id, reason="settled", at=LATER)
    decide(sweep(on))
    assert get_client(SYSTEM, held).name == "Erased"


def test_who_was_held_after_a_sweep_was_asked_is_left_and_the_others_go() -> None:
    packs("US")
    held, free = gone("held"), gone("free")
    approval_id = sweep(date(2032, 11, 24))
    place_hold(actor=MIN, client_id=held, matter="2026-CV-17", reason="a claim", at=AT)
    decide(approval_id)
    assert [len(list_erasures(one)) for one in (held, free)] == [0, 1]
    assert Entry.objects.get(action="clients.erase_stopped").subject == f"client:{held}"
