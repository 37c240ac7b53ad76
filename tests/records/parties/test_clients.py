"""Clients within a scope, and the licence without which nothing goes on."""

from datetime import UTC, date, datetime, timedelta
from time import perf_counter

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.platform.access.rules import permissions_of
from reefpoint.platform.access.services import PermissionRefused, create_user
from reefpoint.platform.access.types import RoleName
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.records.parties.models import Client, Licence
from reefpoint.records.parties.selectors.clients import (
    ClientNotFound,
    can_see_client,
    get_client,
    list_clients,
    search_clients,
    visible_clients,
)
from reefpoint.records.parties.services import (
    ClientExists,
    LicenceMalformed,
    LicenceRefused,
    block_client,
    end_licence,
    record_licence,
    register_client,
    register_clients,
    require_licence,
)
from reefpoint.records.parties.types import ClientDraft, ClientStatus

AT = datetime(2020, 1, 2, 14, tzinfo=UTC)
ON = date(2020, 1, 2)
DESK = system_actor("desk")
pytestmark = pytest.mark.django_db


def manager(name: str) -> Actor:
    user_id = create_user(
        actor=DESK, email=f"{name}@desk.test", name=name, password=None, roles=[RoleName.RELATIONSHIP_MANAGER], at=AT
    )
    return Actor(
        ref=f"user:{user_id}",
        name=name,
        permissions=permissions_of([RoleName.RELATIONSHIP_MANAGER]),
        user_id=user_id,
        sees_all_clients=False,
    )


def client_of(owner: Actor | None, name: str) -> int:
    draft = ClientDraft(
        name=name, email=f"{name}@mail.test", name_zh="陈大文", relationship_manager_id=owner.user_id if owner else None
    )
    return register_client(actor=DESK, draft=draft, on=ON, at=AT)


def test_a_registered_client_has_a_number_that_people_can_say() -> None:
    client_id = client_of(None, "chen")
    client = get_client(DESK, client_id)
    assert client.number == f"C-{client_id:06d}"
    assert (client.status, client.opened_on) == (ClientStatus.ACTIVE, ON)
    assert Entry.objects.filter(action="clients.register", subject=f"client:{client_id}").count() == 1


def test_numbers_outgrow_six_digits() -> None:
    client_id = client_of(None, "chen")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE parties_client SET id = 12345678 WHERE id = %s", [client_id])
    assert get_client(DESK, 12345678).number == "C-12345678"


def test_five_hundred_clients_are_registered_within_a_second() -> None:
    drafts = [ClientDraft(name=f"Client {n}", email=f"client{n}@mail.test") for n in range(500)]
    started = perf_counter()
    ids = register_clients(actor=DESK, drafts=drafts, on=ON, at=AT)
    assert perf_counter() - started < 1
    assert len(set(ids)) == 500
    assert get_client(DESK, ids[499]).name == "Client 499"


@pytest.mark.parametrize("address", ["CHEN@mail.test", " chen@mail.test"])
def test_a_second_client_with_the_same_address_is_refused_and_leaves_nothing(address: str) -> None:
    client_of(None, "chen")
    with pytest.raises(ClientExists, match=r"chen@mail\.test"):
        register_clients(
            actor=DESK,
            drafts=[ClientDraft(name="New", email="new@mail.test"), ClientDraft(name="Chen", email=address)],
            on=ON,
            at=AT,
        )
    assert Client.objects.count() == 1


def test_an_address_that_stands_twice_in_one_list_is_refused() -> None:
    twice = [ClientDraft(name="A", email="a@mail.test"), ClientDraft(name="B", email="A@mail.test")]
    with pytest.raises(ClientExists, match=r"a@mail\.test"):
        register_clients(actor=DESK, drafts=twice, on=ON, at=AT)
    assert Client.objects.count() == 0


def test_i66_a_manager_sees_their_own_clients_alone_and_others_do_not_exist_for_them() -> None:
    mei, otto = manager("mei"), manager("otto")
    of_mei, of_otto, of_nobody = client_of(mei, "chen"), client_of(otto, "wang"), client_of(None, "li")
    assert [client.id for client in list_clients(mei)] == [of_mei]
    assert [client.id for client in search_clients(mei, "mail.test")] == [of_mei]
    assert get_client(mei, of_mei).id == of_mei
    for other in (of_otto, of_nobody, 999_999_999):
        with pytest.raises(ClientNotFound, match=f"no client {other}, or it is not yours"):
            get_client(mei, other)
        assert not can_see_client(mei, other)
    assert visible_clients(DESK).count() == 3


