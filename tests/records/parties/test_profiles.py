"""What is known of a client: in versions, sealed, masked, and unmasked for a reason that is logged."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.platform.access.services import PermissionRefused, ReasonNeeded
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.vault.selectors import verify_vault
from reefpoint.records.parties.models import BankAccount, Profile, TraitRow
from reefpoint.records.parties.selectors.bank_accounts import list_bank_accounts
from reefpoint.records.parties.selectors.clients import ClientNotFound
from reefpoint.records.parties.selectors.profiles import (
    get_profile,
    list_related_persons,
    load_identifiers,
    load_profiles,
)
from reefpoint.records.parties.selectors.proof import verify_parties
from reefpoint.records.parties.selectors.traits import list_traits
from reefpoint.records.parties.services import NoSuchField, record_profile, register_client, unmask
from reefpoint.records.parties.types import (
    BankAccountDraft,
    ClientDraft,
    ClientKind,
    IdentifierDraft,
    IdentifierKind,
    PersonRole,
    ProfileDraft,
    RelatedPersonDraft,
    TraitKind,
)

AT = datetime(2020, 1, 2, 14, tzinfo=UTC)
ON = date(2020, 1, 2)
DESK = system_actor("desk")
pytestmark = pytest.mark.django_db

WANG = ProfileDraft(
    kind=ClientKind.INDIVIDUAL,
    name="Wang Fang",
    name_zh="王芳",
    birth_or_incorporated_on=date(1990, 3, 7),
    nationality="CN",
    residence="CN",
    address="上海市浦东新区世纪大道100号",
    phone="+86 138 1234 5678",
    tax_residences=(("CN", "110101199003070011"),),
    annual_income_minor=600_000_00,
    currency="CNY",
    sources_of_funds=("salary",),
    identifiers=(IdentifierDraft(IdentifierKind.CN_RIC, "110101199003070011", "CN", None, date(2030, 1, 1)),),
    bank_accounts=(BankAccountDraft("CN", "ICBC", "102", "王芳", "6222 0210 0112 3456 789", "CNY"),),
    related_persons=(
        RelatedPersonDraft(
            PersonRole.ATTORNEY,
            "Li Ming",
            birth_on=date(1985, 1, 1),
            identifier=IdentifierDraft(IdentifierKind.PASSPORT, "E12345678"),
        ),
    ),
)
SECRETS = ("110101199003070011", "3456 789", "1234 5678", "世纪大道", "E12345678", "1990-03-07")


def client_of(name: str = "wang") -> int:
    return register_client(actor=DESK, draft=ClientDraft(name=name, email=f"{name}@mail.test"), on=ON, at=AT)


def on_record(draft: ProfileDraft = WANG, name: str = "wang") -> int:
    client_id = client_of(name)
    record_profile(actor=DESK, client_id=client_id, draft=draft, reason="application", at=AT)
    return client_id


def test_a_profile_is_read_back_as_it_was_recorded_and_shown_masked() -> None:
    client_id = on_record()
    facts = load_profiles([client_id])[client_id]
    assert (facts.version, facts.birth_or_incorporated_on, facts.annual_income_minor) == (1, date(1990, 3, 7), 60000000)
    assert load_identifiers([client_id])[0].identifier == WANG.identifiers[0]
    view = get_profile(DESK, client_id)
    assert view is not None
    assert view.identifiers[0].number == "110*************11"
    assert (view.birth_year, view.birth_or_incorporated_on, view.phone) == (1990, None, "+86************78")
    assert list_bank_accounts(DESK, client_id)[0].masked.endswith(" 789")
    assert list_related_persons(DESK, client_id)[0].identifier_masked == "E*******8"
    shown = repr([view, list_bank_accounts(DESK, client_id), list_related_persons(DESK, client_id), facts])
    assert not [secret for secret in SECRETS[:-1] if secret in shown]


def test_nothing_of_a_profile_lies_open_in_the_database() -> None:
    on_record()
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(p)::text FROM parties_profile p")
        texts = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT row_to_json(p)::text FROM parties_bank_account p")
        texts += [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT row_to_json(p)::text FROM parties_trait p")
        texts += [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT inputs::text || reason FROM audit_entry")
        texts += [row[0] for row in cursor.fetchall()]
    for secret in SECRETS:
        for text in texts:
            assert secret not in text
            assert secret.encode().hex() not in text


def test_a_new_version_changes_what_differs_and_keeps_the_old_one() -> None:
    client_id = on_record()
    moved = replace(WANG, phone="+86 139 0000 1111", bank_accounts=())
    assert record_profile(actor=DESK, client_id=client_id, draft=moved, reason="moved", at=AT) == 2
    assert record_profile(actor=DESK, client_id=client_id, draft=moved, reason="again", at=AT) == 2
    assert Profile.objects.filter(client_id=client_id).count() == 2
    entry = Entry.objects.filter(action="clients.record_profile").latest("id")
    assert entry.inputs == {"version": 2, "changed": ["phone", "bank_accounts"]}
    phones = [trait for trait in list_traits([client_id]) if trait.kind is TraitKind.PHONE]
    assert [trait.until for trait in phones] == [AT, None]
    assert list_bank_accounts(DESK, client_id) == []
    assert BankAccount.objects.get().removed_at == AT
    assert verify_parties() + verify_vault() == []


def test_two_clients_share_what_is_the_same_however_it_is_written() -> None:
    one = on_record()
    other = on_record(replace(WANG, name="Other", phone="0086-138-1234-5678", identifiers=()), "other")
    traits = {(trait.client_id, trait.kind): trait.digest for trait in list_traits([one, other])}
    assert traits[one, TraitKind.PHONE] == traits[other, TraitKind.PHONE]
    assert traits[one, TraitKind.ADDRESS] == traits[other, TraitKind.ADDRESS]
    assert traits[one, TraitKind.EMAIL] != traits[other, TraitKind.EMAIL]


def test_i65_unmasking_needs_the_right_a_reason_and_is_logged_without_the_value() -> None:
    client_id = on_record()
    curious = Actor(ref="user:5", name="Cu", user_id=5, permissions=frozenset({"clients.view"}))
    with pytest.raises(PermissionRefused):
        unmask(actor=curious, client_id=client_id, field="identifier:0", reason="because I can", at=AT)
    with pytest.raises(ReasonNeeded):
        unmask(actor=DESK, client_id=client_id, field="identifier:0", reason="  ", at=AT)
    with pytest.raises(NoSuchField):
        unmask(actor=DESK, client_id=client_id, field="identifier:7", reason="court order 12", at=AT)
    assert not Entry.objects.filter(action="clients.unmask").exists()
    value = unmask(actor=DESK, client_id=client_id, field="identifier:0", reason="court order 12", at=AT)
    assert value == "110101199003070011"
    entry = Entry.objects.get(action="clients.unmask")
    assert (entry.subject, entry.reason, entry.inputs) == (
        f"client:{client_id}",
        "court order 12",
        {"field": "identifier:0"},
    )


def test_i66_a_profile_outside_the_scope_is_neither_read_nor_changed_nor_unmasked() -> None:
    client_id = on_record()
    rights = frozenset({"clients.view", "clients.change_profile", "clients.unmask"})
    narrow = Actor(ref="user:5", name="N", user_id=5, permissions=rights, sees_all_clients=False)
    with pytest.raises(ClientNotFound):
        get_profile(narrow, client_id)
    with pytest.raises(ClientNotFound):
        record_profile(actor=narrow, client_id=client_id, draft=replace(WANG, phone="1"), reason="", at=AT)
    with pytest.raises(ClientNotFound):
        unmask(actor=narrow, client_id=client_id, field="phone", reason="curious about it", at=AT)
    assert Profile.objects.count() == 1


def test_a_sealed_profile_moved_to_another_client_does_not_open_and_is_named() -> None:
    one, other = on_record(), on_record(replace(WANG, name="Other"), "other")
    blob = Profile.objects.get(client_id=one).blob
    Profile.objects.filter(client_id=other).update(blob=blob)
    assert [finding.check for finding in verify_vault()] == ["vault.seal_broken"]


def test_a_recorded_profile_is_neither_changed_nor_removed() -> None:
    on_record()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Profile.objects.update(reason="another")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Profile.objects.all().delete()


def test_traits_that_do_not_follow_from_the_profile_are_found() -> None:
    on_record()
    TraitRow.objects.filter(kind=TraitKind.PHONE).delete()
    assert [finding.check for finding in verify_parties()] == ["parties.traits"]
