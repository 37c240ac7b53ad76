"""The words of the cash rail: pools, payments, the bank and its statements, and what reconciling them found."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from reefpoint.platform.basics.breaks import BreakClass, BreakSide


class PoolOrigin(StrEnum):
    """Whose money a pool is: the lender's own, raised by it as the law allows, of others, or nobody said yet."""

    OWN = "own"
    RAISED = "raised"
    THIRD_PARTY = "third_party"
    UNSPECIFIED = "unspecified"


class PoolMovementKind(StrEnum):
    ALLOCATE = "allocate"
    RELEASE = "release"


class MatchMethod(StrEnum):
    """How sure a pair is, surest first."""

    REFERENCE_AND_AMOUNT = "reference_and_amount"
    REFERENCE = "reference"
    AMOUNT_AND_WINDOW = "amount_and_window"


class Bank(Protocol):
    """The account at the settlement bank. A reference is booked once; repeated with the same amount it does nothing."""

    def credit(self, *, reference: str, amount_minor: int, on: date, text: str) -> None:
        """Money arrives."""

    def debit(self, *, reference: str, amount_minor: int, on: date, text: str) -> None:
        """Money leaves."""

    def statement(self, on: date) -> bytes | None:
        """The sealed statement of a day; None if the bank has not sent it."""


@dataclass(frozen=True)
class BankLine:
    """A statement's line. `sequence` counts on over all statements; `amount_minor` is positive for money received."""

    line: int
    sequence: int
    reference: str
    amount_minor: int
    value_on: date
    text: str


@dataclass(frozen=True)
class BankStatement:
    """A statement, opened and found consistent in itself. Amounts in minor units."""

    bank: str
    currency: str
    on: date
    opening_minor: int
    first_sequence: int
    lines: tuple[BankLine, ...]
    closing_minor: int


@dataclass(frozen=True)
class OpenBankLine:
    """A stored statement line that nothing explains yet."""

    line_id: int
    reference: str
    amount_minor: int
    value_on: date
    booked_on: date


@dataclass(frozen=True)
class OpenBookEntry:
    """A ledger entry of the bank account that the bank has not shown yet; positive for money received."""

    posting_id: int
    reference: str
    amount_minor: int
    effective_on: date


@dataclass(frozen=True)
class Pair:
    """A statement line and the ledger entry that explains it. `method` tells the pass that found it."""

    line: OpenBankLine
    entry: OpenBookEntry
    method: MatchMethod


@dataclass(frozen=True)
class FoundBreak:
    """A difference found by a run. One of line and entry, or both, are set; amounts are books minus bank."""

    kind: BreakClass
    side: BreakSide
    amount_minor: int
    detail: str
    line: OpenBankLine | None = None
    entry: OpenBookEntry | None = None


@dataclass(frozen=True)
class Matching:
    """Every line and entry accounted for: in one pair, or in one break that leaves it open."""

    pairs: tuple[Pair, ...]
    breaks: tuple[FoundBreak, ...]


@dataclass(frozen=True)
class ReconciliationResult:
    """The outcome of a day: `matched + broken == lines`, counted over the statement's lines.

    `unexplained_minor` is what the books and the bank still differ by after all open lines and entries: zero.
    """

    on: date
    lines: int
    matched: int
    broken: int
    open_breaks: int
    bank_minor: int
    books_minor: int
    unexplained_minor: int


@dataclass(frozen=True)
class BreakRow:
    """A break as pages show it; `age_days` in business days."""

    break_id: int
    kind: BreakClass
    side: BreakSide
    reference: str
    detail: str
    amount_minor: int
    opened_on: date
    cleared_on: date | None
    age_days: int
    age_bucket: str


@dataclass(frozen=True)
class BreakTotals:
    """Open breaks of one age: how many, and their amounts added up with and without regard to sign."""

    age_bucket: str
    count: int
    gross_minor: int
    net_minor: int


@dataclass(frozen=True)
class PoolView:
    """A funding pool. `available_minor` is what it can still lend."""

    code: str
    name: str
    currency: str
    committed_minor: int
    lent_minor: int
    cost_bp: int
    origin: PoolOrigin = PoolOrigin.UNSPECIFIED

    @property
    def available_minor(self) -> int:
        return self.committed_minor - self.lent_minor


# Payments


class PaymentState(StrEnum):
    """Where an instruction to the bank stands. UNKNOWN: the bank was told and has not answered in time."""

    REQUESTED = "requested"
    SENT = "sent"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


class PaymentOutcome(StrEnum):
    """What became of a payment: the money moved, or it did not and will not."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class PaperBehaviour(StrEnum):
    """How the paper bank treats the payments it is told of from now on.

    LATE: it pays at once and answers after `rules.ANSWER_WITHIN`. SILENT: it pays and never answers.
    """

    CONFIRM = "confirm"
    TWICE = "twice"
    LATE = "late"
    REJECT = "reject"
    SILENT = "silent"


@dataclass(frozen=True)
class PaymentInstruction:
    """What the bank is told: move `amount_minor` (positive) between two accounts. The reference is one payment."""

    reference: str
    amount_minor: int
    currency: str
    from_account: str
    to_account: str
    on: date
    text: str


@dataclass(frozen=True)
class BankAnswer:
    """What the bank says of one reference. `bank_reference` is its own number of the booking."""

    reference: str
    outcome: PaymentOutcome
    amount_minor: int
    bank_reference: str = ""
    reason: str = ""


@dataclass(frozen=True)
class AnswerBatch:
    """Answers that came together, as in one file; taken all or none. `refusal`: why they cannot be read."""

    source: str
    answers: tuple[BankAnswer, ...] = ()
    refusal: str = ""


class BankUnreachable(Exception):
    """The bank could not be told or asked; it is tried again."""


class PaymentBank(Protocol):
    """The channel by which the bank is told of payments and answers."""

    name: str

    def send(self, instruction: PaymentInstruction) -> None:
        """Tell the bank. Told again of the same reference, the bank pays once. Raises `BankUnreachable`."""

    def collect(self, references: Collection[str], *, at: datetime) -> Sequence[AnswerBatch]:
        """What the bank has said, of these references at least. Raises `BankUnreachable`."""

    def put_away(self, batch: AnswerBatch, *, refusal: str = "") -> None:
        """Note that a batch was taken into the books, or why not."""


@dataclass(frozen=True)
class PaymentStepView:
    """One move of a payment, or something the bank said that changed nothing."""

    at: datetime
    actor: str
    action: str
    state: PaymentState
    words: str


@dataclass(frozen=True)
class PaymentView:
    """A payment as pages show it. `waits_since` is when it came to its state; `is_contradicted`: the bank said
    something else after it had ended, which a person has to look at.
    """

    id: int
    reference: str
    state: PaymentState
    amount_minor: int
    currency: str
    pool_code: str
    account_id: int
    from_account: str
    to_account: str
    text: str
    subject: str
    attempts: int
    requested_at: datetime
    requested_by: str
    answer_by: datetime | None
    waits_since: datetime
    bank_reference: str
    reason: str
    is_contradicted: bool
    approval_id: int | None
    steps: tuple[PaymentStepView, ...] = ()
