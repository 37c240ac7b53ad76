"""Consents to the use of personal data: given, and withdrawn."""

from datetime import datetime

from django.db import transaction

from reefpoint.platform.audit.services import record
from reefpoint.platform.basics.actors import Actor
from reefpoint.platform.basics.errors import NotFound
from reefpoint.records.parties.models import Consent
from reefpoint.records.parties.selectors.clients import require_own_or
from reefpoint.records.parties.types import ConsentChannel, ConsentPurpose


class ConsentNotFound(NotFound):
    """The client gave no such consent, or has withdrawn it."""

    code = "consent_not_found"


@transaction.atomic
def record_consent(
    *,
    actor: Actor,
    client_id: int,
    purpose: ConsentPurpose,
    text_version: str,
    channel: ConsentChannel,
    at: datetime,
) -> int:
    """Put a client's consent to one use of their data on record, with the text they saw. Returns its id.

    The same consent again is one consent.
    """
    require_own_or(actor, "consents.record", client_id)
    consent, is_new = Consent.objects.get_or_create(
        client_id=client_id,
        purpose=purpose,
        text_version=text_version,
        withdrawn_at=None,
        defaults={"channel": channel, "given_at": at, "recorded_by": actor.ref},
    )
    if is_new:
        record(
            actor=actor,
            action="consents.record",
            subject=f"client:{client_id}",
            inputs={"consent_id": consent.pk, "purpose": purpose, "text_version": text_version, "channel": channel},
            at=at,
        )
    return consent.pk


@transaction.atomic
def withdraw_consent(*, actor: Actor, client_id: int, consent_id: int, reason: str, at: datetime) -> None:
    """Note that a client takes a consent back; from now on it counts for nothing. Raises `ConsentNotFound`."""
    require_own_or(actor, "consents.record", client_id)
    consent = Consent.objects.select_for_update().filter(id=consent_id, client_id=client_id, withdrawn_at=None).first()
    if consent is None:
        raise ConsentNotFound("There is no such consent to withdraw.", consent_id=consent_id)
    consent.withdrawn_at, consent.withdrawn_by, consent.withdrawal_reason = at, actor.ref, reason[:300]
    consent.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawal_reason"])
    record(
        actor=actor,
        action="consents.withdraw",
        subject=f"client:{client_id}",
        reason=reason,
        inputs={"consent_id": consent_id, "purpose": consent.purpose},
        at=at,
    )
