"""How a contract moves, what counts as strong authentication, and what a contract is known by."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from reefpoint.platform.basics.states import StateTable
from reefpoint.records.contracts.types import Authentication, ContractState

STATES = StateTable(
    subject="contract",
    initial=ContractState.DRAFT,
    moves={
        ContractState.DRAFT: frozenset({ContractState.OFFERED, ContractState.LAPSED, ContractState.WITHDRAWN}),
        ContractState.OFFERED: frozenset(
            {ContractState.SIGNED_BY_CLIENT, ContractState.LAPSED, ContractState.WITHDRAWN}
        ),
        ContractState.SIGNED_BY_CLIENT: frozenset(
            {ContractState.IN_FORCE, ContractState.LAPSED, ContractState.WITHDRAWN}
        ),
        ContractState.IN_FORCE: frozenset({ContractState.LAPSED, ContractState.WITHDRAWN}),
    },
)
"""The migrations `0002_guards` and `0005_never_drawn` hold the same moves for the database.

A contract in force ends so if nothing was ever paid on it; the credit flow sees to that (`end_unused_contract`).
"""

COUNTERSIGN_DAYS = 3
"""For so many days after the last day of signing the desk may still countersign what a client has signed."""

AUTHENTICATION_SECONDS_MAX = 300
"""How long ago somebody may have proved who they are when they sign."""

STRONG = (frozenset({"password", "totp"}), frozenset({"password", "passkey"}))
"""What somebody must have shown, all of one of these."""


def is_strong(authentication: Authentication, at: datetime) -> bool:
    """Whether a password and a second factor were shown, minutes before `at` at most."""
    age = at - authentication.at
    return timedelta() <= age <= timedelta(seconds=AUTHENTICATION_SECONDS_MAX) and any(
        needed <= set(authentication.methods) for needed in STRONG
    )


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of JSON values, whatever the order of their fields."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def file_hash(content: bytes) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(content).hexdigest()
