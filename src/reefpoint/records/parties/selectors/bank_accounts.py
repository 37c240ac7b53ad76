"""The bank accounts of clients: in full for the program, masked for people."""

import uuid
from collections.abc import Collection, Iterable, Sequence

from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.masking import mask_account
from reefpoint.platform.vault.services import open_many
from reefpoint.platform.vault.types import Sealed
from reefpoint.records.parties.models import BankAccount
from reefpoint.records.parties.rules import bank_account_from_json
from reefpoint.records.parties.selectors.clients import require_own_or
from reefpoint.records.parties.types import BankAccountDraft, BankAccountView


def bank_account_context(client_id: int, place: uuid.UUID) -> str:
    """The place of a bank account, under which it is sealed."""
    return f"client:{client_id}:bank_account:{place}"


def list_bank_accounts(actor: Actor, client_id: int, *, with_removed: bool = False) -> list[BankAccountView]:
    """The bank accounts of a client as they may be shown, oldest first. Raises `ClientNotFound` outside the scope."""
    require_own_or(actor, "clients.view", client_id)
    rows = BankAccount.objects.filter(client_id=client_id, erased_at=None).order_by("id")
    return _bank_views(rows if with_removed else rows.filter(removed_at=None))


def load_bank_accounts(client_ids: Collection[int]) -> list[BankAccountView]:
    """The bank accounts of these clients, those taken out again among them, for the program: numbers masked too."""
    return _bank_views(BankAccount.objects.filter(client_id__in=client_ids, erased_at=None).order_by("id"))


def open_bank_accounts(client_id: int) -> dict[int, BankAccountDraft]:
    """The bank accounts of a client in full, by id, for the program itself: they must not reach a page or a log."""
    rows = list(BankAccount.objects.filter(client_id=client_id, erased_at=None, removed_at=None).order_by("id"))
    return {row.pk: bank_account_from_json(plain) for row, plain in zip(rows, _open_accounts(rows), strict=True)}


def _open_accounts(rows: Sequence[BankAccount]) -> list[bytes]:
    return open_many(
        [(Sealed(row.key_id, bytes(row.blob or b"")), bank_account_context(row.client_id, row.place)) for row in rows]
    )


def _bank_views(rows: Iterable[BankAccount]) -> list[BankAccountView]:
    held = list(rows)
    return [_bank_view(row, plain) for row, plain in zip(held, _open_accounts(held), strict=True)]


def _bank_view(row: BankAccount, plain: bytes) -> BankAccountView:
    account = bank_account_from_json(plain)
    return BankAccountView(
        id=row.pk,
        client_id=row.client_id,
        country=account.country,
        bank_name=account.bank_name,
        bank_code=account.bank_code,
        holder_name=account.holder_name,
        masked=mask_account(account.number),
        currency=account.currency,
        digest=bytes(row.digest).hex(),
        added_at=row.added_at,
        removed_at=row.removed_at,
        verified_at=row.verified_at,
    )
