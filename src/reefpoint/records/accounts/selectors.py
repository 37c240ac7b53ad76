"""Reads of accounts: facts for valuation, facilities and loans, and the proof that positions equal movements."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.basics.money import MINOR_DIGITS
from reefpoint.platform.database.bulk import array_literal, copy_out
from reefpoint.platform.database.guards import verify_guards
from reefpoint.platform.database.parts import cut, each
from reefpoint.records.accounts.models import (
    Facility,
    Loan,
    LoanExtension,
    LoanRate,
    MarginAccount,
    Position,
    SecurityMovement,
)
from reefpoint.records.accounts.types import (
    AccountFacts,
    AccountOpening,
    AccountOwner,
    AccountStatus,
    ClientDebt,
    ExtensionRow,
    FacilityFacts,
    HeldName,
    Holding,
    LoanFacts,
    LoanState,
    MovementKind,
    MovementRow,
    OwnedLoan,
)
from reefpoint.records.ledger import selectors as ledger
from reefpoint.records.ledger.types import client_cash, fees_due, interest_due, loan_principal
from reefpoint.records.parties.selectors import find_own_client, visible_clients


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


def get_facility(account_id: int) -> FacilityFacts:
    row = Facility.objects.get(account_id=account_id)
    return FacilityFacts(row.number, row.pool_code, row.commitment_minor, row.drawn_minor, row.held_minor)


def facility_of(account_ids: Collection[int]) -> dict[int, FacilityFacts]:
    """The facility of each of these accounts, by account id."""
    rows = Facility.objects.filter(account_id__in=account_ids)
    return {
        row.account_id: FacilityFacts(row.number, row.pool_code, row.commitment_minor, row.drawn_minor, row.held_minor)
        for row in rows
    }


def pool_codes(account_ids: Collection[int]) -> dict[int, str]:
    """The funding pool behind each account's facility, by account id."""
    return dict(Facility.objects.filter(account_id__in=account_ids).values_list("account_id", "pool_code"))


def holdings_by_pool() -> list[tuple[str, int, int]]:
    """Shares of each instrument over all accounts of each funding pool: (pool code, instrument id, shares)."""
    rows = (
        Position.objects.filter(quantity__gt=0)
        .values_list("account__facility__pool_code", "instrument_id")
        .annotate(total=Sum("quantity"))
        .order_by("account__facility__pool_code", "instrument_id")
    )
    return [(pool or "", instrument_id, total) for pool, instrument_id, total in rows]


def scheme_versions_in_use() -> list[int]:
    """The scheme versions of the accounts that are not closed, in id order."""
    kept = MarginAccount.objects.exclude(status=AccountStatus.CLOSED)
    return list(kept.order_by("scheme_version_id").values_list("scheme_version_id", flat=True).distinct())


def find_loan(key: str) -> int | None:
    """The id of the loan that was drawn under an idempotency key."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_loan WHERE key = %s", [key])
        row = cursor.fetchone()
    return row[0] if row else None


def find_loans(loan_ids: Collection[int]) -> list[LoanFacts]:
    """Those of these loans that exist, in id order."""
    return [loan_facts(loan) for loan in Loan.objects.filter(id__in=loan_ids).order_by("id")]


def get_loan(loan_id: int) -> LoanFacts:
    """One loan. Raises `Loan.DoesNotExist`."""
    return loan_facts(Loan.objects.get(id=loan_id))


def count_extensions(loan_ids: Collection[int]) -> dict[int, int]:
    """How often each loan's maturity was moved; a loan that never was is absent."""
    rows = LoanExtension.objects.filter(loan_id__in=loan_ids).values("loan_id").annotate(count=Count("id"))
    return {row["loan_id"]: row["count"] for row in rows.order_by("loan_id")}


def list_extensions(loan_ids: Collection[int]) -> list[ExtensionRow]:
    """Every move of these loans' maturities, oldest first."""
    fields = (
        "loan_id",
        "number",
        "old_matures_on",
        "new_matures_on",
        "old_rate_bp",
        "new_rate_bp",
        "carried_minor",
        "at",
    )
    rows = LoanExtension.objects.filter(loan_id__in=loan_ids).order_by("id").values_list(*fields)
    return [ExtensionRow(*row) for row in rows]


