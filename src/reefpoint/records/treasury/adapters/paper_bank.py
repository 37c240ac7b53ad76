"""A bank on paper: it books what it is told, keeps its own balance and sends a statement a day.

It shares no table with the desk: what it says can differ from the desk's books, and reconciliation finds out.
"""

from collections.abc import Sequence
from datetime import date

from django.db import connection, transaction

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.sealed_files import seal_file
from reefpoint.platform.database.locks import lock_name
from reefpoint.records.treasury.models import PaperBankEntry, PaperBankStatement

BANK_NAME = "REEFPOINT-PAPER-BANK"
CURRENCY = "USD"
REFERENCE_CHARS_MAX = 160
TEXT_CHARS_MAX = 300


class PaymentRefused(Refusal):
    """A payment without an amount, or under a reference that already named another payment."""

    code = "payment_refused"


class PaperBank:
    """Books at once on the day it is told, and reports a day when its statement is asked for.

    What is booked for a day after that day was reported comes with the next statement, as at a real bank.
    """

    def credit(self, *, reference: str, amount_minor: int, on: date, text: str) -> None:
        """Money arrives (minor units, positive). Raises `PaymentRefused`."""
        _book(reference, amount_minor, 1, on, text)

    def debit(self, *, reference: str, amount_minor: int, on: date, text: str) -> None:
        """Money leaves (minor units, positive). Raises `PaymentRefused`."""
        _book(reference, amount_minor, -1, on, text)

    @transaction.atomic
    def statement(self, on: date) -> bytes:
        """The statement of a day with all that no earlier statement showed; asked again, the same bytes.

        `H,bank,currency,date,opening,first sequence` · `L,sequence,reference,amount,value date,text` · `C,closing`.
        Raises `PaymentRefused` for a day before one that was already reported.
        """
        lock_name("paper bank statement")
        reported = PaperBankStatement.objects.filter(on=on).first() or _report(on)
        rows: list[Sequence[str]] = [
            ("H", BANK_NAME, CURRENCY, on.isoformat(), str(reported.opening_minor), str(reported.first_sequence))
        ]
        entries = reported.entries.order_by("id").values_list("reference", "amount_minor", "value_on", "text")
        rows += [
            ("L", str(sequence), reference, str(amount), value_on.isoformat(), text)
            for sequence, (reference, amount, value_on, text) in enumerate(entries, start=reported.first_sequence)
        ]
        rows.append(("C", str(reported.closing_minor)))
        return seal_file(rows)


def _report(on: date) -> PaperBankStatement:
    last = PaperBankStatement.objects.order_by("-on").first()
    if last is not None and on < last.on:
        raise PaymentRefused(
            "The statement of {on} was never issued, and {last_on} already was.", on=on, last_on=last.on
        )
    entries = list(PaperBankEntry.objects.select_for_update().filter(statement=None, booked_on__lte=on))
    opening = last.closing_minor if last else 0
    first = last.next_sequence if last else 1
    reported = PaperBankStatement.objects.create(
        on=on,
        opening_minor=opening,
        closing_minor=opening + sum(entry.amount_minor for entry in entries),
        first_sequence=first,
        next_sequence=first + len(entries),
    )
    PaperBankEntry.objects.filter(id__in=[entry.id for entry in entries]).update(statement=reported)
    return reported


def _book(reference: str, amount_minor: int, sign: int, on: date, text: str) -> None:
    if amount_minor <= 0 or not 0 < len(reference) <= REFERENCE_CHARS_MAX or not reference.isprintable():
        raise PaymentRefused(
            "A payment needs a reference of 1 to {reference_chars_max} characters and a positive amount.",
            reference=reference,
            reference_chars_max=REFERENCE_CHARS_MAX,
        )
    text = "".join(char if char.isprintable() else " " for char in text)[:TEXT_CHARS_MAX]
    amount = sign * amount_minor
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO treasury_paperbankentry (reference, amount_minor, booked_on, value_on, text)
            VALUES (%s, %s, %s, %s, %s) ON CONFLICT (reference) DO NOTHING
            """,
            [reference, amount, on, on, text],
        )
        is_new = cursor.rowcount == 1
    if not is_new and PaperBankEntry.objects.get(reference=reference).amount_minor != amount:
        raise PaymentRefused("Reference {reference} already named another payment.", reference=reference)
