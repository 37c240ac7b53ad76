"""One loan with whose it is, as far as the person who asks may know of it."""

from contextlib import suppress

from reefpoint.platform.basics.actors import Actor
from reefpoint.records.accounts.selectors.loans import get_owned_loan
from reefpoint.records.accounts.types import OwnedLoan
from reefpoint.records.parties.selectors.clients import ClientNotFound, find_own_client, require_own_or


def find_visible_loan(actor: Actor, loan_id: int) -> OwnedLoan | None:
    """A loan for its client, or for staff in scope; None for anybody else (I66)."""
    owned, own = get_owned_loan(loan_id), find_own_client(actor)
    if owned is not None and (own is None or own.id == owned.owner.client_id):
        with suppress(ClientNotFound):
            require_own_or(actor, "lending.view", owned.owner.client_id)
            return owned
    return None
