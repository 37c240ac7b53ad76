"""Moves of a contract and the filing of its papers: the steps that every service here shares."""

from datetime import datetime

from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.vault.services import seal
from reefpoint.records.contracts import rules
from reefpoint.records.contracts.models import Contract, File, Move
from reefpoint.records.contracts.selectors import FILED, file_context
from reefpoint.records.contracts.types import ContractState, FileKind


def move(
    row: Contract, state: ContractState, *, actor: Actor, at: datetime, reason: str = "", changed: tuple[str, ...] = ()
) -> None:
    """Let a locked contract into its next state, by the table. Raises `InvalidTransition`."""
    rules.STATES.check(ContractState(row.state), state)
    row.state = state
    row.save(update_fields=["state", *changed])
    Move.objects.create(contract=row, state=state, at=at, by=actor.ref, reason=reason)


def file_paper(row: Contract, kind: FileKind, content: bytes, *, actor: Actor, at: datetime) -> str:
    """Seal a paper, with its hash in the audit chain. Returns the hash."""
    digest = rules.file_hash(content)
    sealed = seal(content, context=file_context(row.pk, kind))
    File.objects.create(
        contract=row,
        kind=kind,
        key_id=sealed.key_id,
        blob=sealed.blob,
        sha256=digest,
        size_bytes=len(content),
        filed_at=at,
    )
    record(
        actor=actor,
        action=FILED,
        subject=f"contract:{row.pk}",
        inputs={"kind": kind, "sha256": digest, "size_bytes": len(content)},
        at=at,
    )
    return digest
