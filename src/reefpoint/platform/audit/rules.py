"""How a block of rows is hashed, and how two sets of row hashes differ."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

GENESIS = bytes(32)
"""What the first block of a chain points back to."""


def block_hash(
    *,
    previous_hash: bytes,
    chain: str,
    number: int,
    from_xid: int,
    to_xid: int,
    row_hashes: Mapping[int, bytes],
    sealed_at: datetime,
) -> bytes:
    """SHA-256 over the block before and all that a block says: bounds, time, each row's id and hash in order."""
    head = [chain, number, from_xid, to_xid, int(sealed_at.timestamp()), sealed_at.microsecond]
    digest = hashlib.sha256(previous_hash + json.dumps(head).encode())
    for row_id, row_hash in row_hashes.items():
        digest.update(row_id.to_bytes(8, "big") + row_hash)
    return digest.digest()


def compare_rows(sealed: Mapping[int, bytes], found: Mapping[int, bytes]) -> dict[int, str]:
    """What happened to rows since they were sealed, by row id."""
    return {
        row_id: "was removed after it was sealed"
        if row_id not in found
        else "was slipped into sealed history"
        if row_id not in sealed
        else "was changed after it was sealed"
        for row_id in sorted(sealed.keys() | found.keys())
        if sealed.get(row_id) != found.get(row_id)
    }
