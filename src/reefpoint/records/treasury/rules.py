"""How a bank's statement is read and its lines find their ledger entries; the states of payments and their files."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from reefpoint.platform.basics.breaks import TIMING_DAYS_MAX, BreakClass, BreakSide, business_days_old
from reefpoint.platform.basics.sealed_files import FileRefused, open_sealed_file, seal_file
from reefpoint.platform.basics.states import StateTable
from reefpoint.records.treasury.types import (
    BankAnswer,
    BankLine,
    BankStatement,
    BreakRow,
    BreakTotals,
    FoundBreak,
    Matching,
    MatchMethod,
    OpenBankLine,
    OpenBookEntry,
    Pair,
    PaymentInstruction,
    PaymentOutcome,
    PaymentState,
)

AMOUNT_TOLERANCE_MINOR = 100
"""A line with the right reference and an amount within this of the books is that payment, less a charge on the way."""

WINDOW_DAYS = 5
"""Calendar days between value date and effective date within which an amount alone may identify a payment."""

VALUE_DATE_DAYS_MAX = 1
"""Business days by which value date and effective date may differ before interest is at stake."""

VALUE_DATE_DISTANCE_MAX = 366
"""Calendar days between a statement and a value date on it, beyond which the date is a mistake."""


ANSWER_WITHIN = timedelta(hours=2)
"""How long the bank may take to answer a payment before it counts as unknown."""

CLIENT_MONEY = "CLIENT-MONEY"
"""The bank account in which the desk keeps money for its clients."""

PAYMENT_STATES = StateTable(
    subject="payment",
    initial=PaymentState.REQUESTED,
    moves={
        PaymentState.REQUESTED: frozenset({PaymentState.SENT}),
        PaymentState.SENT: frozenset({PaymentState.CONFIRMED, PaymentState.REJECTED, PaymentState.UNKNOWN}),
        PaymentState.UNKNOWN: frozenset({PaymentState.CONFIRMED, PaymentState.REJECTED}),
    },
)


def pool_bank_account(pool_code: str) -> str:
    """The bank account in which a pool's money is kept."""
    return f"POOL-{pool_code}"


def write_instruction(instruction: PaymentInstruction) -> bytes:
    """`I,reference,amount,currency,from account,to account,date,text`, sealed."""
    return seal_file(
        [
            (
                "I",
                instruction.reference,
                str(instruction.amount_minor),
                instruction.currency,
                instruction.from_account,
                instruction.to_account,
                instruction.on.isoformat(),
                instruction.text,
            )
        ]
    )


def read_answers(content: bytes) -> tuple[BankAnswer, ...]:
    """Open a status file: lines `S,reference,outcome,amount,bank's reference,reason`, sealed. Raises `FileRefused`."""
    answers = []
    for row in open_sealed_file(content):
        row.expect("S", 5)
        if row.fields[1] not in set(PaymentOutcome):
            raise FileRefused("{word!r} is neither confirmed nor rejected", line=row.number, word=row.fields[1][:20])
        answers.append(
            BankAnswer(
                reference=row.text(0, "the reference", chars_max=24),
                outcome=PaymentOutcome(row.fields[1]),
                amount_minor=row.integer(2, "amount"),
                bank_reference=row.fields[3][:80],
                reason=row.fields[4][:300],
            )
        )
    if not answers:
        raise FileRefused("the file holds no answer")
    return tuple(answers)


