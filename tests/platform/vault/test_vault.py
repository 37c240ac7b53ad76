"""Sealing under keys that turn: nothing opens elsewhere, nothing is lost, and a lost master key is said plainly."""

import base64
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from reefpoint.platform.access.services import PermissionRefused
from reefpoint.platform.audit.models import Entry
from reefpoint.platform.basics.actors import Actor, system_actor
from reefpoint.platform.vault.adapters.master_keys import (
    VARIABLE,
    MasterKeyMalformed,
    MasterKeyMissing,
    add_master_key,
    load_master_keys,
)
from reefpoint.platform.vault.models import DataKey
from reefpoint.platform.vault.selectors import list_data_keys, reseal_progress, verify_vault
from reefpoint.platform.vault.services import (
    SealBroken,
    digest,
    open_sealed,
    reseal_batch,
    rewrap_data_keys,
    seal,
    sealed_tables,
    turn_data_key,
)
from reefpoint.platform.vault.types import KeyPurpose, Sealed, SealedTable
from reefpoint.records.parties.selectors.profiles import find_profile
from reefpoint.records.parties.services import record_profile, register_clients
from reefpoint.records.parties.types import ClientDraft, ClientKind, ProfileDraft

AT = datetime(2020, 1, 2, 14, tzinfo=UTC)
ADMIN = system_actor("admin")
PROFILES = SealedTable("parties_profile", "client:{client_id}:profile:{version}")
pytestmark = pytest.mark.django_db


def new_master(number: int) -> str:
    return base64.urlsafe_b64encode(bytes([number]) * 32).decode()


def clients_with_profiles(count: int) -> list[int]:
    drafts = [ClientDraft(f"Client {n}", f"c{n}@mail.test") for n in range(count)]
    ids = register_clients(actor=ADMIN, drafts=drafts, on=date(2020, 1, 2), at=AT)
    for client_id in ids:
        draft = ProfileDraft(kind=ClientKind.INDIVIDUAL, name="Wang", phone=f"+86 1380000{client_id:04d}")
        record_profile(actor=ADMIN, client_id=client_id, draft=draft, reason="", at=AT)
    return ids


def test_a_value_opens_in_its_own_place_alone() -> None:
    sealed = seal(b"440301199001011234", context="client:17:profile:1")
    assert b"4403" not in sealed.blob
    assert open_sealed(sealed, context="client:17:profile:1") == b"440301199001011234"
    with pytest.raises(SealBroken, match="client:18:profile:1 does not open"):
        open_sealed(sealed, context="client:18:profile:1")


@pytest.mark.parametrize("change", ["flip", "cut", "key", "empty"])
def test_a_changed_blob_does_not_open(change: str) -> None:
    sealed = seal(b"secret", context="here")
    blob = bytes(sealed.blob)
    broken = {
        "flip": Sealed(sealed.key_id, blob[:-1] + bytes([blob[-1] ^ 1])),
        "cut": Sealed(sealed.key_id, blob[:10]),
        "key": Sealed(sealed.key_id + 1, blob),
        "empty": Sealed(sealed.key_id, b""),
    }[change]
    with pytest.raises(SealBroken):
        open_sealed(broken, context="here")


def test_a_blind_index_is_equal_for_equal_values_of_one_kind() -> None:
    assert digest("phone", "138") == digest("phone", "138")
    assert len({digest("phone", "138"), digest("phone", "139"), digest("email", "138")}) == 3


def test_while_a_key_turns_both_open_and_the_batches_move_every_row() -> None:
    ids = clients_with_profiles(5)
    turned = turn_data_key(actor=ADMIN, at=AT, reason="yearly")
    assert find_profile(ids[0]) is not None
    assert (reseal_progress().done, reseal_progress().total) == (0, 5)
    assert [reseal_batch(PROFILES, limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert (reseal_progress().done, reseal_progress().total) == (5, 5)
    profile = find_profile(ids[4])
    assert profile is not None
    assert profile.phone == f"+86 1380000{ids[4]:04d}"
    assert verify_vault() == []
    rows = {key.id: key.rows for key in list_data_keys(ADMIN) if key.purpose is KeyPurpose.SEAL}
    assert rows[turned] == 5
    assert sum(rows.values()) == 5
    assert Entry.objects.get(action="vault.turn_data_key").reason == "yearly"


def test_every_sealed_table_of_the_wiring_can_be_sealed_again() -> None:
    assert {table.table for table in sealed_tables()} >= {"parties_profile", "parties_document", "parties_bank_account"}
    turn_data_key(actor=ADMIN, at=AT)
    assert [reseal_batch(table) for table in sealed_tables()] == [0] * len(sealed_tables())


def test_a_new_master_key_wraps_the_data_keys_anew_and_the_old_one_may_go(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = new_master(1), new_master(2)
    monkeypatch.setenv(VARIABLE, old)
    sealed = seal(b"secret", context="here")
    monkeypatch.setenv(VARIABLE, f"{new},{old}")
    assert open_sealed(sealed, context="here") == b"secret"
    assert rewrap_data_keys(actor=ADMIN, at=AT) == 1
    monkeypatch.setenv(VARIABLE, new)
    assert open_sealed(sealed, context="here") == b"secret"


def test_a_lost_master_key_is_a_refusal_in_words_and_makes_no_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clients_with_profiles(1)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("REEFPOINT_HOME", str(tmp_path))
    with pytest.raises(MasterKeyMissing, match="is not at hand"):
        seal(b"new", context="here")
    with pytest.raises(MasterKeyMissing, match="is not at hand"):
        turn_data_key(actor=ADMIN, at=AT)
    assert list(tmp_path.iterdir()) == []
    assert {finding.check for finding in verify_vault()} == {"vault.master_key_missing"}
    assert [key.is_readable for key in list_data_keys(ADMIN)] == [False, False]


def test_a_new_desk_makes_its_own_master_key_for_its_owner_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("REEFPOINT_HOME", str(tmp_path / "home"))
    sealed = seal(b"secret", context="here")
    file = tmp_path / "home" / "master-keys"
    assert file.stat().st_mode & 0o777 == 0o600
    add_master_key()
    assert len(load_master_keys()) == 2
    assert file.stat().st_mode & 0o777 == 0o600
    assert rewrap_data_keys(actor=ADMIN, at=AT) == 1
    assert open_sealed(sealed, context="here") == b"secret"


@pytest.mark.parametrize("text", ["short", "!!!!", base64.urlsafe_b64encode(b"x" * 31).decode()])
def test_a_malformed_master_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(MasterKeyMalformed) as refused:
        seal(b"x", context="here")
    assert text not in str(refused.value)


def test_the_master_key_is_in_no_table_and_no_representation() -> None:
    seal(b"x", context="here")
    (master,) = load_master_keys()
    assert repr(master) == "MasterKey()"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM vault_datakey k")
        assert master.secret.hex() not in str(cursor.fetchall())


def test_a_data_key_is_never_removed_and_one_is_current() -> None:
    seal(b"x", context="here")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        DataKey.objects.all().delete()
    with pytest.raises(IntegrityError, match="vault_one_current_key"), transaction.atomic():
        DataKey.objects.create(purpose=KeyPurpose.SEAL, wrapped=b"x", master_id="m")


def test_keys_are_turned_by_whoever_holds_the_right() -> None:
    with pytest.raises(PermissionRefused):
        turn_data_key(actor=Actor(ref="user:9", name="Otto", user_id=9), at=AT)
    assert DataKey.objects.count() == 0