MATURITY_ORDERS = frozenset({"matures_on", "number", "principal_minor", "client_name", "rate_bp"})


def find_loans_maturing(
    actor: Actor,
    *,
    since: date | None = None,
    until: date | None = None,
    only: Collection[int] | None = None,
    without: Collection[int] = (),
    text: str = "",
    order: str = "matures_on",
    offset: int = 0,
    limit: int = 50,
) -> Listing[OwnedLoan]:
    """Open loans of accounts in scope that mature from `since` to `until`; `only` some of them. Two queries.

    Raises `ValueError` for an order that loans do not have.
    """
    if order.lstrip("-") not in MATURITY_ORDERS:
        raise ValueError(f"loans have no order {order!r}")
    rows = Loan.objects.filter(state=LoanState.OPEN, account__client__in=visible_clients(actor)).exclude(id__in=without)
    for name, bound in (("matures_on__gte", since), ("matures_on__lte", until), ("id__in", only)):
        if bound is not None:
            rows = rows.filter(**{name: bound})
    if wanted := text.replace("\x00", "").strip():
        rows = rows.filter(
            Q(number__icontains=wanted)
            | Q(account__number__icontains=wanted)
            | Q(account__client__number__icontains=wanted)
            | Q(account__client__name__icontains=wanted)
            | Q(account__client__name_zh__icontains=wanted)
        )
    key = order.replace("client_name", "account__client__name")
    page = rows.select_related("account__client").order_by(key, "id")
    return cut(page, offset=offset, limit=limit, view=each(_owned))


def list_loans_of_client(client_id: int) -> list[OwnedLoan]:
    """A client's open loans, earliest maturity first."""
    rows = Loan.objects.filter(state=LoanState.OPEN, account__client_id=client_id).select_related("account__client")
    return [_owned(loan) for loan in rows.order_by("matures_on", "id")]


def get_owned_loan(loan_id: int) -> OwnedLoan | None:
    """A loan with whose it is, whatever became of it."""
    loan = Loan.objects.filter(id=loan_id).select_related("account__client").first()
    return None if loan is None else _owned(loan)


def _owned(loan: Loan) -> OwnedLoan:
    account, client = loan.account, loan.account.client
    owner = AccountOwner(account.id, account.number, client.id, client.number, client.name, client.name_zh)
    return OwnedLoan(loan_facts(loan), account.scheme_version_id, account.currency, owner)


def has_drawn(account_id: int) -> bool:
    """Whether anything was ever lent on an account; a loan that was undone does not count."""
    return Loan.objects.filter(account_id=account_id).exclude(state=LoanState.UNDONE).exists()


def list_loans(account_id: int) -> list[LoanFacts]:
    """All loans of an account, oldest first."""
    return [loan_facts(loan) for loan in Loan.objects.filter(account_id=account_id).order_by("drawn_on", "id")]


def list_open_loans(account_ids: Collection[int] | None = None) -> list[LoanFacts]:
    """Loans with principal outstanding, in id order."""
    loans = Loan.objects.filter(state=LoanState.OPEN).order_by("id")
    if account_ids is not None:
        loans = loans.filter(account_id__in=account_ids)
    return [loan_facts(loan) for loan in loans]


def count_accounts() -> int:
    """How many accounts are not closed."""
    return MarginAccount.objects.exclude(status=AccountStatus.CLOSED).count()


def count_open_loans() -> int:
    """How many loans have principal outstanding."""
    return Loan.objects.filter(state=LoanState.OPEN).count()


def count_loans_under(version_id: int) -> int:
    """Loans that are not repaid yet of accounts that were signed under a scheme version."""
    return Loan.objects.filter(account__scheme_version_id=version_id, principal_minor__gt=0).count()


def list_mature_loans(on: date) -> list[LoanFacts]:
    """Loans with principal outstanding whose maturity is before `on`, in id order."""
    return [loan_facts(loan) for loan in Loan.objects.filter(state=LoanState.OPEN, matures_on__lt=on).order_by("id")]


