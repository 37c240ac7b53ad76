"""Legal holds: what must stay for a lawsuit or an inquiry, whatever its time."""

from datetime import datetime

from django.db import transaction

from reefpoint.platform.access.services import ReasonNeeded, require
from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound, Refusal
from reefpoint.records.parties.models import LegalHold
from reefpoint.records.parties.services.clients import lock_client

MATTER_CHARS_MAX = 120
REASON_CHARS_MAX = 500


class HoldNotFound(NotFound):
    """The client is under no such hold, or it was lifted."""

    code = "hold_not_found"


class UnderLegalHold(Refusal):
    """Records of this client must stay for a matter; nothing of them is erased."""

    code = "under_legal_hold"


@transaction.atomic
def place_hold(*, actor: Actor, client_id: int, matter: str, reason: str, at: datetime) -> int:
    """Stop every erasure of a client's records for a matter, such as a case number. Returns the hold's id.

    The same matter again is one hold. Raises `ReasonNeeded`, `ClientNotFound`.
    """
    require(actor, "clients.hold")
    matter, reason = matter.strip()[:MATTER_CHARS_MAX], reason.strip()[:REASON_CHARS_MAX]
    if not matter or not reason:
        raise ReasonNeeded("Name the matter and say why the records must stay.")
    lock_client(actor, client_id)
    hold, is_new = LegalHold.objects.get_or_create(
        client_id=client_id,
        matter=matter,
        lifted_at=None,
        defaults={"reason": reason, "placed_at": at, "placed_by": actor.ref},
    )
    if is_new:
        record(
            actor=actor,
            action="clients.hold",
            subject=f"client:{client_id}",
            reason=reason,
            inputs={"hold_id": hold.pk, "matter": matter},
            at=at,
        )
    return hold.pk


@transaction.atomic
def lift_hold(*, actor: Actor, client_id: int, hold_id: int, reason: str, at: datetime) -> None:
    """End a hold; what has run out can be erased again, by two people. Raises `HoldNotFound`, `ReasonNeeded`."""
    require(actor, "clients.hold")
    reason = reason.strip()[:REASON_CHARS_MAX]
    if not reason:
        raise ReasonNeeded("Say why the records need not stay any more.")
    lock_client(actor, client_id)
    hold = LegalHold.objects.filter(id=hold_id, client_id=client_id, lifted_at=None).first()
    if hold is None:
        raise HoldNotFound("There is no such hold to lift.", hold_id=hold_id)
    hold.lifted_at, hold.lifted_by, hold.lift_reason = at, actor.ref, reason
    hold.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    record(
        actor=actor,
        action="clients.lift_hold",
        subject=f"client:{client_id}",
        reason=reason,
        inputs={"hold_id": hold_id, "matter": hold.matter},
        at=at,
    )


def check_not_held(client_id: int) -> None:
    """Raise `UnderLegalHold` while a hold stands."""
    matters = list(LegalHold.objects.filter(client_id=client_id, lifted_at=None).values_list("matter", flat=True))
    if matters:
        raise UnderLegalHold(
            "These records must stay for {matters}. Lift the hold first; nothing was erased.",
            matters=matters,
        )
