"""What the books say."""

from collections.abc import Iterable

from django.db.models import F

from reefpoint.records.ledger.models import Balance

_NORMAL_SIDE = F("sign") * (F("debit_minor") - F("credit_minor"))


def balance_minor(code: str) -> int:
    """An account's balance in its normal side, holds not deducted. Raises `Balance.DoesNotExist` if it is not open."""
    return balances([code])[code]


def balances(codes: Iterable[str]) -> dict[str, int]:
    """Balances in minor units of each account's normal side; a code that is not open is absent."""
    rows = Balance.objects.filter(account__code__in=list(codes))
    return dict(rows.values_list("account__code", _NORMAL_SIDE))
