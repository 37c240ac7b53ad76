"""Facts of accounts: cash, debt and holdings, one by one for the desk and all as columns for the watch."""

from collections.abc import Collection
from typing import Any

from django.db import connection

from reefpoint.platform.basics.errors import Refusal
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.database.bulk import array_literal, copy_out
from reefpoint.records.accounts.models import MarginAccount
from reefpoint.records.accounts.types import AccountFacts, AccountOpening, AccountStatus, ClientDebt, Holding
from reefpoint.records.ledger.types import client_cash, fees_due, interest_due, loan_principal


class NoSuchAccount(Refusal):
    """There is no such account, or it is not this person's to see."""

    code = "no_such_account"


_FACTS = """
SELECT a.id, a.number, a.client_id, a.scheme_version_id, a.currency, a.status, a.change_no,
       ARRAY(SELECT instrument_id FROM accounts_position p
              WHERE p.account_id = a.id AND quantity > 0 ORDER BY instrument_id),
       ARRAY(SELECT quantity FROM accounts_position p
              WHERE p.account_id = a.id AND quantity > 0 ORDER BY instrument_id),
       coalesce(money.cash, 0), coalesce(money.principal, 0), coalesce(money.interest, 0), coalesce(money.fees, 0),
       a.decision_id
  FROM accounts_marginaccount a
 CROSS JOIN LATERAL (
       SELECT max(minor) FILTER (WHERE code = %(cash)s || a.number) AS cash,
              max(minor) FILTER (WHERE code = %(principal)s || a.number) AS principal,
              max(minor) FILTER (WHERE code = %(interest)s || a.number) AS interest,
              max(minor) FILTER (WHERE code = %(fees)s || a.number) AS fees
         FROM (SELECT code, sign * (debit_minor - credit_minor) AS minor
                 FROM ledger_account JOIN ledger_balance ON account_id = id
                WHERE code IN (%(cash)s || a.number, %(principal)s || a.number, %(interest)s || a.number,
                               %(fees)s || a.number)) AS balance) AS money
 WHERE CASE WHEN %(ids)s::bigint[] IS NULL THEN status <> 'closed' ELSE id = ANY(%(ids)s::bigint[]) END
 ORDER BY a.id
"""
_PREFIXES = {
    "cash": client_cash(""),
    "principal": loan_principal(""),
    "interest": interest_due(""),
    "fees": fees_due(""),
}


def load_accounts(account_ids: Collection[int] | None = None) -> list[AccountFacts]:
    """Facts of the given accounts (all that are not closed, by default) in id order, in one query."""
    ids = None if account_ids is None else array_literal([*account_ids])
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, {"ids": ids, **_PREFIXES})
        return [_facts(row) for row in cursor.fetchall()]


POSITION_ROWS = """
SELECT p.account_id, p.instrument_id, p.quantity
  FROM accounts_position p JOIN accounts_marginaccount a ON a.id = p.account_id
 WHERE p.quantity > 0 AND a.status <> 'closed'
 ORDER BY p.account_id, p.instrument_id
"""
ACCOUNT_FIELDS = {"account_id": 8, "scheme_version_id": 8, "currency": 4, "cash_minor": 8, "debt_minor": 8}
"""The fields of `ACCOUNT_ROWS` and their bytes; `currency` is a place in `CURRENCIES`, from 1."""
CURRENCIES = tuple(MINOR_DIGITS)
ACCOUNT_ROWS = """
WITH money AS (
    SELECT split_part(code, ':', 2) AS number,
           sum(sign * (debit_minor - credit_minor)) FILTER (WHERE split_part(code, ':', 1) = %(cash)s) AS cash,
           sum(sign * (debit_minor - credit_minor)) FILTER (WHERE split_part(code, ':', 1) <> %(cash)s) AS debt
      FROM ledger_account JOIN ledger_balance ON account_id = id
     WHERE split_part(code, ':', 1) = %(cash)s OR split_part(code, ':', 1) = ANY(%(debts)s)
     GROUP BY 1
)
SELECT a.id, a.scheme_version_id, array_position(%(currencies)s, a.currency::text),
       coalesce(money.cash, 0)::bigint, coalesce(money.debt, 0)::bigint
  FROM accounts_marginaccount a LEFT JOIN money ON money.number = a.number
 WHERE a.status <> 'closed'
 ORDER BY a.id
"""


