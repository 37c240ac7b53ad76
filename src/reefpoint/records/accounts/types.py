"""What an account is to the rest of the desk."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class AccountStatus(StrEnum):
    """`frozen` takes no new credit and pays nothing out; sales, deposits and repayments go on."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


class LoanState(StrEnum):
    """UNDONE: the money never reached the client; nothing was ever owed."""

    OPEN = "open"
    REPAID = "repaid"
    UNDONE = "undone"


class MovementKind(StrEnum):
    """Why a quantity of securities changed."""

    RECEIPT = "receipt"
    PURCHASE = "purchase"
    SALE = "sale"


@dataclass(frozen=True)
class Holding:
    """`quantity` shares of one instrument, never negative."""

    instrument_id: int
    quantity: int


@dataclass(frozen=True)
class AccountFacts:
    """One account as it stands: what it holds and what it owes, in minor units and shares.

    `change_no` grows with every change, so that a reader can tell an older view from a newer one. `decision_id` is the
    credit decision that it was opened on, if there was one.
    """

    id: int
    number: str
    client_id: int
    scheme_version_id: int
    currency: str
    status: AccountStatus
    change_no: int
    cash_minor: int
    principal_minor: int
    interest_minor: int
    fees_minor: int
    holdings: tuple[Holding, ...]
    decision_id: int | None = None

    @property
    def debt_minor(self) -> int:
        """All that is owed: principal, interest due and fees due."""
        return self.principal_minor + self.interest_minor + self.fees_minor


@dataclass(frozen=True)
class FacilityFacts:
    """What the desk has committed to lend, and how much of it is in use. Minor units."""

    number: str
    pool_code: str
    commitment_minor: int
    drawn_minor: int
    held_minor: int

    @property
    def available_minor(self) -> int:
        return self.commitment_minor - self.drawn_minor - self.held_minor


@dataclass(frozen=True)
class LoanFacts:
    """One drawdown and what is left of it. `principal_minor` is outstanding now."""

    id: int
    number: str
    account_id: int
    pool_code: str
    drawn_minor: int
    principal_minor: int
    rate_bp: int
    day_count: str
    drawn_on: date
    matures_on: date
    state: LoanState


@dataclass(frozen=True)
class OwnedLoan:
    """An open loan with whose it is."""

    loan: LoanFacts
    scheme_version_id: int
    currency: str
    owner: "AccountOwner"


@dataclass(frozen=True)
class ExtensionRow:
    """One move of a loan's maturity. `carried_minor` is unpaid interest that went over into the further term."""

    loan_id: int
    number: int
    old_matures_on: date
    new_matures_on: date
    old_rate_bp: int
    new_rate_bp: int
    carried_minor: int
    at: datetime


@dataclass(frozen=True)
class MovementRow:
    """One change of a position: `quantity` is signed, sales are negative."""

    effective_on: date
    at: datetime
    instrument_id: int
    symbol: str
    kind: str
    quantity: int
    source: str


@dataclass(frozen=True)
class HeldName:
    """What a set of accounts holds of one instrument: shares, and in how many accounts."""

    instrument_id: int
    quantity: int
    holders: int


@dataclass(frozen=True)
class AccountOwner:
    """Whose an account is, as lists and pages name it."""

    account_id: int
    number: str
    client_id: int
    client_number: str
    client_name: str
    client_name_zh: str


@dataclass(frozen=True)
class ClientDebt:
    """What a client owes on all accounts of one currency that are not closed: principal, interest and fees due."""

    client_id: int
    currency: str
    accounts: int
    debt_minor: int


@dataclass(frozen=True)
class AccountOpening:
    """When an account was opened, whatever became of it since."""

    account_id: int
    client_id: int
    currency: str
    opened_on: date