def rates_on(loan_ids: Collection[int], on: date) -> dict[int, int]:
    """The rate that each of these loans bore on a day, of those whose rate ever changed; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (loan_id) loan_id, rate_bp FROM accounts_loanrate
             WHERE since <= %s AND loan_id = ANY(%s::bigint[])
             ORDER BY loan_id, since DESC, id DESC
            """,
            [on, array_literal([*loan_ids])],
        )
        return dict(cursor.fetchall())


def list_rates(loan_id: int) -> list[tuple[date, int, str]]:
    """The rates that a loan has borne, oldest first: since when, basis points, and why; empty if it never changed."""
    return list(
        LoanRate.objects.filter(loan_id=loan_id).order_by("since", "id").values_list("since", "rate_bp", "source")
    )


def accounts_owing() -> list[int]:
    """Accounts with a loan outstanding, in id order."""
    owing = Loan.objects.filter(state=LoanState.OPEN).order_by("account_id")
    return list(owing.values_list("account_id", flat=True).distinct())


def loan_facts(loan: Loan) -> LoanFacts:
    """A row as others see it."""
    return LoanFacts(
        id=loan.id,
        number=loan.number,
        account_id=loan.account_id,
        pool_code=loan.pool_code,
        drawn_minor=loan.drawn_minor,
        principal_minor=loan.principal_minor,
        rate_bp=loan.rate_bp,
        day_count=loan.day_count,
        drawn_on=loan.drawn_on,
        matures_on=loan.matures_on,
        state=LoanState(loan.state),
    )


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


def list_movements(account_id: int, limit: int = 50) -> list[MovementRow]:
    """The latest changes of an account's positions, newest first."""
    rows = (
        SecurityMovement.objects.filter(account_id=account_id)
        .order_by("-id")
        .values_list("effective_on", "at", "instrument_id", "instrument__symbol", "kind", "quantity", "source")[:limit]
    )
    return [MovementRow(*row) for row in rows]


def quantities_bought(
    account_ids: Collection[int], instrument_ids: Collection[int], on: date
) -> dict[tuple[int, int], int]:
    """Shares that these accounts bought of these names on one day, by account and instrument id, in one query."""
    bought = SecurityMovement.objects.filter(
        account_id__in=account_ids, instrument_id__in=instrument_ids, effective_on=on, kind=MovementKind.PURCHASE
    )
    rows = bought.values_list("account_id", "instrument_id").annotate(Sum("quantity")).order_by()
    return {(account_id, instrument_id): quantity for account_id, instrument_id, quantity in rows}


def get_owner(actor: Actor, account_id: int) -> AccountOwner:
    """Whose an account is. Raises `NotFound` alike for an account out of the actor's scope and for none (I66)."""
    row = (
        MarginAccount.objects.filter(id=account_id, client__in=visible_clients(actor)).select_related("client").first()
    )
    if row is None:
        raise NotFound("There is no account {account_id}, or it is not yours to see.", account_id=account_id)
    return _owner(row)


def list_own_accounts(actor: Actor) -> list[AccountOwner]:
    """The accounts of the client who is signed in on the portal, by number."""
    own = find_own_client(actor)
    if own is None:
        return []
    return [
        _owner(row) for row in MarginAccount.objects.filter(client_id=own.id).select_related("client").order_by("id")
    ]


def get_own_account(actor: Actor, account_id: int) -> AccountOwner:
    """One account of the client who is signed in. Raises `NotFound` for another's as for one that never was (I66)."""
    found = next((one for one in list_own_accounts(actor) if one.account_id == account_id), None)
    if found is None:
        raise NotFound("There is no account {account_id}, or it is not yours to see.", account_id=account_id)
    return found


def _owner(row: MarginAccount) -> AccountOwner:
    client = row.client
    return AccountOwner(row.id, row.number, client.id, client.number, client.name, client.name_zh)


def search_accounts(actor: Actor, text: str, limit: int = 20) -> list[AccountOwner]:
    """Accounts in scope whose number, or whose client's number or name in either language, holds `text`."""
    wanted = text.strip().replace("\x00", "")
    if not wanted:
        return []
    match = (
        Q(number__icontains=wanted)
        | Q(client__number__icontains=wanted)
        | Q(client__name__icontains=wanted)
        | Q(client__name_zh__icontains=wanted)
    )
    rows = MarginAccount.objects.filter(match, client__in=visible_clients(actor)).select_related("client")
    return [
        AccountOwner(row.id, row.number, row.client.id, row.client.number, row.client.name, row.client.name_zh)
        for row in rows.order_by("id")[:limit]
    ]


