"""What the books say, now and as of a date, and whether they hold together."""

from collections.abc import Iterable
from datetime import date

from django.db import connection
from django.db.models import F, Q

from reefpoint.platform.audit.selectors import verify_chain
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.records.ledger.models import (
    APPEND_ONLY_TABLES,
    LEDGER_CHAIN,
    OTHER_TRIGGERS,
    Balance,
    Journal,
    LedgerAccount,
    Posting,
)
from reefpoint.records.ledger.types import BANK_SETTLEMENT, AccountKind, LedgerEntry, TrialBalanceRow

_NORMAL_SIDE = F("sign") * (F("debit_minor") - F("credit_minor"))


def books_currency() -> str | None:
    """The currency of the desk's own accounts, so of every account; nothing before they are open."""
    return LedgerAccount.objects.filter(code=BANK_SETTLEMENT).values_list("currency", flat=True).first()


def balance_minor(code: str) -> int:
    """An account's balance in its normal side, holds not deducted. Raises `KeyError` if it is not open."""
    return balances([code])[code]


def balances(codes: Iterable[str]) -> dict[str, int]:
    """Balances in minor units of each account's normal side; a code that is not open is absent."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account.code, balance.sign * (balance.debit_minor - balance.credit_minor)
              FROM ledger_balance balance JOIN ledger_account account ON account.id = balance.account_id
             WHERE account.code = ANY(%s)
            """,
            [list(codes)],
        )
        return dict(cursor.fetchall())


def available_minor(code: str) -> int:
    """What can still be taken from an account: balance less holds. Raises `Balance.DoesNotExist` if it is not open."""
    return int(Balance.objects.values_list(_NORMAL_SIDE - F("held_minor"), flat=True).get(account__code=code))


def find_journal(key: str) -> int | None:
    """The id of the journal that was posted under a key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_journal WHERE key = %s", [key])
        row = cursor.fetchone()
    return row[0] if row else None


def list_journal_keys(kind: str) -> set[str]:
    """The keys of all journals of a kind, for a proof that nothing is missing or more."""
    return set(Journal.objects.filter(kind=kind).values_list("key", flat=True))


def find_journals(keys: Iterable[str]) -> set[str]:
    """Which of these keys are journals already."""
    return set(Journal.objects.filter(key__in=list(keys)).values_list("key", flat=True))


def balance_as_of(code: str, on: date) -> int:
    """An account's balance in its normal side at the end of a date, by effective dates. Raises `KeyError` as above."""
    return balances_as_of([code], on)[code]


def balances_as_of(codes: Iterable[str], on: date) -> dict[str, int]:
    """Balances at the end of a date: the last snapshot before, and what took effect since."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account.code, b.sign * (coalesce(kept.debit_minor - kept.credit_minor, 0) + (
                       SELECT coalesce(sum(amount_minor), 0) FROM ledger_posting
                        WHERE debit_account_id = account.id AND effective_on <= %(on)s
                          AND effective_on > coalesce(kept."on", '-infinity')) - (
                       SELECT coalesce(sum(amount_minor), 0) FROM ledger_posting
                        WHERE credit_account_id = account.id AND effective_on <= %(on)s
                          AND effective_on > coalesce(kept."on", '-infinity')))::bigint
              FROM ledger_account account JOIN ledger_balance b ON b.account_id = account.id
              LEFT JOIN LATERAL (
                    SELECT debit_minor, credit_minor, "on" FROM ledger_balance_snapshot
                     WHERE account_id = account.id AND "on" <= %(on)s ORDER BY "on" DESC LIMIT 1) AS kept ON true
             WHERE account.code = ANY(%(codes)s)
            """,
            {"on": on, "codes": list(codes)},
        )
        return dict(cursor.fetchall())


def list_entries(
    code: str,
    *,
    since_on: date | None = None,
    until_on: date | None = None,
    before_id: int | None = None,
    limit: int | None = 50,
) -> list[LedgerEntry]:
    """An account's postings, newest first, between two effective dates (both included); pages by `before_id`.

    `limit=None` gives all of them. Raises `LedgerAccount.DoesNotExist` if the account is not open.
    """
    account = LedgerAccount.objects.get(code=code)
    sign = AccountKind(account.kind).sign
    rows = Posting.objects.filter(Q(debit_account=account) | Q(credit_account=account))
    wanted = {"effective_on__gte": since_on, "effective_on__lte": until_on, "id__lt": before_id}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    rows = rows.select_related("journal", "debit_account", "credit_account").order_by("-id")
    return [
        LedgerEntry(
            posting_id=row.id,
            journal_id=row.journal_id,
            kind=row.journal.kind,
            effective_on=row.effective_on,
            posted_at=row.journal.posted_at,
            other_code=row.credit_account.code if is_debit else row.debit_account.code,
            change_minor=(sign if is_debit else -sign) * row.amount_minor,
            memo=row.journal.memo,
            source=row.journal.source,
        )
        for row in rows[:limit]
        for is_debit in [row.debit_account_id == account.id]
    ]


