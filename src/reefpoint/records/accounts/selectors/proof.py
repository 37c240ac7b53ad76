"""The proof that positions equal their movements, and principal the ledger's."""

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from reefpoint.platform.basics.findings import Finding
from reefpoint.platform.database.guards import verify_guards
from reefpoint.records.accounts.models import LoanRate, MarginAccount, Position, SecurityMovement
from reefpoint.records.accounts.types import LoanState
from reefpoint.records.ledger import selectors as ledger
from reefpoint.records.ledger.types import loan_principal


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
