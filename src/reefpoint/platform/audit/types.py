"""What is sealed, and how an audit entry reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Chain:
    """An append-only table whose rows are sealed in blocks.

    `rows` is SQL that gives each row's `id`, the `xid` of the transaction that wrote it (xid8, indexed) and the `hash`
    of its content (SHA-256 over a JSON array in which instants are epoch microseconds, so that no time zone matters).
    """

    name: str
    rows: str


@dataclass(frozen=True)
class EntryDraft:
    """What one of many entries of the same action says by itself."""

    subject: str
    reason: str = ""
    inputs: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditEntry:
    """One entry of the audit log. `at` is the business instant, `recorded_at` the database's own time."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    inputs: Mapping[str, object]
    recorded_at: datetime
