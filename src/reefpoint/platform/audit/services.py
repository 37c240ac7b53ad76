"""Writing to the audit log, sealing append-only tables, and anchoring the seals outside the database."""

import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction

from reefpoint.platform.audit import rules
from reefpoint.platform.audit.models import AUDIT_CHAIN, Entry, Seal
from reefpoint.platform.audit.selectors import load_anchors, load_heads, load_row_hashes
from reefpoint.platform.audit.types import Chain, EntryDraft
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.database.bulk import insert_columns


def record(
    *,
    actor: Actor,
    action: str,
    subject: str,
    at: datetime,
    reason: str = "",
    inputs: Mapping[str, object] | None = None,
) -> int:
    """Write one entry, in the caller's transaction. Returns its id.

    `action` is the permission's or service's name (`margin.open_call`), `subject` the thing (`account:17`); `inputs`
    hold what the decision was made from, as JSON values, dates and decimals.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO audit_entry (at, actor, action, subject, reason, inputs)
            VALUES (%s, %s, %s, %s, %s, %s::jsonb) RETURNING id
            """,
            [at, actor.ref, action, subject, reason, DjangoJSONEncoder().encode(dict(inputs or {}))],
        )
        return int(cursor.fetchone()[0])


def record_all(*, actor: Actor, action: str, entries: Sequence[EntryDraft], at: datetime) -> None:
    """Write one entry for each subject of one action, in one statement and in the order given."""
    encode = DjangoJSONEncoder().encode
    insert_columns(
        Entry._meta.db_table,
        {
            "at": "timestamptz",
            "actor": "text",
            "action": "text",
            "subject": "text",
            "reason": "text",
            "inputs": "jsonb",
        },
        [(at, actor.ref, action, entry.subject, entry.reason, encode(entry.inputs)) for entry in entries],
    )


def seal(*, at: datetime) -> int:
    """Seal the audit entries that no transaction under way can still precede. Returns how many."""
    return seal_chain(AUDIT_CHAIN, at=at)


@transaction.atomic
def seal_chain(chain: Chain, *, at: datetime) -> int:
    """Add a block of all rows written by transactions up to the oldest one still running. Returns how many rows.

    That horizon, and not the last id, is the bound: a row with a lower id may be committed later, one with a lower
    transaction never. The caller's own rows are not yet sealed.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"seal:{chain.name}"])
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        horizon: int = cursor.fetchone()[0]
    head = Seal.objects.filter(chain=chain.name).order_by("-number").first()
    number, start, previous = (head.number + 1, head.to_xid, bytes(head.hash)) if head else (1, 0, rules.GENESIS)
    row_hashes = load_row_hashes(chain, start, horizon)
    if row_hashes:
        Seal.objects.create(
            chain=chain.name,
            number=number,
            from_xid=start,
            to_xid=horizon,
            row_ids=list(row_hashes),
            row_hashes=list(row_hashes.values()),
            previous_hash=previous,
            hash=rules.block_hash(
                previous_hash=previous,
                chain=chain.name,
                number=number,
                from_xid=start,
                to_xid=horizon,
                row_hashes=row_hashes,
                sealed_at=at,
            ),
            sealed_at=at,
        )
    return len(row_hashes)


def anchor_seals(path: Path, *, at: datetime) -> int:
    """Append the newest seal of each chain to a file outside the database, if it is not there. Returns how many.

    Whoever rewrites history together with its seals would have to rewrite this file, too: keep copies elsewhere.
    """
    anchored = set(load_anchors(path))
    fresh = [anchor for anchor in load_heads() if anchor not in anchored]
    if fresh:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            for chain, number, digest in fresh:
                line = {"chain": chain, "number": number, "hash": digest, "at": at.isoformat()}
                file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    return len(fresh)