def test_i66_somebody_without_a_user_id_or_the_right_sees_nobody() -> None:
    client_id = client_of(None, "li")
    nobody = Actor(ref="api:1", name="key", permissions=frozenset({"clients.view"}), sees_all_clients=False)
    with pytest.raises(ClientNotFound):
        get_client(nobody, client_id)
    with pytest.raises(PermissionRefused):
        get_client(Actor(ref="user:7", name="x", user_id=7), client_id)


def test_i66_a_client_outside_the_scope_is_not_blocked() -> None:
    client_id = client_of(None, "li")
    narrow = Actor(ref="user:7", name="x", permissions=frozenset({"clients.block"}), user_id=7, sees_all_clients=False)
    with pytest.raises(ClientNotFound):
        block_client(actor=narrow, client_id=client_id, reason="r", at=AT)
    assert get_client(DESK, client_id).status is ClientStatus.ACTIVE
    block_client(actor=DESK, client_id=client_id, reason="court order", at=AT)
    assert get_client(DESK, client_id).status is ClientStatus.BLOCKED


@pytest.mark.parametrize("text", ["大文", "CHEN", "chen@"])
def test_clients_are_found_by_name_in_both_languages_and_address(text: str) -> None:
    client_id = client_of(None, "chen")
    assert [client.id for client in search_clients(DESK, text)] == [client_id]


def test_a_client_is_found_by_the_beginning_of_the_number_in_either_case() -> None:
    client_id = client_of(None, "chen")
    number = get_client(DESK, client_id).number
    for text in (number, number.lower(), number[:-1].lower()):
        assert [client.id for client in search_clients(DESK, text)] == [client_id]


@pytest.mark.parametrize("text", ["", "   ", "\x00", "%", "'; DROP TABLE", "\\"])
def test_i69_a_hostile_search_finds_nothing(text: str) -> None:
    client_of(None, "chen")
    assert search_clients(DESK, text) == []


def lend_licence(valid_to: date | None = None) -> int:
    return record_licence(
        actor=DESK,
        jurisdiction="US",
        activity="margin_lending",
        permit="us.broker_dealer",
        number="8-00001",
        holder="Demo Desk LLC",
        valid_from=ON,
        valid_to=valid_to,
        evidence="register extract",
        at=AT,
    )


def test_i68_without_a_licence_nothing_goes_on() -> None:
    with pytest.raises(LicenceRefused, match="margin_lending in US"):
        require_licence(jurisdiction="US", activity="margin_lending", on=ON, at=AT)


def test_i68_a_licence_holds_for_its_jurisdiction_activity_and_days_alone() -> None:
    lend_licence(valid_to=date(2020, 6, 30))
    assert require_licence(jurisdiction="US", activity="margin_lending", on=ON, at=AT).holder == "Demo Desk LLC"
    require_licence(jurisdiction="US", activity="margin_lending", on=date(2020, 6, 30), at=AT)
    for jurisdiction, activity, on in (
        ("US", "margin_lending", ON - timedelta(days=1)),
        ("US", "margin_lending", date(2020, 7, 1)),
        ("US", "advice", ON),
        ("HK", "margin_lending", ON),
    ):
        with pytest.raises(LicenceRefused):
            require_licence(jurisdiction=jurisdiction, activity=activity, on=on, at=AT)


def test_i68_an_end_takes_force_at_once() -> None:
    licence_id = lend_licence()
    on = date(2020, 3, 2)
    require_licence(jurisdiction="US", activity="margin_lending", on=on, at=AT)
    end_licence(actor=DESK, licence_id=licence_id, valid_to=on - timedelta(days=1), reason="revoked", at=AT)
    with pytest.raises(LicenceRefused):
        require_licence(jurisdiction="US", activity="margin_lending", on=on, at=AT)


def test_a_licence_that_ends_before_it_begins_or_is_on_record_is_refused() -> None:
    with pytest.raises(LicenceMalformed):
        lend_licence(valid_to=ON - timedelta(days=1))
    licence_id = lend_licence()
    with pytest.raises(LicenceMalformed, match="on record"):
        lend_licence()
    with pytest.raises(LicenceMalformed):
        end_licence(actor=DESK, licence_id=licence_id, valid_to=ON - timedelta(days=1), reason="typo", at=AT)
    with pytest.raises(IntegrityError, match="dates_in_order"), transaction.atomic():
        Licence.objects.update(valid_to=ON - timedelta(days=1))


def test_licences_and_clients_need_the_right() -> None:
    outsider = Actor(ref="user:9", name="Otto", user_id=9)
    with pytest.raises(PermissionRefused):
        end_licence(actor=outsider, licence_id=1, valid_to=ON, reason="", at=AT)
    with pytest.raises(PermissionRefused):
        register_client(actor=outsider, draft=ClientDraft("A", "a@mail.test"), on=ON, at=AT)
    assert Client.objects.count() == 0
