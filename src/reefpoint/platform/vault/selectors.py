"""Which keys there are, how far the rows have come to the current one, and the proof that all that is sealed opens."""

from collections import Counter

from django.db import connection
from psycopg import sql

from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.vault.adapters.master_keys import load_master_keys
from reefpoint.platform.vault.models import DataKey
from reefpoint.platform.vault.services import open_many, sealed_tables
from reefpoint.platform.vault.types import DataKeyView, KeyPurpose, ResealProgress, Sealed, SealedTable

VERIFY_BATCH = 500


def list_data_keys(actor: Actor) -> list[DataKeyView]:
    """Every data key with the rows that rest on it, oldest first."""
    require(actor, "vault.turn_keys")
    masters = {master.id for master in load_master_keys()}
    rows = _rows_by_key()
    return [
        DataKeyView(
            id=key.pk,
            purpose=KeyPurpose(key.purpose),
            master_id=key.master_id,
            made_at=key.made_at,
            retired_at=key.retired_at,
            is_readable=key.master_id in masters,
            rows=rows[key.pk],
        )
        for key in DataKey.objects.order_by("id")
    ]


def reseal_progress() -> ResealProgress:
    """How many sealed rows rest on the current key, of all."""
    rows = _rows_by_key()
    current = DataKey.objects.filter(purpose=KeyPurpose.SEAL, retired_at=None).values_list("id", flat=True).first()
    return ResealProgress(done=rows[current] if current else 0, total=sum(rows.values()))


def verify_vault() -> list[Finding]:
    """Every sealed row opens under a known key, in its own place. One finding names the first trouble of a key."""
    return [finding for table in sealed_tables() for finding in _verify_table(table)]


def _verify_table(table: SealedTable) -> list[Finding]:
    findings: list[Finding] = []
    columns = sql.SQL(", ").join(map(sql.Identifier, ("id", "key_id", "blob", *table.columns)))
    after = 0
    while rows := _next_rows(table, columns, after):
        after = rows[-1][0]
        values = [
            (Sealed(row[1], bytes(row[2])), table.context.format(**dict(zip(table.columns, row[3:], strict=True))))
            for row in rows
        ]
        try:
            open_many(values)
        except Refusal:
            for row, value in zip(rows, values, strict=True):
                try:
                    open_many([value])
                except Refusal as problem:
                    findings.append(Finding(f"vault.{problem.code}", f"{table.table}:{row[0]}", problem.message))
    return findings


def _next_rows(table: SealedTable, columns: sql.Composed, after: int) -> list[tuple[int, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT {} FROM {} WHERE id > %s AND blob IS NOT NULL ORDER BY id LIMIT %s").format(
                columns, sql.Identifier(table.table)
            ),
            [after, VERIFY_BATCH],
        )
        rows: list[tuple[int, ...]] = cursor.fetchall()
        return rows


def _rows_by_key() -> Counter[int]:
    found: Counter[int] = Counter()
    with connection.cursor() as cursor:
        for table in sealed_tables():
            cursor.execute(
                sql.SQL("SELECT key_id, count(*) FROM {} WHERE blob IS NOT NULL GROUP BY key_id").format(
                    sql.Identifier(table.table)
                )
            )
            found.update(dict(cursor.fetchall()))
    return found
