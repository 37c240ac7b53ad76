"""Reading the audit log, and proving that no sealed row was touched."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from django.db import connection

from reefpoint.platform.audit import rules
from reefpoint.platform.audit.models import AUDIT_CHAIN, Entry, Seal
from reefpoint.platform.audit.types import AuditEntry, Chain
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.platform.database.parts import AT_ONCE, cut, each


def list_entries(
    *,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    before_id: int | None = None,
    limit: int = 50,
    hidden: Collection[str] = (),
) -> Sequence[AuditEntry]:
    """Audit entries, newest first; pages by `before_id`.

    Left out is what begins with one of `hidden`: actions, and approvals of such a kind. People read the log through
    `access.selectors.list_audit`, which hides what they may not know to exist.
    """
    wanted = {"subject": subject, "actor": actor, "action": action, "at__gte": since, "id__lt": before_id}
    rows = Entry.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    for prefix in hidden:
        rows = rows.exclude(action__startswith=prefix).exclude(
            action__startswith="approvals.", inputs__kind__startswith=prefix
        )
    page = rows.order_by("-id")
    return cut(page, offset=0, limit=limit, view=each(_entry), count=limit if limit <= AT_ONCE else None).rows


def _entry(row: Entry) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        reason=row.reason,
        inputs=row.inputs,
        recorded_at=row.recorded_at,
    )


def load_histories(actions: Collection[str]) -> dict[str, list[str]]:
    """The entries of these actions by subject, each subject's in the order in which they were written."""
    histories: dict[str, list[str]] = defaultdict(list)
    for subject, action in Entry.objects.filter(action__in=actions).order_by("id").values_list("subject", "action"):
        histories[subject].append(action)
    return histories


def load_inputs(action: str, subjects: Collection[str]) -> dict[str, list[dict[str, object]]]:
    """What the entries of one action on these subjects hold, by subject, in the order in which they were written."""
    found: dict[str, list[dict[str, object]]] = defaultdict(list)
    rows = Entry.objects.filter(action=action, subject__in=subjects).order_by("id")
    for subject, inputs in rows.values_list("subject", "inputs"):
        found[subject].append(inputs)
    return found


def load_row_hashes(chain: Chain, from_xid: int, to_xid: int) -> dict[int, bytes]:
    """The hash of each row that transactions from `from_xid` up to, not including, `to_xid` wrote, by row id."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT id, hash FROM ({chain.rows}) AS row_hash
             WHERE xid >= %s::text::xid8 AND xid < %s::text::xid8 ORDER BY id
            """,  # noqa: S608 - the chains are constants of this program
            [from_xid, to_xid],
        )
        return {row_id: bytes(row_hash) for row_id, row_hash in cursor.fetchall()}


def load_heads() -> list[tuple[str, int, str]]:
    """The newest seal of each chain: its name, number and hash in hex."""
    heads = Seal.objects.order_by("chain", "-number").distinct("chain")
    return [(head.chain, head.number, bytes(head.hash).hex()) for head in heads]


def load_anchors(path: Path) -> list[tuple[str, int, str]]:
    """What the anchor file holds, as `load_heads` gives it; nothing if there is none yet."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(line["chain"], line["number"], line["hash"]) for line in lines]


def verify_audit() -> list[Finding]:
    """The audit log is what was sealed and its guards stand; each changed, removed or added row is named."""
    return verify_guards(["audit_entry", "audit_seal"]) + verify_chain(AUDIT_CHAIN)


def verify_chain(chain: Chain) -> list[Finding]:
    """Every row of a chain is as it was sealed, and every seal follows from the one before."""
    check = f"{chain.name}.chain"
    findings: list[Finding] = []
    number, start, previous = 1, 0, rules.GENESIS
    for seal in _seals(chain):
        name = f"{chain.name}.seal:{seal.number}"
        sealed = {row_id: bytes(row_hash) for row_id, row_hash in zip(seal.row_ids, seal.row_hashes, strict=True)}
        if (seal.number, seal.from_xid, bytes(seal.previous_hash)) != (number, start, previous):
            findings.append(Finding(check, name, "the seal does not follow from the one before"))
        expected = rules.block_hash(
            previous_hash=bytes(seal.previous_hash),
            chain=chain.name,
            number=seal.number,
            from_xid=seal.from_xid,
            to_xid=seal.to_xid,
            row_hashes=sealed,
            sealed_at=seal.sealed_at,
        )
        if bytes(seal.hash) != expected:
            findings.append(Finding(check, name, "the seal was changed"))
        found = load_row_hashes(chain, seal.from_xid, seal.to_xid)
        findings.extend(
            Finding(check, f"{chain.name}:{row_id}", f"the row {what}")
            for row_id, what in rules.compare_rows(sealed, found).items()
        )
        number, start, previous = seal.number + 1, seal.to_xid, bytes(seal.hash)
    if start > _next_xid():
        findings.append(Finding(check, chain.name, "the database's transaction counter is behind the last seal"))
    return findings


def verify_anchors(path: Path) -> list[Finding]:
    """Every anchored seal is still in the database, unchanged."""
    seals = {(seal.chain, seal.number): bytes(seal.hash).hex() for seal in Seal.objects.only("chain", "number", "hash")}
    return [
        Finding(f"{chain}.anchor", f"{chain}.seal:{number}", "the seal differs from its anchor or is gone")
        for chain, number, digest in load_anchors(path)
        if seals.get((chain, number)) != digest
    ]


def _seals(chain: Chain) -> Iterator[Seal]:
    return Seal.objects.filter(chain=chain.name).order_by("number").iterator(chunk_size=20)


def _next_xid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
