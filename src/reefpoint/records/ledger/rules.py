"""What a journal must be, and what its key stands for."""

import hashlib
import json
from collections.abc import Sequence
from datetime import date

from reefpoint.records.ledger.types import AccountKind, JournalDraft, Line


def check_lines(lines: Sequence[Line]) -> None:
    """Assert what every journal must be: at least one line, each a positive amount between two accounts."""
    assert lines, "a journal has at least one line"
    for line in lines:
        assert line.amount_minor > 0, f"an amount is positive: {line}"
        assert line.debit != line.credit, f"a line moves money between two accounts: {line}"


def fingerprint(draft: JournalDraft, effective_on: date, reverses_id: int | None = None) -> bytes:
    """SHA-256 of all that a journal's key stands for. Who posts it and when is not part of it: a retry may differ."""
    content = [
        draft.kind,
        effective_on.isoformat(),
        draft.memo,
        draft.source,
        reverses_id,
        [[line.debit, line.credit, line.amount_minor] for line in draft.lines],
    ]
    return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).digest()


def taken_minor(lines: Sequence[Line], code: str, kind: AccountKind) -> int:
    """By how many minor units these lines lower an account's balance in its normal side."""
    debited = sum(line.amount_minor for line in lines if line.debit == code)
    credited = sum(line.amount_minor for line in lines if line.credit == code)
    return kind.sign * (credited - debited)


def broken_constraint(error: Exception) -> str | None:
    """The name of the database constraint that an error tells of."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
