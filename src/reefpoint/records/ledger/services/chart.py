"""Opening ledger accounts."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from reefpoint.records.ledger.models import LedgerAccount
from reefpoint.records.ledger.services.refusals import IdempotencyConflict
from reefpoint.records.ledger.types import AccountKind, LedgerAccountSpec


def open_ledger_account(*, code: str, kind: AccountKind, currency: str, floor_minor: int | None = None) -> int:
    """Open a ledger account, or find the same one open. Returns its id."""
    spec = LedgerAccountSpec(code=code, kind=kind, currency=currency, floor_minor=floor_minor)
    return open_ledger_accounts([spec])[0]


@transaction.atomic
def open_ledger_accounts(specs: Sequence[LedgerAccountSpec]) -> list[int]:
    """Open ledger accounts, those already open being left as they are. Returns their ids in the order given.

    Raises `IdempotencyConflict` if a code is open with another kind, currency or floor.
    """
    LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(code=spec.code, kind=spec.kind, currency=spec.currency, floor_minor=spec.floor_minor)
            for spec in sorted(specs, key=lambda spec: spec.code)
        ],
        ignore_conflicts=True,
    )
    opened = {account.code: account for account in LedgerAccount.objects.filter(code__in=[s.code for s in specs])}
    for spec in specs:
        found = opened[spec.code]
        if (found.kind, found.currency, found.floor_minor) != (spec.kind, spec.currency, spec.floor_minor):
            raise IdempotencyConflict(
                _("The ledger account %(code)s is open with other terms.") % {"code": spec.code}, code=spec.code
            )
    return [opened[spec.code].id for spec in specs]
