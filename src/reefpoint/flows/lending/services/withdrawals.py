"""A version is offered no longer: two people decide on exactly whom it touches, and those in between are told."""

from datetime import date, datetime

from django.db import transaction

from reefpoint.flows.lending.selectors.affected import find_next_version, find_withdrawal_effect, stopped_requests
from reefpoint.flows.lending.services import letters
from reefpoint.flows.lending.services.funding import LENDER
from reefpoint.flows.lending.services.requests import lock_request, note, tell
from reefpoint.platform.access.services import require
from reefpoint.platform.basics.actors import Actor
from reefpoint.records.products.selectors import get_version
from reefpoint.records.products.services import request_withdrawal


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
    """Tell everybody whose request cannot go on under a withdrawn version, once each. Returns how many were told."""
    has_next = find_next_version(version_id, on) is not None
    version = get_version(version_id)
    words = f"{version.scheme_code} v{version.version}"
    told = 0
    for request_id in stopped_requests(version_id).order_by("id").values_list("id", flat=True):
        row = lock_request(request_id)
        if row.steps.filter(action="scheme_withdrawn").exists():
            continue
        note(actor=LENDER, row=row, action="scheme_withdrawn", at=at, words=words)
        is_signed = row.client_signed_at is not None
        sentence = letters.withdrawn_words(row.client.language, is_signed=is_signed, has_next=has_next)
        tell(actor=LENDER, row=row, letter="scheme_withdrawn", at=at, words=sentence)
        told += 1
    return told