def copy_book() -> tuple[bytearray, bytearray]:
    """All accounts that are not closed as rows of COPY BINARY: their positions (bigints) and their `ACCOUNT_FIELDS`.

    For a reader that takes a million accounts as columns; `load_accounts` says the same of some. The positions are
    read first, so that an account opened meanwhile has none yet; whatever changes in between is told by an event.
    """
    cash, *debts = (code("").removesuffix(":") for code in (client_cash, loan_principal, interest_due, fees_due))
    positions = copy_out(POSITION_ROWS)
    return positions, copy_out(ACCOUNT_ROWS, {"cash": cash, "debts": debts, "currencies": list(CURRENCIES)})


def _facts(row: tuple[Any, ...]) -> AccountFacts:
    account_id, number, client_id, scheme_version_id, currency, status, change_no, *rest = row
    instrument_ids, quantities, cash_minor, principal_minor, interest_minor, fees_minor, decision_id = rest
    return AccountFacts(
        id=account_id,
        number=number,
        client_id=client_id,
        scheme_version_id=scheme_version_id,
        currency=currency,
        status=AccountStatus(status),
        change_no=change_no,
        cash_minor=cash_minor,
        principal_minor=principal_minor,
        interest_minor=interest_minor,
        fees_minor=fees_minor,
        holdings=tuple(map(Holding, instrument_ids, quantities)),
        decision_id=decision_id,
    )


_DEBTS = """
SELECT a.client_id, a.currency, count(*), coalesce(sum(owed.minor), 0)::bigint
  FROM accounts_marginaccount a
  CROSS JOIN LATERAL (
      SELECT sum(sign * (debit_minor - credit_minor)) AS minor
        FROM ledger_account JOIN ledger_balance ON account_id = id
       WHERE code IN (%(principal)s || a.number, %(interest)s || a.number, %(fees)s || a.number)
  ) AS owed
 WHERE a.client_id = ANY(%(clients)s::bigint[]) AND a.status <> 'closed'
 GROUP BY a.client_id, a.currency
 ORDER BY a.client_id, a.currency
"""


def load_debts(client_ids: Collection[int]) -> list[ClientDebt]:
    """What each of these clients owes, by currency, in one query; clients without an account are left out."""
    wanted = {
        "clients": array_literal([*client_ids]),
        "principal": loan_principal(""),
        "interest": interest_due(""),
        "fees": fees_due(""),
    }
    with connection.cursor() as cursor:
        cursor.execute(_DEBTS, wanted)
        return [ClientDebt(*row) for row in cursor.fetchall()]


def get_account(account_id: int) -> AccountFacts:
    """One account's facts. Raises `NoSuchAccount`."""
    found = load_accounts([account_id])
    if not found:
        raise NoSuchAccount("There is no such account.")
    return found[0]


def scheme_versions_in_use() -> list[int]:
    """The scheme versions of the accounts that are not closed, in id order."""
    kept = MarginAccount.objects.exclude(status=AccountStatus.CLOSED)
    return list(kept.order_by("scheme_version_id").values_list("scheme_version_id", flat=True).distinct())


def count_accounts() -> int:
    """How many accounts are not closed."""
    return MarginAccount.objects.exclude(status=AccountStatus.CLOSED).count()


def account_ids_of_clients(client_ids: Collection[int]) -> list[int]:
    return list(MarginAccount.objects.filter(client_id__in=client_ids).order_by("id").values_list("id", flat=True))


def account_numbers(account_ids: Collection[int]) -> dict[int, str]:
    """The number of each of these accounts, however many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, number FROM accounts_marginaccount WHERE id = ANY(%s::bigint[])",
            [array_literal([*account_ids])],
        )
        return dict(cursor.fetchall())


def load_openings(client_ids: Collection[int]) -> list[AccountOpening]:
    """Every account of these clients with the day it was opened, closed ones among them, oldest first."""
    rows = MarginAccount.objects.filter(client_id__in=client_ids).order_by("opened_on", "id")
    return [AccountOpening(row.id, row.client_id, row.currency, row.opened_on) for row in rows]
