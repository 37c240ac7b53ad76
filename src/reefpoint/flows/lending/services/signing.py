"""Signing a contract with all that must hold at that moment, and what follows from it, in one transaction."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.lending.services import renewals
from reefpoint.flows.lending.services.offering import require_signable
from reefpoint.flows.lending.types import RenewalState
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.contracts import services as contracts
from reefpoint.records.contracts.services import NotACountersigner
from reefpoint.records.contracts.types import Authentication


@transaction.atomic
def sign_contract(*, actor: Actor, contract_id: int, authentication: Authentication, on: date, at: datetime) -> None:
    """The client signs a contract, or an agreement that renews a loan. Idempotent.

    Raises what `require_signable`, `require_still_possible` and `sign_as_client` raise; nothing is signed then.
    """
    renewal = renewals.lock_of_contract(contract_id)
    if renewal is None:
        require_signable(contract_id=contract_id, on=on, at=at)
    elif renewal.state != RenewalState.DONE:
        renewals.require_still_possible(renewal, on=on, at=at)
    contracts.sign_as_client(actor=actor, contract_id=contract_id, authentication=authentication, at=at)
    if renewal is not None:
        renewals.note_client_signature(renewal, actor=actor, at=at)


@transaction.atomic
def countersign_contract(
    *, actor: Actor, contract_id: int, authentication: Authentication, on: date, at: datetime
) -> None:
    """The desk signs: the contract is in force, and a renewal moves the maturity in the same transaction. Idempotent.

    Whoever offered a renewal does not sign it for the desk. Raises what `sign_contract` and `countersign` raise.
    """
    renewal = renewals.lock_of_contract(contract_id)
    if renewal is None:
        require_signable(contract_id=contract_id, on=on, at=at)
    elif renewal.state != RenewalState.DONE:
        if actor.ref == renewal.offered_by:
            raise NotACountersigner("Whoever offered a renewal does not sign it for the desk: a second person must.")
        renewals.require_still_possible(renewal, on=on, at=at)
    contracts.countersign(actor=actor, contract_id=contract_id, authentication=authentication, at=at)
    if renewal is not None and renewal.state != RenewalState.DONE:
        renewals.bring_into_force(renewal, actor=actor, on=on, at=at)