def names_held(actor: Actor) -> list[HeldName]:
    """Shares of each instrument over the accounts in the actor's scope, in one query."""
    held = Position.objects.filter(quantity__gt=0, account__client__in=visible_clients(actor))
    rows = held.values_list("instrument_id").annotate(Sum("quantity"), Count("account_id"))
    return [HeldName(*row) for row in rows.order_by("instrument_id")]


def quantities_held() -> dict[str, int]:
    """Shares of each instrument over all accounts, by symbol."""
    rows = Position.objects.filter(quantity__gt=0).values("instrument__symbol").annotate(total=Sum("quantity"))
    return {row["instrument__symbol"]: row["total"] for row in rows.order_by("instrument__symbol")}


def loans_maturing(until: date) -> list[LoanFacts]:
    """Open loans that mature on or before `until`, earliest first."""
    loans = Loan.objects.filter(state=LoanState.OPEN, matures_on__lte=until).order_by("matures_on", "id")
    return [loan_facts(loan) for loan in loans]


def verify_accounts() -> list[Finding]:
    """Positions equal the sum of their movements; loans and facilities equal the ledger's principal; rates stand."""
    return [*_verify_positions(), *_verify_principal(), *_verify_rates(), *verify_guards([LoanRate._meta.db_table])]


def _verify_rates() -> list[Finding]:
    """Each loan whose rate is not the newest of those on record for it."""
    newest = LoanRate.objects.order_by("loan_id", "-since", "-id").distinct("loan_id").select_related("loan")
    return [
        Finding("accounts.rate", f"loan:{row.loan_id}", f"bears {row.loan.rate_bp}, its newest rate is {row.rate_bp}")
        for row in newest
        if row.loan.rate_bp != row.rate_bp
    ]


def _verify_positions() -> list[Finding]:
    moved = {
        (row["account_id"], row["instrument_id"]): row["total"]
        for row in SecurityMovement.objects.values("account_id", "instrument_id").annotate(total=Sum("quantity"))
    }
    held = {(row.account_id, row.instrument_id): row.quantity for row in Position.objects.all()}
    return [
        Finding(
            "accounts.position",
            f"account:{key[0]}",
            f"instrument {key[1]} holds {held.get(key, 0)}, its movements add up to {moved.get(key, 0)}",
        )
        for key in sorted(held.keys() | moved.keys())
        if held.get(key, 0) != moved.get(key, 0)
    ]


def _verify_principal() -> list[Finding]:
    rows = MarginAccount.objects.annotate(
        loaned=Coalesce(Sum("loans__principal_minor", filter=Q(loans__state=LoanState.OPEN)), 0),
        drawn=F("facility__drawn_minor"),
    ).values("id", "number", "loaned", "drawn")
    booked = ledger.balances([loan_principal(row["number"]) for row in rows])
    return [
        Finding(
            "accounts.principal",
            f"account:{row['id']}",
            f"loans {row['loaned']}, facility {row['drawn']}, ledger {booked.get(loan_principal(row['number']), 0)}",
        )
        for row in rows
        if not row["loaned"] == row["drawn"] == booked.get(loan_principal(row["number"]), 0)
    ]


def load_owners(account_ids: Collection[int]) -> dict[int, AccountOwner]:
    """Whose each of these accounts is, in one query; for rows that were found within somebody's scope already."""
    rows = MarginAccount.objects.filter(id__in=account_ids).select_related("client")
    return {
        row.id: AccountOwner(row.id, row.number, row.client.id, row.client.number, row.client.name, row.client.name_zh)
        for row in rows
    }


def load_openings(client_ids: Collection[int]) -> list[AccountOpening]:
    """Every account of these clients with the day it was opened, closed ones among them, oldest first."""
    rows = MarginAccount.objects.filter(client_id__in=client_ids).order_by("opened_on", "id")
    return [AccountOpening(row.id, row.client_id, row.currency, row.opened_on) for row in rows]
