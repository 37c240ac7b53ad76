"""Opening ledger accounts."""

from collections.abc import Sequence

from django.db import transaction

from reefpoint.platform.database.bulk import insert_columns
from reefpoint.records.ledger.models import LedgerAccount
from reefpoint.records.ledger.selectors import books_currency
from reefpoint.records.ledger.services.refusals import IdempotencyConflict, OtherCurrency
from reefpoint.records.ledger.types import AccountKind, LedgerAccountSpec


def open_ledger_account(*, code: str, kind: AccountKind, currency: str, floor_minor: int | None = None) -> int:
    """Open a ledger account, or find the same one open. Returns its id."""
    spec = LedgerAccountSpec(code=code, kind=kind, currency=currency, floor_minor=floor_minor)
    return open_ledger_accounts([spec])[0]


def require_books_currency(currency: str) -> None:
    """Refuse money of a client or a funder in a currency that the desk's own accounts are not in.

    A posting has one currency, so nothing could be paid in, lent or earned there. Raises `OtherCurrency`.
    """
    books = books_currency()
    if books not in {None, currency}:
        raise OtherCurrency(
            "The books of the desk are kept in {books}: nothing can be opened in {currency}.",
            books=books,
            currency=currency,
        )


@transaction.atomic
def open_ledger_accounts(specs: Sequence[LedgerAccountSpec]) -> list[int]:
    """Open ledger accounts, those already open being left as they are. Returns their ids in the order given.

    Raises `IdempotencyConflict` if a code is open with another kind, currency or floor.
    """
    insert_columns(
        LedgerAccount._meta.db_table,
        {"code": "text", "kind": "text", "currency": "text", "floor_minor": "bigint"},
        [
            (spec.code, spec.kind.value, spec.currency, spec.floor_minor)
            for spec in sorted(specs, key=lambda spec: spec.code)
        ],
        ignore_on=["code"],
    )
    found = LedgerAccount.objects.filter(code__in=[spec.code for spec in specs])
    opened = {row[1]: row for row in found.values_list("id", "code", "kind", "currency", "floor_minor")}
    for spec in specs:
        if opened[spec.code][1:] != (spec.code, spec.kind, spec.currency, spec.floor_minor):
            raise IdempotencyConflict("The ledger account {code} is open with other terms.", code=spec.code)
    return [opened[spec.code][0] for spec in specs]
