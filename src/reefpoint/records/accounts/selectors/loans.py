"""Loans: which there are, until when, at which rate."""

from collections.abc import Collection
from datetime import date

from django.db import connection
from django.db.models import Count

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.listing import Listing
from reefpoint.platform.database.bulk import array_literal
from reefpoint.platform.database.parts import cut, each
from reefpoint.platform.database.searching import holding
from reefpoint.records.accounts.models import Loan, LoanExtension, LoanRate
from reefpoint.records.accounts.types import AccountOwner, ExtensionRow, LoanFacts, LoanState, OwnedLoan
from reefpoint.records.parties.selectors.clients import client_texts, visible_clients


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
    rows = rows.filter(holding(text, "number", "account__number", *client_texts("account__client")))
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


def loans_maturing(until: date) -> list[LoanFacts]:
    """Open loans that mature on or before `until`, earliest first."""
    loans = Loan.objects.filter(state=LoanState.OPEN, matures_on__lte=until).order_by("matures_on", "id")
    return [loan_facts(loan) for loan in loans]
