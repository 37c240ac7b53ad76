"""Book days: opening and closing them, keeping their balances, sealing what is posted."""

from datetime import date, datetime

from django.db import connection, transaction

from reefpoint.platform.audit.services import record, seal_chain
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.ledger.models import LEDGER_CHAIN, BookDay
from reefpoint.records.ledger.services.refusals import BookDayRefused


@transaction.atomic
def open_book_day(*, actor: Actor, on: date, at: datetime) -> None:
    """Open the books for a business date; opening the open day again changes nothing.

    Raises `BookDayRefused` if another day is open or a later one was opened before.
    """
    last = BookDay.objects.select_for_update().order_by("-on").first()
    if last is not None and last.on == on and last.closed_at is None:
        return
    if last is not None and last.closed_at is None:
        raise BookDayRefused("The books of {on} are still open; close them first.", on=last.on)
    if last is not None and last.on >= on:
        raise BookDayRefused("The books of {on} are closed; open a later day.", on=last.on)
    BookDay.objects.create(on=on, opened_at=at)
    record(actor=actor, action="ledger.open_book_day", subject=f"book_day:{on}", at=at)


@transaction.atomic
def close_book_day(*, actor: Actor, on: date, at: datetime) -> None:
    """Close the open day: the database refuses whatever would take effect on or before it from now on.

    Waits for journals under way. Closing it again changes nothing. Post nothing earlier in the same transaction:
    two of them would then wait for each other. Raises `BookDayRefused` if the day was never opened.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('ledger_book_day', 0))")
    day = BookDay.objects.select_for_update().filter(on=on).first()
    if day is None:
        raise BookDayRefused("The books of {on} were never opened.", on=on)
    if day.closed_at is None:
        day.closed_at = at
        day.save()
        record(actor=actor, action="ledger.close_book_day", subject=f"book_day:{on}", at=at)


@transaction.atomic
def snapshot_balances(on: date) -> int:
    """Keep each moved account's totals at the end of a closed day, for quick reads as of a date. Returns how many.

    Running it again adds nothing: a closed day does not change.
    """
    assert BookDay.objects.filter(on=on, closed_at__isnull=False).exists(), "only a closed day's balances are final"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ledger_balance_snapshot (account_id, "on", debit_minor, credit_minor)
            SELECT moved.account_id, %(on)s, moved.debit + coalesce(before.debit_minor, 0),
                   moved.credit + coalesce(before.credit_minor, 0)
              FROM (SELECT account_id, sum(debit) AS debit, sum(credit) AS credit
                      FROM ledger_posting,
                           LATERAL (VALUES (debit_account_id, amount_minor, 0), (credit_account_id, 0, amount_minor))
                               AS side(account_id, debit, credit)
                     WHERE effective_on <= %(on)s AND effective_on > coalesce(
                           (SELECT max("on") FROM ledger_balance_snapshot WHERE "on" < %(on)s), '-infinity')
                     GROUP BY account_id) AS moved
              LEFT JOIN LATERAL (
                    SELECT debit_minor, credit_minor FROM ledger_balance_snapshot
                     WHERE account_id = moved.account_id AND "on" < %(on)s ORDER BY "on" DESC LIMIT 1) AS before ON true
             ORDER BY moved.account_id
            ON CONFLICT DO NOTHING
            """,
            {"on": on},
        )
        return int(cursor.rowcount)


def seal_ledger(*, at: datetime) -> int:
    """Seal the journals that no transaction under way can still precede. Returns how many."""
    return seal_chain(LEDGER_CHAIN, at=at)
