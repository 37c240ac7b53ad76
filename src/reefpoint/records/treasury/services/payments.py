"""Instructions to the bank."""

from datetime import date

from reefpoint.records.treasury.adapters import settlement_bank


def pay_out(*, reference: str, amount_minor: int, on: date, text: str) -> None:
    """Tell the bank to pay from the settlement account (minor units, positive); the same reference is one payment.

    Raises the bank's refusal for a reference that already named another amount.
    """
    settlement_bank().debit(reference=reference, amount_minor=amount_minor, on=on, text=text)
