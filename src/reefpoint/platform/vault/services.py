"""Sealing and opening values, blind indexes, and the turning of keys."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography.exceptions import InvalidTag
from django.db import connection, transaction
from psycopg import sql

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sentences import Sentence
from reefpoint.platform.database.locks import lock_name
from reefpoint.platform.events.services import publish
from reefpoint.platform.vault import rules
from reefpoint.platform.vault.adapters.master_keys import (
    MasterKey,
    MasterKeyMissing,
    load_master_keys,
    make_first_master_key,
)
from reefpoint.platform.vault.events import DataKeyTurned
from reefpoint.platform.vault.models import DataKey
from reefpoint.platform.vault.types import KeyPurpose, Sealed, SealedTable

RESEAL_BATCH = 200

_tables: tuple[SealedTable, ...] = ()


class SealBroken(Refusal):
    """A sealed value that does not open under its key and context: it was changed, or moved from another row."""

    code = "seal_broken"


def connect(tables: Sequence[SealedTable]) -> None:
    """Make the tables with sealed rows known to this process; called once at start."""
    global _tables  # noqa: PLW0603 - the one process-wide table, set at start and never changed
    _tables = tuple(tables)


def sealed_tables() -> tuple[SealedTable, ...]:
    """Every table with sealed rows."""
    return _tables


# Sealing and opening


def seal(plain: bytes, *, context: str) -> Sealed:
    """Encrypt a value for one place, such as `client:17:profile:3`. Raises `MasterKeyMissing`."""
    return seal_many([(plain, context)])[0]


def seal_many(values: Sequence[tuple[bytes, str]]) -> list[Sealed]:
    """Encrypt (value, context) pairs under the current data key."""
    if not values:
        return []
    key_id, secret = _current_key(KeyPurpose.SEAL)
    return [Sealed(key_id, rules.encrypt(secret, plain, context)) for plain, context in values]


def open_sealed(sealed: Sealed, *, context: str) -> bytes:
    """The value that was sealed for this place. Raises `SealBroken`, `MasterKeyMissing`."""
    return open_many([(sealed, context)])[0]


def open_many(values: Sequence[tuple[Sealed, str]]) -> list[bytes]:
    """The values of (sealed, context) pairs, with one query for all their keys."""
    secrets = _load_keys({sealed.key_id for sealed, _ in values})
    return [_open(secrets, sealed, context) for sealed, context in values]


def _open(secrets: dict[int, bytes], sealed: Sealed, context: str) -> bytes:
    try:
        return rules.decrypt(secrets[sealed.key_id], bytes(sealed.blob), context)
    except (InvalidTag, KeyError, ValueError) as problem:
        raise SealBroken(
            "The record {context} does not open: it was changed, or it is not where it was sealed. Nothing was shown; "
            "tell an administrator.",
            context=context,
        ) from problem


def digest(kind: str, value: str) -> bytes:
    """The blind index of a value of one kind: for equality alone. Normalise the value before."""
    return digest_many([(kind, value)])[0]


def digest_many(values: Sequence[tuple[str, str]]) -> list[bytes]:
    """The blind indexes of (kind, value) pairs."""
    if not values:
        return []
    _key_id, secret = _current_key(KeyPurpose.DIGEST)
    return [rules.blind_index(secret, kind, value) for kind, value in values]


# Keys


@transaction.atomic
def turn_data_key(*, actor: Actor, at: datetime, reason: str = "") -> int:
    """Seal under a new data key from now on; the job `vault.reseal` then moves what lies under older ones.

    Both keys open what they sealed meanwhile. Returns the new key's id. Raises `MasterKeyMissing`.
    """
    require(actor, "vault.turn_keys")
    lock_name("vault:keys")
    DataKey.objects.filter(purpose=KeyPurpose.SEAL, retired_at=None).update(retired_at=at)
    key = _make_key(KeyPurpose.SEAL)
    record(actor=actor, action="vault.turn_data_key", subject=f"data_key:{key.pk}", reason=reason, at=at)
    publish(DataKeyTurned(key_id=key.pk, at=at))
    return key.pk


@transaction.atomic
def rewrap_data_keys(*, actor: Actor, at: datetime, reason: str = "") -> int:
    """Wrap every data key under the current master key; afterwards the older master keys may go. Returns how many.

    Raises `MasterKeyMissing` for a data key whose master key is not at hand.
    """
    require(actor, "vault.turn_keys")
    lock_name("vault:keys")
    master = _current_master()
    stale = list(DataKey.objects.select_for_update().exclude(master_id=master.id))
    for key in stale:
        key.wrapped, key.master_id = rules.encrypt(master.secret, _unwrap(key), _wrapping(key.purpose)), master.id
    DataKey.objects.bulk_update(stale, ["wrapped", "master_id"])
    record(
        actor=actor,
        action="vault.rewrap_data_keys",
        subject=f"master_key:{master.id}",
        reason=reason,
        inputs={"data_keys": len(stale)},
        at=at,
    )
    return len(stale)


@transaction.atomic
def reseal_batch(table: SealedTable, *, limit: int = RESEAL_BATCH) -> int:
    """Seal up to `limit` rows of a table again under the current data key. Returns how many; 0 when none is left."""
    key_id, secret = _current_key(KeyPurpose.SEAL)
    columns = sql.SQL(", ").join(map(sql.Identifier, ("id", "key_id", "blob", *table.columns)))
    name = sql.Identifier(table.table)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT {} FROM {} WHERE key_id <> %s AND blob IS NOT NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED"
            ).format(columns, name),
            [key_id, limit],
        )
        rows = cursor.fetchall()
        if not rows:
            return 0
        contexts = [table.context.format(**dict(zip(table.columns, row[3:], strict=True))) for row in rows]
        plains = open_many(
            [(Sealed(row[1], bytes(row[2])), context) for row, context in zip(rows, contexts, strict=True)]
        )
        cursor.execute(
            sql.SQL(
                "UPDATE {} AS old SET key_id = %s, blob = new.blob FROM unnest(%s::bigint[], %s::bytea[]) "
                "AS new(id, blob) WHERE old.id = new.id"
            ).format(name),
            [
                key_id,
                [row[0] for row in rows],
                [rules.encrypt(secret, plain, context) for plain, context in zip(plains, contexts, strict=True)],
            ],
        )
    return len(rows)


def _current_key(purpose: KeyPurpose) -> tuple[int, bytes]:
    key = DataKey.objects.filter(purpose=purpose, retired_at=None).first()
    if key is None:
        with transaction.atomic():
            lock_name("vault:keys")
            key = DataKey.objects.filter(purpose=purpose, retired_at=None).first() or _make_key(purpose)
    return key.pk, _unwrap(key)


def _make_key(purpose: KeyPurpose) -> DataKey:
    master = _current_master()
    wrapped = rules.encrypt(master.secret, rules.new_key(), _wrapping(purpose))
    return DataKey.objects.create(purpose=purpose, wrapped=wrapped, master_id=master.id)


def _current_master() -> MasterKey:
    """The master key that wraps from now on; the first one of a new desk is made here, never that of a lost one."""
    masters = load_master_keys()
    if not masters:
        if DataKey.objects.exists():
            raise MasterKeyMissing(
                _LOST, master_id=DataKey.objects.order_by("-id").values_list("master_id", flat=True)[0]
            )
        masters = make_first_master_key()
    return masters[0]


def _load_keys(key_ids: Iterable[int]) -> dict[int, bytes]:
    return {key.pk: _unwrap(key) for key in DataKey.objects.filter(id__in=key_ids)}


def _unwrap(key: DataKey) -> bytes:
    master = next((master for master in load_master_keys() if master.id == key.master_id), None)
    if master is None:
        raise MasterKeyMissing(_LOST, master_id=key.master_id, data_key=key.pk)
    try:
        return rules.decrypt(master.secret, bytes(key.wrapped), _wrapping(key.purpose))
    except InvalidTag as problem:
        raise SealBroken("Data key {key} was changed in the database: it does not open.", key=key.pk) from problem


def _wrapping(purpose: str) -> str:
    return f"data-key:{purpose}"


_LOST = Sentence(
    "The master key {master_id} is not at hand, so sealed records can neither be read nor written. Nothing was "
    "changed. Put it back into REEFPOINT_MASTER_KEYS or the file master-keys of the data folder, from the copy that "
    "was kept."
)
