"""The chart of ledger accounts, and what is posted to them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class AccountKind(StrEnum):
    """What a ledger account stands for. Assets and expenses grow by debits, all others by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"

    @property
    def sign(self) -> int:
        """+1 if debits add to the balance, -1 if credits do."""
        return 1 if self in (AccountKind.ASSET, AccountKind.EXPENSE) else -1


@dataclass(frozen=True, kw_only=True)
class LedgerAccountSpec:
    """A ledger account to be opened. `floor_minor`: the least its balance less holds may ever be; none if unlimited."""

    code: str
    kind: AccountKind
    currency: str
    floor_minor: int | None = None


@dataclass(frozen=True)
class Line:
    """One pair of a journal: `amount_minor` (> 0) is debited to one ledger account and credited to another."""

    debit: str
    credit: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True)
class JournalDraft:
    """A journal to be posted. `key` makes it happen once; `source` is its reference outside (the bank's, a fill's)."""

    kind: str
    key: str
    lines: tuple[Line, ...]
    memo: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One posting as seen from one account: `change_minor` is in the account's normal side."""

    posting_id: int
    journal_id: int
    kind: str
    effective_on: date
    posted_at: datetime
    other_code: str
    change_minor: int
    memo: str
    source: str


@dataclass(frozen=True, kw_only=True)
class TrialBalanceRow:
    """An account's totals. `balance_minor` is in its normal side."""

    code: str
    kind: AccountKind
    currency: str
    debit_minor: int
    credit_minor: int
    held_minor: int

    @property
    def balance_minor(self) -> int:
        return self.kind.sign * (self.debit_minor - self.credit_minor)


BANK_SETTLEMENT = "bank:settlement"
BANK_IN_TRANSIT = "bank:in_transit"
"""Between two accounts at the bank; opened with the first such transfer, zero after each."""
BROKER_CLEARING = "broker:clearing"
INCOME_INTEREST = "income:interest"
INCOME_FEES = "income:fees"
COST_FUNDING = "cost:funding"
COST_BROKERAGE = "cost:brokerage"
COST_CREDIT_LOSS = "cost:credit_loss"
SUSPENSE = "suspense"


def client_cash(account_number: str) -> str:
    """Money that the desk holds for a client: a liability that never goes below zero."""
    return f"client_cash:{account_number}"


def loan_principal(account_number: str) -> str:
    return f"loan_principal:{account_number}"


def interest_due(account_number: str) -> str:
    return f"interest_due:{account_number}"


def fees_due(account_number: str) -> str:
    return f"fees_due:{account_number}"


def pool_capital(pool_code: str) -> str:
    """What funders have put into a pool: a liability."""
    return f"pool_capital:{pool_code}"


def pool_cost_due(pool_code: str) -> str:
    return f"pool_cost_due:{pool_code}"


def desk_accounts(currency: str) -> tuple[LedgerAccountSpec, ...]:
    """The desk's own ledger accounts."""
    return tuple(
        LedgerAccountSpec(code=code, kind=kind, currency=currency)
        for code, kind in (
            (BANK_SETTLEMENT, AccountKind.ASSET),
            (BROKER_CLEARING, AccountKind.ASSET),
            (INCOME_INTEREST, AccountKind.INCOME),
            (INCOME_FEES, AccountKind.INCOME),
            (COST_FUNDING, AccountKind.EXPENSE),
            (COST_BROKERAGE, AccountKind.EXPENSE),
            (COST_CREDIT_LOSS, AccountKind.EXPENSE),
            (SUSPENSE, AccountKind.LIABILITY),
        )
    )


def client_accounts(account_number: str, currency: str) -> tuple[LedgerAccountSpec, ...]:
    """The ledger accounts of one margin account; none of them may go below zero."""
    return tuple(
        LedgerAccountSpec(code=code(account_number), kind=kind, currency=currency, floor_minor=0)
        for code, kind in (
            (client_cash, AccountKind.LIABILITY),
            (loan_principal, AccountKind.ASSET),
            (interest_due, AccountKind.ASSET),
            (fees_due, AccountKind.ASSET),
        )
    )
