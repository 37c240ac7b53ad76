"""One file per bank and channel. The paper bank keeps the settlement account; payments go by the channel set."""

from pathlib import Path

from django.conf import settings

from reefpoint.records.treasury.adapters.file_payments import FilePayments
from reefpoint.records.treasury.adapters.paper_bank import PaperBank
from reefpoint.records.treasury.adapters.paper_payments import PaperPayments
from reefpoint.records.treasury.adapters.rest_payments import RestPayments
from reefpoint.records.treasury.types import Bank, PaymentBank


def settlement_bank() -> Bank:
    """The bank where the desk's settlement account is kept."""
    return PaperBank()


def payment_bank() -> PaymentBank:
    """The channel for payments, by the setting `PAYMENT_BANK`: `paper`, `file:<folder>` or an address."""
    where = settings.PAYMENT_BANK
    if where == "paper":
        return PaperPayments()
    if where.startswith("file:"):
        return FilePayments(Path(where.removeprefix("file:")))
    return RestPayments(where, settings.PAYMENT_SECRET.encode())
