"""What can be done to the books. Every write happens once per key; the database keeps the balances."""

from reefpoint.records.ledger.services.chart import open_ledger_account, open_ledger_accounts, require_books_currency
from reefpoint.records.ledger.services.days import close_book_day, open_book_day, seal_ledger, snapshot_balances
from reefpoint.records.ledger.services.holds import capture_hold, place_hold, release_hold
from reefpoint.records.ledger.services.journals import lock_balances, post_journal, post_journals, reverse_journal
from reefpoint.records.ledger.services.refusals import (
    AlreadyReversed,
    BookDayRefused,
    BooksClosed,
    CaptureTooLarge,
    HoldEnded,
    IdempotencyConflict,
    InsufficientBalance,
    OtherCurrency,
    UnknownLedgerAccount,
)

__all__ = [
    "AlreadyReversed",
    "BookDayRefused",
    "BooksClosed",
    "CaptureTooLarge",
    "HoldEnded",
    "IdempotencyConflict",
    "InsufficientBalance",
    "OtherCurrency",
    "UnknownLedgerAccount",
    "capture_hold",
    "close_book_day",
    "lock_balances",
    "open_book_day",
    "open_ledger_account",
    "open_ledger_accounts",
    "place_hold",
    "post_journal",
    "post_journals",
    "release_hold",
    "require_books_currency",
    "reverse_journal",
    "seal_ledger",
    "snapshot_balances",
]