def read_statement(content: bytes) -> BankStatement:
    """Open a statement: `H,bank,currency,date,opening,first sequence` · `L,sequence,reference,amount,value date,text`
    · `C,closing`, sealed. Raises `FileRefused` with the line that does not add up.
    """
    records = open_sealed_file(content)
    if len(records) < 2:
        raise FileRefused("A statement has at least a header and a closing line.")
    header, closing = records[0], records[-1]
    header.expect("H", 5)
    bank, currency = header.text(0, "the bank", chars_max=80), header.text(1, "the currency", chars_max=3)
    on, opening = header.day(2, "statement date"), header.integer(3, "opening balance")
    first = header.integer(4, "first sequence")
    closing.expect("C", 1)
    lines, total = [], opening
    for sequence, row in enumerate(records[1:-1], start=first):
        row.expect("L", 5)
        if row.integer(0, "sequence") != sequence:
            raise FileRefused(
                "expected sequence {sequence}, found {found}; a line is missing",
                line=row.number,
                sequence=sequence,
                found=row.fields[0],
            )
        amount = row.integer(2, "amount")
        reference, value_on = row.text(1, "the reference", chars_max=160), row.day(3, "value date")
        if amount == 0:
            raise FileRefused("a line needs an amount other than zero", line=row.number)
        if abs((value_on - on).days) > VALUE_DATE_DISTANCE_MAX:
            raise FileRefused(
                "value date {value_on} is more than a year from the statement's", line=row.number, value_on=value_on
            )
        total += amount
        lines.append(BankLine(row.number, sequence, reference, amount, value_on, row.fields[4][:300]))
    if total != closing.integer(0, "closing balance"):
        raise FileRefused(
            "opening and lines add up to {total}, the closing balance is {closing}",
            line=closing.number,
            total=total,
            closing=closing.fields[0],
        )
    return BankStatement(bank, currency, on, opening, first, tuple(lines), total)


def match_lines(
    lines: Sequence[OpenBankLine],
    entries: Sequence[OpenBookEntry],
    *,
    on: date,
    sessions: Sequence[date],
    settled: Collection[tuple[str, int]] = (),
) -> Matching:
    """Pair statement lines with ledger entries and class what is left, as of the close of `on`.

    Passes, surest first, each claiming what it pairs so that nothing is matched twice: same reference and amount;
    same reference and an amount within tolerance; same amount within the date window where each is the other's only
    candidate. Of equal candidates the oldest goes first. `sessions` ascending, covering every open date; `settled`
    holds (reference, amount) pairs matched on earlier days, to tell a duplicate from something new.
    """
    pairs: list[Pair] = []
    for find in (_pair_by_reference_and_amount, _pair_by_reference, _pair_by_amount_and_window):
        open_lines = _without(lines, {pair.line.line_id for pair in pairs}, key=lambda line: line.line_id)
        open_entries = _without(entries, {pair.entry.posting_id for pair in pairs}, key=lambda entry: entry.posting_id)
        pairs += find(open_lines, open_entries)
    lines = _without(lines, {pair.line.line_id for pair in pairs}, key=lambda line: line.line_id)
    entries = _without(entries, {pair.entry.posting_id for pair in pairs}, key=lambda entry: entry.posting_id)
    known = {*settled, *((pair.line.reference, pair.line.amount_minor) for pair in pairs)}
    breaks = [found for pair in pairs for found in _breaks_of_pair(pair, sessions)]
    return Matching(tuple(pairs), (*breaks, *_breaks_of_rest(lines, entries, known, on, sessions)))


T = TypeVar("T")


def _without(items: Iterable[T], taken: Collection[int], *, key: Callable[[T], int]) -> list[T]:
    """What is not taken, oldest first."""
    return sorted((item for item in items if key(item) not in taken), key=key)


def _pair_by_reference_and_amount(lines: Sequence[OpenBankLine], entries: Sequence[OpenBookEntry]) -> list[Pair]:
    waiting: dict[tuple[str, int], deque[OpenBookEntry]] = defaultdict(deque)
    for entry in entries:
        waiting[entry.reference, entry.amount_minor].append(entry)
    return [
        Pair(line, candidates.popleft(), MatchMethod.REFERENCE_AND_AMOUNT)
        for line in lines
        if (candidates := waiting.get((line.reference, line.amount_minor)))
    ]


def _pair_by_reference(lines: Sequence[OpenBankLine], entries: Sequence[OpenBookEntry]) -> list[Pair]:
    waiting: dict[str, list[OpenBookEntry]] = defaultdict(list)
    for entry in entries:
        waiting[entry.reference].append(entry)
    pairs = []
    for line in lines:
        candidates = waiting[line.reference]
        near = next((c for c in candidates if abs(c.amount_minor - line.amount_minor) <= AMOUNT_TOLERANCE_MINOR), None)
        if near is not None:
            candidates.remove(near)
            pairs.append(Pair(line, near, MatchMethod.REFERENCE))
    return pairs


