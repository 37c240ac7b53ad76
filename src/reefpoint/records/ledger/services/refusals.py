"""Why the ledger declines."""

from reefpoint.platform.basics.errors import Refusal


class IdempotencyConflict(Refusal):
    """A key was used before, for something else."""

    code = "idempotency_conflict"


class OtherCurrency(Refusal):
    """An account in a currency that the books of the desk are not kept in."""

    code = "other_currency"


class InsufficientBalance(Refusal):
    """A ledger account would go below its floor."""

    code = "insufficient_balance"


class BooksClosed(Refusal):
    """The effective date lies in a closed period."""

    code = "books_closed"


class UnknownLedgerAccount(Refusal):
    """A code that the chart does not hold."""

    code = "unknown_ledger_account"


class AlreadyReversed(Refusal):
    """A journal is reversed once, and a reversal never."""

    code = "already_reversed"


class HoldEnded(Refusal):
    """The hold was captured or released before."""

    code = "hold_ended"


class CaptureTooLarge(Refusal):
    """More would be taken than the hold set aside."""

    code = "capture_too_large"


class BookDayRefused(Refusal):
    """Book days are opened one at a time, in order, and closed once."""

    code = "book_day_refused"