def list_trial_balance() -> list[TrialBalanceRow]:
    """Every account that was ever used, by code. Over each currency, debits equal credits."""
    rows = Balance.objects.filter(version__gt=0).select_related("account").order_by("account__code")
    return [
        TrialBalanceRow(
            code=row.account.code,
            kind=AccountKind(row.account.kind),
            currency=row.account.currency,
            debit_minor=row.debit_minor,
            credit_minor=row.credit_minor,
            held_minor=row.held_minor,
        )
        for row in rows
    ]


def current_book_day() -> date | None:
    """The business date whose books are open, if any."""
    with connection.cursor() as cursor:
        cursor.execute('SELECT "on" FROM ledger_book_day WHERE closed_at IS NULL')
        row = cursor.fetchone()
    return row[0] if row else None


_FAULTS = """
    SELECT 'ledger.balance', code, format('totals are %s/%s, postings add up to %s/%s',
               b.debit_minor, b.credit_minor, coalesce(p.debit, 0), coalesce(p.credit, 0))
      FROM ledger_account a LEFT JOIN ledger_balance b ON b.account_id = a.id LEFT JOIN (
           SELECT account_id, sum(debit) AS debit, sum(credit) AS credit
             FROM ledger_posting,
                  LATERAL (VALUES (debit_account_id, amount_minor, 0), (credit_account_id, 0, amount_minor))
                      AS side(account_id, debit, credit)
            GROUP BY account_id) AS p ON p.account_id = a.id
     WHERE (b.debit_minor, b.credit_minor) IS DISTINCT FROM (coalesce(p.debit, 0), coalesce(p.credit, 0))
UNION ALL
    SELECT 'ledger.held', code, format('%s is held, open holds add up to %s', b.held_minor, coalesce(h.held, 0))
      FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id LEFT JOIN (
           SELECT account_id, sum(amount_minor) AS held FROM ledger_hold
            WHERE NOT EXISTS (SELECT 1 FROM ledger_hold_resolution WHERE hold_id = ledger_hold.id)
            GROUP BY account_id) AS h ON h.account_id = a.id
     WHERE b.held_minor <> coalesce(h.held, 0)
UNION ALL
    SELECT 'ledger.floor', code, 'the balance row has another floor or side than its account'
      FROM ledger_account a JOIN ledger_balance b ON b.account_id = a.id
     WHERE b.floor_minor IS DISTINCT FROM a.floor_minor
        OR b.sign <> CASE WHEN a.kind IN ('asset', 'expense') THEN 1 ELSE -1 END
UNION ALL
    SELECT 'ledger.journal', format('journal:%s', j.id), 'it has no posting'
      FROM ledger_journal j WHERE NOT EXISTS (SELECT 1 FROM ledger_posting p WHERE p.journal_id = j.id)
UNION ALL
    SELECT 'ledger.posting', format('posting:%s', p.id), 'its date is not its journal''s, or it has no journal'
      FROM ledger_posting p LEFT JOIN ledger_journal j ON j.id = p.journal_id
     WHERE j.effective_on IS DISTINCT FROM p.effective_on
UNION ALL
    SELECT 'ledger.currency', format('posting:%s', p.id), 'its currency is not that of its accounts'
      FROM ledger_posting p
      LEFT JOIN ledger_account d ON d.id = p.debit_account_id LEFT JOIN ledger_account c ON c.id = p.credit_account_id
     WHERE (d.currency, c.currency) IS DISTINCT FROM (p.currency, p.currency)
UNION ALL
    SELECT 'ledger.snapshot', a.code, format('the snapshot of %s is not what took effect up to then', s."on")
      FROM (SELECT account_id, "on", kept_debit, kept_credit,
                   sum(debit) OVER upto AS debit, sum(credit) OVER upto AS credit
              FROM (SELECT account_id, effective_on AS "on", debit, credit, NULL AS kept_debit, NULL AS kept_credit
                      FROM ledger_posting,
                           LATERAL (VALUES (debit_account_id, amount_minor, 0), (credit_account_id, 0, amount_minor))
                               AS side(account_id, debit, credit)
                    UNION ALL
                    SELECT account_id, "on", 0, 0, debit_minor, credit_minor FROM ledger_balance_snapshot) AS dated
            WINDOW upto AS (PARTITION BY account_id ORDER BY "on")) AS s
      JOIN ledger_account a ON a.id = s.account_id
     WHERE (s.kept_debit, s.kept_credit) <> (s.debit, s.credit)
 ORDER BY 1, 2
"""


def verify_ledger() -> list[Finding]:
    """The books hold together: structure, balances, holds, snapshots, guards and the sealed chain.

    One row per pair sums to zero by its structure; what is checked is that the structure still stands.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS)
        faults = [Finding(*row) for row in cursor.fetchall()]
    return faults + verify_guards(APPEND_ONLY_TABLES, OTHER_TRIGGERS) + verify_chain(LEDGER_CHAIN)
