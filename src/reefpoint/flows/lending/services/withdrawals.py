"""A version is offered no longer: two people decide on exactly whom it touches; those in between are told, or end."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.lending.models import CreditRequest
from reefpoint.flows.lending.rules import CREDIT_STATES
from reefpoint.flows.lending.selectors.affected import (
    asks_under,
    find_next_version,
    find_withdrawal_effect,
    has_other_version,
    stopped_requests,
)
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.steps import LENDER, end_papers, lock_request, move, note, tell
from reefpoint.flows.lending.types import CreditState
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.contracts.types import ContractState
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.services import request_withdrawal

TOLD, ENDED = "scheme_withdrawn", "scheme_ended"
"""The steps of a request: its client was told, or it came to its end."""


@transaction.atomic
def ask_scheme_withdrawal(*, actor: Actor, version_id: int, reason: str, on: date, at: datetime) -> int:
    """Ask a second person to withdraw a version, with whom it touches. Returns the approval's id.

    Raises `ChangeRefused`, `SchemeVersionNotFound`, `InvalidTransition`.
    """
    require(actor, "schemes.publish")
    effect = find_withdrawal_effect(version_id, on=on, at=at)
    return request_withdrawal(actor=actor, version_id=version_id, effect=effect.payload(), reason=reason, at=at)


@transaction.atomic
def follow_withdrawal(*, version_id: int, on: date, at: datetime) -> int:
    """Do what a withdrawn version means for the requests under it, once each. Returns how many clients were told.

    With another version of the scheme they stay, and their clients are told that they need a new offer. Without any
    they end, those that name no version yet among them, and their clients are told that; what waits for money by a
    second person's word ends with its funding, which is refused.
    """
    ends = not has_other_version(version_id)
    has_next = find_next_version(version_id, on) is not None
    version = get_version(version_id)
    words = f"{version.scheme_code} v{version.version}"
    told = 0
    touched = (asks_under(version.scheme_code) | stopped_requests(version_id)) if ends else stopped_requests(version_id)
    for request_id in touched.order_by("id").values_list("id", flat=True):
        row = lock_request(request_id)
        if row.steps.filter(action__in=(TOLD, ENDED)).exists():
            continue
        if ends and CreditState.WITHDRAWN in CREDIT_STATES.moves[CreditState(row.state)]:
            _end(row, words, at)
        else:
            note(actor=LENDER, row=row, action=TOLD, at=at, words=words)
            is_signed = row.client_signed_at is not None
            sentence = letters.withdrawn_words(row.client.language, is_signed=is_signed, has_next=has_next)
            tell(actor=LENDER, row=row, letter="scheme_withdrawn", at=at, words=sentence)
        told += 1
    return told


def _end(row: CreditRequest, words: str, at: datetime) -> None:
    end_papers(row, ContractState.WITHDRAWN, "the scheme is offered no longer", at)
    move(actor=LENDER, row=row, new=CreditState.WITHDRAWN, action=ENDED, words=words, at=at)
    tell(actor=LENDER, row=row, letter="scheme_ended", at=at)
