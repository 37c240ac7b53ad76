"""What the cash rail does, one transaction each."""

from reefpoint.records.treasury.adapters import settlement_bank
from reefpoint.records.treasury.services.clearing import (
    ClearanceRefused,
    clear_approved_break,
    clear_break_by_journal,
    request_break_clearance,
)
from reefpoint.records.treasury.services.payments import (
    ConflictingPayment,
    NotResolvable,
    pay_out,
    request_payment,
    request_resolution,
    resend_payment,
    send_payment,
    set_paper_manner,
    take_answer,
    work_payments,
)
from reefpoint.records.treasury.services.pools import (
    ConflictingMovement,
    PoolExhausted,
    PoolRefused,
    ThirdPartyMoney,
    allocate,
    change_pool,
    fund_pool,
    name_pool_origin,
    open_pool,
    release,
)
from reefpoint.records.treasury.services.reconciliation import reconcile_bank
from reefpoint.records.treasury.services.statements import receive_statement

__all__ = [
    "ClearanceRefused",
    "ConflictingMovement",
    "ConflictingPayment",
    "NotResolvable",
    "PoolExhausted",
    "PoolRefused",
    "ThirdPartyMoney",
    "allocate",
    "change_pool",
    "clear_approved_break",
    "clear_break_by_journal",
    "fund_pool",
    "name_pool_origin",
    "open_pool",
    "pay_out",
    "receive_statement",
    "reconcile_bank",
    "release",
    "request_break_clearance",
    "request_payment",
    "request_resolution",
    "resend_payment",
    "send_payment",
    "set_paper_manner",
    "settlement_bank",
    "take_answer",
    "work_payments",
]