def _pair_by_amount_and_window(lines: Sequence[OpenBankLine], entries: Sequence[OpenBookEntry]) -> list[Pair]:
    """Lines and entries whose references the other side does not know, paired where nothing else could fit either."""
    booked, shown = {entry.reference for entry in entries}, {line.reference for line in lines}
    by_amount: dict[int, list[OpenBookEntry]] = defaultdict(list)
    for entry in entries:
        if entry.reference not in shown:
            by_amount[entry.amount_minor].append(entry)
    candidates = [
        (line, entry)
        for line in lines
        if line.reference not in booked
        for entry in by_amount[line.amount_minor]
        if abs((line.value_on - entry.effective_on).days) <= WINDOW_DAYS
    ]
    of_line = Counter(line.line_id for line, _ in candidates)
    of_entry = Counter(entry.posting_id for _, entry in candidates)
    return [
        Pair(line, entry, MatchMethod.AMOUNT_AND_WINDOW)
        for line, entry in candidates
        if of_line[line.line_id] == of_entry[entry.posting_id] == 1
    ]


def _breaks_of_pair(pair: Pair, sessions: Sequence[date]) -> list[FoundBreak]:
    """What is still wrong between two things that belong together."""
    line, entry = pair.line, pair.entry
    breaks = []
    if entry.amount_minor != line.amount_minor:
        detail = f"bank {line.amount_minor}, books {entry.amount_minor}"
        difference = entry.amount_minor - line.amount_minor
        breaks.append(FoundBreak(BreakClass.AMOUNT, BreakSide.BOTH, difference, detail, line, entry))
    early, late = sorted((line.value_on, entry.effective_on))
    if business_days_old(sessions, early, late) > VALUE_DATE_DAYS_MAX:
        detail = f"bank {line.value_on}, books {entry.effective_on}"
        breaks.append(FoundBreak(BreakClass.VALUE_DATE, BreakSide.BOTH, 0, detail, line, entry))
    return breaks


def _breaks_of_rest(
    lines: Sequence[OpenBankLine],
    entries: Sequence[OpenBookEntry],
    known: Collection[tuple[str, int]],
    on: date,
    sessions: Sequence[date],
) -> list[FoundBreak]:
    """One break for each line and entry that no pass paired; two of them share one if only their amounts disagree."""
    breaks = []
    waiting = {entry.reference: entry for entry in reversed(entries) if _entry_key(entry) not in known}
    disagreeing: set[int] = set()
    for line in lines:
        if (line.reference, line.amount_minor) in known:
            kind, entry = BreakClass.DUPLICATE, None
        else:
            entry = waiting.pop(line.reference, None)
            kind = BreakClass.AMOUNT if entry else BreakClass.MISSING_IN_BOOKS
        if entry is not None:
            disagreeing.add(entry.posting_id)
            detail = f"bank {line.amount_minor}, books {entry.amount_minor}"
            difference = entry.amount_minor - line.amount_minor
            breaks.append(FoundBreak(kind, BreakSide.BOTH, difference, detail, line, entry))
        else:
            breaks.append(FoundBreak(kind, BreakSide.COUNTERPARTY, -line.amount_minor, f"bank {line.reference}", line))
    for entry in entries:
        if entry.posting_id in disagreeing:
            continue
        if _entry_key(entry) in known:
            kind = BreakClass.DUPLICATE
        elif business_days_old(sessions, entry.effective_on, on) <= TIMING_DAYS_MAX:
            kind = BreakClass.TIMING
        else:
            kind = BreakClass.MISSING_AT_COUNTERPARTY
        detail = f"books {entry.reference}"
        breaks.append(FoundBreak(kind, BreakSide.BOOKS, entry.amount_minor, detail, entry=entry))
    return breaks


def _entry_key(entry: OpenBookEntry) -> tuple[str, int]:
    return entry.reference, entry.amount_minor


def total_by_age(breaks: Iterable[BreakRow]) -> list[BreakTotals]:
    """Breaks counted by age, youngest first, with their amounts added up gross and net."""
    amounts: dict[str, list[int]] = defaultdict(list)
    for item in sorted(breaks, key=lambda item: item.age_days):
        amounts[item.age_bucket].append(item.amount_minor)
    return [BreakTotals(bucket, len(of_age), sum(map(abs, of_age)), sum(of_age)) for bucket, of_age in amounts.items()]
