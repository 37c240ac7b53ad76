"""What the cash rail does, one transaction each."""

from reefpoint.records.treasury.adapters import settlement_bank
from reefpoint.records.treasury.services.payments import pay_out
from reefpoint.records.treasury.services.pools import (
    ConflictingMovement,
    PoolExhausted,
    PoolRefused,
    allocate,
    fund_pool,
    open_pool,
    release,
)

__all__ = [
    "ConflictingMovement",
    "PoolExhausted",
    "PoolRefused",
    "allocate",
    "fund_pool",
    "open_pool",
    "pay_out",
    "release",
    "settlement_bank",
]
