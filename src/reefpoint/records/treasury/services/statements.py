"""Receiving the bank's statements: whole, in turn, and each once."""

from datetime import datetime

from django.db import transaction

from reefpoint.platform.access.services import require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.sealed_files import FileRefused, file_hash
from reefpoint.platform.database.locks import lock_name
from reefpoint.records.treasury.models import Statement, StatementLine
from reefpoint.records.treasury.rules import read_statement
from reefpoint.records.treasury.types import BankStatement

BANK_FILES = "bank files"
"""The lock that puts statements and comparisons in line."""


@transaction.atomic
def receive_statement(*, actor: Actor, source: str, content: bytes, at: datetime) -> int:
    """Store a statement and its lines. Returns its id; the same bytes again, the same id.

    `source` says how it came. Raises `FileRefused`, naming the line, for a file that is damaged, does not add up, is
    of a day already received or yet to come, or does not follow on the statement before it.
    """
    require(actor, "treasury.receive_statement")
    lock_name(BANK_FILES)
    digest = file_hash(content)
    known = Statement.objects.filter(file_hash=digest).first()
    if known is not None:
        return known.id
    read = read_statement(content)
    _check_turn(read, Statement.objects.order_by("-on").first(), at)
    statement = Statement.objects.create(
        on=read.on,
        source=source,
        bank=read.bank,
        currency=read.currency,
        file_hash=digest,
        content=content,
        opening_minor=read.opening_minor,
        closing_minor=read.closing_minor,
        next_sequence=read.first_sequence + len(read.lines),
        received_by=actor.ref,
        received_at=at,
    )
    StatementLine.objects.bulk_create(
        StatementLine(
            statement=statement,
            sequence=line.sequence,
            reference=line.reference,
            amount_minor=line.amount_minor,
            value_on=line.value_on,
            text=line.text,
        )
        for line in read.lines
    )
    record(
        actor=actor,
        action="treasury.receive_statement",
        subject=f"statement:{read.on}",
        inputs={"source": source, "sha256": digest, "lines": len(read.lines), "closing_minor": read.closing_minor},
        at=at,
    )
    return statement.id


def _check_turn(read: BankStatement, last: Statement | None, at: datetime) -> None:
    """Refuse a statement that is not the next one of this account."""
    if read.on > at.date():
        raise FileRefused("the statement is of {on}, which is yet to come", line=1, on=read.on)
    if last is None:
        if (read.opening_minor, read.first_sequence) != (0, 1):
            raise FileRefused("the first statement has to open the account; hand in the earlier ones first", line=1)
        return
    if read.on == last.on:
        raise FileRefused("another statement of {on} was already received", line=1, on=read.on)
    if read.on < last.on:
        raise FileRefused(
            "the statement is of {on}, and {last_on} was already received", line=1, on=read.on, last_on=last.on
        )
    if (read.bank, read.currency) != (last.bank, last.currency):
        raise FileRefused(
            "the statement is of another account: {bank} {currency}",
            line=1,
            bank=read.bank[:40],
            currency=read.currency[:3],
        )
    if read.first_sequence != last.next_sequence:
        raise FileRefused(
            "lines {next_sequence} up to {first_sequence} are missing; a statement was lost on the way",
            line=1,
            next_sequence=last.next_sequence,
            first_sequence=read.first_sequence,
        )
    if read.opening_minor != last.closing_minor:
        raise FileRefused(
            "it opens at {opening_minor}, the one before closed at {closing_minor}",
            line=1,
            opening_minor=read.opening_minor,
            closing_minor=last.closing_minor,
        )
